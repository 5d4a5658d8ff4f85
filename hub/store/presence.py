"""Who sits at a desk with a live feed: written by each API process, read by the ladder.

An API process renews its row; what it has not renewed in time does not count, so a process that
was killed takes its desks with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from hub.desk import AtDesk
from hub.store import queries
from hub.store.reach import Reach
from hub.view import View

_SQL = queries.load("presence")

ALIVE_FOR = timedelta(seconds=20)
"""Ours: four renewals (`hub.api.presence.RENEW_EVERY_S`); a database that hiccups empties no
desk, and a computer that was unplugged counts a third of a minute longer."""
FORGET_AFTER = timedelta(days=1)

Cursor = psycopg.AsyncCursor[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Present:
    """An account that may acknowledge, with its feed open now."""

    account_id: str
    area_id: str
    """Its seat: it sees this area and everything below."""
    role: str
    since: datetime


async def present(cursor: Cursor, area_ids: Sequence[str] | None, now: datetime) -> list[Present]:
    """Who sits at a desk whose seat is one of these areas; None: anywhere.

    For an incident pass its area with every area it lies in.
    """
    await cursor.execute(
        _SQL["present"],
        {"areas": None if area_ids is None else list(area_ids), "alive_since": now - ALIVE_FOR},
    )
    return [
        Present(row["account_id"], row["area_id"], row["role"], row["since"])
        for row in await cursor.fetchall()
    ]


async def feeds(cursor: Cursor, now: datetime) -> int:
    """How many API processes run."""
    await cursor.execute(_SQL["feeds"], {"alive_since": now - ALIVE_FOR})
    row = await cursor.fetchone()
    return int(row["feeds"]) if row else 0


async def shown_at(cursor: Cursor, press_id: str) -> datetime | None:
    """When the first live feed showed that press of the hub's own."""
    await cursor.execute(_SQL["shown"], {"press_id": press_id})
    row = await cursor.fetchone()
    return row["shown_at"] if row else None


async def forget(cursor: Cursor, now: datetime) -> None:
    """Processes that ended long ago without saying so."""
    await cursor.execute(_SQL["forget"], {"before": now - FORGET_AFTER})


class PostgresPresence:
    """Implements `hub.api.ports_assurance.PresenceStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def renew(
        self,
        feed_id: str,
        root_area_id: str,
        desks: Sequence[AtDesk],
        synthetic: tuple[str, datetime] | None,
        now: datetime,
    ) -> None:
        """These desks and no others are connected to this process."""
        accounts = [desk.account_id for desk in desks]
        press_id, at = synthetic or (None, None)

        async def write(cursor: Cursor) -> None:
            await cursor.execute(
                _SQL["renew"],
                {"feed_id": feed_id, "area_id": root_area_id, "now": now,
                 "synthetic_id": press_id, "synthetic_at": at},
            )  # fmt: skip
            await cursor.execute(_SQL["gone"], {"feed_id": feed_id, "accounts": accounts})
            if desks:
                await cursor.execute(
                    _SQL["come"],
                    {"feed_id": feed_id, "accounts": accounts, "now": now,
                     "areas": [desk.area_id for desk in desks],
                     "roles": [desk.role for desk in desks]},
                )  # fmt: skip

        await self._reach.run(write)

    async def listed(self, areas: Sequence[str] | None, now: datetime) -> list[View]:
        """Who sits at a desk anywhere, of all processes."""

        async def read(cursor: Cursor) -> list[View]:
            values = {"areas": areas, "alive_since": now - ALIVE_FOR}
            await cursor.execute(_SQL["desks"], values)
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def leave(self, feed_id: str) -> None:
        """This process ends."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["leave"], {"feed_id": feed_id})

        await self._reach.run(write)
