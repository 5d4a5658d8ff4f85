"""What answers from outside need: the stores behind call-backs and links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from alerts.actions import Verb
from alerts.answers import Told
from alerts.gateway import Vendor
from alerts.policy import ChannelName
from alerts.responders import Actor, Way
from hub.answered import Attempt, Kept, Sender, Shown


class DeliveryStore(Protocol):
    """What providers call back. Raises DatabaseAway."""

    async def status(
        self, channel: ChannelName, reference: str | None, provider_id: str | None, state: str,
        now: datetime,
    ) -> bool: ...  # fmt: skip

    async def about(
        self, channel: ChannelName, reference: str | None, provider_id: str | None
    ) -> Attempt | None: ...

    async def belonging_to(self, phone: str) -> list[str]: ...

    async def sender(self, recipient: str) -> Sender | None: ...

    async def told_open(
        self, recipients: Sequence[str], now: datetime
    ) -> list[tuple[Told, str, str]]: ...

    async def proven(
        self, recipients: Sequence[str], notification_id: int | None, text: str, now: datetime
    ) -> bool: ...

    async def known(self, provider: str, message_id: str) -> tuple[str, str] | None: ...

    async def count_since(self, sender: str, since: datetime) -> int: ...

    async def keep(self, kept: Kept, now: datetime) -> None: ...

    async def replies(
        self, areas: Sequence[str] | None, result: str | None, before: int, limit: int
    ) -> list[dict[str, Any]]: ...

    async def of_incident(self, incident_id: str) -> list[dict[str, Any]]: ...


class LinkStore(Protocol):
    """One-time links. Raises DatabaseAway."""

    async def look(self, token: str, now: datetime, address: str) -> Shown | None: ...

    async def take(self, token: str, verb: str, now: datetime) -> bool: ...

    async def give_back(self, token: str) -> None: ...


class Doer(Protocol):
    """Carries a deed of somebody who is not logged in."""

    async def perform_as(
        self, actor: Actor, how: Way, verb: Verb, incident_id: str, details: dict[str, Any]
    ) -> Any:
        """Raises Problem: 404, 409 (refused), 503 (nothing was done)."""
        ...


class CheckInCalls(Protocol):
    """Calls to homes that gateways report on."""

    async def heard(
        self, reference: str | None, provider_id: str | None, *, state: str | None,
        digits: str | None, now: datetime,
    ) -> bool:  # fmt: skip
        """Whether the call-back was about such a call."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerParts:
    """Everything that answers from outside need; whoever wires it opens and closes it."""

    deliveries: DeliveryStore
    links: LinkStore
    vendors: Mapping[str, Vendor]
    """By name; only these may call back."""
    key: bytes
    """Behind the tokens in call-back addresses."""
    hotline: str
    language: str
    """Of whoever wrote down none."""
    calls: CheckInCalls | None = None
    public_url: str = ""
    """As vendors were given it: some sign the address they call."""
