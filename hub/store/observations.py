"""Observations go in by binary COPY; a redelivered one meets its own key and stays out."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from hub.store import queries

_SQL = queries.load("observations")

Connection = psycopg.AsyncConnection[Any]
ObservationRow = tuple[Any, ...]
"""In the column order of `copy_observations`."""

_TYPES = (
    "timestamptz", "text", "int2", "int8", "text", "text", "float8", "text", "float8", "float8",
    "float8", "int2", "timestamptz", "int8",
)  # fmt: skip

PARTITION_DAYS_BEHIND = 2
"""Store-and-forward devices deliver up to two days late; older rows go to the default partition."""
PARTITION_DAYS_AHEAD = 3
"""A hub left alone for a long weekend still has its partitions."""


async def next_batch_id(connection: Connection) -> int:
    """The next place in the order of commits."""
    cursor = await connection.execute(_SQL["next_batch_id"])
    (row,) = await cursor.fetchall()
    return int(row[0])


async def store(connection: Connection, rows: Sequence[ObservationRow], *, careful: bool) -> None:
    """Write rows inside the caller's transaction.

    With `careful` known rows are left out, which costs a third more; without it a known row
    raises UniqueViolation and the caller tries again carefully.
    """
    if not rows:
        return
    if careful:
        await connection.execute(_SQL["create_incoming"])
        await _copy(connection, "copy_incoming", rows)
        await connection.execute(_SQL["insert_incoming"])
    else:
        await _copy(connection, "copy_observations", rows)


async def _copy(connection: Connection, name: str, rows: Sequence[ObservationRow]) -> None:
    async with connection.cursor() as cursor, cursor.copy(_SQL[name]) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            await copy.write_row(row)


async def ensure_partitions(connection: Connection, today: date) -> list[str]:
    """Make the daily partitions round `today` that are missing; returns the new ones' names.

    A day whose rows already lie in the default partition stays there: moving them is not worth a
    lock on the ingest path.
    """
    cursor = await connection.execute(_SQL["partitions"])
    present = {row[0] for row in await cursor.fetchall()}
    made: list[str] = []
    for offset in range(-PARTITION_DAYS_BEHIND, PARTITION_DAYS_AHEAD + 1):
        day = today + timedelta(days=offset)
        name = f"observation_{day:%Y%m%d}"
        if name in present:
            continue
        try:
            async with connection.transaction():
                await connection.execute(
                    sql.SQL(
                        "CREATE TABLE {} PARTITION OF observation FOR VALUES FROM ({}) TO ({})"
                    ).format(
                        sql.Identifier(name),
                        sql.Literal(f"{day} 00:00:00+00"),
                        sql.Literal(f"{day + timedelta(days=1)} 00:00:00+00"),
                    )
                )
        except (psycopg.errors.CheckViolation, psycopg.errors.DuplicateTable):
            continue
        made.append(name)
    return made


async def last_batch_id(connection: Connection) -> int:
    """The newest batch in the table; 0 if there is none."""
    cursor = await connection.execute(_SQL["last_batch_id"])
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def replay_rows(
    connection: Connection, after: int, until: int
) -> psycopg.AsyncServerCursor[dict[str, Any]]:
    """A server-side cursor over what was committed after a checkpoint, in commit order."""
    cursor = psycopg.AsyncServerCursor(connection, "replay", row_factory=dict_row)
    await cursor.execute(_SQL["replay"], {"after": after, "until": until})
    return cursor


async def history(
    connection: Connection,
    *,
    device_id: str | None,
    devices: Sequence[str] | None,
    measure: int | None,
    since: datetime,
    until: datetime,
    limit: int,
) -> list[dict[str, Any]]:
    """Observations of one device or of some devices, newest first."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _SQL["history"],
            {
                "device_id": device_id,
                "devices": list(devices) if devices is not None else None,
                "measure": measure,
                "since": since,
                "until": until,
                "limit": limit,
            },
        )
        return await cursor.fetchall()
