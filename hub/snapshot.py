"""What ingest keeps on disk so that a press is answered while the database is silent.

Three files of one folder, each replaced atomically and readable by the owner alone: `register.json`
(devices with secret hashes, people, homes; `hub.register_changes` beside it), `desk.json` (accounts
and sessions) and `incidents.json` (what is open, and which presses are known). They are a cache:
whoever deletes them loses nothing that the database has.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from alerts.people import Person, Premises
from hub.device import Device
from hub.embedded.door_register import DoorRegister, RegisteredDevice
from hub.embedded.folder import write_private
from hub.register import Register
from hub.register_changes import (
    MOST_AT_ONCE,
    MOST_BYTES,
    Follower,
    append,
    beginning,
    path_beside,
)
from hub.view import View

Row = TypeVar("Row")

VERSION = 1
_OWN = ("sessions.json", "incidents.json")
_AT_ONCE = 256
"""Rows turned into bytes in one call: a fraction of a millisecond, in which no thread can run."""


class Snapshot:
    """The folder; every write is all or nothing."""

    def __init__(self, data_dir: Path, owner: str = "") -> None:
        """`owner` of a split hub: its sessions, and the alarms it knows, are its own."""
        self._owner = owner
        self._folder = data_dir / "snapshot"
        self._own_folder = self._folder / owner if owner else self._folder
        self._own_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._register = self._folder / "register.json"

    def write_register(self, register: Register, at: datetime) -> None:
        """Devices by id (as the auth callout reads them), people, homes. A few at a time: the lanes
        have their turn meanwhile, and a city is never in memory twice."""
        mark = f"{at.isoformat()} {self._owner}"
        write_private(self._register, _register_pieces(register, at, mark))
        write_private(path_beside(self._register), beginning(mark))

    def add_to_register(self, found: Sequence[tuple[str, str, Mapping[str, Any] | None]]) -> bool:
        """Append changes as (noun, id, row) to what `write_register` wrote; False if it should be
        written anew instead."""
        if len(found) > MOST_AT_ONCE:
            return False
        size = append(self._register, found)
        return size is not None and size < MOST_BYTES

    def tell_door(self, register: Register) -> bool:
        """Append every device whom the door would judge otherwise than `register` does; False if
        the register should be written anew instead. Reading 200,000 devices takes 0.2 s."""
        door = DoorRegister(self._register)
        known = door.devices()
        if known is None or not door.follows:
            return False
        secrets, devices = register.secrets, list(register.devices.values())
        found: list[tuple[str, str, Mapping[str, Any] | None]] = []
        for device in devices:
            before = known.pop(device.id, None)
            now = RegisteredDevice(secrets.get(device.id, ""), device.revoked)
            if before != now:
                found.append(("device", device.id, _device_row(device, register)))
        found += (("device", device_id, None) for device_id in known)
        return not found or self.add_to_register(found)

    def write_desk(self, register: Register, at: datetime) -> None:
        """Areas, accounts and the hashes of their sessions."""
        self._write(
            "desk.json",
            at,
            {
                "areas": list(register.areas.values()),
                "accounts": list(register.accounts.values()),
                "sessions": list(register.sessions.values()),
            },
        )

    def write_incidents(
        self,
        views: Sequence[View | msgspec.Raw],
        open_rows: Sequence[dict[str, Any] | msgspec.Raw],
        known: Sequence[tuple[str, str | None]],
        at: datetime,
    ) -> None:
        """What is open, as views for the API and as rows for ingest; and which alarms are known."""
        content = {"incidents": views, "open": open_rows, "known_alarms": known}
        for folder in {self._folder, self._own_folder}:  # the API reads what any owner wrote last
            self._write("incidents.json", at, content, folder)

    def write_sessions(self, client_ids: list[str], at: datetime) -> None:
        """The persistent broker sessions this hub has had: one that is gone was lost."""
        self._write("sessions.json", at, {"client_ids": client_ids}, self._own_folder)

    def read(self, name: str) -> dict[str, Any]:
        """A file's content; empty if there is none or it cannot be read."""
        try:
            folder = self._own_folder if name in _OWN else self._folder
            content = msgspec.json.decode((folder / name).read_bytes())
        except (OSError, msgspec.DecodeError):
            return {}
        return content if isinstance(content, dict) and content.get("version") == VERSION else {}

    def read_register(self) -> Register | None:
        """The register as of the last snapshot; None if there is none."""
        content = self.read("register.json")
        if not content:
            return None
        register = Register()
        for row in content["premises"]:
            register.put("premises", row)
        for row in content["people"]:
            register.put("person", row)
        for row in content["devices"].values():
            register.put("device", row)
        changes = Follower(self._register)
        changes.begin(content.get("mark", ""))
        with suppress(OSError):
            for change in changes.news():
                row = msgspec.json.decode(change.row)
                if row is None:
                    register.drop(change.noun, change.key)
                else:
                    register.put(change.noun, row)
        desk = self.read("desk.json")
        for row in desk.get("areas", ()):
            register.put("area", row)
        for row in desk.get("accounts", ()):
            register.put("account", row)
        for row in desk.get("sessions", ()):
            register.put("desk_session", row)
        return register

    def _write(
        self, name: str, at: datetime, content: dict[str, Any], folder: Path | None = None
    ) -> None:
        body = msgspec.json.encode({"version": VERSION, "written_at": at, **content})
        write_private((folder or self._folder) / name, body)


def _register_pieces(register: Register, at: datetime, mark: str) -> Iterator[bytes]:
    """The file, piece by piece."""
    head = msgspec.json.encode({"version": VERSION, "written_at": at, "mark": mark})
    yield head[:-1] + b',"devices":{'
    devices = ((d.id, _device_row(d, register)) for d in list(register.devices.values()))
    yield from _joined(dict(some) for some in _batched(devices))
    yield b'},"people":['
    yield from _joined(list(map(_person_row, some)) for some in _batched(_all(register.people)))
    yield b'],"premises":['
    yield from _joined(list(map(_premises_row, some)) for some in _batched(_all(register.premises)))
    yield b"]}"


def _all(table: Mapping[Any, Row]) -> Iterator[Row]:
    return iter(list(table.values()))


def _batched(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """A few rows at a time."""
    while some := list(islice(rows, _AT_ONCE)):
        yield some


def _joined(parts: Iterable[object]) -> Iterator[bytes]:
    """The insides of maps or lists, as if they were one."""
    for number, part in enumerate(parts):
        inside = msgspec.json.encode(part)[1:-1]
        yield b"," + inside if number else inside


def _device_row(device: Device, register: Register) -> dict[str, Any]:
    return {
        "secret_sha256": register.secrets.get(device.id, ""),
        "revoked": device.revoked,
        "device_id": device.id,
        "kind": device.kind,
        "area_id": device.area_id,
        "premises_id": device.premises_id,
        "person_id": device.person_id,
        "label": device.label,
        "voice_number": device.voice_number,
    }


def _person_row(person: Person) -> dict[str, Any]:
    return {
        "person_id": person.id,
        "area_id": person.area_id,
        "name": person.name,
        "birth_year": person.birth_year,
        "language": person.language,
        "phone": person.phone,
        "medical_notes": person.medical_notes,
        "state": person.state,
    }


def _premises_row(premises: Premises) -> dict[str, Any]:
    return {
        "premises_id": premises.id,
        "area_id": premises.area_id,
        "address": premises.address,
        "access_notes": premises.access_notes,
        "latitude": premises.latitude,
        "longitude": premises.longitude,
        "time_zone": premises.time_zone,
        "phone": premises.phone,
    }
