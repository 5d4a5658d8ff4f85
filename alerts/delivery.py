"""What becomes of a notification after an attempt. Pure: the row before, the row after, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.actions import Verb
from alerts.escalation import Reason as Climbed
from alerts.incident import State
from alerts.notification import Notification, NotificationKind, NotificationState, retry_at
from alerts.policy import ChannelName

POISONED_AFTER = 3
"""Ours: a mistake of the hub that shows three times in a row does not go away by itself."""
CRASHES_ALLOWED = 5
"""Ours: a row that was claimed so often without any word has ended as many couriers; it is not
touched again."""
RATHER_ANOTHER_WAY_S = 10
"""Ours: a ring waits this long for a provider that is full; then the next channel is tried."""
LONGEST_DELAY_S = 900
"""Ours: whatever `Retry-After` says, a provider is asked again within a quarter of an hour."""
LOOK_UP_AGAIN_S = 1.0
"""Ours: a database that was away is asked again every second."""
SHORTEST_DELAY_S = 0.1
"""Ours: a provider that says "at once" is not asked in a circle."""


class DeliveryState(StrEnum):
    """What is known of one attempt."""

    SENDING = "sending"
    """It began; the hub may have died over it, and then it is sent again under the same key."""
    SENT = "sent"
    DELIVERED = "delivered"
    """The provider's receipt: it reached the device, or somebody picked up."""
    ANSWERED = "answered"
    """The human answered."""
    UNCONFIRMED = "unconfirmed"
    """The receipt did not come in time. It may still."""
    FAILED = "failed"
    REFUSED = "refused"
    DELAYED = "delayed"
    BROKEN = "broken"
    UNREACHABLE = "unreachable"
    """No address by this channel, or the channel is not configured."""


class Reason(StrEnum):
    """Why a notification is in its state."""

    TAKEN = "taken"
    FAILED = "failed"
    """The provider could not be reached or had trouble of its own."""
    REFUSED = "refused"
    """The provider will never take it."""
    RATE_LIMITED = "rate_limited"
    LOOK_UP_FAILED = "look_up_failed"
    """The register could not be read just then."""
    BROKEN = "broken"
    """A mistake of the hub's own."""
    NO_ADDRESS = "no_address"
    NOT_CONFIGURED = "not_configured"
    NOT_TO_BE_TOLD = "not_to_be_told"
    """Gone from the register, not served any more, or the person does not consent."""
    RECEIPT_MISSING = "receipt_missing"
    NOT_DELIVERED = "not_delivered"
    """The provider took it and says now that it did not arrive."""
    NOT_NEEDED = "not_needed"
    """The receipt is missing, but somebody has taken the incident."""
    CRASHED = "crashed"
    """Claimed again and again without a word about it."""


_OF_ATTEMPT = {
    Reason.FAILED: DeliveryState.FAILED,
    Reason.REFUSED: DeliveryState.REFUSED,
    Reason.RATE_LIMITED: DeliveryState.DELAYED,
    Reason.LOOK_UP_FAILED: DeliveryState.DELAYED,
    Reason.BROKEN: DeliveryState.BROKEN,
    Reason.CRASHED: DeliveryState.BROKEN,
    Reason.NO_ADDRESS: DeliveryState.UNREACHABLE,
    Reason.NOT_CONFIGURED: DeliveryState.UNREACHABLE,
    Reason.NOT_TO_BE_TOLD: DeliveryState.UNREACHABLE,
    Reason.RECEIPT_MISSING: DeliveryState.UNCONFIRMED,
    Reason.NOT_NEEDED: DeliveryState.UNCONFIRMED,
    Reason.NOT_DELIVERED: DeliveryState.FAILED,
}


_ASKED_FOR = frozenset({Verb.ADD_RESPONDER.value, Climbed.WANTED.value})
"""Why somebody is rung although a human has the incident already."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The notification's columns after an attempt, and the attempt's own."""

    state: NotificationState
    channel: ChannelName
    channels: tuple[ChannelName, ...]
    reason: Reason
    delivery: DeliveryState
    due_at: datetime
    attempts: int
    broken: int = 0
    detail: str = ""
    address: str = ""
    """Masked."""
    provider_id: str | None = None
    sent_at: datetime | None = None
    receipt_due_at: datetime | None = None


def taken(
    notification: Notification,
    now: datetime,
    *,
    word: str,
    address: str,
    provider_id: str | None,
    receipt_within_s: int | None,
) -> Outcome:
    """The provider has it. The channels after this one stay, for a receipt that does not come."""
    due = None if receipt_within_s is None else now + timedelta(seconds=receipt_within_s)
    return Outcome(
        state=NotificationState.SENT,
        channel=notification.channel,
        channels=notification.channels,
        reason=Reason.TAKEN,
        delivery=DeliveryState.SENT,
        due_at=now,
        attempts=notification.attempts,
        detail=word,
        address=address,
        provider_id=provider_id,
        sent_at=notification.sent_at or now,
        receipt_due_at=due,
    )


def not_taken(
    notification: Notification,
    reason: Reason,
    now: datetime,
    *,
    detail: str = "",
    address: str = "",
    retry_after_s: float = 0.0,
) -> Outcome:
    """An attempt that did not work: which channel is tried when, or that it is given up.

    A channel whose trouble may pass goes to the end of the row, so that the last one is not the
    only one that is tried again; one that refused, or has no address, does not come back.
    """
    if reason is Reason.NOT_TO_BE_TOLD:
        return _ended(notification, NotificationState.NOBODY, reason, now, detail)
    if reason is Reason.CRASHED:
        return _ended(notification, NotificationState.POISONED, reason, now, detail)
    if reason in (Reason.RATE_LIMITED, Reason.LOOK_UP_FAILED):
        wait_s = retry_after_s if reason is Reason.RATE_LIMITED else LOOK_UP_AGAIN_S
        return _delayed(notification, reason, now, detail, address, wait_s)
    passing = reason in (Reason.FAILED, Reason.BROKEN)
    if not passing:
        return _without_it(notification, reason, now, detail, address)
    others = notification.channels
    broken = notification.broken if reason is Reason.BROKEN else 0
    if broken >= POISONED_AFTER + len(others):
        return _ended(notification, NotificationState.POISONED, reason, now, detail)
    row = (*others, notification.channel)
    if notification.attempts <= len(others):
        due: datetime | None = now
    else:
        failures = notification.attempts - len(others)
        due = retry_at(notification.kind, notification.created_at, failures, now)
    if due is None:
        return _ended(notification, _given_up(notification), reason, now, detail)
    return _next(notification, row, reason, due, detail, address, broken)


def still_needed(notification: Notification, state: State | None, *, answered: bool) -> bool:
    """Whether somebody who was rung, perhaps in vain, is to be rung by the next way.

    `state`: of the incident; None: it belongs to none. `answered`: this recipient has said
    something. While nobody has it, everybody is needed who has not answered; after that only who
    was called because somebody has it: whom a dispatcher picked, and the rung they asked for.
    """
    if state is None or state in (State.CHECKING, State.RAISED):
        return not answered
    if answered or state is State.RESOLVED:
        return False
    return notification.body.get("reason") in _ASKED_FOR


def overdue(notification: Notification, now: datetime, *, needed: bool) -> Outcome:
    """The receipt did not come in time. `needed`: as `still_needed` says.

    Nothing is sent twice by the channel that took it.
    """
    if notification.kind is NotificationKind.RING and not needed:
        return _ended(notification, NotificationState.SENT, Reason.NOT_NEEDED, now, "")
    return _without_it(notification, Reason.RECEIPT_MISSING, now, "no receipt in time", "")


def not_delivered(
    notification: Notification, now: datetime, *, detail: str, needed: bool
) -> Outcome:
    """The provider took it, and calls back that it did not arrive."""
    if notification.kind is NotificationKind.RING and not needed:
        return _ended(notification, NotificationState.FAILED, Reason.NOT_DELIVERED, now, detail)
    return _without_it(notification, Reason.NOT_DELIVERED, now, detail, "")


def _delayed(
    notification: Notification,
    reason: Reason,
    now: datetime,
    detail: str,
    address: str,
    retry_after_s: float,
) -> Outcome:
    """It waits and is never dropped; a ring with another channel does not wait long."""
    wait_s = min(max(retry_after_s, SHORTEST_DELAY_S), LONGEST_DELAY_S)
    others = notification.channels
    elsewhere = (
        notification.kind is NotificationKind.RING
        and wait_s > RATHER_ANOTHER_WAY_S
        and notification.attempts <= len(others)
    )
    if elsewhere:
        row = (*others, notification.channel)
        return _next(notification, row, reason, now, detail, address, 0)
    row = (notification.channel, *others)
    due = now + timedelta(seconds=wait_s)
    attempts = notification.attempts - 1
    return _next(notification, row, reason, due, detail, address, 0, attempts=attempts)


def _without_it(
    notification: Notification, reason: Reason, now: datetime, detail: str, address: str
) -> Outcome:
    """This channel does not come back; the next one is tried at once."""
    if notification.channels:
        row = notification.channels
        return _next(notification, row, reason, now, detail, address, 0, attempts=0)
    if reason in (Reason.NO_ADDRESS, Reason.NOT_CONFIGURED) and notification.sent_at is None:
        return _ended(notification, NotificationState.NOBODY, reason, now, detail)
    return _ended(notification, _given_up(notification), reason, now, detail)


def _given_up(notification: Notification) -> NotificationState:
    """Something that a provider took once may have arrived."""
    if notification.sent_at is not None:
        return NotificationState.UNCONFIRMED
    return NotificationState.FAILED


def _next(
    notification: Notification,
    row: tuple[ChannelName, ...],
    reason: Reason,
    due_at: datetime,
    detail: str,
    address: str,
    broken: int,
    *,
    attempts: int | None = None,
) -> Outcome:
    return Outcome(
        state=NotificationState.PENDING,
        channel=row[0],
        channels=row[1:],
        reason=reason,
        delivery=_OF_ATTEMPT[reason],
        due_at=due_at,
        attempts=notification.attempts if attempts is None else attempts,
        broken=broken,
        detail=detail,
        address=address,
        sent_at=notification.sent_at,
    )


def _ended(
    notification: Notification,
    state: NotificationState,
    reason: Reason,
    now: datetime,
    detail: str,
) -> Outcome:
    return Outcome(
        state=state,
        channel=notification.channel,
        channels=notification.channels,
        reason=reason,
        delivery=_OF_ATTEMPT[reason],
        due_at=now,
        attempts=notification.attempts,
        broken=notification.broken if state is NotificationState.POISONED else 0,
        detail=detail,
        sent_at=notification.sent_at,
    )
