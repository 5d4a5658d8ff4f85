"""Inactivity: asks, tells, withdraws; counts no silence it could not have heard."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from hub.detect.detector import Context, Finding, PersonContext, Phase, Whereabouts
from hub.detect.inactivity import (
    AWAY_LIMIT_MIN,
    QUIET_LIMIT_MIN,
    SENSORS_DOWN_AFTER_S,
    InactivityDetector,
    InactivityState,
    Posture,
    limit_of,
)
from hub.detect.inactivity_line import SLOTS, Line
from hub.device import Device
from hub.observation import ALIVE, UNKNOWN_TIME, Observation
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DeviceKind

DETECTOR = InactivityDetector()
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
LINE = Line((150,) * SLOTS, (480,) * SLOTS, 0, 50)


def sensor(label: str = "kitchen", kind: DeviceKind = DeviceKind.MOTION_SENSOR) -> Device:
    return Device(
        id=DeviceId(f"sensor-{label}"),
        kind=kind,
        area_id=AreaId("a"),
        premises_id=PremisesId("home"),
        label=label,
    )


def context(
    line: Line | None = LINE,
    whereabouts: Whereabouts = Whereabouts.HOME,
    listening_since: datetime = NOON - timedelta(days=30),
) -> Context:
    flat = () if line is None else line.flat()
    return Context(
        sensor(),
        listening_since,
        PersonContext(whereabouts=whereabouts, inactivity_line_min=flat),
    )


def seen(
    minutes: float, measure: str = "motion", state: str = "detected", label: str = "kitchen"
) -> Observation:
    at = NOON + timedelta(minutes=minutes)
    return Observation(sensor(label), measure, at, at, state=state)


def alive(minutes: float) -> Observation:
    return Observation(sensor(), ALIVE, NOON + timedelta(minutes=minutes), None)


def walk(
    events: list[Observation], until_min: float, ctx: Context, heartbeat_min: float = 5
) -> tuple[InactivityState, list[Finding]]:
    """Runs events and heartbeats with every deadline in between, as the runner would."""
    beats = []
    if heartbeat_min:
        beats = [alive(m * heartbeat_min) for m in range(1, int(until_min / heartbeat_min))]
    state, findings = None, []
    for event in sorted([*events, *beats], key=lambda e: e.received_at):
        state, more = expire_up_to(state, event.received_at, ctx)
        findings += more
        state, found = DETECTOR.observe(state, event, ctx)
        findings += found
    state, more = expire_up_to(state, NOON + timedelta(minutes=until_min), ctx)
    assert state is not None
    return state, findings + more


def expire_up_to(
    state: InactivityState | None, now: datetime, ctx: Context
) -> tuple[InactivityState | None, list[Finding]]:
    findings: list[Finding] = []
    while state is not None and (due := DETECTOR.deadline(state, ctx)) and due <= now:
        state, found = DETECTOR.expire(state, due, ctx)
        findings += found
        after = DETECTOR.deadline(state, ctx)
        assert after is None or after > due
    return state, findings


def minutes(finding: Finding) -> int:
    return int((finding.at - NOON).total_seconds() // 60)


def test_asks_half_an_hour_before_it_tells_and_says_each_once() -> None:
    _, findings = walk([seen(0)], 600, context())
    assert [(f.phase, minutes(f)) for f in findings] == [
        (Phase.CANDIDATE, 120),
        (Phase.CONFIRMED, 150),
    ]
    assert {f.key for f in findings} == {str(int(NOON.timestamp()))}


def test_activity_after_the_question_withdraws_it() -> None:
    _, findings = walk([seen(0), seen(130)], 140, context())
    assert [f.phase for f in findings] == [Phase.CANDIDATE, Phase.WITHDRAWN]
    assert findings[0].key == findings[1].key


def test_the_limit_is_that_of_the_room_somebody_was_in() -> None:
    _, findings = walk([seen(0, label="Bedroom")], 600, context())
    assert [minutes(f) for f in findings] == [450, 480]
    assert findings[0].evidence["posture"] == Posture.NEAR_BED


def test_learning_uses_fixed_lines_and_says_so() -> None:
    _, by_day = walk([seen(0)], 600, context(line=None))
    assert [minutes(f) for f in by_day] == [210, 240]
    assert "learning" in by_day[0].text
    assert by_day[0].evidence["learning"]
    _, by_night = walk([seen(10 * 60)], 24 * 60, context(line=None))  # 22:00
    assert [minutes(f) - 600 for f in by_night] == [690, 720]


def test_asleep_in_bed_is_a_state_and_movement_in_bed_a_sign_of_life() -> None:
    bed = Device(DeviceId("bed"), DeviceKind.CARE_BED, AreaId("a"), PremisesId("home"), label="bed")
    at = NOON + timedelta(minutes=5)
    lies = Observation(bed, "bed_state", at, at, state="occupied")
    state, _ = walk([seen(0), lies], 60, context())
    assert limit_of(state, context())[1] is Posture.ASLEEP
    later = NOON + timedelta(minutes=60)
    for percent, restarts in ((1.0, False), (40.0, True)):
        moves = Observation(bed, "movement_percent", later, later, value=percent)
        after, _ = DETECTOR.observe(state, moves, context())
        assert after is not None
        assert (after.active_s > state.active_s) is restarts


@pytest.mark.parametrize("where", [Whereabouts.AWAY, Whereabouts.HOSPITAL])
def test_nobody_is_missed_who_is_known_to_be_elsewhere(where: Whereabouts) -> None:
    state, findings = walk([seen(0)], 3000, context(whereabouts=where))
    assert findings == []
    home_again = DETECTOR.deadline(state, context())
    assert home_again is not None
    assert home_again > NOON + timedelta(minutes=3000)


def test_sensors_that_are_down_prove_nothing_and_their_time_does_not_count() -> None:
    """Time in which nothing could have been heard is no time without movement."""
    ctx = context()
    state, findings = walk([seen(0)], 1000, ctx, heartbeat_min=0)
    assert findings == []
    state_back, _ = DETECTOR.observe(state, alive(1000), ctx)
    assert state_back is not None
    due = DETECTOR.deadline(state_back, ctx)
    assert due == NOON + timedelta(minutes=1000 + 120)
    assert SENSORS_DOWN_AFTER_S == 900


def test_a_hub_that_was_deaf_counts_from_when_it_listens_again() -> None:
    ctx = context(listening_since=NOON + timedelta(minutes=500))
    state, _ = DETECTOR.observe(None, seen(0), ctx)
    assert state is not None
    assert DETECTOR.deadline(state, ctx) == NOON + timedelta(minutes=500 + 120)


def test_leaving_by_the_door_is_presumed_coming_home_is_not() -> None:
    leaves = [seen(0), seen(2, "door", "opened", "front-door")]
    state, _ = walk(leaves, 30, context())
    assert limit_of(state, context()) == (AWAY_LIMIT_MIN, Posture.PRESUMED_AWAY)
    returns = [seen(0), seen(90, "door", "opened", "front-door")]
    state, _ = walk(returns, 100, context())
    assert limit_of(state, context()) == (150, Posture.ACTIVE)
    stays_in = msgspec.structs.replace(LINE, outings_per_100_days=0)
    state, _ = walk(leaves, 30, context(stays_in))
    assert limit_of(state, context(stays_in)) == (150, Posture.ACTIVE)


def test_a_home_that_is_hardly_used_today_gets_a_long_limit() -> None:
    busy = msgspec.structs.replace(LINE, usual_active_min=400)
    state, _ = walk([seen(0)], 30, context(busy))
    assert limit_of(state, context(busy)) == (QUIET_LIMIT_MIN, Posture.HARDLY_USED)
    used, _ = walk([seen(float(m)) for m in range(0, 240, 2)], 245, context(busy))
    assert limit_of(used, context(busy)) == (150, Posture.ACTIVE)


def test_late_repeated_and_clockless_signs_neither_crash_nor_report_twice() -> None:
    ctx = context()
    state, findings = walk([seen(0)], 160, ctx)
    assert len(findings) == 2
    late = Observation(
        sensor(), "motion", NOON + timedelta(minutes=170), NOON - timedelta(hours=1),
        state="detected",
    )  # fmt: skip
    after, found = DETECTOR.observe(state, late, ctx)
    assert not found
    assert after is not None
    assert after.active_s == state.active_s
    clockless = Observation(
        sensor(), "motion", NOON + timedelta(minutes=171), UNKNOWN_TIME, state="detected"
    )
    after, found = DETECTOR.observe(after, clockless, ctx)
    assert [f.phase for f in found] == [Phase.WITHDRAWN]
    again, found = DETECTOR.observe(after, clockless, ctx)
    assert not found
    assert again == after


def test_state_survives_json_and_is_small() -> None:
    state, _ = walk([seen(float(m)) for m in range(60)], 60, context())
    stored = msgspec.json.encode(state)
    assert len(stored) < 200
    assert msgspec.json.decode(stored, type=InactivityState) == state


def test_no_motion_is_no_sign_of_life() -> None:
    state, _ = DETECTOR.observe(None, seen(0), context())
    after, _ = DETECTOR.observe(state, seen(60, state="none"), context())
    assert after is not None
    assert state is not None
    assert after.active_s == state.active_s
