"""What is open, and what changed on it: for the board at the start and on every look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from alerts.alarm import Alarm
from alerts.incident import Incident
from hub.pace import in_slices
from hub.store import queries
from hub.store.rows import alarm_of, incident_of
from schemas.ids import AlarmId, IncidentId

_SQL = queries.load("incidents")

Connection = psycopg.AsyncConnection[Any]

OPEN_LIMIT = 20_000
"""Open incidents read at once: twice an earthquake of 10,000."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything the board starts from."""

    incidents: list[Incident]
    alarms: dict[IncidentId, list[Alarm]]
    known: list[tuple[AlarmId, IncidentId | None]]
    """Newest first."""
    occurrences: list[tuple[AlarmId, int, datetime]]
    horizon: str


async def opening(connection: Connection, known_limit: int, alarms_each: int) -> Opening:
    """Read what is open in one look."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["horizon"])
        (row,) = await cursor.fetchall()
        await cursor.execute(_SQL["open_incidents"], {"limit": OPEN_LIMIT})
        incidents = [incident_of(r) for r in await cursor.fetchall()]
        alarms = await newest_alarms(connection, [i.id for i in incidents], alarms_each)
        await cursor.execute(_SQL["recent_alarms"], {"limit": known_limit})
        known = [(AlarmId(r["alarm_id"]), r["incident_id"]) for r in await cursor.fetchall()]
        await cursor.execute(_SQL["recent_occurrences"], {"limit": known_limit})
        occurrences = [
            (AlarmId(r["derived_id"]), r["occurrence"], r["began_at"])
            for r in await cursor.fetchall()
        ]
    return Opening(incidents, alarms, known, occurrences, row["horizon"])


async def newest_alarms(
    connection: Connection, ids: list[IncidentId], each: int
) -> dict[IncidentId, list[Alarm]]:
    """The newest alarms of incidents, oldest first."""
    found: dict[IncidentId, list[Alarm]] = {}
    if not ids:
        return found
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["newest_alarms"], {"ids": ids, "each": each})
        async for row in in_slices(await cursor.fetchall()):
            found.setdefault(row["incident_id"], []).append(alarm_of(row))
    return found


async def changed(connection: Connection, since: str) -> tuple[list[Incident], str]:
    """Incidents that changed since a horizon, and the next horizon."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["horizon"])
        (row,) = await cursor.fetchall()
        await cursor.execute(_SQL["changed_incidents"], {"since": since})
        incidents = [incident_of(r) async for r in in_slices(await cursor.fetchall())]
        return incidents, row["horizon"]
