"""What the two loops and the channels need from the outside; adapters live in `hub`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alerts.escalation import Decision
from alerts.incident import Incident
from alerts.notification import Notification, NotificationState
from alerts.policy import ChannelName


class Clock(Protocol):
    """Time as a port; tests move it by hand."""

    def now(self) -> datetime:
        """The time in UTC."""
        ...


class EscalationStore(Protocol):
    """Incidents with their deadlines."""

    async def climb_due(self, now: datetime, limit: int) -> Sequence[Decision]:
        """Lock at most `limit` incidents whose deadline has passed, decide each, save the
        outcome with its notifications and log entries in one transaction, return what was done."""
        ...


class Outbox(Protocol):
    """Notifications that wait to be sent."""

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Lease the most urgent due notifications to this courier."""
        ...

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        now: datetime,
        *,
        retry_at: datetime | None = None,
        detail: str = "",
    ) -> None:
        """Record what became of an attempt; `pending` with `retry_at` means try again."""
        ...


class Channel(Protocol):
    """One way to reach somebody. Never decides policy."""

    name: ChannelName

    async def send(self, notification: Notification) -> str:
        """Hand it over and return the provider's word (an id or a status).

        Raises SendFailed (try again) or SendRefused (never).
        """
        ...


class Publisher(Protocol):
    """Publishes a message to the broker and returns once the broker has it."""

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """Raises SendFailed if the broker did not take it."""
        ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """What changed on an incident, for those who watch the feed."""

    incident: Incident
    cause: str
    detail: dict[str, Any]


class Announcer(Protocol):
    """Tells every desk."""

    async def announce(self, announcement: Announcement) -> None:
        """Best effort: the desk reads the store as well."""
        ...
