"""The register's rows: all of them, and what changed since a look."""

from collections.abc import AsyncIterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.store import queries

_SQL = queries.load("register")

Connection = psycopg.AsyncConnection[Any]

_READ_IN_ONE = (
    "area", "premises", "person", "device", "account", "desk_session", "person_care",
    "inactivity_line",
)  # fmt: skip


async def horizon(connection: Connection) -> str:
    """Where the next look for changes must start: the oldest transaction still running."""
    cursor = await connection.execute(_SQL["horizon"])
    (row,) = await cursor.fetchall()
    return str(row[0])


async def every_row(connection: Connection) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Every row of the register as (noun, row), referenced nouns first."""
    for noun in _READ_IN_ONE:
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL[noun], {"ids": None})
            while rows := await cursor.fetchmany(5000):
                for row in rows:
                    yield noun, row


async def changes(
    connection: Connection, since: str, keys: dict[str, str]
) -> list[tuple[str, str, dict[str, Any] | None]]:
    """What changed since the horizon `since` as (noun, id, row); None: it is gone.

    `keys` names the id column of each noun that is wanted.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["changes"], {"since": since})
        by_noun: dict[str, list[str]] = {}
        for row in await cursor.fetchall():
            by_noun.setdefault(row["noun"], []).append(row["id"])
        found: list[tuple[str, str, dict[str, Any] | None]] = []
        for noun, key in keys.items():
            ids = by_noun.get(noun)
            if not ids:
                continue
            await cursor.execute(_SQL[noun], {"ids": ids})
            present = {row[key]: row for row in await cursor.fetchall()}
            found += ((noun, i, present.get(i)) for i in ids)
        return found


async def forget_old(connection: Connection) -> None:
    """Drop old findings that came to nothing, and what no detector would still go by."""
    await connection.execute(_SQL["forget_old"])
