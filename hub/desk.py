"""What the API and its database adapter say to each other: values and errors, no IO.

They never import each other; both know this module.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alerts.people import Account
from hub.errors import HubError

DatabaseState = Literal["ok", "slow", "away"]


class DatabaseAway(HubError):
    """The database does not answer just now."""

    retryable = True


class AlreadyThere(HubError):
    """The register already has this id."""


class NotThere(HubError):
    """The register does not know this id."""


@dataclass(frozen=True, slots=True)
class Credential:
    """An account with what proves that somebody is its holder."""

    account: Account
    password_hash: str
    disabled: bool


@dataclass(frozen=True, slots=True)
class DeskSession:
    """A log-in; only the hash of its cookie is known."""

    token_sha256: str
    account: Account
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A node of the tree of areas; the root has no parent."""

    area_id: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Glance:
    """Just enough of a stored incident to tell whether it is news."""

    id: str
    revision: int
    open: bool
    alarm_count: int


@dataclass(frozen=True, slots=True)
class NewPremises:
    """A home to register."""

    id: str
    area_id: str
    address: str
    access_notes: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to watch over; the area is that of the home."""

    id: str
    area_id: str
    premises_id: str
    name: str
    birth_year: int | None
    language: str | None
    phone: str | None
    medical_notes: str | None


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to provision; the area is that of the home."""

    id: str
    area_id: str
    premises_id: str
    person_id: str | None
    kind: str
    label: str
    secret_sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for the audit log: who looked at what, or changed the register."""

    at: datetime
    area_id: str
    account: Account
    action: str
    detail: dict[str, Any]
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Which observations are wanted; exactly one of device and person is given."""

    device_id: str | None
    person_id: str | None
    measure: int | None
    since: datetime
    until: datetime
    limit: int
