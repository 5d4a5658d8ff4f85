"""What ingest left on disk for the time in which the database is silent; read, never written."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from alerts.people import Account
from hub.desk import AccountProof, AreaRow, DeskSession, decisions_from
from hub.view import View
from schemas.ids import AccountId, AreaId, PersonId, PremisesId

VERSION = 1


class _Account(msgspec.Struct):
    account_id: str
    area_id: str
    username: str
    name: str
    password_hash: str
    role: str
    language: str
    disabled: bool = False
    people: list[str] = []
    homes: list[str] = []
    responders: list[str] = []
    decided: list[str] = []
    decides_for: list[str] = []

    def account(self) -> Account:
        return Account(
            AccountId(self.account_id),
            self.name,
            self.role,
            AreaId(self.area_id),
            self.language,
            frozenset(map(PersonId, self.people)),
            frozenset(map(PremisesId, self.homes)),
            frozenset(self.responders),
            decisions_from(self.decided),
            frozenset(map(PersonId, self.decides_for)),
        )


class _Session(msgspec.Struct):
    token_sha256: str
    account_id: str
    expires_at: datetime


class _Area(msgspec.Struct):
    area_id: str
    parent_id: str | None = None


class _Desk(msgspec.Struct):
    version: int = 0
    accounts: list[_Account] = []
    sessions: list[_Session] = []
    areas: list[_Area] = []


class _Incidents(msgspec.Struct):
    version: int = 0
    incidents: list[dict[str, Any]] = []


class DeskSnapshot:
    """`snapshot/desk.json` and `snapshot/incidents.json` below the data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "snapshot"

    async def credential(self, username: str) -> AccountProof | None:
        """Who has this name, as of the last snapshot."""
        desk = await asyncio.to_thread(self._read_desk)
        for row in desk.accounts:
            if row.username == username:
                return AccountProof(row.account(), row.password_hash, row.disabled)
        return None

    async def session(self, token_sha256: str, now: datetime) -> DeskSession | None:
        """The log-in behind a cookie, as of the last snapshot."""
        desk = await asyncio.to_thread(self._read_desk)
        accounts = {row.account_id: row for row in desk.accounts if not row.disabled}
        for row in desk.sessions:
            if row.token_sha256 == token_sha256 and row.expires_at > now:
                holder = accounts.get(row.account_id)
                if holder is not None:
                    return DeskSession(token_sha256, holder.account(), row.expires_at)
        return None

    async def areas(self) -> list[AreaRow]:
        """The tree, where the snapshot has it."""
        desk = await asyncio.to_thread(self._read_desk)
        return [AreaRow(row.area_id, row.parent_id) for row in desk.areas]

    async def incidents(self) -> list[View] | None:
        """What was open; None if there is no snapshot."""
        return await asyncio.to_thread(self._read_incidents)

    def _read_desk(self) -> _Desk:
        try:
            desk = msgspec.json.decode((self._folder / "desk.json").read_bytes(), type=_Desk)
        except (OSError, msgspec.MsgspecError):
            return _Desk()
        return desk if desk.version == VERSION else _Desk()

    def _read_incidents(self) -> list[View] | None:
        try:
            content = (self._folder / "incidents.json").read_bytes()
            read = msgspec.json.decode(content, type=_Incidents)
        except (OSError, msgspec.MsgspecError):
            return None
        return read.incidents if read.version == VERSION else None
