"""Wandering: sure exits are told once, poor or old or impossible fixes never are."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.detect.detector import Context, Finding, PersonContext, Phase
from hub.detect.fence import EARTH_M_PER_DEGREE, Circle, Fence, Polygon, distance_m
from hub.detect.geofence import MAX_AGE_S, POOREST_ACCURACY_M, GeofenceDetector, GeofenceState
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import Position, PositionSource, Press
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

HOME = (39.9, 116.4)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SAFE = Fence("safe", "the neighbourhood", (Circle(*HOME, 500),))
PARK = Fence(
    "park", "the park",
    (Polygon(((39.90, 116.40), (39.91, 116.40), (39.91, 116.41), (39.90, 116.41))),),
)  # fmt: skip
BAND = Device(
    DeviceId("band"), DeviceKind.WRISTBAND, AreaId("a"), PremisesId("home"), PersonId("wang")
)


def near(*fences: Fence) -> Context:
    return Context(BAND, START, PersonContext(fences=fences or (SAFE,)))


def fix(
    north_m: float,
    at_s: float,
    *,
    accuracy_m: float | None = 10,
    age_s: float = 0,
    source: PositionSource = PositionSource.GNSS,
) -> Observation:
    arrived = START + timedelta(seconds=at_s)
    position = Position(
        HOME[0] + north_m / EARTH_M_PER_DEGREE,
        HOME[1],
        accuracy_m,
        source,
        arrived - timedelta(seconds=age_s),
    )
    return Observation(BAND, "press", arrived, arrived, message=Press(position=position))


def told(fixes: list[Observation], *fences: Fence) -> tuple[GeofenceState | None, list[Finding]]:
    state: GeofenceState | None = None
    findings: list[Finding] = []
    walker, context = GeofenceDetector(), near(*fences)
    for observation in fixes:
        state, found = walker.observe(state, observation, context)
        findings += found
    return state, findings


def test_two_agreeing_fixes_tell_once_and_coming_back_withdraws() -> None:
    fixes = [fix(m, 60 * i) for i, m in enumerate([0, 600, 620, 640, 520, 480, 0, 30])]
    _, findings = told(fixes)
    assert [(f.phase, (f.at - START).total_seconds()) for f in findings] == [
        (Phase.CONFIRMED, 120),
        (Phase.WITHDRAWN, 300),
    ]
    assert findings[0].key == findings[1].key
    assert findings[0].evidence["beyond_m"] == pytest.approx(120, abs=2)


def test_far_out_needs_no_second_fix() -> None:
    assert [f.phase for f in told([fix(0, 0), fix(2000, 300)])[1]] == [Phase.CONFIRMED]


@pytest.mark.parametrize(
    "bad",
    [
        {"accuracy_m": 200},
        {"accuracy_m": POOREST_ACCURACY_M + 1},
        {"accuracy_m": None, "source": PositionSource.CELL},
        {"age_s": MAX_AGE_S + 1},
    ],
)
def test_no_false_exit_from_poor_or_old_fixes(bad: dict[str, object]) -> None:
    fixes = [fix(0, 0), *(fix(700, 900 * i, **bad) for i in range(1, 6))]  # type: ignore[arg-type]
    assert told(fixes)[1] == []


def test_along_the_border_nothing_flutters() -> None:
    fixes = [fix(490 + 20 * (i % 2), 60 * i) for i in range(40)]
    assert told(fixes)[1] == []


def test_a_jump_nobody_can_make_is_not_believed() -> None:
    assert told([fix(0, 0), fix(50_000, 60), fix(0, 120)])[1] == []


def test_out_of_order_and_repeated_fixes_change_nothing() -> None:
    out = [fix(0, 0), fix(600, 60), fix(620, 120)]
    state, findings = told(out)
    assert told([*out, out[2], out[0], out[1]]) == (state, findings)


def test_the_last_known_position_is_kept_even_from_a_poor_fix() -> None:
    state, _ = told([fix(0, 0), fix(300, 600, accuracy_m=900)])
    assert state is not None
    assert state.latitude_e6 == round((HOME[0] + 300 / EARTH_M_PER_DEGREE) * 1e6)
    assert state.accuracy_m == 900


def test_polygons_and_several_fences_are_judged_each() -> None:
    assert distance_m(PARK, 39.905, 116.405) < 0
    assert distance_m(PARK, 39.92, 116.405) == pytest.approx(0.01 * EARTH_M_PER_DEGREE, rel=1e-3)
    two = (SAFE, Fence("town", "the town", (Circle(*HOME, 5000),)))
    _, findings = told([fix(0, 0), fix(600, 60), fix(620, 120), fix(6000, 900), fix(0, 2000)], *two)
    assert [(f.evidence["fence"], f.phase) for f in findings] == [
        ("safe", Phase.CONFIRMED),
        ("town", Phase.CONFIRMED),
        ("safe", Phase.WITHDRAWN),
        ("town", Phase.WITHDRAWN),
    ]


def test_several_shapes_are_one_fence() -> None:
    both = Fence("both", "home and park", (SAFE.shapes[0], PARK.shapes[0]))
    assert distance_m(both, 39.909, 116.405) < 0
    assert distance_m(SAFE, 39.909, 116.405) > 0


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_a_square_polygon_agrees_with_its_coordinates(
    latitude: float, longitude: float, north: float, east: float
) -> None:
    half = 0.01
    square = Fence(
        "s", "s",
        (Polygon(tuple(
            (latitude + a * half, longitude + b * half)
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        )),),
    )  # fmt: skip
    beyond_m = distance_m(square, latitude + north, longitude + east)
    if min(abs(abs(north) - half), abs(abs(east) - half)) > 1e-4:
        assert (beyond_m < 0) == (abs(north) < half and abs(east) < half)


@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(1, 60)), max_size=30))
def test_nobody_inside_is_ever_reported(walk: list[tuple[float, float]]) -> None:
    assert told([fix(m, 30 * i, accuracy_m=a) for i, (m, a) in enumerate(walk)])[1] == []


def test_state_survives_json() -> None:
    state, _ = told([fix(0, 0), fix(600, 60), fix(620, 120)])
    stored = msgspec.json.encode(state)
    assert len(stored) < 200
    assert msgspec.json.decode(stored, type=GeofenceState) == state


def test_an_alarm_without_a_position_is_not_a_fix() -> None:
    nothing = Observation(BAND, "press", START, START, message=Press())
    assert GeofenceDetector().observe(None, nothing, near()) == (None, ())


def test_a_location_report_carries_its_fix() -> None:
    here = Position(*HOME, 10)
    report = Observation(BAND, "position", START, START, state="gnss", position=here)
    state, _ = GeofenceDetector().observe(None, report, near())
    assert state is not None
    assert (state.latitude_e6, state.longitude_e6) == (39_900_000, 116_400_000)


def test_outside_its_hours_nobody_leaves_a_fence() -> None:
    """START is 16:00 in China; who is out when the hours begin is told then."""
    evening = msgspec.structs.replace(SAFE, active_from_min=17 * 60, active_until_min=6 * 60)
    fixes = [fix(600, 60 * minute) for minute in (0, 1, 2, 58, 59, 60, 61, 62)]
    _, findings = told([fix(0, -60), *fixes], evening)
    assert [(f.at - START).total_seconds() / 60 for f in findings] == [61]


def test_two_fences_are_two_episodes() -> None:
    """Whoever leaves the house and then the neighbourhood comes back to one after the other."""
    house = Fence("house", "the house", (Circle(*HOME, 100),))
    metres = [0, 200, 210, 900, 910, 300, 0]
    _, findings = told([fix(m, 120 * i) for i, m in enumerate(metres)], house, SAFE)
    opened = {f.key for f in findings if f.phase is Phase.CONFIRMED}
    assert len(opened) == 2
    assert {f.key for f in findings if f.phase is Phase.WITHDRAWN} == opened
