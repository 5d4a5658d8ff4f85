"""Detector state as stored: shards with a watermark, and single states with their batch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from hub.detect.states import KeptState
from hub.store import queries

_SQL = queries.load("checkpoints")

Connection = psycopg.AsyncConnection[Any]


async def save_shard(
    connection: Connection, owner: str, shard: int, watermark: int, at: datetime, state: bytes
) -> None:
    """One shard of detector state; every batch up to `watermark` is in it."""
    await connection.execute(
        _SQL["save_shard"],
        {"owner": owner, "shard": shard, "watermark": watermark, "saved_at": at, "state": state},
    )
    await connection.execute(
        _SQL["drop_kept"], {"owner": owner, "shard": shard, "watermark": watermark}
    )


async def load_shards(connection: Connection, owner: str) -> list[tuple[int, int, bytes]]:
    """All shards of an owner as (shard, watermark, state)."""
    # Binary: as text the tens of megabytes of a city would be twice as many.
    async with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL["load_shards"], {"owner": owner})
        return [(r["shard"], r["watermark"], bytes(r["state"])) for r in await cursor.fetchall()]


async def save_kept(
    connection: Connection, owner: str, batch_id: int, kept: Sequence[KeptState]
) -> None:
    """States of the batch that is being committed."""
    if not kept:
        return
    await connection.execute(
        _SQL["save_kept"],
        {
            "owner": owner,
            "batch_id": batch_id,
            "detectors": [each.detector for each in kept],
            "keys": [each.key for each in kept],
            "shards": [each.shard for each in kept],
            "states": [each.state for each in kept],
        },
    )


async def load_kept(connection: Connection, owner: str) -> list[tuple[int, KeptState]]:
    """The states of an owner that are stored singly, each with its batch."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["load_kept"], {"owner": owner})
        return [
            (r["batch_id"], KeptState(r["detector"], r["key"], r["shard"], bytes(r["state"])))
            for r in await cursor.fetchall()
        ]
