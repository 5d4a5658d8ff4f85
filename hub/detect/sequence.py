"""Messages that were lost on the way: gaps in the device's own count (contract: `sequence`).

The last 64 numbers are a window, as in IPsec's anti-replay (RFC 4303, 3.4.3): what comes late,
again or in another order within it is no gap. A number that leaves the window unseen was lost.
"""

from datetime import UTC, datetime

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.observation import ALIVE, Observation

WINDOW = 64
"""Numbers that may still come: an hour of a wristband's minutes."""
BLOCK = 128
"""Numbers that are judged together."""
MANY_LOST = 13
"""Ours: one message in ten. Repeats and three heartbeats hide fewer; vital signs and falls do not
come through such a line reliably."""
FEW_LOST = 2
"""Hysteresis: a block with no more is a good line again."""
RESTART_FROM = 100_000
"""Ours: two months of minutes. A larger step is a new count, not a gap."""

_FULL = (1 << WINDOW) - 1


class SequenceState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The window of one device's count."""

    last: int
    """The highest number seen; -1: the thread was lost."""
    seen: int = _FULL
    """The window's bits, the lowest one is `last`; what was before the first counts as seen."""
    judged: int = 0
    """Numbers that have left the window in this block."""
    lost: int = 0
    """... and how many of them never came."""
    since_s: int = 0
    """When a loss was reported last, hub's clock; also its key."""
    reported: bool = False


class SequenceDetector:
    """One state a device that counts; a device that does not has none.

    Parameters: the constants above.

    >>> SequenceDetector().name
    'sequence'
    """

    name = "sequence"
    scope = Scope.DEVICE
    measures = frozenset({ALIVE})
    state_type = SequenceState
    timed = False

    def observe(
        self, state: SequenceState | None, observation: Observation, context: Context
    ) -> tuple[SequenceState | None, Findings]:
        """Take one number. A message without one (a replay, the alarm lane) breaks the thread."""
        number = observation.sequence
        if number is None:
            if state is None or state.last < 0:
                return state, NONE
            return msgspec.structs.replace(state, last=-1), NONE
        if state is None:
            return SequenceState(number), NONE
        step = number - state.last
        if state.last < 0 or step > RESTART_FROM or step <= -WINDOW:
            return msgspec.structs.replace(state, last=number, seen=_FULL), NONE
        if step <= 0:
            seen = state.seen | 1 << -step
            if seen == state.seen:
                return state, NONE
            return msgspec.structs.replace(state, seen=seen), NONE
        return self._moved(state, step, int(observation.received_at.timestamp()), context)

    def deadline(self, state: SequenceState, context: Context) -> datetime | None:
        """A device that says nothing at all is silent, which is another finding."""
        del state, context
        return None

    def expire(
        self, state: SequenceState, now: datetime, context: Context
    ) -> tuple[SequenceState, Findings]:
        """Never due."""
        del now, context
        return state, NONE

    def _moved(
        self, state: SequenceState, step: int, at_s: int, context: Context
    ) -> tuple[SequenceState, Findings]:
        """The window moves on by `step`: what leaves it is judged."""
        leaving, skipped = min(step, WINDOW), max(0, step - WINDOW)
        came = (state.seen >> (WINDOW - leaving)).bit_count()
        judged = state.judged + leaving + skipped
        lost = state.lost + leaving - came + skipped
        seen = (state.seen << leaving | 1) & _FULL if step <= WINDOW else 1
        last, since_s, reported = state.last + step, state.since_s, state.reported
        if judged < BLOCK:
            return SequenceState(last, seen, judged, lost, since_s, reported), NONE
        # A long gap is a block of its own; by share, so that its length changes no limit.
        share = lost * BLOCK // judged
        if not reported and share >= MANY_LOST:
            since_s, phase = max(at_s, since_s + 1), Phase.CONFIRMED
        elif reported and share <= FEW_LOST:
            phase = Phase.WITHDRAWN
        else:
            return SequenceState(last, seen, 0, 0, since_s, reported), NONE
        found = self._finding(since_s, judged, lost, at_s, phase, context)
        return SequenceState(last, seen, 0, 0, since_s, phase is Phase.CONFIRMED), (found,)

    def _finding(
        self, since_s: int, judged: int, lost: int, at_s: int, phase: Phase, context: Context
    ) -> Finding:
        text = f"{lost} of its last {judged} messages were lost"
        if phase is Phase.WITHDRAWN:
            text = f"{judged - lost} of its last {judged} messages came"
        return Finding(
            detector=self.name,
            kind="messages_lost",
            phase=phase,
            category=Category.TECHNICAL,
            priority=Priority.LOW,
            subject=Subject(SubjectKind.DEVICE, context.device.id),
            key=str(since_s),
            at=datetime.fromtimestamp(at_s, UTC),
            text=text,
            evidence={"judged": judged, "lost": lost, "limit": f"{MANY_LOST} of {BLOCK}"},
        )
