"""Observations go in by binary COPY; a redelivered one meets its own key and stays out."""

from datetime import date, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from hub.store import queries
from hub.store.packed import PackedRow, in_batch

_SQL = queries.load("observations")

Connection = psycopg.AsyncConnection[Any]

COPIED_AT_ONCE_BYTES = 64 * 1024
"""What the server's socket takes at once; more would only wait in our memory."""

PARTITION_DAYS_BEHIND = 2
"""Store-and-forward devices deliver up to two days late; older rows go to the default partition."""
PARTITION_DAYS_AHEAD = 3
"""A hub left alone for a long weekend still has its partitions."""


async def next_batch_id(connection: Connection) -> int:
    """The next place in the order of commits."""
    cursor = await connection.execute(_SQL["next_batch_id"])
    (row,) = await cursor.fetchall()
    return int(row[0])


async def store(
    connection: Connection, rows: list[PackedRow], batch_id: int, *, careful: bool
) -> None:
    """Write rows inside the caller's transaction.

    With `careful` known rows are left out, which costs a third more; without it a known row
    raises UniqueViolation and the caller tries again carefully.
    """
    if not rows:
        return
    if careful:
        await connection.execute(_SQL["create_incoming"])
        await _copy(connection, "copy_incoming", in_batch(rows, batch_id))
        await connection.execute(_SQL["insert_incoming"])
    else:
        await _copy(connection, "copy_observations", in_batch(rows, batch_id))


async def _copy(connection: Connection, name: str, content: bytes) -> None:
    async with connection.cursor() as cursor, cursor.copy(_SQL[name]) as copy:
        for start in range(0, len(content), COPIED_AT_ONCE_BYTES):
            await copy.write(content[start : start + COPIED_AT_ONCE_BYTES])


async def ensure_partitions(connection: Connection, today: date) -> list[str]:
    """Make the daily partitions round `today` that are missing; returns the new ones' names.

    A day whose rows already lie in the default partition is left to `hub.store.aside`, which moves
    them without a lock on the ingest path. TimescaleDB makes its chunks itself.
    """
    cursor = await connection.execute(_SQL["partitions"])
    rows = await cursor.fetchall()
    if not rows:
        return []
    present = {row[0] for row in rows}
    made: list[str] = []
    for offset in range(-PARTITION_DAYS_BEHIND, PARTITION_DAYS_AHEAD + 1):
        day = today + timedelta(days=offset)
        if partition_name(day) not in present and await ensure_partition(connection, day):
            made.append(partition_name(day))
    return made


def partition_name(day: date) -> str:
    """What the partition of a day is called."""
    return f"observation_{day:%Y%m%d}"


async def ensure_partition(connection: Connection, day: date) -> bool:
    """Make the partition of one day; False if it is there, or the default has rows of that day."""
    try:
        async with connection.transaction():
            await connection.execute(
                sql.SQL(
                    "CREATE TABLE {} PARTITION OF observation FOR VALUES FROM ({}) TO ({})"
                ).format(
                    sql.Identifier(partition_name(day)),
                    sql.Literal(f"{day} 00:00:00+00"),
                    sql.Literal(f"{day + timedelta(days=1)} 00:00:00+00"),
                )
            )
    except (psycopg.errors.CheckViolation, psycopg.errors.DuplicateTable):
        return False
    return True


async def last_batch_id(connection: Connection) -> int:
    """The newest batch number given out; 0 if there is none. Costs nothing, whatever is stored."""
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
