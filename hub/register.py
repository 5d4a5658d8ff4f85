"""The register in memory: who lives where with which device. Read by both lanes, written by one.

Dictionaries are only ever replaced entry by entry, so a reader on another thread sees an old or a
new entry, never half of one.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from sys import intern
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.incident import Incident
from alerts.people import Person, PersonState, Premises
from hub.device import Device
from hub.register_care import Care, care_of, line_of
from hub.view import Cards
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]
"""Rows by column, as many in each."""

NEWS_KEPT = 10_000
"""More changes than a follower takes up between two looks; beyond, everything is looked at."""


def everywhere(_area_id: str) -> bool:
    """Of a hub that is not split."""
    return True


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
    ours: Callable[[str], bool] = everywhere
    """Whether this process takes in an area (`hub.ownership`)."""
    by_person: dict[PersonId, tuple[DeviceId, ...]] = field(default_factory=dict)
    by_premises: dict[PremisesId, tuple[DeviceId, ...]] = field(default_factory=dict)
    care: dict[PersonId, Care] = field(default_factory=dict)
    """Limits, fences and settings of those for whom somebody set any."""
    lines: dict[PremisesId, tuple[int, ...]] = field(default_factory=dict)
    """Learned inactivity lines by home."""
    followers: list[deque[tuple[str, str]]] = field(default_factory=list)

    def devices_of(self, person_id: PersonId | None) -> list[Device]:
        """The person's devices that are in use."""
        ids = self.by_person.get(person_id, ()) if person_id else ()
        devices = (self.devices.get(i) for i in ids)
        return [d for d in devices if d and not d.revoked and d.person_id == person_id]

    def devices_in(self, premises_id: PremisesId) -> list[Device]:
        """The home's devices that are in use."""
        devices = (self.devices.get(i) for i in self.by_premises.get(premises_id, ()))
        return [d for d in devices if d and not d.revoked and d.premises_id == premises_id]

    def residents_of(self, premises_id: PremisesId) -> set[PersonId]:
        """The people with a device in the home."""
        return {d.person_id for d in self.devices_in(premises_id) if d.person_id is not None}

    def follow(self) -> deque[tuple[str, str]]:
        """From now on what changes is also noted here as (noun, id), to be taken from the left;
        `everything` if it was too much to be told one by one."""
        news: deque[tuple[str, str]] = deque()
        self.followers.append(news)
        return news

    def note(self, noun: str, key: str = "") -> None:
        """Tell whoever follows."""
        for news in self.followers:
            if len(news) >= NEWS_KEPT:
                news.clear()
                noun, key = "everything", ""
            news.append((noun, key))

    def cards(self, incident: Incident) -> Cards:
        """Who, where and with what, for a desk."""
        device = self.devices.get(incident.device_id) if incident.device_id else None
        person = self.people.get(incident.person_id) if incident.person_id else None
        premises = self.premises.get(incident.premises_id) if incident.premises_id else None
        area = self.areas.get(incident.area_id, {}).get("name")
        return Cards(person, premises, device, area)

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
                self._put_devices([device_of(row)], [row["secret_sha256"]])
            case "person":
                person = person_of(row)
                self.people[person.id] = person
            case "premises":
                premises = premises_of(row)
                self.premises[premises.id] = premises
            case "person_care":
                care = care_of(row)
                self.care[care.person_id] = care
            case "inactivity_line":
                self.lines[PremisesId(row["premises_id"])] = line_of(row)
            case "area":
                self.areas[row["area_id"]] = dict(row)
            case "account":
                self.accounts[row["account_id"]] = dict(row)
            case "desk_session":
                self.sessions[row["token_sha256"]] = dict(row)
        if self.followers:
            self.note(noun, row[KEYS[noun]])

    def fill(self, noun: str, columns: Columns) -> None:
        """Put many rows at once, at a third of the cost; nobody who follows is told."""
        match noun:
            case "device":
                self._put_devices(list(_devices_of(columns)), columns["secret_sha256"])
            case "person":
                self.people.update((person.id, person) for person in _people_of(columns))
            case "premises":
                self.premises.update((home.id, home) for home in _homes_of(columns))
            case "inactivity_line":
                lines = map(tuple, columns["minutes"])
                self.lines.update(zip(columns["premises_id"], lines, strict=True))

    def _put_devices(self, devices: Sequence[Device], secrets: Sequence[str]) -> None:
        by_person, by_premises = self.by_person, self.by_premises
        for device, secret_sha256 in zip(devices, secrets, strict=True):
            device_id, person_id, premises_id = device.id, device.person_id, device.premises_id
            self.devices[device_id] = device
            self.secrets[device_id] = secret_sha256
            if person_id is not None:
                others = by_person.get(person_id, ())
                if device_id not in others:
                    by_person[person_id] = (*others, device_id)
            neighbours = by_premises.get(premises_id, ())
            if device_id not in neighbours:
                by_premises[premises_id] = (*neighbours, device_id)

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
            case "person_care":
                self.care.pop(PersonId(key), None)
            case "inactivity_line":
                self.lines.pop(PremisesId(key), None)
            case "area":
                self.areas.pop(key, None)
            case "account":
                self.accounts.pop(key, None)
            case "desk_session":
                self.sessions.pop(key, None)
        self.note(noun, key)


TABLES = (
    "devices", "secrets", "people", "premises", "accounts", "sessions", "areas", "by_person",
    "by_premises", "care", "lines",
)  # fmt: skip
"""The dictionaries of a register."""

KEYS: Mapping[str, str] = {
    "area": "area_id",
    "device": "device_id",
    "person": "person_id",
    "premises": "premises_id",
    "account": "account_id",
    "desk_session": "token_sha256",
    "person_care": "person_id",
    "inactivity_line": "premises_id",
}

_KINDS = {kind.value: kind for kind in DeviceKind}
_STATES = {state.value: state for state in PersonState}


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
        voice_number=row.get("voice_number"),
    )


def _devices_of(columns: Columns) -> Iterator[Device]:
    """The same of many rows; one string says for all of them in which area they are."""
    return map(
        Device,
        columns["device_id"],
        map(_KINDS.__getitem__, columns["kind"]),
        map(intern, columns["area_id"]),
        columns["premises_id"],
        columns["person_id"],
        columns["label"],
        columns["revoked"],
        columns["voice_number"],
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
        state=PersonState(row.get("state", PersonState.HOME)),
    )


def _people_of(columns: Columns) -> Iterator[Person]:
    return map(
        Person,
        columns["person_id"],
        map(intern, columns["area_id"]),
        columns["name"],
        columns["birth_year"],
        columns["language"],
        columns["phone"],
        columns["medical_notes"],
        map(_STATES.__getitem__, columns["state"]),
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


def _homes_of(columns: Columns) -> Iterator[Premises]:
    return map(
        Premises,
        columns["premises_id"],
        map(intern, columns["area_id"]),
        columns["address"],
        columns["access_notes"],
        columns["latitude"],
        columns["longitude"],
        columns["time_zone"],
        columns["phone"],
    )
