"""States live in drafts until their batch is committed; deadlines in a heap that may be wrong."""

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from hub.detect.belonging import SHARDS, shard_of
from hub.detect.detector import PersonContext, Phase, Scope
from hub.detect.runner import Draft, Runner
from hub.detect.silence import SilenceDetector, SilenceState
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DeviceKind
from tests.scenes import START

HOME = PremisesId("home-1")
BANDS = {
    DeviceId(f"band-{n}"): Device(DeviceId(f"band-{n}"), DeviceKind.WRISTBAND, AreaId("city"), HOME)
    for n in range(1, 201)
}
FIRST = DeviceId("band-1")


class Bands:
    """Surroundings of devices that belong to nobody in particular."""

    def __init__(self, devices: dict[DeviceId, Device]) -> None:
        self.device = devices.get

    def contexts(self, device: Device) -> tuple[PersonContext, PersonContext] | None:
        return PersonContext(), PersonContext()

    def member(self, scope: Scope, key: str) -> Device | None:
        return None


def runner(devices: dict[DeviceId, Device] | None = None) -> Runner:
    known = BANDS if devices is None else devices
    return Runner([SilenceDetector()], Bands(known), START)


def hear(running: Runner, *devices: DeviceId, at: datetime = START) -> Draft:
    draft = running.draft()
    for device in devices:
        running.observe(draft, Observation(BANDS[device], ALIVE, at, None))
    return draft


def passed(running: Runner, seconds: float, limit: int = 1000) -> Draft:
    draft = running.draft()
    running.expire(draft, START + timedelta(seconds=seconds), limit)
    return draft


def test_a_batch_that_is_not_committed_changes_nothing() -> None:
    running = runner()
    draft = hear(running, FIRST)
    assert len(running) == 0
    assert passed(running, 999).findings == []
    running.accept(draft)
    assert len(running) == 1


def test_a_deadline_passes_once() -> None:
    running = runner()
    running.accept(hear(running, FIRST))
    assert passed(running, 179).findings == []
    draft = passed(running, 180)
    assert [finding.phase for _, finding in draft.findings] == [Phase.CONFIRMED]
    running.accept(draft)
    assert passed(running, 9999).findings == []


def test_who_was_heard_since_is_not_silent() -> None:
    running = runner()
    running.accept(hear(running, FIRST))
    running.accept(hear(running, FIRST, at=START + timedelta(seconds=170)))
    assert passed(running, 200).findings == []
    assert len(passed(running, 350).findings) == 1


def test_who_speaks_in_the_very_batch_is_not_silent() -> None:
    running = runner()
    running.accept(hear(running, FIRST))
    draft = hear(running, FIRST, at=START + timedelta(seconds=300))
    running.expire(draft, START + timedelta(seconds=300), 10)
    assert draft.findings == []


def test_a_silent_city_is_reported_over_a_few_batches() -> None:
    running = runner()
    running.accept(hear(running, *BANDS))
    counts = []
    for _ in range(4):
        draft = passed(running, 500, limit=80)
        counts.append(len(draft.findings))
        running.accept(draft)
    assert counts == [80, 80, 40, 0]


def test_a_deaf_hub_waits_anew() -> None:
    running = runner()
    running.accept(hear(running, FIRST))
    running.rescheduled(START + timedelta(seconds=1000))
    assert passed(running, 1179).findings == []
    assert len(passed(running, 1180).findings) == 1


def test_nobody_waits_for_a_revoked_device() -> None:
    devices = dict(BANDS)
    running = runner(devices)
    running.accept(hear(running, FIRST))
    devices[FIRST] = replace(BANDS[FIRST], revoked=True)
    assert passed(running, 999).findings == []


def test_shards_carry_every_state_to_the_next_process() -> None:
    old = runner()
    old.accept(hear(old, *BANDS))
    old.accept(passed(old, 200, limit=50))
    new = runner()
    for number in range(SHARDS):
        new.load_shard(old.shard(number))
    assert len(new) == len(BANDS)
    key = lambda state: (state.heard_s, state.reported)  # noqa: E731
    assert sorted(map(key, new.states_of("silence"))) == sorted(map(key, old.states_of("silence")))
    assert len(passed(new, 999).findings) == len(BANDS) - 50


def test_a_damaged_state_costs_only_itself() -> None:
    content = {
        "silence": {"band-1": ["not a time"], "band-2": [int(START.timestamp()), False]},
        "a detector of a later release": {"band-1": [1]},
    }
    running = runner()
    running.load_shard(msgspec.msgpack.encode(content))
    assert running.states_of("silence") == [SilenceState(int(START.timestamp()))]
    running.load_shard(b"\xc1 not msgpack")
    running.load_shard(msgspec.msgpack.encode([1, 2]))
    assert len(running) == 1


def test_a_device_stays_in_its_shard() -> None:
    """Recovery compares watermarks by shard: the spread must not change between releases."""
    assert [shard_of(name) for name in ("band-1", "button-2", "x")] == [22, 43, 3]
