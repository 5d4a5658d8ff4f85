"""Handing an incident to the public emergency services, and what the hub owes afterwards. Pure.

The hub does not let go: whoever called keeps the lease, and the incident stays open until somebody
says that help arrived and how it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from alerts.errors import AlertsError

REFERENCE_LIMIT = 64
"""Characters; the reference numbers of dispatch centres have about a dozen."""
NUMBER_LIMIT = 20


class EmergencyService(StrEnum):
    """Whom the public calls in an emergency."""

    AMBULANCE = "ambulance"
    FIRE = "fire"
    POLICE = "police"


NUMBERS: Mapping[EmergencyService, str] = {
    EmergencyService.AMBULANCE: "120",
    EmergencyService.FIRE: "119",
    EmergencyService.POLICE: "110",
}
"""Of mainland China; an area may have others (112 in Europe)."""


class HandOffRefused(AlertsError):
    """A hand-off names a service (ambulance, fire, police) and the reference it was given."""


class Owed(StrEnum):
    """What the hub must still do after a hand-off."""

    LEASE = "lease"
    """Somebody keeps responsibility: no progress in time rings again."""
    ARRIVAL = "arrival"
    """That the service arrived is to be recorded."""
    OUTCOME = "outcome"
    """How it ended is to be recorded by a human."""


@dataclass(frozen=True, slots=True)
class HandOff:
    """One call to an emergency service."""

    service: EmergencyService
    number: str
    """What was dialled."""
    reference: str
    """What the service calls the case; empty where it gives none."""
    at: datetime
    by: str = ""
    """The name of whoever called."""
    arrived_at: datetime | None = None


def service_of(word: str) -> EmergencyService:
    """The service by its name or one of the default numbers. Raises HandOffRefused.

    >>> service_of("120").value, service_of("fire").value
    ('ambulance', 'fire')
    """
    said = word.strip().lower()
    by_number = {number: service for service, number in NUMBERS.items()}
    if said in by_number:
        return by_number[said]
    try:
        return EmergencyService(said)
    except ValueError:
        raise HandOffRefused(f"{word!r} is no emergency service: ambulance, fire, police") from None


def handed_off(
    word: str,
    reference: str | None,
    at: datetime,
    by: str = "",
    numbers: Mapping[EmergencyService, str] = NUMBERS,
) -> HandOff:
    """A hand-off as it is kept. Raises HandOffRefused."""
    service = service_of(word)
    told = " ".join((reference or "").replace("\0", "").split())
    if len(told) > REFERENCE_LIMIT:
        raise HandOffRefused(f"a reference has at most {REFERENCE_LIMIT} characters")
    return HandOff(service, numbers.get(service, NUMBERS[service]), told, at, by)


def owed(handed: HandOff, *, resolved: bool) -> tuple[Owed, ...]:
    """What is still to be done, in order; nothing once the incident is resolved."""
    if resolved:
        return ()
    if handed.arrived_at is None:
        return (Owed.LEASE, Owed.ARRIVAL, Owed.OUTCOME)
    return (Owed.LEASE, Owed.OUTCOME)
