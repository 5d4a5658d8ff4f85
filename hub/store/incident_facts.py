"""Facts of incidents for figures, brought up to what is committed: a little at a time.

What changed is found by transaction (as `hub.store.desk` finds it), so that an incident whose
transaction was slow is not passed over; looking at one twice changes nothing.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.store import queries
from schemas.vocabulary import MEASURE_BY_KEY

_SQL = queries.load("facts")
_FIRMWARE = MEASURE_BY_KEY["firmware"].code
_FACTS_LOCK = 0x6661_6374
"""Advisory lock key: `fact` in ASCII."""

AT_ONCE = 500
"""Incidents in one transaction: 0.1 s (measured: 200,000 in 56 s with a pause after each)."""
OVERLAP = timedelta(minutes=2)
"""Notifications are found by the hub's clock and committed a little later: longer than
any courier's transaction."""

Connection = psycopg.AsyncConnection[Any]


async def look(connection: Connection, now: datetime) -> tuple[list[str], dict[str, Any]] | None:
    """Incidents whose facts may be old, and where the next look begins; None: another worker is at
    it."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["lock_facts"], {"key": _FACTS_LOCK})
        (locked,) = await cursor.fetchall()
        if not locked["ours"]:
            return None
        await cursor.execute(_SQL["state"])
        (state,) = await cursor.fetchall()
        since = (state["settled_until"] or now) - OVERLAP
        await cursor.execute(_SQL["changed"], {"horizon": state["horizon"], "settled_since": since})
        return sorted(row["incident_id"] for row in await cursor.fetchall()), state


async def refresh(connection: Connection, ids: list[str]) -> None:
    """Bring the facts of these incidents up to now."""
    await connection.execute(_SQL["forget_drills"], {"ids": ids})
    await connection.execute(_SQL["refresh"], {"ids": ids, "firmware": _FIRMWARE})


async def advance(connection: Connection, state: dict[str, Any], now: datetime) -> None:
    """Everything up to that look is done."""
    await connection.execute(
        _SQL["advance"],
        {"horizon": state["next_horizon"], "settled_until": now, "as_of": state["at"]},
    )
