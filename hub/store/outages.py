"""Areas that are silent, and which of their devices: written with the batch that found it, read
at a restart and by desks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.outage_watch import Outage, OutageChanges
from hub.store import queries
from hub.store.reach import Cursor, Reach
from hub.view import View
from schemas.ids import AreaId, DeviceId

_SQL = queries.load("outages")

Connection = psycopg.AsyncConnection[Any]


async def save_outages(connection: Connection, changes: OutageChanges) -> None:
    """Inside the caller's transaction; again, the same."""
    if not changes:
        return
    for outage in changes.opened:
        await connection.execute(
            _SQL["open_outage"],
            {
                "outage_id": outage.id,
                "area_id": outage.area_id,
                "began_at": outage.began_at,
                "most": outage.most,
            },
        )
    for outage_id, devices in changes.silent.items():
        heard = [datetime.fromtimestamp(at_s, UTC) for at_s in devices.values()]
        await connection.execute(
            _SQL["add_devices"],
            {"outage_id": outage_id, "devices": list(devices), "heard": heard},
        )
    for outage_id, back in changes.back.items():
        await connection.execute(
            _SQL["devices_back"],
            {"outage_id": outage_id, "devices": list(back), "at": changes.at},
        )
    if changes.cleared:
        await connection.execute(_SQL["clear_outages"], {"ids": changes.cleared, "at": changes.at})


async def open_outages(connection: Connection, areas: Sequence[str] | None) -> list[Outage]:
    """The outages that last, of these areas (None: all), with the devices that are still silent."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["open_outages"], {"areas": areas})
        return [
            Outage(
                row["outage_id"],
                AreaId(row["area_id"]),
                row["began_at"],
                {
                    DeviceId(device_id): int(heard_at.timestamp())
                    for device_id, heard_at in zip(row["devices"], row["heard"], strict=True)
                },
                row["most"],
            )
            for row in await cursor.fetchall()
        ]


class PostgresOutages:
    """Implements `hub.api.ports_care.OutageStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def outages(self, areas: Sequence[str] | None, since: datetime, limit: int) -> list[View]:
        """Open ones first, then those that ended after `since`."""
        values = {"areas": areas, "since": since, "limit": limit}
        return await self._rows("outages_page", values)

    async def area_of_outage(self, outage_id: str) -> str | None:
        """None if there is no such outage."""
        rows = await self._rows("outage_area", {"outage_id": outage_id})
        return rows[0]["area_id"] if rows else None

    async def outage_devices(
        self, outage_id: str, after: str, limit: int, *, silent: bool
    ) -> list[View]:
        """A page of its devices by id; `silent`: only those that still are."""
        values = {"outage_id": outage_id, "after": after, "limit": limit, "silent": silent}
        return await self._rows("outage_devices", values)

    async def _rows(self, query: str, values: dict[str, Any]) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)
