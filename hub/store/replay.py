"""What is stored of one person: read for `carebell replay`, in the order it arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from alerts.incident import Incident
from hub.register import Register
from hub.store import queries
from hub.store.rows import incident_of

_SQL = queries.load("replay")
_REGISTER = queries.load("register")
MOST_ROWS = 20_000
"""Findings, incidents and windows of one person in a few weeks: far more than there ever are."""

Connection = psycopg.AsyncConnection[Any]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Whose:
    """One person's part of the register."""

    person_id: str
    premises_id: str | None
    people: tuple[str, ...]
    """Everybody in the home: what is shared is everybody's."""
    devices: tuple[str, ...]


async def whose(connection: Connection, person_id: str) -> Whose | None:
    """None if there is no such person."""
    rows = await _rows(connection, _SQL["person"], {"person_id": person_id})
    if not rows:
        return None
    home = {"person_id": person_id, "premises_id": rows[0]["premises_id"]}
    residents = await _rows(connection, _SQL["residents"], home)
    devices = await _rows(connection, _SQL["devices"], home)
    people = tuple(dict.fromkeys((person_id, *(row["person_id"] for row in residents))))
    return Whose(person_id, home["premises_id"], people, tuple(row["device_id"] for row in devices))


async def register_of(connection: Connection, whose: Whose) -> Register:
    """The register as it is now, of these people alone; revoked devices are in use again."""
    known = Register()
    homes = [whose.premises_id] if whose.premises_id else []
    parts: dict[str, Sequence[str]] = {
        "premises": homes, "person": whose.people, "device": whose.devices,
        "person_care": whose.people, "inactivity_line": homes,
    }  # fmt: skip
    for noun, ids in parts.items():
        for row in await _rows(connection, _REGISTER[noun], {"ids": list(ids)}):
            known.put(noun, row | {"revoked": False} if noun == "device" else row)
    return known


async def states(connection: Connection, whose: Whose, until: datetime) -> list[Row]:
    """Where these people were, by time."""
    values = {"people": list(whose.people), "until": until}
    return await _rows(connection, _SQL["states"], values)


async def incidents(
    connection: Connection, whose: Whose, since: datetime, until: datetime
) -> list[Incident]:
    """What was open about them at some time of the span."""
    values = {"people": list(whose.people), "premises_id": whose.premises_id}
    span = {"since": since, "until": until, "limit": MOST_ROWS}
    return [incident_of(row) for row in await _rows(connection, _SQL["incidents"], values | span)]


async def windows(
    connection: Connection, whose: Whose, since: datetime, until: datetime
) -> list[Row]:
    """Raw motion of their devices."""
    values = {"devices": list(whose.devices), "limit": MOST_ROWS}
    return await _rows(connection, _SQL["windows"], values | {"since": since, "until": until})


async def recorded(
    connection: Connection, whose: Whose, since: datetime, until: datetime
) -> list[Row]:
    """The findings that were recorded then."""
    values = {
        "devices": list(whose.devices), "person_id": whose.person_id,
        "premises_id": whose.premises_id, "limit": MOST_ROWS,
    }  # fmt: skip
    return await _rows(connection, _SQL["findings"], values | {"since": since, "until": until})


async def observations(
    connection: Connection, whose: Whose, since: datetime, until: datetime
) -> psycopg.AsyncServerCursor[Row]:
    """A server-side cursor: weeks of rows are never in memory at once."""
    cursor = psycopg.AsyncServerCursor(connection, "replay_person", row_factory=dict_row)
    values = {"devices": list(whose.devices), "since": since, "until": until}
    await cursor.execute(_SQL["observations"], values)
    return cursor


async def _rows(connection: Connection, query: Any, values: dict[str, Any]) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
