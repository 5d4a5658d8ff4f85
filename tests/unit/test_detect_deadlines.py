"""No deadline is forgotten, whichever way it moves; what nobody waits for costs nothing."""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.circumstances import Circumstances
from hub.detect.bed import BedDetector
from hub.detect.belonging import SHARDS
from hub.detect.deadlines import Deadlines
from hub.detect.detector import Detector, Phase
from hub.detect.inactivity import CHECK_IN_BEFORE_MIN, LEARNING_DAY_MIN, InactivityDetector
from hub.detect.runner import LOOK_AGAIN_S, ROWS_LET_GO, Runner
from hub.detect.silence import SilenceDetector
from hub.detect.states import Rows
from hub.detect.worn import WornDetector
from hub.observation import ALIVE, Observation
from hub.register import Register
from schemas.ids import DeviceId
from tests.scenes import START

TIMED = (SilenceDetector(), WornDetector(), BedDetector(), InactivityDetector())
SAYS: dict[str, tuple[tuple[str, str | None, float | None], ...]] = {
    "band-1": (
        (ALIVE, None, None), ("steps", None, 12.0), ("worn_state", "off", None),
        ("worn_state", "worn", None), ("worn_state", "charging", None),
        ("link_state", "offline", None),
    ),
    "bed-1": (
        (ALIVE, None, None), ("bed_state", "occupied", None), ("bed_state", "empty", None),
        ("movement_percent", None, 40.0),
    ),
}  # fmt: skip
WORDS = [(device, said) for device, all_said in SAYS.items() for said in all_said]
SIX_IN_THE_MORNING = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)
"""In China."""
TICK_S = 20
TICKS = (1, 2, 5, 12, 60, 1200)
"""How long nobody says anything: up to seven hours."""


def home() -> Register:
    known = Register()
    for device, kind in (("band-1", "wristband"), ("bed-1", "care_bed")):
        known.put("device", {
            "device_id": device, "kind": kind, "area_id": "city", "premises_id": "home-1",
            "person_id": "anna", "label": "bedroom", "secret_sha256": "", "revoked": False,
        })  # fmt: skip
    return known


class Watch:
    """The timed detectors on one home; each of them also alone and asked at every tick."""

    def __init__(self, detector: Detector[Any]) -> None:
        self.detector = detector
        self.register = home()
        self.circumstances = Circumstances(self.register, list)
        self.runner = Runner([detector], self.circumstances, START)
        self.told: list[tuple[str, datetime]] = []

    def hear(self, word: tuple[str, tuple[str, str | None, float | None]], at: datetime) -> None:
        device, (measure, state, value) = word
        known = self.register.devices[DeviceId(device)]
        draft = self.runner.draft()
        self.runner.observe(draft, Observation(known, measure, at, at, value, state))

    def tick(self, now: datetime) -> None:
        draft = self.runner.draft()
        self.runner.expire(draft, now, 1000)
        self.told += ((f.key, now) for _, f in draft.findings if f.phase is not Phase.WITHDRAWN)

    def overdue_s(self, now: datetime) -> Iterator[float]:
        """By how much each deadline has passed that nobody has let pass."""
        for key, state in self.runner.table(self.detector.name).items():
            found = self.runner._context(self.runner._states.places[0].kind, key)
            assert found is not None
            due = self.detector.deadline(state, found[1])
            if due is not None:
                yield (now - due).total_seconds()


@pytest.mark.parametrize("detector", TIMED, ids=lambda d: d.name)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(TICKS)), max_size=12))
def test_a_deadline_that_moves_is_seen_in_time(
    detector: Detector[Any], story: list[tuple[Any, int]]
) -> None:
    """Devices say what they like; at no tick is anything due for longer than is promised."""
    watch, now = Watch(detector), START
    promised_s = TICK_S + (LOOK_AGAIN_S if isinstance(detector, InactivityDetector) else 1)
    for word, ticks in story:
        watch.hear(word, now)
        for _ in range(ticks):
            now += timedelta(seconds=TICK_S)
            watch.tick(now)
            late_s = max(watch.overdue_s(now), default=0.0)
            assert late_s <= promised_s, f"{late_s} s late"


def test_up_in_the_morning_the_shorter_limit_of_the_day_counts() -> None:
    """A silence that began at ten to six may last the night's twelve hours, one that began at ten
    past six four hours."""
    watch, now = Watch(InactivityDetector()), SIX_IN_THE_MORNING
    for minutes in (-10, 10):
        now = SIX_IN_THE_MORNING + timedelta(minutes=minutes)
        watch.hear(("band-1", ("steps", None, 12.0)), now)
    for _ in range(4 * 3600 // TICK_S):
        now += timedelta(seconds=TICK_S)
        watch.hear(("band-1", (ALIVE, None, None)), now)
        watch.tick(now)
    (told, _) = watch.told
    due = SIX_IN_THE_MORNING + timedelta(minutes=10 + LEARNING_DAY_MIN - CHECK_IN_BEFORE_MIN)
    assert 0 <= (told[1] - due).total_seconds() <= LOOK_AGAIN_S + TICK_S


def test_what_is_put_down_again_replaces_what_was() -> None:
    at = [array("q", [0, 0])]
    wheel = Deadlines(at)
    wheel.put(0, 0, 10.0)
    wheel.put(0, 1, 11.5)
    wheel.put(0, 0, 20.0)
    assert wheel.take(15.0, most=9) == [(12, 0, 1)]
    at[0][0] = 0
    assert wheel.take(99.0, most=9) == [], "taken away"
    assert len(wheel) == 0


def test_of_many_only_those_are_put_down_that_are_not_yet() -> None:
    wheel = Deadlines([array("q", bytes(8 * 4))])
    wheel.put(0, 2, 30.0)
    wheel.put_new(0, [0, 2, 3], 19.5)
    wheel.put_new(0, [0, 3], 25.0)
    assert wheel.take(20.0, most=9) == [(20, 0, 0), (20, 0, 3)]
    assert wheel.take(99.0, most=9) == [(30, 0, 2)]


def test_it_takes_no_more_than_asked_for_and_loses_nothing() -> None:
    wheel = Deadlines([array("q", bytes(8 * 100))])
    for row in range(100):
        wheel.put(0, row, row // 10)
    taken = [row for _ in range(15) for _, _, row in wheel.take(99.0, most=7)]
    assert sorted(taken) == list(range(100))


def test_an_hour_of_messages_puts_down_few_deadlines() -> None:
    """They only move later: nothing is looked at for each message."""
    watch, now = Watch(SilenceDetector()), START
    looks, take = [], watch.runner._deadlines.take

    def counted(until_s: float, most: int) -> list[tuple[int, int, int]]:
        found = take(until_s, most)
        looks.extend(found)
        return found

    watch.runner._deadlines.take = counted  # type: ignore[method-assign]
    for _ in range(360):
        now += timedelta(seconds=10)
        watch.hear(("band-1", (ALIVE, None, None)), now)
        watch.tick(now)
    assert len(looks) <= 3600 / 180 + 1


def test_a_row_is_given_on_only_when_nobody_holds_its_number() -> None:
    rows = Rows()
    first = rows.add("anna")
    rows.forget("anna")
    assert rows.add("bo") != first
    rows.reuse()
    assert rows.add("carla") == first
    found = [row for number in range(SHARDS) for row in rows.in_shard(number)]
    assert {rows.keys[row] for row in found} == {"bo", "carla"}


def test_people_who_come_and_go_leave_no_room_behind() -> None:
    known = Register()
    circumstances = Circumstances(known, list)
    runner = Runner([SilenceDetector()], circumstances, START)
    circumstances.refresh()
    for number in range(3 * ROWS_LET_GO):
        known.put("device", {
            "device_id": f"band-{number}", "kind": "wristband", "area_id": "city",
            "premises_id": f"home-{number}", "person_id": f"person-{number}", "label": "",
            "secret_sha256": "", "revoked": False,
        })  # fmt: skip
        device = known.devices[DeviceId(f"band-{number}")]
        draft = runner.draft()
        runner.observe(draft, Observation(device, ALIVE, START, None))
        known.drop("device", device.id)
        runner.circumstances_changed(draft, circumstances.refresh() or ())
    assert len(runner) == 0
    assert len(runner._states.columns[0]) <= 2 * ROWS_LET_GO
