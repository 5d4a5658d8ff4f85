"""States change with their batch; deadlines pass from a heap that may be wrong; whose is what."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from alerts.alarm import Category, Priority, Subject, SubjectKind
from alerts.people import PersonState
from hub.circumstances import Circumstances
from hub.detect.belonging import SHARDS, shard_of
from hub.detect.detector import (
    NONE,
    Context,
    Detector,
    Finding,
    Findings,
    Phase,
    Scope,
    Whereabouts,
)
from hub.detect.runner import LOOK_AGAIN_S, Draft, Runner
from hub.detect.unheard import MOUNTED_WITHIN_S, UnheardDetector
from hub.observation import ALIVE, Observation
from hub.register import Register
from schemas.ids import DeviceId, PersonId
from tests.scenes import START, register

PATIENCE_S = 180


class Waiting(msgspec.Struct, frozen=True, array_like=True):
    """When it was heard, how often, and whether it was missed."""

    heard_s: int
    count: int = 1
    missed: bool = False
    patience_s: int = PATIENCE_S


class Waiter:
    """Misses whoever is not heard for three minutes; `steps` say how patient it is from then on."""

    state_type = Waiting
    measures = frozenset({ALIVE, "steps"})

    def __init__(self, scope: Scope = Scope.DEVICE, name: str = "waiter") -> None:
        self.scope, self.name = scope, name
        self.seen: list[Context] = []

    def observe(
        self, state: Waiting | None, observation: Observation, context: Context
    ) -> tuple[Waiting | None, Findings]:
        self.seen.append(context)
        heard_s = int(observation.received_at.timestamp())
        if state is None:
            return Waiting(heard_s), NONE
        patience_s = state.patience_s if observation.value is None else int(observation.value)
        back = (self._finding(Phase.WITHDRAWN, observation.received_at, context),)
        after = Waiting(heard_s, state.count + 1, patience_s=patience_s)
        return after, back if state.missed else NONE

    def deadline(self, state: Waiting, context: Context) -> datetime | None:
        if state.missed:
            return None
        since_s = max(state.heard_s, context.listening_since.timestamp())
        return datetime.fromtimestamp(since_s + state.patience_s, START.tzinfo)

    def expire(self, state: Waiting, now: datetime, context: Context) -> tuple[Waiting, Findings]:
        self.seen.append(context)
        after = msgspec.structs.replace(state, missed=True)
        return after, (self._finding(Phase.CONFIRMED, now, context),)

    def _finding(self, phase: Phase, at: datetime, context: Context) -> Finding:
        subject = Subject(SubjectKind.DEVICE, context.device.id)
        return Finding(
            self.name, "missed", phase, Category.TECHNICAL, Priority.LOW, subject, "", at, ""
        )


def home_of_bands(count: int = 200) -> Register:
    """Wristbands of nobody in particular, all in one home."""
    known = Register()
    for number in range(1, count + 1):
        known.put("device", row(f"band-{number}"))
    return known


def row(
    device: str, home: str = "home-1", person: str | None = None, *, revoked: bool = False
) -> dict[str, object]:
    return {
        "device_id": device, "kind": "wristband", "area_id": "city", "premises_id": home,
        "person_id": person, "label": "", "secret_sha256": "", "revoked": revoked,
    }  # fmt: skip


class Watch:
    """A runner and what it knows."""

    def __init__(self, known: Register, *detectors: Detector[Any]) -> None:
        self.register = known
        self.circumstances = Circumstances(known, list)
        self.runner = Runner(detectors or [Waiter()], self.circumstances, START)

    def heard(self, *devices: str, after_s: float = 0, patience_s: float | None = None) -> Draft:
        draft = self.runner.draft()
        for device in devices:
            known = self.register.devices[DeviceId(device)]
            at = START + timedelta(seconds=after_s)
            measure = ALIVE if patience_s is None else "steps"
            self.runner.observe(draft, Observation(known, measure, at, None, patience_s))
        return draft

    def passes(self, seconds: float, limit: int = 1000) -> Draft:
        draft = self.runner.draft()
        self.runner.expire(draft, START + timedelta(seconds=seconds), limit)
        return draft

    def changes(self) -> Draft:
        draft = self.runner.draft()
        changed = self.circumstances.refresh()
        assert changed is not None
        self.runner.circumstances_changed(draft, changed)
        return draft

    def counts(self, name: str = "waiter") -> dict[str, int]:
        return {key: state.count for key, state in self.runner.table(name).items()}

    def stored(self) -> list[bytes]:
        return [self.runner.shard(number) for number in range(SHARDS)]


def missed(draft: Draft) -> list[str]:
    return [device.id for device, finding in draft.findings if finding.phase is Phase.CONFIRMED]


def test_a_shard_taken_between_two_batches_holds_the_first_whole() -> None:
    watch, kept = Watch(home_of_bands(1)), Watch(home_of_bands(1))
    expected = []
    for second in range(3):
        watch.heard("band-1", after_s=second)
        for shard in watch.stored():
            kept.runner.load_shard(shard)
        expected.append(kept.counts().popitem()[1])
    assert expected == [1, 2, 3]


def test_a_deadline_passes_once() -> None:
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    assert missed(watch.passes(179)) == []
    assert missed(watch.passes(180)) == ["band-1"]
    assert missed(watch.passes(9999)) == []


def test_who_was_heard_since_is_not_missed() -> None:
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    watch.heard("band-1", after_s=170)
    assert missed(watch.passes(200)) == []
    assert missed(watch.passes(350)) == ["band-1"]


def test_who_speaks_in_the_very_batch_is_not_missed() -> None:
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    draft = watch.heard("band-1", after_s=300)
    watch.runner.expire(draft, START + timedelta(seconds=300), 10)
    assert missed(draft) == []


def test_a_deadline_that_moves_nearer_is_seen_in_time() -> None:
    """Up from bed: half an hour instead of half a day."""
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    watch.heard("band-1", after_s=1, patience_s=43_200)
    watch.passes(200)
    watch.heard("band-1", after_s=201, patience_s=300)
    assert missed(watch.passes(501 + LOOK_AGAIN_S)) == ["band-1"]


def test_a_silent_city_is_reported_over_a_few_batches() -> None:
    watch = Watch(home_of_bands(200))
    watch.heard(*watch.register.devices)
    assert [len(missed(watch.passes(500, limit=80))) for _ in range(4)] == [80, 80, 40, 0]


def test_a_deaf_hub_waits_anew() -> None:
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    watch.runner.rescheduled(START + timedelta(seconds=1000))
    assert missed(watch.passes(1179)) == []
    assert missed(watch.passes(1180)) == ["band-1"]


def test_nobody_waits_for_a_revoked_device() -> None:
    watch = Watch(home_of_bands(1))
    watch.heard("band-1")
    watch.register.put("device", row("band-1", revoked=True))
    watch.changes()
    assert missed(watch.passes(999)) == []
    watch.stored()
    assert watch.counts() == {}, "what is nobody's is dropped"


def test_shards_carry_every_state_to_the_next_process() -> None:
    old = Watch(home_of_bands())
    old.heard(*old.register.devices)
    assert len(missed(old.passes(200, limit=50))) == 50
    new = Watch(home_of_bands())
    for shard in old.stored():
        new.runner.load_shard(shard)
    assert dict(new.runner.table("waiter")) == dict(old.runner.table("waiter"))
    assert len(missed(new.passes(999))) == 150


def test_shards_meet_those_who_are_known_already() -> None:
    """Detectors know different devices of a shard, and some were met before it was loaded."""
    detectors = Waiter(name="waiter"), Waiter(name="battery")
    old, new = Watch(home_of_bands(), *detectors), Watch(home_of_bands(), *detectors)
    old.heard(*list(old.register.devices)[::2])
    of_one = old.runner.table("battery")
    content = [
        ("battery", [msgspec.msgpack.encode({key: of_one[key] for key in list(of_one)[::3]})]),
        ("waiter", [msgspec.msgpack.encode(dict(old.runner.table("waiter")))]),
    ]
    new.heard("band-1", "band-2", "band-3")
    new.runner.load_shard(msgspec.msgpack.encode(content))
    assert new.counts().keys() == {*old.counts(), "band-2/home-1"}
    assert new.counts("battery").keys() == {*list(of_one)[::3], "band-1", "band-2", "band-3"}
    assert len(missed(new.passes(999))) == len(new.runner), "and each of them is waited for"


def test_a_damaged_state_costs_only_itself() -> None:
    """Written by release 0.1, too: one map of maps."""
    content = {
        "waiter": {"band-1/home-1": ["not a time"], "band-2/home-1": [int(START.timestamp())]},
        "a detector of a later release": {"band-1": [1]},
    }
    watch = Watch(home_of_bands())
    watch.runner.load_shard(msgspec.msgpack.encode(content))
    assert watch.counts() == {"band-2/home-1": 1}
    watch.runner.load_shard(b"\xc1 not msgpack")
    watch.runner.load_shard(msgspec.msgpack.encode([1, 2]))
    assert len(watch.runner) == 1


def test_a_state_stays_in_its_shard() -> None:
    """Recovery compares watermarks by shard: the spread must not change between releases."""
    assert [shard_of(name) for name in ("band-1", "button-2", "x")] == [22, 43, 3]


@pytest.mark.parametrize(
    ("scope", "keys"),
    [
        (Scope.DEVICE, {"band-1/anna": 1, "button-1/anna": 1, "smoke-3/home-3": 1}),
        (Scope.PERSON, {"anna": 2, "smoke-3/home-3": 1}),
        (Scope.PREMISES, {"home-1": 2, "home-3": 1}),
        (Scope.AREA, {"city": 3}),
    ],
)
def test_whose_state_an_observation_feeds(scope: Scope, keys: dict[str, int]) -> None:
    """Never a guessed person's: what is nobody's stays with its device and home."""
    watch = Watch(register(), Waiter(scope))
    watch.heard("band-1", "button-1", "smoke-3")
    assert watch.counts() == keys


def test_a_home_waits_with_a_device_that_is_nobodys_in_particular() -> None:
    waiter = Waiter(Scope.PREMISES)
    watch = Watch(register(), waiter)
    watch.register.put("device", row("motion-1"))
    watch.heard("band-1")
    watch.passes(200)
    assert waiter.seen[-1].device.id == "motion-1"


def test_a_band_that_is_handed_on_starts_anew() -> None:
    """Bo must not be judged by what was usual for Anna; the thing itself stays the same."""
    watch = Watch(register(), Waiter(), Waiter(name="silence"))
    watch.heard("band-1")
    watch.register.put("device", row("band-1", "home-2", "bo"))
    watch.changes()
    watch.heard("band-1", after_s=1)
    watch.stored()
    assert watch.counts() == {"band-1/bo": 1}
    assert watch.counts("silence") == {"band-1": 2}


@pytest.mark.parametrize("state", [PersonState.MOVED, PersonState.SERVICE_ENDED])
def test_nothing_is_detected_of_somebody_the_service_has_ended_for(state: PersonState) -> None:
    watch = Watch(register(), Waiter(), Waiter(Scope.PREMISES, "home"))
    watch.heard("band-1")
    _tell(watch.register, "anna", state)
    watch.changes()
    watch.heard("band-1", after_s=1)
    assert watch.passes(999).findings == []
    watch.stored()
    assert watch.counts() == watch.counts("home") == {}
    _tell(watch.register, "anna", PersonState.HOME)
    watch.changes()
    watch.heard("band-1", after_s=2)
    assert watch.counts() == {"band-1/anna": 1}


def test_a_home_is_watched_while_anybody_in_it_is_served() -> None:
    """Anna has moved out; Bo still lives there."""
    watch = Watch(register(), Waiter(Scope.PREMISES))
    watch.register.put("device", row("watch-bo", "home-1", "bo"))
    watch.heard("watch-bo")
    _tell(watch.register, "anna", PersonState.MOVED)
    watch.changes()
    watch.stored()
    assert watch.counts() == {"home-1": 1}
    assert missed(watch.passes(999)) == ["watch-bo"]


def test_a_home_is_empty_when_everybody_is_away() -> None:
    waiter = Waiter(Scope.PREMISES)
    watch = Watch(register(), waiter)
    watch.register.put("device", row("band-bo", "home-1", "bo"))
    wheres = []
    for anna, bo in (("away", "home"), ("away", "hospital"), ("hospital", "hospital")):
        _tell(watch.register, "anna", PersonState(anna))
        _tell(watch.register, "bo", PersonState(bo))
        watch.changes()
        watch.heard("band-1")
        wheres.append(waiter.seen[-1].person.whereabouts)
    assert wheres == [Whereabouts.HOME, Whereabouts.AWAY, Whereabouts.HOSPITAL]


def test_what_changes_circumstances_is_stored_with_the_batch() -> None:
    """What came before was judged by what held before: recovery must not judge it again."""
    watch = Watch(register(), Waiter(Scope.PERSON))
    watch.heard("band-1", "button-2")
    _tell(watch.register, "anna", PersonState.HOSPITAL)
    draft = watch.changes()
    assert [kept.key for kept in watch.runner.kept(draft)] == ["anna"]


def test_what_is_overheard_is_stored_with_the_batch() -> None:
    """No stored observation would bring it back."""
    watch = Watch(register())
    draft = watch.runner.draft()
    band = watch.register.devices[DeviceId("band-1")]
    watch.runner.observe(draft, Observation(band, ALIVE, START, None), stored=False)
    (kept,) = watch.runner.kept(draft)
    new = Watch(register())
    assert new.runner.load_kept(kept)
    assert new.counts() == {"band-1/anna": 1}


def test_a_device_that_never_speaks_is_missed_after_a_day_and_heard_of_when_it_does() -> None:
    watch = Watch(home_of_bands(2), UnheardDetector())
    watch.heard("band-2")
    for hours in (0, 12, 23):
        draft = watch.runner.draft()
        at = START + timedelta(hours=hours)
        watch.runner.begin(draft, watch.register.devices.values(), at)
    assert missed(watch.passes(MOUNTED_WITHIN_S - 1)) == []
    assert missed(watch.passes(MOUNTED_WITHIN_S + LOOK_AGAIN_S)) == ["band-1", "band-2"]
    (_, found) = watch.heard("band-1", after_s=2 * MOUNTED_WITHIN_S).findings[0]
    assert found.phase is Phase.WITHDRAWN
    assert watch.heard("band-1", after_s=3 * MOUNTED_WITHIN_S).findings == []


def test_who_has_spoken_is_not_expected_anew() -> None:
    watch = Watch(home_of_bands(1), Waiter(name="silence"), UnheardDetector())
    watch.heard("band-1")
    draft = watch.runner.draft()
    watch.runner.begin(draft, watch.register.devices.values(), START)
    assert dict(watch.runner.table("unheard")) == {}


def _tell(known: Register, person: str, state: PersonState) -> None:
    known.people[PersonId(person)] = replace(known.people[PersonId(person)], state=state)
    known.note("person", person)
