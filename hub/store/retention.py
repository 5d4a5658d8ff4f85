"""What is past its time goes: whole partitions where possible, else bounded bites.

Health data and whereabouts are sensitive personal information; how long each kind is kept is a
setting with its reason (`hub/keys/history.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from hub.observation import UNKNOWN_TIME
from hub.store import queries
from hub.store.aggregates import Window
from hub.store.aside import BLOCKS_A_STEP, LOCK_WITHIN_MS, Place, midnight
from hub.store.observations import partition_name
from schemas.vocabulary import MEASURE_BY_KEY

_SQL = queries.load("retention")
_POSITION = MEASURE_BY_KEY["position"].code

Connection = psycopg.AsyncConnection[Any]

BITE_ROWS = 5_000
"""Rows removed in one transaction: tens of milliseconds, with their indexes."""
FIRST_CHUNKS = datetime(2000, 1, 1, tzinfo=UTC)
"""Chunks from then on are dropped whole (`drop_chunks`); what lies before goes row by row."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AUDIT_AT_LEAST = timedelta(days=184)
"""The database itself refuses to remove younger entries (migration 4)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of what is kept: the query of its name removes it."""

    query: str
    setting: str
    for_ever_at_zero: bool = False
    at_least: timedelta = timedelta(0)


RULES: tuple[Rule, ...] = (
    Rule("undated_observations", "keep_observations_days"),
    Rule("misdated_observations", "keep_observations_days"),
    Rule("undated_positions", "keep_positions_days"),
    Rule("wearers", "keep_daily_days"),
    Rule("signal_windows", "keep_signal_windows_days"),
    Rule("quarantine", "keep_quarantine_days"),
    Rule("notifications", "keep_notifications_days"),
    Rule("replies", "keep_notifications_days"),
    Rule("links", "keep_notifications_days"),
    Rule("desk_actions", "keep_desk_actions_days"),
    Rule("register_changes", "keep_register_changes_days"),
    Rule("sessions", "keep_sessions_days"),
    Rule("findings", "keep_incidents_days", for_ever_at_zero=True),
    Rule("incidents", "keep_incidents_days", for_ever_at_zero=True),
    Rule("lone_alarms", "keep_incidents_days", for_ever_at_zero=True),
    Rule("occurrences", "keep_incidents_days", for_ever_at_zero=True),
    Rule("handovers", "keep_incidents_days", for_ever_at_zero=True),
    Rule("rota_changes", "keep_incidents_days", for_ever_at_zero=True),
    Rule("rota_weeks", "keep_incidents_days", for_ever_at_zero=True),
    Rule("visits", "keep_visits_days", for_ever_at_zero=True),
)
AUDIT = Rule("audit", "keep_audit_days", for_ever_at_zero=True, at_least=AUDIT_AT_LEAST)
"""Not by a query: the log is sealed, and is cut block by block (`hub.store.audit_seal`)."""


def before(rule: Rule, keep_days: Mapping[str, int], now: datetime) -> datetime | None:
    """What is older goes; None: nothing ever does."""
    days = keep_days[rule.setting]
    if days == 0 and rule.for_ever_at_zero:
        return None
    return now - max(timedelta(days=days), rule.at_least)


async def forget_some(
    connection: Connection, rule: Rule, before: datetime, now: datetime, *, native: bool
) -> int:
    """One bite of what a rule says is too old; how many rows went. Fewer than `BITE_ROWS`: all."""
    await connection.execute(_SQL["let_retention"])
    await connection.execute(_SQL["let_decompress"])
    cursor = await connection.execute(
        _SQL[rule.query],
        {
            "before": before,
            "now": now,
            "misdated_until": midnight(before) if native else FIRST_CHUNKS,
            "limit": BITE_ROWS,
            "unknown": UNKNOWN_TIME,
            "position": _POSITION,
        },
    )
    return cursor.rowcount


async def drop_old_observations(connection: Connection, before: datetime, *, native: bool) -> int:
    """Drop the days (or chunks) that lie wholly before; how many."""
    await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
    if not native:
        cursor = await connection.execute(_SQL["drop_chunks"], {"before": before})
        row = await cursor.fetchone()
        return int(row[0]) if row else 0
    first_kept = partition_name(before.date())
    names = await _partitions(connection, "observation", r"^observation_\d{8}$")
    return await _drop(connection, [name for name in names if name < first_kept])


async def drop_old_buckets(connection: Connection, window: Window) -> int:
    """Drop the months of hourly and the years of daily buckets that lie before the window."""
    await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
    wanted = {name for _, name, _, _ in window.partitions()}
    dropped = 0
    for table, pattern in (("history_hour", r"^history_hour_\d{6}$"),
                           ("history_day", r"^history_day_\d{4}$")):  # fmt: skip
        names = await _partitions(connection, table, pattern)
        oldest = min(name for name in wanted if name.startswith(f"{table}_"))
        dropped += await _drop(connection, [name for name in names if name < oldest])
    return dropped


async def forget_late_positions(
    connection: Connection, before: datetime, after_batch: int, until_batch: int
) -> None:
    """Positions among new batches that came after their day's had gone."""
    await connection.execute(_SQL["let_decompress"])
    values = {"position": _POSITION, "before": before, "unknown": UNKNOWN_TIME,
              "after": after_batch, "until": until_batch}  # fmt: skip
    await connection.execute(_SQL["late_positions"], values)


async def forget_positions(
    connection: Connection, day: datetime, place: Place | None, *, native: bool
) -> Place | None:
    """Remove the positions of one day (a time at midnight, UTC), a span of blocks at a time where
    partitions are native, else an hour; where to go on, None: the day is done and noted."""
    end = day + DAY
    if native:
        table = partition_name(day.date())
        place = place or Place(table, 0)
        cursor = await connection.execute(_SQL["blocks"], {"table": table})
        row = await cursor.fetchone()
        blocks = row[0] if row else None
        if blocks is not None and place.block < blocks:
            values = {"position": _POSITION, "first": f"({place.block},0)",
                      "after": f"({place.block + BLOCKS_A_STEP},0)"}  # fmt: skip
            query = sql.SQL(_SQL["positions_of_blocks"]).format(table=sql.Identifier(table))
            await connection.execute(query, values)
            return Place(table, place.block + BLOCKS_A_STEP)
    elif place is not None or await _any_position(connection, day, end):
        place = place or Place("observation", 0)
        since = day + place.block * HOUR
        await connection.execute(_SQL["let_decompress"])
        values = {"position": _POSITION, "since": since, "until": since + HOUR}
        await connection.execute(_SQL["positions_of_chunks"], values)
        if since + HOUR < end:
            return Place(place.table, place.block + 1)
    await connection.execute(_SQL["positions_gone"], {"until": end})
    return None


async def _any_position(connection: Connection, since: datetime, until: datetime) -> bool:
    values = {"position": _POSITION, "since": since, "until": until}
    cursor = await connection.execute(_SQL["any_position"], values)
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _partitions(connection: Connection, table: str, pattern: str) -> list[str]:
    cursor = await connection.execute(_SQL["day_partitions"], {"table": table, "pattern": pattern})
    return [str(row[0]) for row in await cursor.fetchall()]


async def _drop(connection: Connection, names: list[str]) -> int:
    for name in names:
        await connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    return len(names)
