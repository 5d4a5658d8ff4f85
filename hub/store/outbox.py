"""The courier's store: claims with a lease, and what became of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.delivery import Outcome, overdue
from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.policy import ChannelName
from alerts.ports import Settled
from hub.store import queries
from schemas.ids import IncidentId

_SQL = queries.load("outbox")
_log = structlog.get_logger("hub.store.outbox")

LEASE_S = 30
"""Twice the courier's send timeout: a lease never runs out under a courier that is alive."""
ANY_URGENCY = 32_767
"""The largest a smallint column holds."""
MAX_DETAIL = 1000
"""Characters of a provider's word that are kept."""

Row = dict[str, Any]


class PostgresOutbox:
    """Implements `alerts.ports.Outbox`."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, least_urgent: int | None = None
    ) -> Sequence[Notification]:
        """Lease at most `limit` of a channel, the most urgent first."""
        parameters = {
            "channel": channel.value,
            "now": now,
            "limit": limit,
            "least_urgent": ANY_URGENCY if least_urgent is None else least_urgent,
            "lease_until": now + timedelta(seconds=LEASE_S),
        }
        claimed: list[Notification] = []
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["claim_due"], parameters)
            for row in await cursor.fetchall():
                try:
                    claimed.append(notification_of(row))
                except ValueError as error:
                    number = row["notification_id"]
                    _log.error("notification_unreadable", notification_id=number)
                    said = {"notification_id": number, "now": now, "detail": str(error)}
                    await cursor.execute(_SQL["unreadable"], said)
        return claimed

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Record what became of attempts, in one transaction."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            for notification, outcome in sorted(settled, key=lambda pair: pair[0].id):
                values = outcome_values(notification, outcome, now)
                await cursor.execute(_SQL["settle"], values)
                waited = await cursor.fetchone() is not None
                if outcome.state is not NotificationState.SENT:
                    continue
                if not waited:
                    await cursor.execute(_SQL["sent_after_all"], values)
                elif notification.kind is NotificationKind.RING:
                    await cursor.execute(_SQL["supersede_waiting_rings"], values)

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        """What follows where a receipt did not come in time."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["overdue"], {"now": now, "limit": limit})
            rows = await cursor.fetchall()
            for row in rows:
                notification = notification_of(row)
                outcome = overdue(notification, now, needed=row["needed"])
                values = outcome_values(notification, outcome, now)
                await cursor.execute(_SQL["attempt_unconfirmed"], values)
                await cursor.execute(_SQL["moved_on"], values)
        return len(rows)


def notification_of(row: Row) -> Notification:
    """A notification from a row with all its columns. Raises ValueError for what is not known."""
    return Notification(
        id=row["notification_id"],
        incident_id=IncidentId(row["incident_id"] or ""),
        area_id=row["area_id"],
        channel=ChannelName(row["channel"]),
        recipient=row["recipient"],
        kind=NotificationKind(row["kind"]),
        urgency=row["urgency"],
        body=row["body"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        channels=tuple(ChannelName(name) for name in row["channels"]),
        sent_at=row["sent_at"],
        broken=row["broken"],
        round=row["round"],
        delivery_id=row["delivery_id"],
    )


def outcome_values(notification: Notification, outcome: Outcome, now: datetime) -> Row:
    """What became of an attempt, as parameters."""
    return {
        "notification_id": notification.id,
        "delivery_id": notification.delivery_id,
        "incident_id": notification.incident_id or None,
        "recipient": notification.recipient,
        "was": notification.channel.value,
        "now": now,
        "state": outcome.state.value,
        "channel": outcome.channel.value,
        "channels": [name.value for name in outcome.channels],
        "reason": outcome.reason.value,
        "delivery": outcome.delivery.value,
        "due_at": outcome.due_at,
        "attempts": outcome.attempts,
        "broken": outcome.broken,
        "detail": outcome.detail[:MAX_DETAIL],
        "address": outcome.address,
        "provider_id": outcome.provider_id,
        "sent_at": outcome.sent_at,
        "receipt_due_at": outcome.receipt_due_at,
    }
