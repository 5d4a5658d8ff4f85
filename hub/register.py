"""The register in memory: who lives where with which device. Read by both lanes, written by one.

Dictionaries are only ever replaced entry by entry, so a reader on another thread sees an old or a
new entry, never half of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.incident import Incident
from alerts.people import Person, Premises
from hub.device import Device
from hub.view import Cards
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

Row = Mapping[str, Any]


@dataclass(slots=True)
class Register:
    """Everything the lanes need to know without asking the database."""

    devices: dict[DeviceId, Device] = field(default_factory=dict)
    secrets: dict[DeviceId, str] = field(default_factory=dict)
    """SHA-256 (hex) of each device's secret, for the auth callout."""
    people: dict[PersonId, Person] = field(default_factory=dict)
    premises: dict[PremisesId, Premises] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    areas: dict[str, dict[str, Any]] = field(default_factory=dict)
    by_person: dict[PersonId, tuple[DeviceId, ...]] = field(default_factory=dict)

    def devices_of(self, person_id: PersonId | None) -> list[Device]:
        """The person's devices that are in use."""
        ids = self.by_person.get(person_id, ()) if person_id else ()
        devices = (self.devices.get(i) for i in ids)
        return [d for d in devices if d and not d.revoked and d.person_id == person_id]

    def cards(self, incident: Incident) -> Cards:
        """Who, where and with what, for a desk."""
        device = self.devices.get(incident.device_id) if incident.device_id else None
        person = self.people.get(incident.person_id) if incident.person_id else None
        premises = self.premises.get(incident.premises_id) if incident.premises_id else None
        return Cards(person, premises, device)

    def language_of(self, person_id: PersonId | None) -> str | None:
        """What the person speaks; None if nobody wrote it down."""
        person = self.people.get(person_id) if person_id else None
        return person.language if person else None

    def zone_of(self, premises_id: PremisesId | None) -> ZoneInfo | None:
        """The home's time zone; None if nobody wrote it down, or it is none."""
        premises = self.premises.get(premises_id) if premises_id else None
        return zone_named(premises.time_zone) if premises else None

    def put(self, noun: str, row: Row) -> None:
        """Insert or replace one row of the register."""
        match noun:
            case "device":
                device = device_of(row)
                self.devices[device.id] = device
                self.secrets[device.id] = row["secret_sha256"]
                if device.person_id is not None:
                    others = self.by_person.get(device.person_id, ())
                    if device.id not in others:
                        self.by_person[device.person_id] = (*others, device.id)
            case "person":
                person = person_of(row)
                self.people[person.id] = person
            case "premises":
                premises = premises_of(row)
                self.premises[premises.id] = premises
            case "area":
                self.areas[row["area_id"]] = dict(row)
            case "account":
                self.accounts[row["account_id"]] = dict(row)
            case "desk_session":
                self.sessions[row["token_sha256"]] = dict(row)

    def drop(self, noun: str, key: str) -> None:
        """Forget a row that is gone."""
        match noun:
            case "device":
                self.devices.pop(DeviceId(key), None)
                self.secrets.pop(DeviceId(key), None)
            case "person":
                self.people.pop(PersonId(key), None)
            case "premises":
                self.premises.pop(PremisesId(key), None)
            case "area":
                self.areas.pop(key, None)
            case "account":
                self.accounts.pop(key, None)
            case "desk_session":
                self.sessions.pop(key, None)


TABLES = (
    "devices", "secrets", "people", "premises", "accounts", "sessions", "areas", "by_person",
)  # fmt: skip
"""The dictionaries of a register."""

KEYS: Mapping[str, str] = {
    "area": "area_id",
    "device": "device_id",
    "person": "person_id",
    "premises": "premises_id",
    "account": "account_id",
    "desk_session": "token_sha256",
}


def zone_named(name: str | None) -> ZoneInfo | None:
    """A time zone by its IANA name; None if it has none or the name is unknown."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def device_of(row: Row) -> Device:
    """A device from its row or snapshot entry."""
    return Device(
        id=DeviceId(row["device_id"]),
        kind=DeviceKind(row["kind"]),
        area_id=AreaId(row["area_id"]),
        premises_id=PremisesId(row["premises_id"]),
        person_id=PersonId(row["person_id"]) if row["person_id"] else None,
        label=row["label"] or "",
        revoked=bool(row["revoked"]),
    )


def person_of(row: Row) -> Person:
    """A person from their row or snapshot entry."""
    return Person(
        id=PersonId(row["person_id"]),
        area_id=AreaId(row["area_id"]),
        name=row["name"],
        birth_year=row["birth_year"],
        language=row["language"],
        phone=row["phone"],
        medical_notes=row["medical_notes"],
    )


def premises_of(row: Row) -> Premises:
    """A home from its row or snapshot entry."""
    return Premises(
        id=PremisesId(row["premises_id"]),
        area_id=AreaId(row["area_id"]),
        address=row["address"],
        access_notes=row["access_notes"],
        latitude=row["latitude"],
        longitude=row["longitude"],
        time_zone=row["time_zone"],
        phone=row["phone"],
    )
