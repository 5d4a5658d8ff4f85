"""Accounts and the register's file from the command line, on the database directly.

It works while the API is down, and where nobody can log in any more. Everything is written to the
audit log; the actor is the account of this machine.
"""

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from argon2 import PasswordHasher
from psycopg.rows import dict_row

from alerts.people import Account
from hub.api.access import MAY
from hub.clock import SystemClock
from hub.embedded.database import database_url
from hub.errors import HubError
from hub.passwords import complaint, drawn
from hub.register_file import ImportOrder, ImportOutcome
from hub.settings import Settings
from hub.store import queries
from hub.store.cases import log_values
from hub.store.imports import bring_in
from hub.store.reach import Cursor
from hub.store.register_desk import end_sessions
from hub.view import View
from schemas.ids import AccountId, AreaId, is_id

Result = TypeVar("Result")

LISTED_AT_ONCE = 1000

_SQL = queries.load("register") | queries.load("accounts")
_LOG = queries.load("incidents")["log"]


class RegistrarError(HubError):
    """This cannot be done to the account."""


class Registrar:
    """Each method is one transaction. Raises RegistrarError."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = settings.database_url or database_url(settings.data_dir)
        self._clock = SystemClock()

    def add(self, username: str, name: str, role: str, area_id: str | None, password: str) -> str:
        """Let somebody in; the area they belong to."""
        if role not in MAY:
            raise RegistrarError(f"role = {role!r}; allowed: {', '.join(MAY)}")
        if not is_id(username):
            raise RegistrarError(f"username = {username!r}; allowed: 1 to 64 of a-z, 0-9 and -")
        if why_not := complaint(password, username, name):
            raise RegistrarError(f"password: {why_not}")
        area = area_id or self._settings.root_area_id
        row = {
            "account_id": username,
            "area_id": area,
            "username": username,
            "name": name,
            "password_hash": PasswordHasher().hash(password),
            "role": role,
            "language": self._settings.language,
            "must_change_password": False,
            "phone": None,
            "email": None,
        }

        async def work(cursor: Cursor) -> str:
            await cursor.execute(_SQL["add_account"], row)
            if cursor.rowcount == 0:
                raise RegistrarError(f"username = {username!r}; it is taken")
            await self._log(cursor, "add", area, username, after={"role": role})
            return area

        return self._run(work)

    def disable(self, username: str, *, disabled: bool = True) -> None:
        """Let somebody in no longer, their log-ins end within seconds; or let them in again."""

        async def work(cursor: Cursor) -> None:
            row = await self._theirs(cursor, username)
            if row["disabled"] == disabled:
                return
            if disabled:
                await self._keep_an_administrator(cursor, row)
            values = {**row, "id": row["account_id"], "disabled": disabled}
            await cursor.execute(_SQL["change_account"], values)
            if disabled:
                await end_sessions(cursor, row["account_id"])
            await self._log(
                cursor, "change", row["area_id"], row["account_id"], after={"disabled": disabled}
            )

        self._run(work)

    def reset_password(self, username: str) -> str:
        """A drawn password, shown this once; its holder must choose another. Log-ins end."""
        password = drawn()
        password_hash = PasswordHasher().hash(password)

        async def work(cursor: Cursor) -> None:
            row = await self._theirs(cursor, username)
            values = {
                "account_id": row["account_id"],
                "password_hash": password_hash,
                "must_change_password": True,
                "at": self._clock.now(),
            }
            await cursor.execute(_SQL["set_password"], values)
            await end_sessions(cursor, row["account_id"])
            await self._log(cursor, "reset_password", row["area_id"], row["account_id"])

        self._run(work)
        return password

    def listed(self, area_id: str | None, after: str) -> list[View]:
        """Accounts by id, a page at a time; never a hash."""
        values = {"areas": [area_id] if area_id else None, "role": None, "like": None}

        async def work(cursor: Cursor) -> list[View]:
            await cursor.execute(
                _SQL["account_page"], values | {"after": after, "limit": LISTED_AT_ONCE}
            )
            return await cursor.fetchall()

        return self._run(work)

    def bring_in(self, file: Path, *, commit: bool, skip_bad: bool) -> ImportOutcome:
        """What a file would do to the register, or did. Raises ImportRefused, DatabaseAway."""
        name = getpass.getuser()
        root = self._settings.root_area_id
        actor = Account(AccountId(name), name, "operator", AreaId(root), self._settings.language)
        order = ImportOrder(
            commit=commit,
            skip_bad=skip_bad,
            areas=None,
            at=self._clock.now(),
            actor_kind="operator",
        )
        with file.open("rb") as content:
            return bring_in(self._url, root, content, order, actor)

    async def _theirs(self, cursor: Cursor, username: str) -> View:
        await cursor.execute(_SQL["account_by_username"], {"username": username})
        row = await cursor.fetchone()
        if row is None:
            raise RegistrarError(f"username = {username!r}; there is none")
        return row

    async def _keep_an_administrator(self, cursor: Cursor, row: View) -> None:
        if row["role"] != "administrator" or row["area_id"] != self._settings.root_area_id:
            return
        await cursor.execute(_SQL["administrators"], {"area_id": row["area_id"]})
        if len(await cursor.fetchall()) <= 1:
            raise RegistrarError("it is the last administrator; add another one first")

    async def _log(
        self, cursor: Cursor, action: str, area_id: str, account_id: str, **told: Any
    ) -> None:
        detail = {"noun": "account", "id": account_id, "host": os.uname().nodename, **told}
        actor = ("operator", getpass.getuser(), None)
        line = log_values(self._clock.now(), area_id, None, action, None, detail, actor)
        await cursor.execute(_LOG, line)

    def _run(self, work: Callable[[Cursor], Awaitable[Result]]) -> Result:
        async def run() -> Result:
            async with (
                await psycopg.AsyncConnection.connect(self._url) as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                return await work(cursor)

        try:
            return asyncio.run(run())
        except psycopg.Error as error:
            raise RegistrarError(str(error).splitlines()[0]) from error
