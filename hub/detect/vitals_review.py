"""Readings of a blood-pressure cuff that somebody should look at by day: for review, never a page.

Continuous signs need persistence (hub.detect.vitals). A cuff is used once or twice a day, so one
reading is all there is: it asks for a look, at low priority, once a review day and sign.

The limits are a monitoring clinic's: they reproduce the alerts its nurses confirmed for people
with dementia at home (TIHM, Palermo et al., Sci Data 2023, 10:606); `carebell evaluate vitals`
measures them, by homes. A clinician's limits replace them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from alerts.alarm import Category, Priority
from hub.detect.button import subject_of
from hub.detect.detector import NONE, Context, Finding, Findings, PersonContext, Phase, Scope
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.vocabulary import MEASURE_BY_KEY, Quality


@dataclass(frozen=True, slots=True)
class ReviewLimit:
    """A reading at or beyond either end asks for a look."""

    measure: str
    low: float
    high: float
    sign: str
    name: str
    unit: str


REVIEW_LIMITS: tuple[ReviewLimit, ...] = (
    ReviewLimit(
        "systolic_blood_pressure_mmhg", 90, 160, "blood_pressure", "systolic pressure", "mmHg"
    ),
    ReviewLimit(
        "diastolic_blood_pressure_mmhg", 54, 100, "blood_pressure", "diastolic pressure", "mmHg"
    ),
    ReviewLimit("heart_rate_per_min", 50, 100, "pulse", "pulse", "/min"),
)
"""Systolic low is NEWS2's red; the others are TIHM's clinic, inclusive (systolic: 159 was never
flagged, 160 was; diastolic: 55 never, 54 was; 99 never, 100 was; pulse: 51 and 99 never)."""

REVIEW_DAY_ENDS = timedelta(hours=21)
"""What is measured in the evening is looked at next morning: TIHM's clinic works 9:00 to 21:00."""
TOGETHER_S = 120
"""A pulse counts as the cuff's when a pressure was measured within this time."""

_PULSE = "heart_rate_per_min"
_BY_MEASURE = {limit.measure: limit for limit in REVIEW_LIMITS}


class ReviewState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last readings of a cuff, and the review days already asked for."""

    pressure_s: int = 0
    pulse_s: int = 0
    pulse: int = 0
    """A pulse that waits for its pressure; hundredths."""
    pressure_day: int = 0
    """Ordinal of the last review day with a finding about blood pressure."""
    pulse_day: int = 0
    seen_s: tuple[int, int, int] = (0, 0, 0)
    """Newest reading of each measure, in the order of REVIEW_LIMITS."""


class ReviewDetector:
    """One state a device. Parameters: REVIEW_LIMITS, REVIEW_DAY_ENDS, TOGETHER_S.

    >>> beyond("systolic_blood_pressure_mmhg", 160, PersonContext())
    (160, 'general')
    >>> beyond("systolic_blood_pressure_mmhg", 159, PersonContext())
    """

    name = "review"
    scope = Scope.DEVICE
    measures = frozenset(_BY_MEASURE)
    state_type = ReviewState
    timed = False

    def observe(
        self, state: ReviewState | None, observation: Observation, context: Context
    ) -> tuple[ReviewState | None, Findings]:
        """Take one reading; a pulse without a pressure is none of a cuff's."""
        value = observation.value
        if state is not None and not state.pressure_s and observation.measure == _PULSE:
            return state, NONE  # of a bed or wristband, which has no cuff
        if value is None or observation.quality is not Quality.GOOD:
            return state, NONE
        measure = MEASURE_BY_KEY[observation.measure]
        if not measure.low <= value <= measure.high:
            return state, NONE
        at_s = moment_s(observation)
        if observation.measure == _PULSE:
            if state is None or at_s - state.pressure_s > TOGETHER_S:
                return _waiting(state, at_s, value), NONE
            return _look(state, at_s, "heart_rate_per_min", value, 2, observation, context)
        state = state or ReviewState()
        index = 0 if observation.measure == "systolic_blood_pressure_mmhg" else 1
        after, findings = _look(
            state, at_s, observation.measure, value, index, observation, context
        )
        if after is state:
            return state, NONE
        after = msgspec.structs.replace(after, pressure_s=max(at_s, after.pressure_s))
        if after.pulse_s and abs(at_s - after.pulse_s) <= TOGETHER_S:
            pulse = after.pulse / 100
            after = msgspec.structs.replace(after, pulse_s=0, pulse=0)
            after, more = _look(after, at_s, "heart_rate_per_min", pulse, 2, observation, context)
            findings = (*findings, *more)
        return after, findings

    def deadline(self, state: ReviewState, context: Context) -> datetime | None:
        """Waits for nothing."""
        del state, context
        return None

    def expire(
        self, state: ReviewState, now: datetime, context: Context
    ) -> tuple[ReviewState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def _waiting(state: ReviewState | None, at_s: int, value: float) -> ReviewState | None:
    """Most pulses come from beds and wristbands; only a device with a cuff keeps one waiting."""
    if state is None:
        return ReviewState(pulse_s=at_s, pulse=round(value * 100))
    if not state.pressure_s or at_s <= state.pulse_s:
        return state
    return msgspec.structs.replace(state, pulse_s=at_s, pulse=round(value * 100))


def _look(
    state: ReviewState,
    at_s: int,
    measure: str,
    value: float,
    index: int,
    observation: Observation,
    context: Context,
) -> tuple[ReviewState, Findings]:
    if at_s <= state.seen_s[index]:
        return state, NONE
    seen_s = (*state.seen_s[:index], at_s, *state.seen_s[index + 1 :])
    after = msgspec.structs.replace(state, seen_s=seen_s)
    passed = beyond(measure, value, context.person)
    if passed is None:
        return after, NONE
    row = _BY_MEASURE[measure]
    day = review_day(at_s, context.person)
    pressure = row.sign == "blood_pressure"
    if day <= (state.pressure_day if pressure else state.pulse_day):
        return after, NONE
    after = (
        msgspec.structs.replace(after, pressure_day=day)
        if pressure
        else msgspec.structs.replace(after, pulse_day=day)
    )
    return after, (
        _finding(row, value, passed, day=day, at_s=at_s, observation=observation, context=context),
    )


def beyond(measure: str, value: float, person: PersonContext) -> tuple[float, str] | None:
    """The limit a reading has reached, and whose it is; None: in range."""
    row = _BY_MEASURE[measure]
    low: float | None = row.low
    high: float | None = row.high
    for limit in person.limits:
        if limit.measure == measure:
            whose = f"{limit.author}, {limit.set_on}"
            if limit.low is not None and value < limit.low:
                return limit.low, whose
            if limit.high is not None and value > limit.high:
                return limit.high, whose
            low = row.low if limit.low is None else None
            high = row.high if limit.high is None else None
    if low is not None and value <= low:
        return low, "general"
    return (high, "general") if high is not None and value >= high else None


def review_day(at_s: int, person: PersonContext) -> int:
    """The ordinal of the day on which a reading is looked at."""
    local = datetime.fromtimestamp(at_s, UTC).astimezone(person.time_zone)
    return (local + (timedelta(days=1) - REVIEW_DAY_ENDS)).toordinal()


def _finding(
    row: ReviewLimit,
    value: float,
    passed: tuple[float, str],
    *,
    day: int,
    at_s: int,
    observation: Observation,
    context: Context,
) -> Finding:
    limit, whose = passed
    return Finding(
        detector="review",
        kind=f"{row.sign}_review",
        phase=Phase.CONFIRMED,
        category=Category.PHYSIOLOGICAL,
        priority=Priority.LOW,
        subject=subject_of(context.device),
        key=f"{context.device.id}-{day}",
        at=observation.received_at,
        text=f"{row.name} {value:g} {row.unit}, limit {limit:g} ({whose}): for review",
        evidence={
            "measure": row.measure,
            "value": value,
            "unit": row.unit,
            "limit": limit,
            "limit_by": whose,
            "window": [datetime.fromtimestamp(at_s, UTC).isoformat()],
        },
    )
