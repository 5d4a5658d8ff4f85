"""Silence of a device is a finding: three missed heartbeats of its class (ours).

Only time during which the hub itself was listening counts: after a restart or an outage a device
has its full three heartbeats again, so that a backlog is not a silent city.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.observation import ALIVE, Observation


class SilenceState(msgspec.Struct, frozen=True, array_like=True):
    """When the device was heard last, and whether its silence was reported."""

    heard_s: int
    """Arrival of its last message, seconds since 1970 on the hub's clock."""
    reported: bool = False


class SilenceDetector:
    """One state a device; late and reordered messages only ever move `heard_s` forward."""

    name = "silence"
    scope = Scope.DEVICE
    measures = frozenset({ALIVE})
    state_type = SilenceState

    def observe(
        self, state: SilenceState | None, observation: Observation, context: Context
    ) -> tuple[SilenceState | None, Findings]:
        """It was heard: if its silence was reported, that is withdrawn."""
        heard_s = int(observation.received_at.timestamp())
        if state is None:
            return SilenceState(heard_s), NONE
        if not state.reported:
            if heard_s <= state.heard_s:
                return state, NONE
            return SilenceState(heard_s), NONE
        back = self._finding(state, observation.received_at, context, Phase.WITHDRAWN)
        # Later than the silence that was reported, even if our clock has jumped back: the next
        # silence needs a key of its own.
        return SilenceState(max(heard_s, state.heard_s + 1)), (back,)

    def deadline(self, state: SilenceState, context: Context) -> datetime | None:
        """Three heartbeats after it was heard, or after the hub began to listen."""
        if state.reported:
            return None
        heard = max(datetime.fromtimestamp(state.heard_s, UTC), context.listening_since)
        return heard + timedelta(seconds=context.device.silent_after_s)

    def expire(
        self, state: SilenceState, now: datetime, context: Context
    ) -> tuple[SilenceState, Findings]:
        """Report once an episode."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        found = self._finding(state, now, context, Phase.CONFIRMED)
        return SilenceState(state.heard_s, reported=True), (found,)

    def _finding(
        self, state: SilenceState, at: datetime, context: Context, phase: Phase
    ) -> Finding:
        heard = datetime.fromtimestamp(state.heard_s, UTC)
        minutes = int((at - heard).total_seconds() // 60)
        return Finding(
            detector=self.name,
            kind="device_silent",
            phase=phase,
            category=Category.TECHNICAL,
            priority=Priority.LOW,
            subject=Subject(SubjectKind.DEVICE, context.device.id),
            key=str(state.heard_s),
            at=at,
            text=f"not heard for {minutes} min",
            evidence={"heard_at": heard.isoformat(), "silent_min": minutes},
        )
