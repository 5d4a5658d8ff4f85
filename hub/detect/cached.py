"""Several vital signs that stand still together: a gateway re-sends what it has kept, as new.

One sign alone may honestly repeat for a while, and the vital-signs detector says when it is stuck.
That heart and breath both repeat to the digit, reading after reading with fresh times, is no
sensor and no person; it is noticed sooner, and it says where to look.
"""

from datetime import UTC, datetime

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation

TOGETHER = 15
"""Equal readings of each of the two signs. Ours: on 27 nights of healthy sleepers a whole minute
repeated its rounded heart rate at most 14 times (bed-rr-nights), breath left aside."""
TOGETHER_S = 600
FORGET_S = 6 * 3600
"""After so long without a reading, equality says nothing."""
MOST_COUNTED = 99
SCALE = 100
PULSE, BREATH = "heart_rate_per_min", "respiratory_rate_per_min"


class CachedState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last reading of each sign, in hundredths, and for how long neither has changed."""

    pulse_s: int = 0
    pulse: int = -1
    pulses: int = 0
    """Equal readings since `since_s`."""
    breath_s: int = 0
    breath: int = -1
    breaths: int = 0
    since_s: int = 0
    told_s: int = 0
    """`since_s` of what was reported; 0: nothing stands."""


class CachedDetector:
    """One state a device. Parameters: TOGETHER, TOGETHER_S, FORGET_S.

    >>> CachedDetector().name
    'cached'
    """

    name = "cached"
    scope = Scope.DEVICE
    measures = frozenset({PULSE, BREATH})
    state_type = CachedState
    timed = False

    def observe(
        self, state: CachedState | None, observation: Observation, context: Context
    ) -> tuple[CachedState | None, Findings]:
        """Take one reading; duplicates, and what comes out of order, change nothing."""
        value = observation.value
        if value is None or not 0 <= value <= 1000:
            return state, NONE
        at_s, hundredths = observation.moment_s or moment_s(observation), round(value * SCALE)
        if state is None:
            state = CachedState()
        told_s = state.told_s
        if observation.measure == PULSE:
            if at_s <= state.pulse_s:
                return state, NONE
            if hundredths != state.pulse or at_s - state.pulse_s > FORGET_S:
                changed = CachedState(
                    at_s, hundredths, 0, state.breath_s, state.breath, 0, at_s, told_s
                )
                return _judged(changed, at_s, observation, context) if told_s else (changed, NONE)
            pulses, breaths = min(state.pulses + 1, MOST_COUNTED), state.breaths
            after = CachedState(
                at_s,
                hundredths,
                pulses,
                state.breath_s,
                state.breath,
                breaths,
                state.since_s,
                told_s,
            )
        else:
            if at_s <= state.breath_s:
                return state, NONE
            if hundredths != state.breath or at_s - state.breath_s > FORGET_S:
                changed = CachedState(
                    state.pulse_s, state.pulse, 0, at_s, hundredths, 0, at_s, told_s
                )
                return _judged(changed, at_s, observation, context) if told_s else (changed, NONE)
            pulses, breaths = state.pulses, min(state.breaths + 1, MOST_COUNTED)
            after = CachedState(
                state.pulse_s, state.pulse, pulses, at_s, hundredths, breaths, state.since_s, told_s
            )
        if not told_s and (pulses < TOGETHER or breaths < TOGETHER):
            return after, NONE
        return _judged(after, at_s, observation, context)

    def deadline(self, state: CachedState, context: Context) -> datetime | None:
        """Only readings can be equal."""
        del state, context
        return None

    def expire(
        self, state: CachedState, now: datetime, context: Context
    ) -> tuple[CachedState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def _judged(
    state: CachedState, at_s: int, observation: Observation, context: Context
) -> tuple[CachedState, Findings]:
    """Say it once, and once that something changes again."""
    still = min(state.pulses, state.breaths) >= TOGETHER and at_s - state.since_s >= TOGETHER_S
    if state.told_s:
        if state.since_s == state.told_s:
            return state, NONE
        moves = _finding(state, state.told_s, at_s, Phase.WITHDRAWN, observation, context)
        return msgspec.structs.replace(state, told_s=0), (moves,)
    if not still:
        return state, NONE
    found = _finding(state, state.since_s, at_s, Phase.CONFIRMED, observation, context)
    return msgspec.structs.replace(state, told_s=state.since_s), (found,)


def _finding(
    state: CachedState,
    since_s: int,
    at_s: int,
    phase: Phase,
    observation: Observation,
    context: Context,
) -> Finding:
    minutes = max(0, (at_s - since_s) // 60)
    text = f"heart and breath repeated unchanged for {minutes} min: old values sent as new ones"
    if phase is Phase.WITHDRAWN:
        text = "heart and breath change again"
    return Finding(
        detector="cached",
        kind="values_cached",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=str(since_s),
        at=observation.received_at,
        text=text,
        evidence={
            "since": datetime.fromtimestamp(since_s, UTC).isoformat(),
            "window_min": minutes,
            "heart_rate_per_min": state.pulse / SCALE,
            "respiratory_rate_per_min": state.breath / SCALE,
            "limit": {"readings": TOGETHER, "seconds": TOGETHER_S},
        },
    )
