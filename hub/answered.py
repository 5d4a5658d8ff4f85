"""What the API and the stores say to each other about answers from outside: values, no IO."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from alerts.notification import NotificationKind


@dataclass(frozen=True, slots=True)
class Attempt:
    """The notification a call-back is about."""

    notification_id: int
    kind: NotificationKind
    recipient: str
    incident_id: str
    """Empty: it belongs to none."""
    area_id: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who answered."""

    recipient: str
    name: str
    role: str | None
    """Of an account; None: a contact or responder."""
    language: str | None
    area_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, and what became of it."""

    provider: str
    message_id: str
    way: str
    sender: str
    text: str
    area_id: str
    result: str
    answer: str
    """What they heard back."""
    incident_id: str | None = None
    recipient: str | None = None
    verb: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of a link may show."""

    incident_id: str
    area_id: str
    recipient: str
    name: str
    language: str
    role: str | None
    """Of an account; None: a contact or responder."""
    state: str
    expires_at: datetime
    used_at: datetime | None
    used_for: str | None
    opened_at: datetime
    drill: bool
    owner: str | None
    going: tuple[str, ...]
    """Names of those who are going or there."""
    person: str | None
    """None: unknown, or the person does not want this recipient to know."""
    address: str | None
    zone: ZoneInfo | None
