"""The people and places of the register, as the alerting core and the desk see them."""

from dataclasses import dataclass

from schemas.ids import AccountId, AreaId, PersonId, PremisesId


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
