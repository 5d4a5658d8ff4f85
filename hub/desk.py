"""What the API and its database adapter say to each other: values and errors, no IO.

They never import each other; both know this module.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alerts.people import Account
from hub.errors import HubError
from schemas.ids import PersonId

DatabaseState = Literal["ok", "slow", "away"]


class DatabaseAway(HubError):
    """The database does not answer just now."""

    retryable = True


class AlreadyThere(HubError):
    """The register already has this id."""


class NotThere(HubError):
    """The register does not know this id."""


class StillHolds(HubError):
    """Something still belongs to it; move or remove that first."""

    def __init__(self, holds: dict[str, int]) -> None:
        told = (f"{name.replace('_', ' ')}: {count}" for name, count in holds.items())
        super().__init__(", ".join(told))
        self.holds = holds


class AreaMisplaced(HubError):
    """An area must lie below its parent: city, county, street, community."""


class LastAdministrator(HubError):
    """Somebody must be left who can administer the hub."""


class DeviceRevoked(HubError):
    """The device is revoked, for good: swap it for another one."""


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account with what proves that somebody is its holder."""

    account: Account
    password_hash: str
    disabled: bool
    must_change_password: bool = False


@dataclass(frozen=True, slots=True)
class DeskSession:
    """A log-in; only the hash of its cookie is known."""

    token_sha256: str
    account: Account
    expires_at: datetime
    must_change_password: bool = False
    """The password was given to them by somebody else: until they choose one, that is all they
    may do."""
    by_token: bool = False
    """A program's token, not a human's log-in."""


def decisions_from(rows: Iterable[str]) -> frozenset[tuple[PersonId, str, bool]]:
    """What people decided about families, from one text a decision.

    >>> decisions_from(["wang location false"])
    frozenset({('wang', 'location', False)})
    """
    return frozenset(
        (PersonId(person), data, allowed == "true")
        for person, data, allowed in (row.split(" ") for row in rows)
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """From where a log-in was made, for its holder to recognise it."""

    at: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class AccountNews:
    """What changed since a look at accounts, log-ins and tokens."""

    horizon: str
    """Where the next look starts."""
    accounts: frozenset[str]
    hashes: frozenset[str]
    """Of log-ins and tokens that are new, or gone."""
    areas: bool
    """Whether the tree of areas is another one."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A program's token; itself it is shown once and kept nowhere."""

    token_id: str
    token_sha256: str
    area_id: str
    name: str
    role: str
    created_at: datetime
    created_by: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A node of the tree of areas; the root has no parent."""

    area_id: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class AtDesk:
    """Somebody who may acknowledge, with a live feed open at this process."""

    account_id: str
    area_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Within:
    """What a query may find: by area, or by person and home. None: not limited by that."""

    areas: list[str] | None = None
    people: list[str] | None = None
    homes: list[str] | None = None
    recipients: list[str] | None = None
    """Also what these were told of: `responder:ID`, `account:ID`."""


@dataclass(frozen=True, slots=True)
class Glance:
    """Just enough of a stored incident to tell whether it is news."""

    id: str
    revision: int
    open: bool
    alarm_count: int


@dataclass(frozen=True, slots=True)
class NewDevice:
    """A device to provision; the area is that of the home."""

    id: str
    area_id: str
    premises_id: str
    person_id: str | None
    kind: str
    label: str
    model: str | None = None
    """As the maker calls it; what false alarms are counted by."""
    voice_number: str | None = None
    """The SIM or SIP number by which one talks through it, as it is dialled."""


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
