"""Areas that are silent, and which of their devices: written with the batch that found it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.outage_watch import Outage, OutageChanges
from hub.store import queries
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
        await connection.execute(
            _SQL["clear_outages"], {"ids": changes.cleared, "at": changes.at}
        )


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
