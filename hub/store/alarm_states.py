"""What the detectors of the alarm lane remember, as rows; saved with what they found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.alarm_states import Kept
from hub.store import queries
from schemas.ids import AreaId, DeviceId

_SQL = queries.load("findings")

MOST_STATES = 200_000
"""A city's wearers and sensors; the newest first."""


async def save_states(
    connection: psycopg.AsyncConnection[Any], kept: Sequence[Kept], now: datetime
) -> None:
    """In the caller's transaction; of one scope the last counts."""
    newest = {(one.detector, one.scope_id): one for one in kept}
    if not newest:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _SQL["save_state"],
            [
                {
                    "detector": one.detector,
                    "scope_id": one.scope_id,
                    "area_id": one.area_id,
                    "device_id": one.device_id,
                    "state": one.state.decode(),
                    "saved_at": now,
                }
                for _, one in sorted(newest.items())
            ],
        )


async def saved_states(connection: psycopg.AsyncConnection[Any]) -> list[Kept]:
    """Everything that was saved."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["states_saved"], {"limit": MOST_STATES})
        return [
            Kept(
                row["detector"],
                row["scope_id"],
                AreaId(row["area_id"]),
                DeviceId(row["device_id"]),
                row["state"].encode(),
            )
            for row in await cursor.fetchall()
        ]
