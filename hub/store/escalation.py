"""The escalator's store: due incidents, decided by the core, saved with what follows from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.escalation import Decision, Reason, decide
from alerts.incident import Incident
from alerts.notification import NotificationKind, NotificationState
from alerts.policy import ChannelName, Target, policy_for
from alerts.rendering import CHINESE
from hub.store import queries
from hub.store.asking import settle_questions, told_calling
from hub.store.ledger import log_values
from hub.store.rows import incident_of, incident_values
from hub.store.whereabouts import Cursor

_SQL = queries.load("incidents")


class PostgresEscalation:
    """Implements `alerts.ports.EscalationStore`."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        reachable: frozenset[ChannelName],
        language: str = CHINESE,
    ) -> None:
        """`language` is what people are told in of whom nobody wrote down which they speak."""
        self._pool = pool
        self._reachable = reachable
        self._language = language

    async def climb_due(self, now: datetime, limit: int) -> Sequence[Decision]:
        """Lock, decide, save incident, notifications and log in one transaction."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["due_incidents"], {"now": now, "limit": limit})
            due = [incident_of(row) for row in await cursor.fetchall()]
            decisions = [
                decide(incident, policy_for(incident.category, incident.priority), now,
                       self._reachable)
                for incident in due
            ]  # fmt: skip
            if decisions:
                await cursor.executemany(
                    _SQL["save_incident"], [incident_values(d.incident) for d in decisions]
                )
                await cursor.executemany(_SQL["log"], [_entry(d, now) for d in decisions])
                rows = [row for d in decisions for row in _notifications(d, now)]
                rows += await self._unanswered(cursor, decisions, now)
                if rows:
                    await cursor.executemany(_SQL["add_notification"], rows)
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


def _entry(decision: Decision, now: datetime) -> dict[str, Any]:
    incident = decision.incident
    detail = {
        "step": incident.step,
        "told": [f"{t.channel}:{t.recipient}" for t in decision.targets],
        "nobody": [f"{t.channel}:{t.recipient}" for t in decision.nobody],
        "next_deadline_at": incident.next_deadline_at,
    }
    return log_values(
        now, incident.area_id, incident.id, "escalate", decision.reason.value, detail,
        ("hub", "escalator", None),
    )  # fmt: skip


def _notifications(decision: Decision, now: datetime) -> list[dict[str, Any]]:
    told = [_ring(decision.incident, t, decision.reason, now, None) for t in decision.targets]
    nobody = [
        _ring(decision.incident, t, decision.reason, now, "channel not configured")
        for t in decision.nobody
    ]
    return told + nobody


def _ring(
    incident: Incident, target: Target, reason: str, now: datetime, nobody: str | None
) -> dict[str, Any]:
    body = {
        "priority": incident.priority,
        "category": incident.category,
        "alarm_kind": incident.kind,
        "area_id": incident.area_id,
        "subject": {"kind": incident.subject.kind, "id": incident.subject.id},
        "opened_at": incident.opened_at,
        "step": incident.step,
        "reason": reason,
    }
    state = NotificationState.PENDING if nobody is None else NotificationState.NOBODY
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": target.channel.value,
        "recipient": target.recipient,
        "kind": NotificationKind.RING.value,
        "urgency": incident.priority.rank,
        "body": msgspec.json.encode(body).decode(),
        "state": state.value,
        "at": now,
        "settled_at": None if nobody is None else now,
        "detail": nobody or "",
    }
