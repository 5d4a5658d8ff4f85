"""The people and places of the register, as the alerting core and the desk see them."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.ids import AccountId, AreaId, PersonId, PremisesId


class PersonState(StrEnum):
    """Where a person is, as far as the service is concerned."""

    HOME = "home"
    AWAY = "away"
    """Travelling, visiting: nobody should expect movement at home."""
    HOSPITAL = "hospital"
    MOVED = "moved"
    """Lives elsewhere now; the home and its devices are not theirs any more."""
    SERVICE_ENDED = "service_ended"

    @property
    def served(self) -> bool:
        """Whether somebody is called for them. After the service ended nobody is; what a press
        does then is decided in docs/adr/0009."""
        return self not in (PersonState.MOVED, PersonState.SERVICE_ENDED)


@dataclass(frozen=True, slots=True)
class Person:
    """The one we watch over."""

    id: PersonId
    area_id: AreaId
    name: str
    birth_year: int | None = None
    language: str | None = None
    phone: str | None = None
    medical_notes: str | None = None
    state: PersonState = PersonState.HOME


@dataclass(frozen=True, slots=True)
class Premises:
    """A home; several people may live there. Coordinates are WGS-84 degrees."""

    id: PremisesId
    area_id: AreaId
    address: str
    access_notes: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    time_zone: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in."""

    id: AccountId
    name: str
    role: str
    area_id: AreaId
    language: str
    people: frozenset[PersonId] = frozenset()
    """Whom a family account is linked to; empty for everybody else."""
    homes: frozenset[PremisesId] = frozenset()
    """Where they live."""
    responders: frozenset[str] = frozenset()
    """Which responders of the register this account is; empty for everybody else."""
    decided: frozenset[tuple[PersonId, str, bool]] = frozenset()
    """What those people decided about families: whom, which kind of data (`alerts.consent`), yes
    or no. Where they decided nothing the defaults hold."""
    decides_for: frozenset[PersonId] = frozenset()
    """For whom of them this account may decide it."""

    @property
    def recipients(self) -> frozenset[str]:
        """As whom it is told of incidents: `account:ID`, `responder:ID`."""
        return frozenset({f"account:{self.id}", *(f"responder:{one}" for one in self.responders)})
