"""One message to one recipient, and the bounded attempts to deliver it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

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


class NotificationState(StrEnum):
    """How far it came; only the provider's word makes it `sent`."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    """Every attempt was used up or the provider refused."""
    DISCARDED = "discarded"
    """It had failed, and an operator decided that it is not to be sent."""
    SUPERSEDED = "superseded"
    """A human acted before it was sent: whoever it was for is not called any more."""
    NOBODY = "nobody"
    """There was nobody to call: recorded, and the ladder went on at once."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A row of the outbox, as the courier sees it."""

    id: int
    incident_id: IncidentId
    area_id: AreaId
    channel: ChannelName
    recipient: str
    kind: NotificationKind
    urgency: int
    """0 first: a high-priority ring overtakes chatter."""
    body: dict[str, Any]
    attempts: int
    created_at: datetime


FIRST_RETRY_S = 2
"""Ours: a provider that hiccups is back within seconds."""
LONGEST_RETRY_S = 60
"""Ours: an SOS must not wait longer than one rung of the ladder for its next attempt."""
MAX_ATTEMPTS = 20
"""About a quarter of an hour of trying; the ladder has moved on long before."""


def retry_at(attempts: int, now: datetime) -> datetime | None:
    """When the next attempt is due after `attempts` failed ones; None: give up.

    >>> from datetime import UTC, datetime
    >>> now = datetime(2026, 1, 1, tzinfo=UTC)
    >>> [(retry_at(n, now) - now).seconds for n in (1, 2, 3, 9)], retry_at(MAX_ATTEMPTS, now)
    ([2, 4, 8, 60], None)
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    exponent = min(attempts - 1, 10)
    return now + timedelta(seconds=min(FIRST_RETRY_S * 2**exponent, LONGEST_RETRY_S))
