"""One message to one recipient, by one channel after the other until one of them reached them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from alerts.alarm import Priority
from alerts.policy import ChannelName
from schemas.ids import AreaId, IncidentId


class NotificationKind(StrEnum):
    """What it is about."""

    RING = "ring"
    """Somebody is needed."""
    CHECK_IN = "check_in"
    """To the person: are you well?"""
    CALLING = "calling"
    """To the person: they did not answer, so somebody is being called."""
    COMING = "coming"
    """To the person: a human took responsibility."""
    OVER = "over"
    """To everybody who was told: it is over."""
    NOTICE = "notice"
    """What is wrong before anybody presses: nobody on duty, a provider that fails."""
    TEST = "test"
    """Nothing happened: does this way reach you?"""
    CONNECT = "connect"
    """To a dispatcher's phone: the home is being called."""


class NotificationState(StrEnum):
    """How far it came; only the provider's word makes it `sent`."""

    PENDING = "pending"
    """It waits for its first or next attempt."""
    SENT = "sent"
    """The provider took it. `receipt_due_at` says until when it owes a receipt, if it does."""
    UNCONFIRMED = "unconfirmed"
    """The last channel took it and its receipt never came: nobody knows whether it arrived."""
    FAILED = "failed"
    """Every channel refused it, or it made no sense any more to try again."""
    POISONED = "poisoned"
    """It made the hub itself stumble again and again; it waits for an operator."""
    DISCARDED = "discarded"
    """It had failed, and an operator decided that it is not to be sent."""
    SUPERSEDED = "superseded"
    """It was not needed any more before it was sent: a human acted, it was over by itself, or as
    `NotNeeded` says."""
    NOBODY = "nobody"
    """There was nobody to call: recorded, and the ladder went on at once."""


class NotNeeded(StrEnum):
    """Why one was superseded."""

    HUMAN_ACTED = "human_acted"
    CLEARED = "cleared"
    """It was over by itself."""
    QUESTION_SETTLED = "question_settled"
    """The person was not to be asked any more."""
    RUNG_JUST_NOW = "rung_just_now"
    """Another ring reached them by the same way."""
    SENT_AFTER_ALL = "sent_before_it_was_superseded"
    """It was under way already, and went out."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of the outbox, as the courier sees it."""

    id: int
    incident_id: IncidentId
    """Empty for a notice or test that belongs to none."""
    area_id: AreaId
    channel: ChannelName
    recipient: str
    kind: NotificationKind
    urgency: int
    """0 first: a high-priority ring overtakes chatter."""
    body: dict[str, Any]
    attempts: int
    """By the channels of one round; the claim has counted the present one."""
    created_at: datetime
    channels: tuple[ChannelName, ...] = ()
    """What is tried after `channel`, in order."""
    sent_at: datetime | None = None
    """When a provider first took it, by whichever channel."""
    broken: int = 1
    """Claims in a row, the present one among them, without an ordinary word."""
    round: int = 0
    """How often an operator said: send it again."""
    delivery_id: int = 0
    """The row of the present attempt."""

    @property
    def reference(self) -> str:
        """The idempotency key: the same for every attempt by this channel, so that a provider
        that took an attempt of which the hub lost the answer does not send it twice."""
        return reference_of(self.id, self.channel, self.round)


def reference_of(notification_id: int, channel: ChannelName, round_: int) -> str:
    """What a provider is given, and gives back with a call-back.

    >>> reference_of(17, ChannelName.SMS, 0)
    'n17-sms-0'
    """
    return f"n{notification_id}-{channel}-{round_}"


def urgency_of(priority: Priority, kind: NotificationKind, *, first: bool = False) -> int:
    """Which is sent before which; 0 first. `first`: the first ring of its incident.

    Within a priority a first notice overtakes everything, then rings that are repeated, then what
    the person is told, then that it is over.

    >>> urgency_of(Priority.HIGH, NotificationKind.RING, first=True)
    0
    >>> urgency_of(Priority.MEDIUM, NotificationKind.OVER)
    8
    """
    place = 0 if first and kind is NotificationKind.RING else _PLACES[kind]
    return priority.rank * _PLACES_EACH + place


_PLACES: Mapping[NotificationKind, int] = {
    NotificationKind.CHECK_IN: 0,
    NotificationKind.RING: 1,
    NotificationKind.CALLING: 2,
    NotificationKind.COMING: 2,
    NotificationKind.OVER: 3,
    NotificationKind.CONNECT: 0,
    NotificationKind.NOTICE: 3,
    NotificationKind.TEST: 4,
}
_PLACES_EACH = 5
"""One more than there are: the ranks do not touch."""

MOST_URGENT = 0
"""For these a part of every channel is kept free."""

FIRST_RETRY_S = 2
"""Ours: a provider that hiccups is back within seconds."""
LONGEST_RETRY_S = 60
"""Ours: an SOS must not wait longer than one rung of the ladder for its next attempt."""
FALLS_OFF_AFTER = 6
"""Doublings from 2 s to above a minute."""

SENSIBLE_FOR_S: Mapping[NotificationKind, int] = {
    NotificationKind.RING: 900,
    NotificationKind.CHECK_IN: 300,
    NotificationKind.CALLING: 3600,
    NotificationKind.COMING: 6 * 3600,
    NotificationKind.OVER: 24 * 3600,
    NotificationKind.CONNECT: 60,
    NotificationKind.NOTICE: 3600,
    NotificationKind.TEST: 6 * 3600,
}
"""How long after it was written a notification is still tried, in seconds; all ours. A ring is
short: the ladder writes the next one long before. Nobody should be asked how they are about a fall
five minutes ago. That somebody comes, and that it is over, still matters after a night without a
broker (docs/adr/0023)."""


def retry_at(
    kind: NotificationKind, created_at: datetime, failures: int, now: datetime
) -> datetime | None:
    """When the next attempt is due after `failures` of them; None: it makes no sense any more.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> ring = NotificationKind.RING
    >>> [(retry_at(ring, now, n, now) - now).seconds for n in (1, 2, 3, 9)]
    [2, 4, 8, 60]
    >>> retry_at(ring, now, 30, now + timedelta(minutes=15))
    """
    exponent = min(max(failures, 1) - 1, FALLS_OFF_AFTER)
    due = now + timedelta(seconds=min(FIRST_RETRY_S * 2**exponent, LONGEST_RETRY_S))
    return due if due <= created_at + timedelta(seconds=SENSIBLE_FOR_S[kind]) else None
