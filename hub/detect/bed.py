"""The care bed: left and not returned in the night, still in bed by day, a restless night.

Leaving the bed is no alarm; not coming back within this person's own time for that part of the
night is. Mattress sensors miss about a fifth of exits (79 % / 97 %), hence nothing here says
where the person is. Learned limits, a clinician's limits, sources: hub.detect.bed_hours.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from alerts.alarm import Category, Priority
from hub.detect.bed_hours import (
    LEARNED_AFTER,
    Habit,
    by_night,
    day_stay_min,
    learned_absence,
    learned_rising,
    limit_min,
    local,
    part_of,
    rising_after,
)
from hub.detect.button import subject_of
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope, Whereabouts
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.telemetry import BedState
from schemas.vocabulary import Quality

SETTLED_S = 600
"""Ours: somebody who sat on the bed for less was not in it; a shorter gap did not leave it."""
RESTLESS_PERCENT = 20.0
"""Ours: a minute with more movement than this is restless; sleepers turn in one of ten minutes."""
RESTLESS_SHARE = 40
"""Ours: percent of restless minutes over about an hour that is worth a look."""
RESTLESS_TIMES = 3
"""... and at least so many times this person's usual share."""
AVERAGED_MINUTES = 60

_OCCUPIED, _EMPTY, _GOOD = BedState.OCCUPIED, BedState.EMPTY, Quality.GOOD


class BedDetectorState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One bed; times in seconds since 1970, shares in hundredths of a percent."""

    at_s: int
    occupied: bool
    since_s: int
    """Of the present stay, short gaps included, or of the absence."""
    stay_s: int = 0
    """When the stay before the present absence began."""
    reported_s: int = 0
    """`since_s` of the stay or absence that was reported; also the key."""
    habit: Habit = Habit()
    moved_s: int = 0
    restless: int = 0
    usual: int = 1000
    restless_day: int = 0


class BedDetector:
    """One state a bed. Parameters: the constants above and those of hub.detect.bed_hours.

    >>> BedDetectorState(at_s=0, occupied=False, since_s=0).habit.rise_min
    390
    """

    name = "bed"
    scope = Scope.DEVICE
    measures = frozenset({"bed_state", "movement_percent"})
    begins_with = frozenset({"bed_state"})
    hastened_by = frozenset({"bed_state"})
    state_type = BedDetectorState

    def observe(
        self, state: BedDetectorState | None, observation: Observation, context: Context
    ) -> tuple[BedDetectorState | None, Findings]:
        """Take what the bed feels; late and repeated reports change nothing."""
        at_s = observation.moment_s or moment_s(observation)
        if observation.measure == "movement_percent":
            return _moved(state, at_s, observation, context)
        occupied = observation.state == _OCCUPIED
        if not occupied and observation.state != _EMPTY:
            return state, NONE
        if state is None:
            return BedDetectorState(at_s, occupied, at_s), NONE
        if at_s <= state.at_s:
            return state, NONE
        if occupied == state.occupied:
            return _still(state, at_s), NONE
        if occupied:
            return _returned(state, at_s, observation, context)
        return _left(state, at_s, observation, context)

    def deadline(self, state: BedDetectorState, context: Context) -> datetime | None:
        """When an absence by night, or a stay by day, becomes too long."""
        if state.reported_s == state.since_s or context.person.whereabouts is not Whereabouts.HOME:
            return None
        due_s = _stay_due_s(state, context) if state.occupied else _absence_due_s(state, context)
        if due_s is None:
            return None
        return max(datetime.fromtimestamp(due_s, UTC), context.listening_since)

    def hastens(self, before: BedDetectorState | None, after: BedDetectorState) -> bool:
        """Only lying down and getting up change what is waited for."""
        return (
            before is None
            or before.since_s != after.since_s
            or before.occupied != after.occupied
            or before.reported_s != after.reported_s
        )

    def expire(
        self, state: BedDetectorState, now: datetime, context: Context
    ) -> tuple[BedDetectorState, Findings]:
        """Report once a stay or absence."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        found = _finding(state, Phase.CONFIRMED, now, context)
        return msgspec.structs.replace(state, reported_s=state.since_s), (found,)


def _still(state: BedDetectorState, at_s: int) -> BedDetectorState:
    return BedDetectorState(
        at_s,
        state.occupied,
        state.since_s,
        state.stay_s,
        state.reported_s,
        state.habit,
        state.moved_s,
        state.restless,
        state.usual,
        state.restless_day,
    )


def _left(
    state: BedDetectorState, at_s: int, observation: Observation, context: Context
) -> tuple[BedDetectorState, Findings]:
    """Up: by night, the clock runs if the person had settled."""
    findings: Findings = NONE
    if state.reported_s == state.since_s:
        findings = (_finding(state, Phase.WITHDRAWN, observation.received_at, context),)
    return (
        msgspec.structs.replace(
            state, at_s=at_s, occupied=False, since_s=at_s, stay_s=state.since_s
        ),
        findings,
    )


def _returned(
    state: BedDetectorState, at_s: int, observation: Observation, context: Context
) -> tuple[BedDetectorState, Findings]:
    """Back: what was reported is over, and the absence teaches."""
    findings: Findings = NONE
    if state.reported_s == state.since_s:
        findings = (_finding(state, Phase.WITHDRAWN, observation.received_at, context),)
    absent_s = at_s - state.since_s
    left = local(state.since_s, context.person)
    habit = state.habit
    if state.stay_s and not context.person.incident_open and not findings:
        if absent_s >= 3 * 3600:
            habit = learned_rising(habit, left)
        elif by_night(left, habit) and state.since_s - state.stay_s >= SETTLED_S:
            habit = learned_absence(habit, left, absent_s // 60)
    gap = absent_s < SETTLED_S and state.stay_s > 0 and state.reported_s != state.stay_s
    return (
        msgspec.structs.replace(
            state,
            at_s=at_s,
            occupied=True,
            since_s=state.stay_s if gap else at_s,
            stay_s=0,
            habit=habit,
        ),
        findings,
    )


def _absence_due_s(state: BedDetectorState, context: Context) -> int | None:
    if not state.stay_s or state.since_s - state.stay_s < SETTLED_S:
        return None
    left = local(state.since_s, context.person)
    if not by_night(left, state.habit):
        return None
    return state.since_s + 60 * limit_min(left, state.habit, context.person)


def _stay_due_s(state: BedDetectorState, context: Context) -> int | None:
    """By day: counted from the usual rising, or from lying down after it."""
    person = context.person
    day_of_s = state.since_s
    here = local(state.since_s, person)
    if here.hour >= 12 and by_night(here, state.habit):
        day_of_s += 86_400 // 2  # lay down in the evening: the next morning's rising
    rising_s = rising_after(day_of_s, state.habit, person)
    due_s = max(state.since_s, rising_s) + 60 * day_stay_min(person)
    due = local(due_s, person)
    if by_night(due, state.habit):
        # A nap that runs into the evening is a night: it is due next morning.
        rising_s = rising_after(due_s + 86_400 // 2, state.habit, person)
        due_s = rising_s + 60 * day_stay_min(person)
    return due_s


def _moved(
    state: BedDetectorState | None, at_s: int, observation: Observation, context: Context
) -> tuple[BedDetectorState | None, Findings]:
    """A minute's movement, in bed by night."""
    value = observation.value
    if state is None or not state.occupied or value is None or at_s <= state.moved_s:
        return state, NONE
    if observation.quality is not _GOOD or not 0 <= value <= 100:
        return state, NONE
    share = 10_000 if value >= RESTLESS_PERCENT else 0
    restless = state.restless + (share - state.restless) // AVERAGED_MINUTES
    usual = state.usual
    if not context.person.incident_open:
        usual += 1 if restless > usual else -1
    after = BedDetectorState(
        state.at_s,
        state.occupied,
        state.since_s,
        state.stay_s,
        state.reported_s,
        state.habit,
        at_s,
        restless,
        usual,
        state.restless_day,
    )
    if restless < RESTLESS_SHARE * 100 or restless < RESTLESS_TIMES * usual:
        return after, NONE
    if at_s - state.since_s < 3600:
        return after, NONE
    here = local(at_s, context.person)
    day = (here - timedelta(hours=12)).toordinal()
    if day <= state.restless_day or not by_night(here, state.habit):
        return after, NONE
    after = msgspec.structs.replace(after, restless_day=day)
    return after, (_restless_finding(after, day, observation, context),)


def _finding(state: BedDetectorState, phase: Phase, at: datetime, context: Context) -> Finding:
    """About the stay or absence that runs; the same key when it is withdrawn."""
    since = datetime.fromtimestamp(state.since_s, UTC)
    minutes = max(0, int((at - since).total_seconds() // 60))
    here = local(state.since_s, context.person)
    if state.occupied:
        kind, limit = "bed_long_stay", day_stay_min(context.person)
        text = f"in bed since {here:%H:%M}, {minutes // 60} h {minutes % 60} min"
    else:
        kind, limit = "bed_left", limit_min(here, state.habit, context.person)
        text = f"left the bed at {here:%H:%M}, not back for {minutes} min"
    if phase is Phase.WITHDRAWN:
        text = "up again" if state.occupied else f"back in bed after {minutes} min"
    return Finding(
        detector="bed",
        kind=kind,
        phase=phase,
        category=Category.PERSONAL,
        priority=Priority.LOW if state.occupied else Priority.MEDIUM,
        subject=subject_of(context.device),
        key=f"{context.device.id}-{state.since_s}",
        at=at,
        text=text,
        evidence={
            "since": since.isoformat(),
            "window_min": minutes,
            "limit_min": limit,
            "limit_by": _whose(kind, here, state, context),
        },
    )


def _whose(kind: str, here: datetime, state: BedDetectorState, context: Context) -> str:
    names = {"bed_left": "bed_absence_min", "bed_long_stay": "bed_day_stay_min"}
    for limit in context.person.limits:
        if limit.measure == names[kind]:
            return f"{limit.author}, {limit.set_on}"
    if kind == "bed_left" and state.habit.counts[part_of(here)] >= LEARNED_AFTER:
        return "learned"
    return "general, learning" if kind == "bed_left" else "general"


def _restless_finding(
    state: BedDetectorState, day: int, observation: Observation, context: Context
) -> Finding:
    share, usual = state.restless / 100, state.usual / 100
    return Finding(
        detector="bed",
        kind="bed_restless",
        phase=Phase.CONFIRMED,
        category=Category.PERSONAL,
        priority=Priority.LOW,
        subject=subject_of(context.device),
        key=f"{context.device.id}-{day}",
        at=observation.received_at,
        text=f"restless: movement in {share:.0f} % of the last hour's minutes, usual {usual:.0f} %",
        evidence={
            "share_percent": share,
            "usual_percent": usual,
            "limit_percent": max(RESTLESS_SHARE, RESTLESS_TIMES * usual),
            "window_min": AVERAGED_MINUTES,
        },
    )
