"""NEWS2 of one person over time, from whatever devices they have.

Every parameter counts with the smaller score of its last two readings: one reading never pages.
The sum is a lower bound ("3 of 7, missing ..."); consciousness is nobody's sensor. A single
parameter with 3 points is the vital-signs detector's business and is only told here.
"""

from datetime import UTC, datetime

import msgspec

from alerts.alarm import Category, Priority
from hub.detect.button import subject_of
from hub.detect.detector import NONE, Context, Finding, Findings, PersonContext, Phase, Scope
from hub.detect.news2 import (
    EMERGENCY_TOTAL,
    MEASURED,
    ON_OXYGEN_POINTS,
    PARAMETERS,
    RED_POINTS,
    URGENT_TOTAL,
    Bands,
    Score,
    bands_of,
)
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.vocabulary import MEASURE_BY_KEY, Quality

FRESH_S = 5400
"""Ours: pulse, respiration and saturation older than an hour and a half say nothing about now."""
SPOT_FRESH_S = 43_200
"""RCP 2017: at least every 12 hours, even of somebody with a score of 0."""
HOLDS_S = 600
"""Ours: the total must stand this long."""
CLEAR_TOTAL = 3
"""Ours: hysteresis; the episode ends at this total or less, held for CLEAR_S."""
CLEAR_S = 1800
REFRESH_S = 300
"""A reading that scores 0 is remembered at most once in five minutes: nothing depends on it, only
how fresh it is, by FRESH_S."""

_SPOT = frozenset({"systolic_blood_pressure_mmhg", "body_temperature_c"})
_CODES = {MEASURE_BY_KEY[name].code: name for name in MEASURED}
_ZERO = {name: (MEASURE_BY_KEY[name].code, *bands.zero) for name, bands in MEASURED.items()}
"""By measure: its code, and what scores 0 on air and scale 1."""
_GOOD = Quality.GOOD
_URGENT, _EMERGENCY = 1, 2
_PRIORITIES = {_URGENT: Priority.MEDIUM, _EMERGENCY: Priority.HIGH}


class Slot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last reading of one parameter, and the points of the one before."""

    code: int
    at_s: int
    value: int
    """In hundredths."""
    before_s: int = 0
    """So long before it, in seconds; 0: there was none."""
    before_points: int = 0


class ScoreState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one person's score is made of, and since when it is high."""

    slots: tuple[Slot, ...] = ()
    urgent_s: int = 0
    """Since when the total asks for an urgent response; 0: it does not."""
    emergency_s: int = 0
    """Since when for an emergency response."""
    clear_s: int = 0
    level: int = 0
    began_s: int = 0
    """Of the open episode."""
    steps: int = 0


class ScoreDetector:
    """One state a person; needs at least two readings of whatever it counts.

    Parameters: the constants above, hub.detect.news2.

    >>> slots = (Slot(1, 1000, 11800, 60, 2), Slot(2, 1000, 2600, 60, 0))
    >>> score_now(slots, 1000, PersonContext(), sure=False).total
    5
    >>> score_now(slots, 1000, PersonContext(), sure=True).total
    2
    """

    name = "news2"
    scope = Scope.PERSON
    measures = frozenset(MEASURED)
    state_type = ScoreState
    timed = False

    def observe(
        self, state: ScoreState | None, observation: Observation, context: Context
    ) -> tuple[ScoreState | None, Findings]:
        """Take one reading; the total is worked out only when something scores."""
        value = observation.value
        if observation.quality is not _GOOD or value is None:
            return state, NONE
        code, above, up_to = _ZERO[observation.measure]
        at_s = observation.moment_s or moment_s(observation)
        known = None
        if state is not None:
            for slot in state.slots:
                if slot.code == code:
                    later_s = at_s - slot.at_s
                    if later_s <= 0 or (
                        later_s < REFRESH_S
                        and above < value <= up_to
                        and not state.urgent_s
                        and not state.level
                        and not context.person.oxygen_scale_2
                    ):
                        return state, NONE
                    known = slot
                    break
        return _taken(state, known, at_s, value, observation, context)

    def deadline(self, state: ScoreState, context: Context) -> datetime | None:
        """No reading is no evidence."""
        del state, context
        return None

    def expire(
        self, state: ScoreState, now: datetime, context: Context
    ) -> tuple[ScoreState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def _taken(
    state: ScoreState | None,
    known: Slot | None,
    at_s: int,
    value: float,
    observation: Observation,
    context: Context,
) -> tuple[ScoreState | None, Findings]:
    """A reading that is to be remembered; `known` is the one before."""
    measure = MEASURE_BY_KEY[observation.measure]
    if not measure.low <= value <= measure.high:
        return state, NONE
    hundredths = round(value * 100)
    after = Slot(measure.code, at_s, hundredths)
    slots = state.slots if state is not None else ()
    if known is None:
        slots = (*slots, after)
    else:
        before = _bands(known, context.person).score(known.value / 100)
        after = Slot(measure.code, at_s, hundredths, at_s - known.at_s, before)
        slots = tuple(after if slot is known else slot for slot in slots)
    if state is None:
        return ScoreState(slots), NONE
    calm = not (state.urgent_s or state.level)
    state = ScoreState(
        slots,
        state.urgent_s,
        state.emergency_s,
        state.clear_s,
        state.level,
        state.began_s,
        state.steps,
    )
    if calm:
        oxygen = ON_OXYGEN_POINTS if context.person.on_oxygen else 0
        scores = context.person.oxygen_scale_2 or MEASURED[observation.measure].score(value)
        if not scores or len(slots) * RED_POINTS + oxygen < URGENT_TOTAL:
            return state, NONE
    return _judge(state, at_s, observation, context)


def score_now(slots: tuple[Slot, ...], at_s: int, person: PersonContext, *, sure: bool) -> Score:
    """The score of what is fresh; `sure` takes the smaller one of the last two readings."""
    points: dict[str, int] = {"oxygen": ON_OXYGEN_POINTS if person.on_oxygen else 0}
    for slot in slots:
        name = _CODES[slot.code]
        fresh_s = SPOT_FRESH_S if name in _SPOT else FRESH_S
        if at_s - slot.at_s > fresh_s:
            continue
        points[name] = _bands(slot, person).score(slot.value / 100)
        if sure:
            known = 0 < slot.before_s <= fresh_s
            points[name] = min(points[name], slot.before_points if known else 0)
    return Score({name: points[name] for name in PARAMETERS if name in points})


def _bands(slot: Slot, person: PersonContext) -> Bands:
    return bands_of(_CODES[slot.code], scale_2=person.oxygen_scale_2, on_oxygen=person.on_oxygen)


def _judge(
    state: ScoreState, at_s: int, observation: Observation, context: Context
) -> tuple[ScoreState, Findings]:
    score = score_now(state.slots, at_s, context.person, sure=True)
    total = score.total
    urgent_s = (state.urgent_s or at_s) if total >= URGENT_TOTAL else 0
    emergency_s = (state.emergency_s or at_s) if total >= EMERGENCY_TOTAL else 0
    clear_s = (state.clear_s or at_s) if state.level and total <= CLEAR_TOTAL else 0
    level = state.level
    if emergency_s and at_s - emergency_s >= HOLDS_S:
        level = _EMERGENCY
    elif urgent_s and at_s - urgent_s >= HOLDS_S:
        level = max(level, _URGENT)
    if clear_s and at_s - clear_s >= CLEAR_S:
        level = 0
    began_s = state.began_s if state.level else urgent_s
    rises = level > state.level
    steps = state.steps + 1 if rises else state.steps
    told, phase = (
        ((), Phase.CONFIRMED)
        if level == state.level
        else (
            ((steps,), Phase.CONFIRMED) if rises else (tuple(range(1, steps + 1)), Phase.WITHDRAWN)
        )
    )
    findings = tuple(
        _finding(
            state,
            score,
            level=max(level, state.level),
            step=step,
            began_s=began_s,
            at_s=at_s,
            phase=phase,
            observation=observation,
            context=context,
        )
        for step in told
    )
    if level < state.level:
        began_s, steps, clear_s = 0, 0, 0
    return ScoreState(state.slots, urgent_s, emergency_s, clear_s, level, began_s, steps), findings


def _finding(
    state: ScoreState,
    score: Score,
    *,
    level: int,
    step: int,
    began_s: int,
    at_s: int,
    phase: Phase,
    observation: Observation,
    context: Context,
) -> Finding:
    now = score_now(state.slots, at_s, context.person, sure=False)
    since = datetime.fromtimestamp(began_s, UTC).isoformat()
    minutes = (at_s - began_s) // 60
    standing = phase is Phase.CONFIRMED
    return Finding(
        detector="news2",
        kind="early_warning",
        phase=phase,
        category=Category.PHYSIOLOGICAL,
        priority=_PRIORITIES[level],
        subject=subject_of(context.device),
        key=f"{began_s}-{step}",
        at=observation.received_at,
        text=f"NEWS2 {now.text}" + (f", high for {minutes} min" if standing else ", over"),
        evidence={
            "total": now.total,
            "total_of_two_readings": score.total,
            "points": dict(now.points),
            "missing": list(now.missing),
            "red": list(now.red),
            "scale": 2 if context.person.oxygen_scale_2 else 1,
            "limit": EMERGENCY_TOTAL if level == _EMERGENCY else URGENT_TOTAL,
            "window": [since, datetime.fromtimestamp(at_s, UTC).isoformat()],
            "values": {_CODES[slot.code]: slot.value / 100 for slot in state.slots},
        },
    )
