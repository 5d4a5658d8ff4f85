"""Quarantine and detector checkpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from hub.store import queries

_SQL = queries.load("upkeep")

Connection = psycopg.AsyncConnection[Any]

QUARANTINE_KEPT = {"alarm": 100_000, "telemetry": 20_000}
"""Rows kept per lane. Ours: a broken model of 20,000 devices shows itself in far fewer; an alarm
that could not be read is kept far longer."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message that could not be read; `reason` is for an operator."""

    area_id: str
    lane: str
    topic: str
    device_id: str | None
    message_key: int
    reason: str
    payload: bytes
    received_at: datetime


async def quarantine(connection: Connection, messages: Sequence[Quarantined]) -> None:
    """Keep messages with their reasons; the same bytes again are only counted."""
    if not messages:
        return
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _SQL["quarantine"],
            [
                {
                    "area_id": m.area_id,
                    "lane": m.lane,
                    "topic": m.topic.replace("\0", "")[:1000],
                    "device_id": m.device_id,
                    "message_key": m.message_key,
                    "reason": m.reason.replace("\0", "")[:1000],
                    "payload": m.payload,
                    "received_at": m.received_at,
                }
                for m in messages
            ],
        )


async def trim_quarantine(connection: Connection) -> None:
    """Hold each lane to its own bound."""
    for lane, keep in QUARANTINE_KEPT.items():
        await connection.execute(_SQL["trim_quarantine"], {"lane": lane, "keep": keep})
