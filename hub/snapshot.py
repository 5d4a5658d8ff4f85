"""What ingest keeps on disk so that a press is answered while the database is silent.

Three files of one folder, each replaced atomically and readable by the owner alone: `register.json`
(devices with secret hashes, people, homes), `desk.json` (accounts and sessions) and
`incidents.json` (what is open, and which presses are known). They are a cache: whoever deletes
them loses nothing that the database has.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from hub.embedded.folder import write_private
from hub.register import Register
from hub.view import View

VERSION = 1
_OWN = ("sessions.json", "incidents.json")


class Snapshot:
    """The folder; every write is all or nothing."""

    def __init__(self, data_dir: Path, owner: str = "") -> None:
        """`owner` of a split hub: its sessions, and the alarms it knows, are its own."""
        self._folder = data_dir / "snapshot"
        self._own_folder = self._folder / owner if owner else self._folder
        self._own_folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write_register(self, register: Register, at: datetime) -> None:
        """Devices by id (as the auth callout reads them), people, homes."""
        devices = {
            device.id: {
                "secret_sha256": register.secrets[device.id],
                "revoked": device.revoked,
                "device_id": device.id,
                "kind": device.kind,
                "area_id": device.area_id,
                "premises_id": device.premises_id,
                "person_id": device.person_id,
                "label": device.label,
            }
            for device in register.devices.values()
        }
        people = [
            {
                "person_id": p.id,
                "area_id": p.area_id,
                "name": p.name,
                "birth_year": p.birth_year,
                "language": p.language,
                "phone": p.phone,
                "medical_notes": p.medical_notes,
                "state": p.state,
            }
            for p in register.people.values()
        ]
        premises = [
            {
                "premises_id": p.id,
                "area_id": p.area_id,
                "address": p.address,
                "access_notes": p.access_notes,
                "latitude": p.latitude,
                "longitude": p.longitude,
                "time_zone": p.time_zone,
                "phone": p.phone,
            }
            for p in register.premises.values()
        ]
        self._write(
            "register.json", at, {"devices": devices, "people": people, "premises": premises}
        )

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
        views: list[View],
        open_rows: list[dict[str, Any]],
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
