"""Hourly and daily buckets, brought up to date from what was committed since the last time.

Every step is one transaction over a span of batches and saves how far it got, so it may be killed
anywhere and costs what came in, never what is stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from hub.observation import UNKNOWN_TIME
from hub.store import queries
from schemas.vocabulary import MEASURE_BY_KEY

_SQL = queries.load("aggregates")
_ENGINE = queries.load("engine")

Connection = psycopg.AsyncConnection[Any]

UPKEEP_LOCK = 0x6361_7570
"""Advisory lock key: `caup` in ASCII. Aggregates, moving and retention exclude each other."""
CLOCK_AHEAD = timedelta(minutes=5)
"""Ours: a device clock may be ahead by this much and its value still counts as its last."""
FUTURE = timedelta(days=1)
"""An observation from after tomorrow belongs to no bucket; it stays among the single ones."""
FIRST_BATCHES = 100
ROWS_WANTED = 300_000
"""Rows a step should take: about two seconds on the machine the README's figures are from."""
MOST_BATCHES = 1_000_000


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the aggregates are."""

    time_zone: str
    batch_id: int
    at: datetime | None
    """Everything committed until then is in them."""
    continuous: bool
    """TimescaleDB keeps the dated rows; only undated ones are ours."""
    positions_gone_until: datetime | None


@dataclass(frozen=True, slots=True)
class Window:
    """The buckets there are, as of now: what is older is past its time."""

    oldest_hour: datetime
    oldest_day: datetime
    newest: datetime

    @classmethod
    def at(cls, now: datetime, keep_hourly_days: int, keep_daily_days: int) -> "Window":
        """Whole months of hours and whole years of days."""
        hours = now - timedelta(days=keep_hourly_days)
        days = now - timedelta(days=keep_daily_days)
        return cls(
            datetime(hours.year, hours.month, 1, tzinfo=UTC),
            datetime(days.year, 1, 1, tzinfo=UTC),
            now + FUTURE,
        )

    def partitions(self) -> Iterator[tuple[str, str, datetime, datetime]]:
        """(table, partition, from, to) of every partition that must be there; a local day that
        begins the year lies in the year before, hence one more."""
        ahead = self.newest + FUTURE
        month = self.oldest_hour
        while month <= ahead:
            after = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
            yield "history_hour", f"history_hour_{month:%Y%m}", month, after
            month = after
        for year in range(self.oldest_day.year - 1, ahead.year + 1):
            begins, ends = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
            yield "history_day", f"history_day_{year}", begins, ends


async def claim(connection: Connection) -> bool:
    """Whether this transaction alone keeps history up; until it ends."""
    cursor = await connection.execute(_SQL["claim"], {"key": UPKEEP_LOCK})
    row = await cursor.fetchone()
    return bool(row and row[0])


async def progress(connection: Connection) -> Progress:
    """How far the aggregates are. Where no hub has fixed a zone yet, days are those of UTC."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_ENGINE["state"])
        (row,) = await cursor.fetchall()
    return Progress(
        time_zone=row["time_zone"] or "UTC",
        batch_id=row["aggregated_batch_id"],
        at=row["aggregated_at"],
        continuous=row["continuous"],
        positions_gone_until=row["positions_gone_until"],
    )


async def newest_batch(connection: Connection) -> tuple[int, datetime]:
    """The last batch number given out, and an instant after that, by the database's clock."""
    cursor = await connection.execute(_SQL["newest_batch"])
    (number,) = await cursor.fetchall()
    cursor = await connection.execute(_SQL["now"])
    (at,) = await cursor.fetchall()
    return int(number[0]), at[0]


async def settled(connection: Connection, at: datetime) -> bool:
    """Whether every batch number given out before `at` is committed or never will be."""
    cursor = await connection.execute(_SQL["settled"], {"at": at})
    row = await cursor.fetchone()
    return bool(row and row[0])


async def ensure_buckets(connection: Connection, window: Window) -> list[str]:
    """Make the partitions of hourly and daily buckets that are missing; says which."""
    present: set[str] = set()
    for table in ("history_hour", "history_day"):
        cursor = await connection.execute(_SQL["history_partitions"], {"table": table})
        present |= {row[0] for row in await cursor.fetchall()}
    made: list[str] = []
    for table, name, begins, ends in window.partitions():
        if name not in present:
            await connection.execute(
                sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
                    sql.Identifier(name), sql.Identifier(table),
                    sql.Literal(begins.isoformat()), sql.Literal(ends.isoformat()),
                )
            )  # fmt: skip
            made.append(name)
    return made


async def aggregate(
    connection: Connection, window: Window, since: Progress, until_batch_id: int
) -> int:
    """Add the batches after `since` up to one; the number of rows that were in them.

    Needs `claim` in the same transaction, and the partitions of the window.
    """
    # Sorting by group in memory keeps a step at seconds; the default of 4 MB spills.
    await connection.execute("SET LOCAL work_mem = '64MB'")
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            _SQL["aggregate"],
            {
                "after": since.batch_id,
                "until": until_batch_id,
                "unknown": UNKNOWN_TIME,
                "time_zone": since.time_zone,
                "position": MEASURE_BY_KEY["position"].code,
                "continuous": since.continuous,
                "oldest": window.oldest_day,
                "oldest_hour": window.oldest_hour,
                "newest": window.newest,
                "clock_ahead": CLOCK_AHEAD,
            },
        )
        (row,) = await cursor.fetchall()
    await connection.execute(_SQL["advance"], {"until": until_batch_id})
    return int(row["rows"])


async def caught_up(connection: Connection, at: datetime) -> None:
    """Note that everything committed until `at` is in the buckets."""
    await connection.execute(_SQL["caught_up"], {"at": at})


def next_step(batches: int, rows: int) -> int:
    """How many batches the next step takes, so that it has about as many rows as wanted."""
    if rows == 0:
        return min(batches * 10, MOST_BATCHES)
    fitting = batches * ROWS_WANTED // rows
    return max(1, min(fitting, batches * 10, MOST_BATCHES))
