"""Visits and rounds as rows; implements `hub.visits.VisitStore`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hub.desk import AlreadyThere, Entry, NotThere
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.view import View
from hub.visits import Brought, Round, Visit

_SQL = queries.load("visits")
_INCIDENTS = queries.load("incidents")


class PostgresVisits:
    """Every change and every look is logged in its transaction."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def add(self, visit: Visit, entry: Entry) -> View:
        """One visit. Raises AlreadyThere, NotThere."""

        async def write(cursor: Cursor) -> View:
            await cursor.execute(_SQL["known"], {"ids": [visit.id]})
            if await cursor.fetchone() is not None:
                raise AlreadyThere(visit.id)
            await cursor.execute(_SQL["add"], _values(visit, entry))
            row = await cursor.fetchone()
            if row is None:
                raise NotThere("person")
            await cursor.execute(_INCIDENTS["log"], log_line(entry))
            return row

        return await self._reach.run(write)

    async def area_of(self, visit_id: str) -> str | None:
        """Where the person of a visit lives."""

        async def read(cursor: Cursor) -> str | None:
            await cursor.execute(_SQL["area_of"], {"visit_id": visit_id})
            row = await cursor.fetchone()
            return None if row is None else str(row["area_id"])

        return await self._reach.run(read)

    async def withdraw(self, visit_id: str, reason: str, entry: Entry) -> View:
        """It was recorded by mistake: it stays, and counts no more. Raises NotThere."""

        async def write(cursor: Cursor) -> View:
            values = {"visit_id": visit_id, "at": entry.at, "by": entry.account.id,
                      "reason": reason}  # fmt: skip
            await cursor.execute(_SQL["withdraw"], values)
            row = await cursor.fetchone()
            if row is None:
                raise NotThere("visit")
            await cursor.execute(_INCIDENTS["log"], log_line(entry))
            return row

        return await self._reach.run(write)

    async def bring_in(
        self, visits: Sequence[tuple[int, Visit]], areas: Sequence[str] | None, brought: Brought,
        entry: Entry, *, commit: bool,
    ) -> None:  # fmt: skip
        """The visits of a file, all or none; `brought` then says what is new and what is wrong."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["patience"])
            people = sorted({visit.person_id for _, visit in visits})
            await cursor.execute(_SQL["people_known"], {"ids": people, "areas": areas})
            known_people = {row["person_id"] for row in await cursor.fetchall()}
            for number, visit in visits:
                if visit.person_id not in known_people:
                    brought.wrong(number, f"person_id: there is no person {visit.person_id}")
            await cursor.execute(_SQL["known"], {"ids": [visit.id for _, visit in visits]})
            known = {row["visit_id"] for row in await cursor.fetchall()}
            new = {visit.id: visit for _, visit in visits if visit.id not in known}
            brought.added, brought.known = len(new), len(visits) - len(new)
            if not commit or brought.mistake_count:
                return
            await cursor.executemany(_SQL["add"], [_values(v, entry) for v in new.values()])
            await cursor.execute(_INCIDENTS["log"], log_line(entry))

        await self._reach.run(write)

    async def page(
        self,
        areas: Sequence[str] | None,
        person_id: str | None,
        before: tuple[datetime, str],
        limit: int,
        look: Entry,
    ) -> list[View]:
        """Visits, the newest first."""
        values = {"areas": areas, "person_id": person_id, "before_at": before[0],
                  "before_id": before[1], "limit": limit}  # fmt: skip
        return await self._read("page", values, look)

    async def rounds(self, asked: Round, look: Entry | None) -> list[View]:
        """People with their last test and visit, by id."""
        return await self._read("rounds", _asked(asked), look)

    async def summary(self, asked: Round) -> list[View]:
        """How many are up to date, by area."""
        return await self._read("summary", _asked(asked), None)

    async def _read(self, query: str, values: dict[str, Any], look: Entry | None) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["patience"])
            if look is not None:
                await cursor.execute(_INCIDENTS["log"], log_line(look))
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)


def _values(visit: Visit, entry: Entry) -> dict[str, Any]:
    told = asdict(visit)
    return told | {"visit_id": visit.id, "recorded_at": entry.at, "recorded_by": entry.account.id}


def _asked(asked: Round) -> dict[str, Any]:
    return asdict(asked) | {"overdue": asked.overdue.value if asked.overdue else None}
