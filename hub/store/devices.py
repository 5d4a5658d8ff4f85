"""A device over its life: provisioned, rotated, revoked, moved, swapped; with its history.

Each function is one change inside the caller's transaction and writes its line of the audit log
with it; `PostgresDevices` implements `hub.api.ports.DeviceStore` with them, the command line runs
them on a connection of its own.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
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
DESCRIBED = ("label", "model", "voice_number")
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
        raise NotThere("There is no such premises")
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
        raise NotThere("There is no such premises")
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
    as_told: Mapping[str, str | None],
    line: LogLine,
) -> View:
    """Put a new device in its place: home, person, label and (unless told) kind and model are kept,
    the old one is revoked. Returns the new one. Raises NotThere, UniqueViolation.

    Of another kind it is of another model; a number is that of a SIM card, which need not have
    moved with the place: both are as told."""
    old = await _known(cursor, device_id)
    if not old["revoked"]:
        await cursor.execute(_SQL["revoke"], {"id": device_id})
    kind = as_told.get("kind") or old["kind"]
    new = NewDevice(
        id=new_id,
        area_id=old["area_id"],
        premises_id=old["premises_id"],
        person_id=old["person_id"],
        kind=kind,
        label=old["label"],
        model=as_told.get("model") or (old["model"] if kind == old["kind"] else None),
        voice_number=as_told.get("voice_number"),
    )
    return await add(cursor, new, credential, line, replaces=device_id)


async def describe(
    cursor: Cursor, device_id: str, changes: Mapping[str, Any], log: Callable[[View], LogLine]
) -> View:
    """Change what is known of it (`DESCRIBED`); what is not there stays. `log` makes the line from
    what differs. Raises NotThere, DeviceRevoked."""
    before = await _in_use(cursor, device_id)
    wanted = before | {name: changes[name] for name in DESCRIBED if name in changes}
    told = {name: wanted[name] for name in DESCRIBED if wanted[name] != before[name]}
    if not told:
        return before
    await cursor.execute(_SQL["describe"], wanted | {"id": device_id})
    detail = {"before": {name: before[name] for name in told}, "after": told}
    await cursor.execute(_INCIDENTS["log"], log(detail) | {"area_id": before["area_id"]})
    return wanted


async def history(
    cursor: Cursor, device_id: str, before: int, limit: int, areas: Sequence[str] | None = None
) -> list[View]:
    """What was so of it in these areas, newest first; None: everywhere."""
    values = {"id": device_id, "before": before, "limit": limit, "areas": areas}
    await cursor.execute(_SQL["history"], values)
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
        raise NotThere("There is no such person")


class PostgresDevices:
    """The same for the API: every method raises DatabaseAway, within two seconds, too."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def add(self, device: NewDevice, credential: Credential, entry: Entry) -> View:
        """Provision a device."""
        return await self._run(lambda c: add(c, device, credential, _line(entry)), device.id)

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
        self, device_id: str, new_id: str, credential: Credential,
        as_told: Mapping[str, str | None], entry: Entry,
    ) -> View:  # fmt: skip
        """Put a new device in its place."""
        line = _line(entry)
        return await self._run(
            lambda c: swap(c, device_id, new_id, credential, as_told, line), new_id
        )

    async def describe(self, device_id: str, changes: Mapping[str, Any], entry: Entry) -> View:
        """Change label, model or the number one talks through."""
        return await self._run(
            lambda c: describe(c, device_id, changes, lambda told: _line(entry, told))
        )

    async def history(
        self, device_id: str, areas: Sequence[str] | None, before: int, limit: int, look: Entry
    ) -> list[View]:
        """What was so of it in these areas; None: everywhere. The look is logged with it."""

        async def read(cursor: Cursor) -> list[View]:
            rows = await history(cursor, device_id, before, limit, areas)
            await cursor.execute(_INCIDENTS["log"], _line(look))
            return rows

        return await self._run(read)

    async def _run(self, work: Callable[[Cursor], Awaitable[Result]], new_id: str = "") -> Result:
        try:
            return await self._reach.run(work)
        except UniqueViolation:
            raise AlreadyThere(new_id) from None


def _line(entry: Entry, told: View | None = None) -> LogLine:
    actor = ("account", entry.account.id, entry.account.name)
    detail = {**entry.detail, **(told or {})}
    return log_values(entry.at, entry.area_id, entry.incident_id, entry.action, None, detail, actor)
