"""Repeat until received: what a device owes the person who pressed, as a pure state machine.

One `SentAlarm` is one press (or fall, or hazard): its bytes never change, so that every repeat is
recognised as the same alarm. It goes out at once, again and again with back-off, and stops only at
the receipt `received`: a PUBACK says that the broker has it, which is not that anybody recorded it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from schemas.commands import Receipt, ReceiptStage

REPEAT_AFTER_S = (2.0, 4.0, 8.0, 15.0)
"""Pause after the first, second ... send; the last repeats for ever. Ours: well inside the 60 s in
which a hub must find another way, gentle enough for 10,000 devices behind a dead hub."""

PUBACK_WITHIN_S = 5.0
"""Ours: a broker that has not answered for this long is not there, whatever TCP says."""

STILL_CALLING_AFTER_S = 29.0
"""Ours: with the fourth repeat (2 + 4 + 8 + 15 s) it admits that nobody answers."""

STAGE_ORDER = tuple(ReceiptStage)

EVIDENCE = frozenset({"motion"})
"""Kinds by which nobody calls: most raw windows raise nothing, and no receipt comes for them."""


@dataclass(frozen=True, slots=True)
class SentAlarm:
    """One alarm of this device, and how far the hub's answer has come. Seconds are monotonic."""

    message_id: str
    kind: str
    payload: bytes
    raised_at_s: float
    next_send_at_s: float
    sends: int = 0
    unanswered_since_s: float | None = None
    """Since when a send waits for its PUBACK; None: nothing is on its way."""
    receipt: Receipt | None = None
    """The furthest receipt so far; None: the hub has not answered."""
    settled: bool = False
    """The broker has it, and for this kind that is enough."""

    @property
    def stage(self) -> ReceiptStage | None:
        return None if self.receipt is None else self.receipt.stage

    @property
    def waiting(self) -> bool:
        """Whether it must still be repeated: nobody has confirmed that it is recorded."""
        return not self.settled and self.stage in (None, ReceiptStage.HEARD)


def begin(message_id: str, kind: str, payload: bytes, now_s: float) -> SentAlarm:
    """A new alarm, due at once."""
    return SentAlarm(message_id, kind, payload, raised_at_s=now_s, next_send_at_s=now_s)


def due(alarm: SentAlarm, now_s: float) -> bool:
    """Whether to send it (again) now."""
    return alarm.waiting and now_s >= alarm.next_send_at_s


def sent(alarm: SentAlarm, now_s: float) -> SentAlarm:
    """It went out on the line."""
    pause_s = REPEAT_AFTER_S[min(alarm.sends, len(REPEAT_AFTER_S) - 1)]
    since_s = now_s if alarm.unanswered_since_s is None else alarm.unanswered_since_s
    return replace(
        alarm, sends=alarm.sends + 1, next_send_at_s=now_s + pause_s, unanswered_since_s=since_s
    )


def postponed(alarm: SentAlarm, now_s: float) -> SentAlarm:
    """It could not go out (no line): look again soon; a new connection sends it at once anyway."""
    return replace(alarm, next_send_at_s=now_s + REPEAT_AFTER_S[0])


def pubacked(alarm: SentAlarm) -> SentAlarm:
    """The broker has it. No reason to stop repeating, but for evidence."""
    return replace(alarm, unanswered_since_s=None, settled=alarm.kind in EVIDENCE)


def line_lost(alarm: SentAlarm) -> SentAlarm:
    """The connection is gone, and with it the hope for an answer on it."""
    return replace(alarm, unanswered_since_s=None)


def line_back(alarm: SentAlarm, now_s: float) -> SentAlarm:
    """A new connection: send at once what nobody has confirmed."""
    return replace(alarm, next_send_at_s=now_s) if alarm.waiting else alarm


def answered(alarm: SentAlarm, receipt: Receipt) -> SentAlarm:
    """The hub answered. Stages only go forward: a late `heard` does not undo `received`."""
    if alarm.stage is not None and _rank(receipt.stage) < _rank(alarm.stage):
        return alarm
    return replace(alarm, receipt=receipt)


def broker_silent(alarm: SentAlarm, now_s: float) -> bool:
    """Whether the broker owes a PUBACK for so long that the line must be taken for dead."""
    since_s = alarm.unanswered_since_s
    return alarm.waiting and since_s is not None and now_s - since_s >= PUBACK_WITHIN_S


def look_again_at_s(alarm: SentAlarm) -> float | None:
    """When this alarm next needs a look; None: never, it is confirmed."""
    if not alarm.waiting:
        return None
    if alarm.unanswered_since_s is None:
        return alarm.next_send_at_s
    return min(alarm.next_send_at_s, alarm.unanswered_since_s + PUBACK_WITHIN_S)


def minutes_until(expected_at: datetime, now: datetime) -> int:
    """Whole minutes until somebody is expected, rounded up, never below 1."""
    return max(1, -int(-(expected_at - now).total_seconds() // 60))


def _rank(stage: ReceiptStage) -> int:
    return STAGE_ORDER.index(stage)
