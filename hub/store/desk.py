"""Incidents, register and log as a desk asks for them; implements `hub.api.ports.DeskStore`."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from psycopg.errors import ForeignKeyViolation

from alerts.incident import Incident
from hub.desk import (
    AreaRow,
    DatabaseState,
    Entry,
    Glance,
    NotThere,
    Within,
)
from hub.register import device_of, person_of, premises_of
from hub.store import queries
from hub.store.cases import log_values
from hub.store.findings import told
from hub.store.last_words import last_words
from hub.store.openings import newest_alarms
from hub.store.reach import Cursor, Reach
from hub.store.rows import incident_of
from hub.view import ALARMS_SHOWN, Cards, View, incident_view, iso
from schemas.ids import IncidentId

_SQL = queries.load("desk")
_INCIDENTS = queries.load("incidents")
_REGISTER = queries.load("register")
_UPKEEP = queries.load("upkeep")

Answer = TypeVar("Answer")

GLANCE_LIMIT = 20_000
"""Open incidents read at once: twice an earthquake of 10,000."""


class PostgresDesk:
    """Every method raises DatabaseAway, within two seconds, if there is no answer.

    While the database counts as away only `open_now`, `changed_since` and `areas` ask it at all.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    @property
    def state(self) -> DatabaseState:
        """As the latest call found the database."""
        return self._reach.state

    async def open_now(self) -> tuple[str, list[Glance]]:
        """What is open, and the horizon from which changes are to be asked for."""
        return await self._glance("glance_open", None)

    async def changed_since(self, horizon: str) -> tuple[str, list[Glance]]:
        """What changed since a horizon, and the next one."""
        return await self._glance("glance_changed", horizon)

    async def _glance(self, query: str, since: str | None) -> tuple[str, list[Glance]]:
        async def read(cursor: Cursor) -> tuple[str, list[Glance]]:
            await cursor.execute(_INCIDENTS["horizon"])
            (horizon,) = [row["horizon"] for row in await cursor.fetchall()]
            await cursor.execute(_SQL[query], {"since": since, "limit": GLANCE_LIMIT})
            return horizon, [_glance_of(row) for row in await cursor.fetchall()]

        return await self._reach.run(read, probe=True)

    async def glances(self, ids: Sequence[str]) -> dict[str, Glance]:
        """Just enough of each by the id asked for, as `views` finds them."""

        async def read(cursor: Cursor) -> dict[str, Glance]:
            await cursor.execute(_SQL["glances_asked_for"], {"ids": list(ids)})
            return {row["asked_id"]: _glance_of(row) for row in await cursor.fetchall()}

        return await self._reach.run(read) if ids else {}

    async def views(self, ids: Sequence[str]) -> dict[str, View]:
        """Incidents by the id asked for; one that was merged away is found under its alarm."""

        async def read(cursor: Cursor) -> dict[str, View]:
            await cursor.execute(_SQL["incidents_asked_for"], {"ids": list(ids)})
            rows = await cursor.fetchall()
            views = await _views(cursor, [incident_of(row) for row in rows])
            return {row["asked_id"]: view for row, view in zip(rows, views, strict=True)}

        return await self._reach.run(read) if ids else {}

    async def incidents(
        self,
        state: str,
        within: Within,
        before: tuple[datetime, str],
        limit: int,
    ) -> list[View]:
        """A page of incidents that opened before a place, newest first."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(
                _SQL["incidents_page"],
                {
                    "state": state,
                    "areas": within.areas,
                    "people": within.people,
                    "homes": within.homes,
                    "recipients": within.recipients,
                    "before_at": before[0],
                    "before_id": before[1],
                    "limit": limit,
                },
            )
            return await _views(cursor, [incident_of(row) for row in await cursor.fetchall()])

        return await self._reach.run(read)

    async def timeline(self, incident_id: str, look: Entry) -> list[View]:
        """What happened to an incident, oldest first; the look itself is logged with it."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_UPKEEP["log_of"], {"incident_id": incident_id})
            rows = await cursor.fetchall()
            await cursor.execute(_INCIDENTS["log"], log_line(look))
            return [
                {
                    "at": iso(row["at"]),
                    "actor": ":".join(p for p in (row["actor_kind"], row["actor_id"]) if p),
                    "actor_name": row["actor_name"],
                    "action": row["action"],
                    "reason": row["reason"],
                    "detail": told(row["action"], row["detail"]),
                }
                for row in rows
            ]

        return await self._reach.run(read)

    async def log(self, entries: Sequence[Entry]) -> None:
        """Append to the audit log."""

        async def write(cursor: Cursor) -> None:
            await cursor.executemany(_INCIDENTS["log"], [log_line(entry) for entry in entries])

        if entries:
            await self._reach.run(write)

    async def areas(self) -> list[AreaRow]:
        """The whole tree."""

        async def read(cursor: Cursor) -> list[AreaRow]:
            await cursor.execute(_REGISTER["area"], {"ids": None})
            return [AreaRow(r["area_id"], r["parent_id"]) for r in await cursor.fetchall()]

        return await self._reach.run(read, probe=True)

    async def area_of(self, noun: str, noun_id: str) -> str | None:
        """The area of a device, person or premises; None if there is no such one."""
        query = _SQL[f"area_of_{noun}"]

        async def read(cursor: Cursor) -> str | None:
            await cursor.execute(query, {"id": noun_id})
            row = await cursor.fetchone()
            return None if row is None else str(row["area_id"])

        return await self._reach.run(read)

    async def devices(
        self,
        areas: Sequence[str] | None,
        q: str,
        after: str,
        limit: int,
        now: datetime,
        *,
        device_id: str | None = None,
        premises_id: str | None = None,
    ) -> list[View]:
        """A page of devices by id, each with what it said last; one by its id also if revoked."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(
                _SQL["devices_page"],
                {
                    "areas": areas,
                    "after": after,
                    "like": like(q),
                    "limit": limit,
                    "device_id": device_id,
                    "premises_id": premises_id,
                },
            )
            rows = await cursor.fetchall()
            heard = await last_words(cursor, [row["device_id"] for row in rows], now)
            return [row | heard[row["device_id"]] for row in rows]

        return await self._reach.run(read)


def _glance_of(row: dict[str, Any]) -> Glance:
    return Glance(row["incident_id"], row["revision"], row["open"], row["alarm_count"])


async def _views(cursor: Cursor, incidents: Sequence[Incident]) -> list[View]:
    """Incidents as a desk sees them, with cards and alarms of all in five queries."""
    if not incidents:
        return []
    ids = list(dict.fromkeys(IncidentId(incident.id) for incident in incidents))
    alarms = await newest_alarms(cursor.connection, ids, ALARMS_SHOWN)
    people = await _rows(cursor, "person", (i.person_id for i in incidents))
    homes = await _rows(cursor, "premises", (i.premises_id for i in incidents))
    devices = await _rows(cursor, "device", (i.device_id for i in incidents))
    areas = await _rows(cursor, "area", (i.area_id for i in incidents))
    return [
        incident_view(
            incident,
            Cards(
                person_of(people[incident.person_id]) if incident.person_id in people else None,
                premises_of(homes[incident.premises_id]) if incident.premises_id in homes else None,
                device_of(devices[incident.device_id]) if incident.device_id in devices else None,
                areas[incident.area_id]["name"] if incident.area_id in areas else None,
            ),
            alarms.get(incident.id, []),
        )
        for incident in incidents
    ]


async def _rows(
    cursor: Cursor, noun: str, ids: Iterable[str | None]
) -> dict[str | None, dict[str, Any]]:
    wanted = sorted({i for i in ids if i is not None})
    if not wanted:
        return {}
    await cursor.execute(_REGISTER[noun], {"ids": wanted})
    return {row[f"{noun}_id"]: row for row in await cursor.fetchall()}


def log_line(entry: Entry) -> dict[str, Any]:
    """A line for the log as parameters of the query `log`."""
    kind = "operator" if entry.account.role == "operator" else "account"
    actor = (kind, entry.account.id, entry.account.name)
    return log_values(
        entry.at, entry.area_id, entry.incident_id, entry.action, None, entry.detail, actor
    )


def like(q: str) -> str | None:
    """What was typed as a pattern for LIKE, meant literally; None if nothing was."""
    return f"%{_escaped(q)}%" if q else None


def referring(
    work: Callable[[Cursor], Awaitable[Answer]],
) -> Callable[[Cursor], Awaitable[Answer]]:
    """Tell what a row refers to and is not there: NotThere instead of the driver's error."""

    async def told(cursor: Cursor) -> Answer:
        try:
            return await work(cursor)
        except ForeignKeyViolation as error:
            column = (error.diag.constraint_name or "").removesuffix("_fkey").split("_", 1)[-1]
            noun = column.removesuffix("_id").rpartition("_")[2]
            raise NotThere(f"There is no such {noun or 'one'}") from None

    return told


def _escaped(text: str) -> str:
    """For LIKE: what was typed is meant literally."""
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
