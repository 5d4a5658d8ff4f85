"""Silence of a device is a finding: three missed heartbeats of its class (ours).

Only time during which the hub itself was listening counts: after a restart or an outage a device
has its full three heartbeats again, so that a backlog is not a silent city. The broker's last will
("offline") is a hint: it shortens the wait, and says nothing by itself, since a device that
reconnects leaves one behind.

A silence is first a candidate and half a minute later confirmed: in between it turns out whether
its whole area is silent (alerts.outage), which is one incident and not thousands.
"""

from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from alerts.outage import SINGLES_WAIT_S
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.telemetry import LinkState
from schemas.vocabulary import DEVICE_CLASSES

HEARTBEATS_AFTER_WILL = 1.5
"""Ours: whoever lost the connection and is alive has had one whole heartbeat to come back, and half
a one for the radio."""


_OFFLINE = LinkState.OFFLINE


class SilenceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """When the device was heard last, and what was said of its silence; hub's clock, seconds."""

    heard_s: int
    """Arrival of its last message, since 1970."""
    reported: bool = False
    noticed_s: int = 0
    """When it became a candidate; 0: it is none."""
    offline_s: int = 0
    """When its last will came; 0: it has none since it was heard."""


class SilenceDetector:
    """One state a device; late and reordered messages only ever move `heard_s` forward.

    Parameters: HEARTBEATS_AFTER_WILL, alerts.outage.SINGLES_WAIT_S, and the heartbeats of
    schemas.vocabulary.DEVICE_CLASSES.

    >>> SilenceDetector().measures == {"alive", "link_state"}
    True
    """

    name = "silence"
    scope = Scope.DEVICE
    measures = frozenset({ALIVE, "link_state"})
    hastened_by = frozenset({"link_state"})
    state_type = SilenceState

    def observe(
        self, state: SilenceState | None, observation: Observation, context: Context
    ) -> tuple[SilenceState | None, Findings]:
        """It was heard: if its silence was reported, that is withdrawn. Or its will was read."""
        at_s = observation.arrived_s or int(observation.received_at.timestamp())
        if observation.measure != ALIVE:
            if observation.state != _OFFLINE:
                return state, NONE
            return _will(state, at_s), NONE
        if state is None:
            return SilenceState(at_s), NONE
        if not state.reported:
            if state.noticed_s:
                return SilenceState(max(at_s, state.heard_s + 1)), NONE
            if at_s > state.heard_s and at_s >= state.offline_s:
                return SilenceState(at_s), NONE
            if at_s < state.offline_s or not state.offline_s:
                return state, NONE
            return SilenceState(state.heard_s), NONE
        back = silent(state, observation.received_at, context.device, Phase.WITHDRAWN)
        # Later than the silence that was reported, even if our clock has jumped back: the next
        # silence needs a key of its own.
        return SilenceState(max(at_s, state.heard_s + 1)), (back,)

    def deadline(self, state: SilenceState, context: Context) -> datetime | None:
        """Three heartbeats after it was heard, or after the hub began to listen; then the wait
        for its neighbours."""
        if state.reported:
            return None
        listening_s = context.listening_since.timestamp()
        if state.noticed_s >= listening_s:
            return _moment(state.noticed_s + SINGLES_WAIT_S)
        due_s = max(state.heard_s, listening_s) + context.device.silent_after_s
        if state.offline_s:
            heartbeat_s = DEVICE_CLASSES[context.device.kind].heartbeat_s
            hinted_s = max(state.offline_s, listening_s) + HEARTBEATS_AFTER_WILL * heartbeat_s
            due_s = min(due_s, hinted_s)
        return _moment(due_s)

    def expire(
        self, state: SilenceState, now: datetime, context: Context
    ) -> tuple[SilenceState, Findings]:
        """Notice, and half a minute later report, once an episode."""
        due = self.deadline(state, context)
        if due is None or now < due:
            return state, NONE
        if state.noticed_s:
            found = silent(state, now, context.device, Phase.CONFIRMED)
            return msgspec.structs.replace(state, reported=True), (found,)
        noticed_s = ceil(now.timestamp())
        found = silent(state, now, context.device, Phase.CANDIDATE)
        return msgspec.structs.replace(state, noticed_s=noticed_s), (found,)


def silent(state: SilenceState, at: datetime, device: Device, phase: Phase) -> Finding:
    """The finding about a silence; the key is the same for every phase of it."""
    heard = _moment(state.heard_s)
    minutes = max(0, int((at - heard).total_seconds() // 60))
    text = f"not heard for {minutes} min"
    if phase is Phase.WITHDRAWN:
        text = f"heard again after {minutes} min"
    elif state.offline_s:
        text += ", its connection broke"
    return Finding(
        detector=SilenceDetector.name,
        kind="device_silent",
        phase=phase,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, device.id),
        key=str(state.heard_s),
        at=at,
        text=text,
        evidence={
            "heard_at": heard.isoformat(),
            "silent_min": minutes,
            "limit_s": device.silent_after_s,
            "last_will": bool(state.offline_s),
        },
    )


def _will(state: SilenceState | None, at_s: int) -> SilenceState | None:
    """The broker says that the device is gone: believed for a shorter wait, never before."""
    if state is None or state.reported or state.offline_s or at_s < state.heard_s:
        return state
    return msgspec.structs.replace(state, offline_s=at_s)


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)
