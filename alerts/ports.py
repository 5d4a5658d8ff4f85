"""What the two loops and the channels need from the outside; adapters live in `hub`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alerts.address import Address
from alerts.delivery import Outcome
from alerts.escalation import Decision
from alerts.incident import Incident
from alerts.messages import Message
from alerts.notification import Notification
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


Settled = tuple[Notification, Outcome]
"""A notification as it was claimed, and what became of the attempt."""


class Outbox(Protocol):
    """Notifications that wait to be sent."""

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, ordinary: int | None = None
    ) -> Sequence[Notification]:
        """Lease the most urgent due notifications of a channel to this courier, each with a row
        for its attempt. `ordinary`: beyond this many only what is most urgent; None: no matter."""
        ...

    async def channels_due(self, now: datetime) -> Collection[ChannelName]:
        """The channels for which anything is due now and not leased."""
        ...

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Record what became of attempts, in one transaction. One that was taken after a human
        had acted brings its recipient the news that they missed."""
        ...

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        """Decide what becomes of at most `limit` notifications whose receipt did not come in
        time; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took it."""

    word: str
    """What it said, for the log."""
    provider_id: str | None = None
    """Its own id, if its call-backs name that instead of the reference they were given."""
    receipt_within_s: int | None = None
    """How long a receipt may take before the next channel is tried; None: there are none."""


class Channel(Protocol):
    """One way to reach somebody. Never decides policy."""

    name: ChannelName

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Hand it over, with `notification.reference` as idempotency key.

        Raises SendFailed (try again), SendRefused (never) or RateLimited (later, and no attempt
        is used up).
        """
        ...


class Wording(Protocol):
    """What a notification says to whom."""

    async def words_for(self, notification: Notification, address: Address) -> Message:
        """In the recipient's language and within the length of the notification's channel."""
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
