"""A device that is registered and never speaks: forgotten in its box, or never reached the broker.

It has no silence, since it never spoke; somebody relies on it all the same. It has a day to be
mounted, counted from when the hub first saw it in the register; a hub that was started anew gives
it three heartbeats at least, as every other device.
"""

from datetime import UTC, datetime, timedelta

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.device import Device
from hub.observation import ALIVE, Observation

MOUNTED_WITHIN_S = 86_400
"""Ours: what is registered in the morning hangs on the wall in the evening, or is for tomorrow."""


class UnheardState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Since when it is awaited, hub's clock, seconds since 1970; 0: it has spoken, as
    earlier releases kept it. Now there is no state of a device that has."""

    since_s: int
    reported: bool = False


class UnheardDetector:
    """One state a device that was never heard; the runner begins it (`expected`).

    Parameters: MOUNTED_WITHIN_S.

    >>> UnheardDetector().begins_with
    frozenset()
    """

    name = "unheard"
    scope = Scope.DEVICE
    measures = frozenset({ALIVE})
    begins_with: frozenset[str] = frozenset()
    hastened_by: frozenset[str] = frozenset()
    state_type = UnheardState

    def expected(self, device: Device, now: datetime) -> UnheardState:
        """The hub sees the device in the register, and nothing was ever heard of it."""
        del device
        return UnheardState(int(now.timestamp()))

    def observe(
        self, state: UnheardState | None, observation: Observation, context: Context
    ) -> tuple[UnheardState | None, Findings]:
        """It speaks: from here on its silence is another detector's matter."""
        if state is None or not state.reported:
            return None, NONE
        return None, (_finding(state, observation.received_at, context, Phase.WITHDRAWN),)

    def deadline(self, state: UnheardState, context: Context) -> datetime | None:
        """A day after it was first seen."""
        if not state.since_s or state.reported:
            return None
        due = datetime.fromtimestamp(state.since_s + MOUNTED_WITHIN_S, UTC)
        heartbeats = timedelta(seconds=context.device.silent_after_s)
        return max(due, context.listening_since + heartbeats)

    def expire(
        self, state: UnheardState, now: datetime, context: Context
    ) -> tuple[UnheardState, Findings]:
        """Report once."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        found = _finding(state, now, context, Phase.CONFIRMED)
        return UnheardState(state.since_s, reported=True), (found,)


def _finding(state: UnheardState, at: datetime, context: Context, phase: Phase) -> Finding:
    since = datetime.fromtimestamp(state.since_s, UTC)
    hours = max(0, int((at - since).total_seconds() // 3600))
    text = f"never heard in {hours} h" if phase is Phase.CONFIRMED else "heard for the first time"
    return Finding(
        detector=UnheardDetector.name,
        kind="device_never_heard",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=str(state.since_s),
        at=at,
        text=text,
        evidence={"since": since.isoformat(), "limit_h": MOUNTED_WITHIN_S // 3600},
    )
