"""Figures of the service, added up from the facts of incidents; implements
`hub.service_report.ServiceFigureStore`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString

from psycopg import sql

from hub.desk import DatabaseAway, Entry
from hub.service_report import CATEGORIES, By, Question, Report, with_shares
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.view import View

_SQL = queries.load("service_figures")
_INCIDENTS = queries.load("incidents")

REPORT_PATIENCE_S = 20.0
"""A year with 200,000 incidents is counted in 0.3 to 0.9 s (docs/how-to/record.md) on a machine
that has nothing else to do; a desk's questions have 2 s."""
REPORTS_AT_ONCE = 2
"""Others wait, no longer than one may take: the database has presses to record."""

_KEYS: dict[By, tuple[LiteralString, LiteralString, LiteralString]] = {
    By.TOTAL: ("''", "NULL::text", ""),
    By.DAY: ("f.day::text", "NULL::text", ""),
    By.DISPATCHER: (
        "coalesce(f.dispatcher_id, '')",
        "f.dispatcher_name",
        "",
    ),
    By.AREA: ("t.seat", "t.name", _SQL["join_areas"]),
}
"""What a group's key and label are, and what that needs besides."""


class PostgresServiceFigures:
    """Over connections of its own, whose patience is long and whose number is small."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._turns = asyncio.Semaphore(REPORTS_AT_ONCE)

    async def service(self, question: Question, by: By, look: Entry | None) -> Report:
        """Answered, attended, dwell, false alarms ... by group; `after` is a key."""

        async def rows(cursor: Cursor) -> list[View]:
            values = _values(question)
            if by is By.AREA:
                seats = {"areas": question.areas, "after": question.after or "",
                         "limit": question.limit}  # fmt: skip
                await cursor.execute(_SQL["seats"], seats)
                values["seats"] = [row["area_id"] for row in await cursor.fetchall()]
            key, label, join = (sql.SQL(part) for part in _KEYS[by])
            query = sql.SQL(_SQL["counted"]).format(key=key, label=label, join=join)
            await cursor.execute(query, values)
            return [with_shares(row) for row in await cursor.fetchall()]

        return await self._report(question, rows, look)

    async def false_alarms(self, question: Question, look: Entry | None) -> Report:
        """By kind, model and firmware of device and by detector, the most first."""
        return await self._report(question, _query("false_alarms", _values(question)), look)

    async def pressers(self, question: Question, least: int, look: Entry | None) -> Report:
        """People with so many false presses or more, the most first."""
        values = _values(question) | {"from": least}
        return await self._report(question, _query("pressers", values), look)

    async def undelivered(self, question: Question, look: Entry | None) -> Report:
        """What reached nobody, by channel and reason."""
        return await self._report(question, _query("undelivered", _values(question)), look)

    async def _report(
        self,
        question: Question,
        rows: Callable[[Cursor], Awaitable[list[View]]],
        look: Entry | None,
    ) -> Report:
        async def read(cursor: Cursor) -> Report:
            await cursor.execute(_SQL["patience"])
            if look is not None:
                await cursor.execute(_INCIDENTS["log"], log_line(look))
            await cursor.execute(_SQL["as_of"])
            (state,) = await cursor.fetchall()
            await cursor.execute(_SQL["zone"], {"area_id": question.seat})
            (zone,) = await cursor.fetchall()
            return Report(await rows(cursor), state["as_of"], zone["zone"])

        try:
            async with asyncio.timeout(REPORT_PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError:
            raise DatabaseAway from None
        try:
            return await self._reach.run(read)
        finally:
            self._turns.release()


def _values(question: Question) -> dict[str, Any]:
    return {
        "areas": question.areas,
        "since": question.since,
        "until": question.until,
        "categories": list(CATEGORIES[question.concern]),
        "after": question.after,
        "limit": question.limit,
    }


def _query(name: str, values: dict[str, Any]) -> Callable[[Cursor], Awaitable[list[View]]]:
    async def read(cursor: Cursor) -> list[View]:
        await cursor.execute(_SQL[name], values)
        return await cursor.fetchall()

    return read
