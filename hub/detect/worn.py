"""A wristband that nobody wears watches nobody: a finding after half a day off the wrist.

On the charger or on the bedside table it goes on speaking, so it is not silent; what it would have
felt (a fall, a pulse, a press within reach) goes unnoticed all the same. Somebody should ask why.
"""

from datetime import UTC, datetime

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope, Whereabouts
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.telemetry import WornState

NOT_WORN_AFTER_S = 12 * 3600
"""Ours: charging takes two hours and a night ten; whoever forgets it in the morning is asked at
noon."""
CHARGING_TOO_LONG_S = 6 * 3600
"""Ours: three times what a wristband needs to be full."""

AWAY_POLL_S = 3600
"""How often it is looked whether the person is back."""

_LIMITS_S = {WornState.OFF: NOT_WORN_AFTER_S, WornState.CHARGING: CHARGING_TOO_LONG_S}
_LATEST_S = 253_402_300_799 - max(_LIMITS_S.values())


class WornDetectorState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Since when it is as it is; seconds since 1970."""

    at_s: int
    state: WornState
    off_s: int = 0
    """Since when it is not worn, on the charger or not; 0: it is worn."""
    reported: bool = False
    poll_s: int = 0
    """Nothing is due before: the person is not at home."""


class WornDetector:
    """One state a device. Parameters: NOT_WORN_AFTER_S, CHARGING_TOO_LONG_S.

    >>> WornDetector().name
    'worn'
    """

    name = "worn"
    scope = Scope.DEVICE
    measures = frozenset({"worn_state"})
    hastened_by = measures
    state_type = WornDetectorState

    def observe(
        self, state: WornDetectorState | None, observation: Observation, context: Context
    ) -> tuple[WornDetectorState | None, Findings]:
        """Put on, taken off, or laid on the charger; what comes out of order changes nothing."""
        if state is not None and observation.state == state.state:
            return state, NONE
        try:
            said = WornState(observation.state or "")
        except ValueError:
            return state, NONE
        at_s = min(moment_s(observation), _LATEST_S)
        if state is not None and at_s <= state.at_s:
            return state, NONE
        if said is not WornState.WORN:
            off_s = state.off_s if state is not None and state.off_s else at_s
            return WornDetectorState(at_s, said, off_s, state is not None and state.reported), NONE
        after = WornDetectorState(at_s, said)
        if state is None or not state.reported:
            return after, NONE
        return after, (_finding(state, observation.received_at, Phase.WITHDRAWN, context),)

    def deadline(self, state: WornDetectorState, context: Context) -> datetime | None:
        """When it has not been worn for too long."""
        if not state.off_s or state.reported:
            return None
        due_s = max(state.off_s + _LIMITS_S[state.state], state.poll_s)
        return max(datetime.fromtimestamp(due_s, UTC), context.listening_since)

    def expire(
        self, state: WornDetectorState, now: datetime, context: Context
    ) -> tuple[WornDetectorState, Findings]:
        """Report once. Not while the person is away or in hospital: then the wristband of the
        home is where it should be."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        if context.person.whereabouts is not Whereabouts.HOME:
            poll_s = int(now.timestamp()) + AWAY_POLL_S
            return msgspec.structs.replace(state, poll_s=poll_s), NONE
        after = msgspec.structs.replace(state, reported=True)
        return after, (_finding(after, now, Phase.CONFIRMED, context),)


def _finding(state: WornDetectorState, at: datetime, phase: Phase, context: Context) -> Finding:
    hours = max(0, int((at.timestamp() - state.off_s) // 3600))
    text = f"not worn for {hours} h"
    if phase is Phase.WITHDRAWN:
        text = f"worn again after {hours} h"
    elif state.state is WornState.CHARGING:
        text += ", on the charger"
    return Finding(
        detector="worn",
        kind="not_worn",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=str(state.off_s),
        at=at,
        text=text,
        evidence={
            "since": datetime.fromtimestamp(state.off_s, UTC).isoformat(),
            "charging": state.state is WornState.CHARGING,
            "limit_h": _LIMITS_S.get(state.state, NOT_WORN_AFTER_S) // 3600,
        },
    )
