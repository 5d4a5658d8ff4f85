"""Where a recipient can be reached, looked up when a notification is sent and never before.

A ladder's snapshot holds recipients, not numbers: a daughter who changed her phone at noon is
called on the new one at one o'clock, and whoever withdrew their consent is not called at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from alerts.policy import ChannelName
from schemas.ids import IncidentId

ACCOUNT = "account:"
CONTACT = "contact:"
RESPONDER = "responder:"
"""How a recipient begins that is somebody of the register; the id follows."""


@dataclass(frozen=True, slots=True)
class Address:
    """One recipient as of now."""

    recipient: str
    """As the notification has it: `contact:ID`, `account:ID`, `responder:ID`, a device id ..."""
    name: str
    relation: str
    """`daughter`, `neighbour`, a role; empty where nobody wrote it down."""
    language: str
    """A language of the catalogue, `zh-CN` or `en`."""
    values: Mapping[ChannelName, tuple[str, ...]]
    """By channel: phone numbers, mail addresses, subscriptions, URLs. Missing: not by this way."""

    def by(self, channel: ChannelName) -> tuple[str, ...]:
        """The addresses for a channel; empty where there is none."""
        return self.values.get(channel, ())


class Directory(Protocol):
    """Who a recipient is, as of now."""

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        """None: there is no such recipient any more, the person is not served any more, or they
        did not consent to this recipient being told."""
        ...


def masked(address: str) -> str:
    """An address as it may stand in a log: enough to recognise, too little to use.

    >>> masked("+8613800138000"), masked("daughter@example.org"), masked("https://a.example/x?k=1")
    ('+86138***00', 'da***@example.org', 'https://a.example/***')
    """
    if "://" in address:
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}/***"
    if "@" in address:
        name, _, domain = address.partition("@")
        return f"{name[:2]}***@{domain}"
    if len(address) > 8:
        return f"{address[:6]}***{address[-2:]}"
    return f"{address[:2]}***" if address else ""
