"""What a device says of itself without words: lost messages, stuck values, battery, wearer."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from hub.detect.battery import BatteryDetector
from hub.detect.cached import CachedDetector
from hub.detect.detector import Context, Detector, Finding, PersonContext, Phase, Whereabouts
from hub.detect.frozen import FrozenDetector
from hub.detect.inactivity import InactivityDetector
from hub.detect.sequence import SequenceDetector
from hub.detect.worn import WornDetector
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.alarms import Position, PositionSource
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind
from tests.scenes import START

Value = float | str | Position | None
Reading = tuple[float, str, Value]
"""Hours after START, measure, value."""


def device(kind: DeviceKind) -> Device:
    return Device(DeviceId("d-1"), kind, AreaId("city"), PremisesId("home-1"), PersonId("anna"))


def told(
    detector: Detector[Any],
    readings: Sequence[Reading],
    kind: DeviceKind = DeviceKind.WRISTBAND,
    person: PersonContext | None = None,
) -> list[tuple[str, str, str]]:
    """Kind, phase and text of what is found."""
    context = Context(device(kind), START, person or PersonContext())
    state: Any = None
    found: list[Finding] = []
    for hours, measure, value in readings:
        at = START + timedelta(hours=hours)
        seen = Observation(
            context.device, measure, at, at,
            value if isinstance(value, float) else None,
            value if isinstance(value, str) else None,
            position=value if isinstance(value, Position) else None,
        )  # fmt: skip
        if state is not None:
            due = detector.deadline(state, context)
            if due is not None and due <= at:
                state, findings = detector.expire(state, at, context)
                found += findings
        state, findings = detector.observe(state, seen, context)
        found += findings
    return [(f.kind, f.phase.value, f.text) for f in found]


def counted(numbers: Sequence[int | None]) -> list[tuple[str, int]]:
    """What the sequence detector says of these numbers, and how many were lost."""
    context = Context(device(DeviceKind.WRISTBAND), START)
    detector, state, found = SequenceDetector(), None, []
    for place, number in enumerate(numbers):
        at = START + timedelta(seconds=place)
        seen = Observation(context.device, ALIVE, at, None, sequence=number)
        state, findings = detector.observe(state, seen, context)
        found += [(f.phase.value, f.evidence["lost"]) for f in findings]
    return found


def test_a_good_line_loses_nothing_whatever_the_order() -> None:
    assert counted(range(1000)) == []
    swapped = [n ^ 1 for n in range(1000)]
    assert counted(swapped) == []
    assert counted([n for n in range(1000) for _ in range(2)]) == []
    late = sorted(range(1000), key=lambda n: n + (40 if n % 7 == 0 else 0))
    assert counted(late) == [], "forty numbers late is late, not lost"


def test_one_in_five_lost_is_told_once_and_withdrawn_when_it_is_good_again() -> None:
    found = counted([*(n for n in range(600) if n % 5), *range(600, 1200)])
    assert [phase for phase, _ in found] == ["confirmed", "withdrawn"]
    assert 13 <= found[0][1] <= 30


def test_a_restart_of_the_count_is_no_loss() -> None:
    assert counted([*range(500), *range(500)]) == []
    assert counted([*range(500), 9_000_000, *range(9_000_001, 9_000_500)]) == []
    assert counted([*range(300), None, *range(2000, 2400)]) == [], "a replay has no numbers"


def test_a_sensor_that_tells_tenths_cannot_stand_still_for_half_a_day() -> None:
    room = [(n / 2, "room_temperature_c", 21.3) for n in range(26)]
    assert told(FrozenDetector(), room) == [
        (
            "value_frozen",
            "confirmed",
            "room_temperature_c 21.3 Cel stuck for 720 min: a frozen sensor",
        )
    ]
    moves = told(FrozenDetector(), [*room, (14, "room_temperature_c", 21.4)])
    assert [phase for _, phase, _ in moves] == ["confirmed", "withdrawn"]


def test_a_coarse_sensor_may_say_the_same_for_two_days() -> None:
    room = [(n / 2, "room_temperature_c", 21.5) for n in range(96)]
    assert told(FrozenDetector(), room) == []
    longer = [(n / 2, "room_temperature_c", 21.5) for n in range(150)]
    assert len(told(FrozenDetector(), longer)) == 1


def test_steps_that_never_rest_are_no_person() -> None:
    """Such a count would look like somebody who is well for ever."""
    assert told(FrozenDetector(), [(n / 60, "steps", 0.0) for n in range(600)]) == []
    assert len(told(FrozenDetector(), [(n / 60, "steps", 33.0) for n in range(60)])) == 1


def test_only_a_satellite_fix_must_wander() -> None:
    def fixes(source: PositionSource) -> list[Reading]:
        return [(n / 2, "position", Position(39.9, 116.4, 8, source)) for n in range(60)]

    assert told(FrozenDetector(), fixes(PositionSource.WIFI)) == []
    assert len(told(FrozenDetector(), fixes(PositionSource.GNSS))) == 1


def test_two_signs_that_repeat_together_are_a_gateway_re_sending() -> None:
    """A gateway that re-sends a cached value with a fresh time is found out, and is no sign of
    life."""

    def minutes(count: int, pulse: float | None, breath: float = 15.0) -> list[Reading]:
        rows: list[Reading] = []
        for n in range(count):
            rows.append((n / 60, "heart_rate_per_min", pulse or 60.0 + n % 3))
            rows.append((n / 60, "respiratory_rate_per_min", breath))
        return rows

    assert told(CachedDetector(), minutes(14, 71.0)) == []
    assert told(CachedDetector(), minutes(60, None)) == [], "the pulse lives"
    again = [*minutes(30, 71.0), (0.6, "heart_rate_per_min", 72.0)]
    assert [(kind, phase) for kind, phase, _ in told(CachedDetector(), again)] == [
        ("values_cached", "confirmed"), ("values_cached", "withdrawn"),
    ]  # fmt: skip


def test_a_battery_is_told_once_with_how_long_it_will_last() -> None:
    drain = [(24.0 * day, "battery_percent", 60.0 - 2 * day) for day in range(30)]
    found = told(BatteryDetector(), drain, DeviceKind.BUTTON)
    assert [kind for kind, _, _ in found] == ["battery_low", "battery_empty"]
    assert found[0][2] == "battery at 14 %, empty in about 7 days"
    changed = told(BatteryDetector(), [*drain, (800, "battery_percent", 100.0)], DeviceKind.BUTTON)
    assert [phase for _, phase, _ in changed[2:]] == ["withdrawn", "withdrawn"]


def test_cold_nights_do_not_empty_a_battery() -> None:
    """The gauge falls by five in the cold and comes back in the morning."""
    days = [(12.0 * n, "battery_percent", 70.0 - n / 20 - (5 if n % 2 else 0)) for n in range(60)]
    assert told(BatteryDetector(), days, DeviceKind.DOOR_SENSOR) == []


def test_nobody_is_asked_to_charge_what_is_on_the_charger() -> None:
    used: list[Reading] = [(n, "battery_percent", 40.0 - 3 * n) for n in range(10)]
    charging: list[Reading] = [
        (10, "worn_state", "charging"), (10.1, "battery_percent", 13.0),
        (11, "battery_percent", 60.0), (12, "worn_state", "worn"), (12.1, "battery_percent", 90.0),
    ]  # fmt: skip
    found = told(BatteryDetector(), [*used, *charging])
    assert [(kind, phase) for kind, phase, _ in found] == [
        ("battery_low", "confirmed"), ("battery_low", "withdrawn"),
    ]  # fmt: skip


@pytest.mark.parametrize(("said", "hours"), [("off", 12), ("charging", 6)])
def test_a_wristband_that_nobody_wears_is_told(said: str, hours: int) -> None:
    worn: list[Reading] = [(0, "worn_state", "worn"), (1, "worn_state", said)]

    def tick(at: float) -> list[Reading]:
        return [(at, "worn_state", said)]

    assert told(WornDetector(), [*worn, *tick(hours + 0.9)]) == []
    found = told(WornDetector(), [*worn, *tick(hours + 1), (20, "worn_state", "worn")])
    assert [phase for _, phase, _ in found] == ["confirmed", "withdrawn"]
    away = PersonContext(whereabouts=Whereabouts.HOSPITAL)
    assert told(WornDetector(), [*worn, *tick(hours + 1)], person=away) == []


def test_a_wristband_on_the_charger_proves_nothing_about_its_person() -> None:
    """It goes on speaking; nobody would have been felt. So the home counts as not heard."""
    signs: list[Reading] = [(0, "steps", 40.0)]
    heard: list[Reading] = [(n / 12, ALIVE, None) for n in range(1, 96)]
    asked = told(InactivityDetector(), [*signs, *heard])
    assert [phase for _, phase, _ in asked] == ["candidate", "confirmed"]
    off: list[Reading] = [(0.01, "worn_state", "charging")]
    assert told(InactivityDetector(), [*signs, *off, *heard]) == []


def test_a_bed_that_says_occupied_every_minute_is_no_activity() -> None:
    bed: list[Reading] = []
    for minute in range(16 * 60):
        bed += [(minute / 60, ALIVE, None), (minute / 60, "bed_state", "occupied")]
    found = told(InactivityDetector(), bed, DeviceKind.CARE_BED)
    assert Phase.CONFIRMED.value in {phase for _, phase, _ in found}
