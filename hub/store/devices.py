"""A device over its life: provisioned, rotated, revoked, moved, swapped; with its history.

Each function is one change inside the caller's transaction and writes its line of the audit log
with it; `PostgresDevices` implements `hub.api.ports.DeviceStore` with them, the command line runs
them on a connection of its own.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from psycopg.errors import UniqueViolation

from hub.credential import Credential
from hub.desk import AlreadyThere, DeviceRevoked, Entry, NewDevice, NotThere
from hub.store import queries
from hub.store.cases import log_values
from hub.store.reach import Cursor, Reach
from hub.view import View, iso

_SQL = queries.load("devices")
_INCIDENTS = queries.load("incidents")

Result = TypeVar("Result")
LogLine = dict[str, Any]
"""Parameters of the query `log`."""


async def add(
    cursor: Cursor,
    device: NewDevice,
    credential: Credential,
    line: LogLine,
    replaces: str | None = None,
) -> View:
    """Provision a device. Raises NotThere (home, person), UniqueViolation."""
    await cursor.execute(_SQL["home"], {"premises_id": device.premises_id})
    home = await cursor.fetchone()
    if home is None:
        raise NotThere("premises")
    await _must_exist(cursor, device.person_id)
    values = {name: getattr(device, name) for name in NewDevice.__slots__}
    area_id: str = home["area_id"]
    values |= _hashes(credential) | {"area_id": area_id, "replaces": replaces}
    await cursor.execute(_SQL["add"], values)
    await cursor.execute(_INCIDENTS["log"], line | {"area_id": area_id})
    return await _known(cursor, device.id)


async def rotate(cursor: Cursor, device_id: str, credential: Credential, line: LogLine) -> View:
    """Replace its secret. Raises NotThere, DeviceRevoked."""
    row = await _in_use(cursor, device_id)
    await cursor.execute(_SQL["rotate"], {"id": device_id, **_hashes(credential)})
    await cursor.execute(_INCIDENTS["log"], line | {"area_id": row["area_id"]})
    return row


async def revoke(cursor: Cursor, device_id: str, line: LogLine) -> View:
    """Never let it in again; a second time changes nothing. Raises NotThere."""
    row = await _known(cursor, device_id)
    if not row["revoked"]:
        await cursor.execute(_SQL["revoke"], {"id": device_id})
        await cursor.execute(_INCIDENTS["log"], line | {"area_id": row["area_id"]})
    return row | {"revoked": True}


async def move(
    cursor: Cursor, device_id: str, premises_id: str, person_id: str | None, line: LogLine
) -> View:
    """To another home, another person or nobody. Raises NotThere, DeviceRevoked."""
    await _in_use(cursor, device_id)
    await cursor.execute(_SQL["home"], {"premises_id": premises_id})
    if await cursor.fetchone() is None:
        raise NotThere("premises")
    await _must_exist(cursor, person_id)
    values = {"id": device_id, "premises_id": premises_id, "person_id": person_id}
    await cursor.execute(_SQL["move"], values)
    row = await _known(cursor, device_id)
    await cursor.execute(_INCIDENTS["log"], line | {"area_id": row["area_id"]})
    return row


async def swap(
    cursor: Cursor,
    device_id: str,
    new_id: str,
    credential: Credential,
    kind: str | None,
    line: LogLine,
) -> View:
    """Put a new device in its place: home, person, label and (unless told) kind are kept, the old
    one is revoked. Returns the new one. Raises NotThere, UniqueViolation."""
    old = await _known(cursor, device_id)
    if not old["revoked"]:
        await cursor.execute(_SQL["revoke"], {"id": device_id})
    new = NewDevice(
        id=new_id,
        area_id=old["area_id"],
        premises_id=old["premises_id"],
        person_id=old["person_id"],
        kind=kind or old["kind"],
        label=old["label"],
    )
    return await add(cursor, new, credential, line, replaces=device_id)


async def history(cursor: Cursor, device_id: str, before: int, limit: int) -> list[View]:
    """What was so of it, newest first."""
    await cursor.execute(_SQL["history"], {"id": device_id, "before": before, "limit": limit})
    return [row | {"at": iso(row["at"])} for row in await cursor.fetchall()]


async def listed(
    cursor: Cursor, premises_id: str | None, after: str = "", limit: int = 1000
) -> Sequence[View]:
    """Devices by id, for the command line."""
    values = {"premises_id": premises_id, "after": after, "limit": limit}
    await cursor.execute(_SQL["listed"], values)
    return await cursor.fetchall()


def _hashes(credential: Credential) -> dict[str, str]:
    return {
        "secret_sha256": credential.sha256,
        "mosquitto_hash": credential.mosquitto_hash,
    }


async def _known(cursor: Cursor, device_id: str) -> View:
    await cursor.execute(_SQL["for_change"], {"id": device_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotThere(device_id)
    return row


async def _in_use(cursor: Cursor, device_id: str) -> View:
    row = await _known(cursor, device_id)
    if row["revoked"]:
        raise DeviceRevoked(device_id)
    return row


async def _must_exist(cursor: Cursor, person_id: str | None) -> None:
    if person_id is None:
        return
    await cursor.execute(_SQL["person"], {"person_id": person_id})
    if await cursor.fetchone() is None:
        raise NotThere("person")


class PostgresDevices:
    """The same for the API: every method raises DatabaseAway, within two seconds, too."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def add(self, device: NewDevice, credential: Credential, entry: Entry) -> View:
        """Provision a device."""
        return await self._run(lambda c: add(c, device, credential, _line(entry)))

    async def rotate(self, device_id: str, credential: Credential, entry: Entry) -> View:
        """Replace its secret."""
        return await self._run(lambda c: rotate(c, device_id, credential, _line(entry)))

    async def revoke(self, device_id: str, entry: Entry) -> View:
        """Never let it in again."""
        return await self._run(lambda c: revoke(c, device_id, _line(entry)))

    async def move(
        self, device_id: str, premises_id: str, person_id: str | None, entry: Entry
    ) -> View:
        """To another home, person or nobody."""
        return await self._run(lambda c: move(c, device_id, premises_id, person_id, _line(entry)))

    async def swap(
        self, device_id: str, new_id: str, credential: Credential, kind: str | None, entry: Entry
    ) -> View:
        """Put a new device in its place."""
        return await self._run(lambda c: swap(c, device_id, new_id, credential, kind, _line(entry)))

    async def history(self, device_id: str, before: int, limit: int, look: Entry) -> list[View]:
        """What was so of it; the look is logged with it."""

        async def read(cursor: Cursor) -> list[View]:
            rows = await history(cursor, device_id, before, limit)
            await cursor.execute(_INCIDENTS["log"], _line(look))
            return rows

        return await self._run(read)

    async def _run(self, work: Callable[[Cursor], Awaitable[Result]]) -> Result:
        try:
            return await self._reach.run(work)
        except UniqueViolation as error:
            raise AlreadyThere(error.diag.message_detail or "") from None


def _line(entry: Entry) -> LogLine:
    actor = ("account", entry.account.id, entry.account.name)
    return log_values(
        entry.at, entry.area_id, entry.incident_id, entry.action, None, entry.detail, actor
    )
