"""Whom the configuration names for an area when nobody at the desks takes an alarm. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alerts.policy import ChannelName

DEPTH_LIMIT = 10
"""Four levels of areas in practice; a circle ends here."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One address and the way to it."""

    channel: ChannelName
    address: str


@dataclass(frozen=True, slots=True)
class FallbackContacts:
    """Contacts by area, in the order in which they are tried; `everywhere` where an area and those
    above it name none."""

    by_area: Mapping[str, tuple[Contact, ...]]
    everywhere: tuple[Contact, ...]

    def of(self, area_id: str, areas: Mapping[str, Mapping[str, Any]]) -> tuple[Contact, ...]:
        """Of the area, else of the nearest one above it; `areas` are rows with `parent_id`."""
        seat: str | None = area_id
        for _ in range(DEPTH_LIMIT):
            if seat is None:
                break
            if seat in self.by_area:
                return self.by_area[seat]
            seat = areas.get(seat, {}).get("parent_id")
        return self.everywhere


def read_contacts(fallback_by_area: str, webhook_url: str) -> FallbackContacts:
    """From the settings of these names.

    >>> found = read_contacts("east=tel:+8610,https://b.example/x; west=sms:12349", "")
    >>> found.of("east-1", {"east-1": {"parent_id": "east"}})[0]
    Contact(channel=<ChannelName.VOICE: 'voice'>, address='+8610')
    """
    by_area: dict[str, tuple[Contact, ...]] = {}
    for part in filter(None, (part.strip() for part in fallback_by_area.split(";"))):
        area_id, _, listed = part.partition("=")
        by_area[area_id.strip()] = tuple(_contact(uri.strip()) for uri in listed.split(","))
    return FallbackContacts(by_area, (_contact(webhook_url),) if webhook_url else ())


def _contact(uri: str) -> Contact:
    """`sms:` is RFC 5724's scheme, `tel:` RFC 3966's."""
    scheme, _, rest = uri.partition(":")
    match scheme:
        case "sms":
            return Contact(ChannelName.SMS, rest)
        case "tel":
            return Contact(ChannelName.VOICE, rest)
        case _:
            return Contact(ChannelName.WEBHOOK, uri)
