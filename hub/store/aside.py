"""Rows in the wrong table, moved while the hub runs.

What lies in the default partition, or in the tables of an older release, is set aside by changing
the catalogue alone, which takes milliseconds. Then the missing partitions can be made without
reading a row, because the new default partition is empty, and the rows follow in bounded steps.
Meanwhile readers see both places (`observation_all`).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from hub.observation import UNKNOWN_TIME
from hub.store import queries
from hub.store.observations import ensure_partition

_SQL = queries.load("aside")

Connection = psycopg.AsyncConnection[Any]

BLOCKS_A_STEP = 1_000
"""8 MiB of rows, about 60,000: well under a second, and ingest waits for none of it."""
LOCK_WITHIN_MS = 2_000
"""Who waits for a catalogue lock makes everybody wait who comes later. Then rather next hour."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where moving goes on."""

    table: str
    block: int


async def set_default_aside(
    connection: Connection, since: datetime, until: datetime, now: datetime
) -> str | None:
    """Where the default partition has rows that may have a partition of their own, put it aside
    and begin a new one; the name it has now. Raises LockNotAvailable if the hub is too busy."""
    values = {"since": since, "until": until}
    if not await is_native(connection) or not await _says(connection, "misplaced", values):
        return None
    name = f"observation_aside_{now:%Y%m%d%H%M%S}"
    await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
    await connection.execute(_SQL["detach_default"])
    await connection.execute(
        sql.SQL("ALTER TABLE observation_default RENAME TO {}").format(sql.Identifier(name))
    )
    await connection.execute(
        sql.SQL("ALTER TABLE {} INHERIT observation_aside").format(sql.Identifier(name))
    )
    await connection.execute(_SQL["attach_default"])
    return name


async def move_some(
    connection: Connection, place: Place | None, since: date, until: date
) -> Place | None:
    """Move the rows of one span of blocks, making their days' partitions between `since` and
    `until` (others go to the default partition); where to go on, None: nothing waits.

    Begin with None; after a crash the same, at the cost of walking over emptied blocks.
    """
    cursor = await connection.execute(_SQL["set_aside_tables"])
    tables = {str(name): int(blocks) for name, blocks in await cursor.fetchall()}
    if not tables:
        return None
    if place is None or place.table not in tables:
        place = Place(next(iter(tables)), 0)
    table = sql.Identifier(place.table)
    if place.block >= tables[place.table]:
        await _drop_if_empty(connection, place.table)
        return Place(place.table, 0) if len(tables) > 1 else None
    span = {
        "first": f"({place.block},0)",
        "after": f"({place.block + BLOCKS_A_STEP},0)",
    }
    if await is_native(connection):
        cursor = await connection.execute(sql.SQL(_SQL["days_between"]).format(table=table), span)
        for (day,) in await cursor.fetchall():
            if since <= day <= until and day != UNKNOWN_TIME.date():
                await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
                await ensure_partition(connection, day)
    await connection.execute(sql.SQL(_SQL["move"]).format(table=table), span)
    return Place(place.table, place.block + BLOCKS_A_STEP)


async def is_native(connection: Connection) -> bool:
    """Whether observations are in native partitions, not in a hypertable."""
    return await _says(connection, "native")


async def _drop_if_empty(connection: Connection, name: str) -> None:
    """Rows that are still there keep the table: nothing is ever dropped with what it holds."""
    table = sql.Identifier(name)
    cursor = await connection.execute(sql.SQL(_SQL["is_empty"]).format(table=table))
    row = await cursor.fetchone()
    if row and row[0]:
        await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
        await connection.execute(sql.SQL(_SQL["drop_aside"]).format(table=table))


async def _says(
    connection: Connection, query: str, values: dict[str, datetime] | None = None
) -> bool:
    cursor = await connection.execute(_SQL[query], values)
    row = await cursor.fetchone()
    return bool(row and row[0])


def span_of(now: datetime, keep_days: int, ahead_days: int) -> tuple[datetime, datetime]:
    """The times whose days have partitions of their own: from whole days behind to ahead."""
    today = midnight(now)
    return today - timedelta(days=keep_days), today + timedelta(days=ahead_days + 1)


def midnight(moment: datetime) -> datetime:
    """The beginning of its day in UTC, in which partitions are cut."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
