"""The register's rows: all of them, and what changed since a look."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.store import queries

_SQL = queries.load("register")

Connection = psycopg.AsyncConnection[Any]

Columns = Mapping[str, Sequence[Any]]
"""Rows by column, as many in each."""

_EVERYBODYS = ("premises", "person", "device", "inactivity_line")
"""A city has a hundred thousand of each: read by column, a dictionary a row would cost most."""
_FEW = ("area", "account", "desk_session", "person_care")
_AT_ONCE = 1_000
"""Rows made before the loop looks at its sockets again: about two milliseconds."""


async def horizon(connection: Connection) -> str:
    """Where the next look for changes must start: the oldest transaction still running."""
    cursor = await connection.execute(_SQL["horizon"])
    (row,) = await cursor.fetchall()
    return str(row[0])


async def every_row(connection: Connection) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Every row of the nouns of which there are few, as (noun, row)."""
    for noun in _FEW:
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL[noun], {"ids": None})
            for row in await cursor.fetchall():
                yield noun, row


async def every_column(connection: Connection) -> AsyncIterator[tuple[str, Columns]]:
    """Every row of the other nouns as (noun, columns), some rows at a time."""
    for noun in _EVERYBODYS:
        # A learned line is an array of 98 numbers: as text it takes twice as long.
        async with connection.cursor(binary=noun == "inactivity_line") as cursor:
            await cursor.execute(_SQL[noun], {"ids": None})
            names = [column.name for column in cursor.description or ()]
            while rows := await cursor.fetchmany(_AT_ONCE):
                yield noun, dict(zip(names, zip(*rows, strict=True), strict=True))
                await asyncio.sleep(0)


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
