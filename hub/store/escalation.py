"""The escalator's store: due incidents, decided by the core, saved with what follows from it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.escalation import Decision, Reason, decide
from alerts.ladders import ladder_of
from alerts.policy import ChannelName
from alerts.rendering import CHINESE
from hub.clock import SystemClock
from hub.store import queries
from hub.store.asking import settle_questions, told_calling
from hub.store.ladder import keep, rosters
from hub.store.ledger import many
from hub.store.rows import incident_of, incident_values
from hub.store.setback import SetBack
from hub.store.whereabouts import Cursor

_SQL = queries.load("incidents")

STOOD_STILL_S = 2.0
"""Ours: a database that says only after so long what is due was away, and what humans did meanwhile
is perhaps not recorded yet. It is asked anew, once: a slow one must not silence the ladder."""


class PostgresEscalation:
    """Implements `alerts.ports.EscalationStore`."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        reachable: frozenset[ChannelName],
        language: str = CHINESE,
        monotonic_s: Callable[[], float] | None = None,
    ) -> None:
        """`reachable` are the channels that are configured; `language` is what people are told in
        of whom nobody wrote down which they speak."""
        self._monotonic_s = monotonic_s or SystemClock().monotonic_s
        self._stood_still = False
        self._pool = pool
        self._reachable = reachable
        self._language = language
        self._set_back = SetBack()

    async def climb_due(self, now: datetime, limit: int) -> Sequence[Decision]:
        """Lock, decide, save incident, notifications and log in one transaction. Raises
        TimeoutError, with nothing done, where the answer came too late to be acted upon."""
        decisions = await self._climb(now, limit)
        self._set_back.saw(now)
        return decisions

    async def _climb(self, now: datetime, limit: int) -> Sequence[Decision]:
        asked_s = self._monotonic_s()
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await self._set_back.mend(cursor, now)
            await cursor.execute(_SQL["due_incidents"], {"now": now, "limit": limit})
            due = [incident_of(row) for row in await cursor.fetchall()]
            late = self._monotonic_s() - asked_s > STOOD_STILL_S
            self._stood_still, again = late, self._stood_still
            if not due:
                return []
            if late and not again:
                raise TimeoutError("the database stood still")
            known = await rosters(cursor, due, now, self._reachable)
            decisions = [
                decide(incident, ladder_of(incident), now, roster)
                for incident, roster in zip(due, known, strict=True)
            ]
            saved = [incident_values(decision.incident) for decision in decisions]
            await many(cursor, _SQL["save_incident"], saved)
            await keep(cursor, decisions, now)
            await many(
                cursor, _SQL["add_notification"], await self._unanswered(cursor, decisions, now)
            )
        return decisions

    async def _unanswered(
        self, cursor: Cursor, decisions: Sequence[Decision], now: datetime
    ) -> list[dict[str, Any]]:
        """Whoever did not answer hears that somebody is called for them."""
        rows: list[dict[str, Any]] = []
        for decision in decisions:
            incident = decision.incident
            if decision.reason is Reason.NO_ANSWER and not incident.silent:
                await settle_questions(cursor, [incident.id], now)
                rows += await told_calling(cursor, incident, now, self._language)
        return rows
