"""The courier's store: claims with a lease, and what became of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.policy import ChannelName
from hub.store import queries

_SQL = queries.load("outbox")

LEASE_S = 30
"""Twice the courier's send timeout: a lease never runs out under a courier that is alive."""


class PostgresOutbox:
    """Implements `alerts.ports.Outbox`."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Lease at most `limit`, the most urgent first."""
        parameters = {"now": now, "limit": limit, "lease_until": now + timedelta(seconds=LEASE_S)}
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["claim_due"], parameters)
            rows = await cursor.fetchall()
        claimed = [
            Notification(
                id=row["notification_id"],
                incident_id=row["incident_id"],
                area_id=row["area_id"],
                channel=ChannelName(row["channel"]),
                recipient=row["recipient"],
                kind=NotificationKind(row["kind"]),
                urgency=row["urgency"],
                body=row["body"],
                attempts=row["attempts"],
                created_at=row["created_at"],
            )
            for row in rows
        ]
        return sorted(claimed, key=lambda n: (n.urgency, n.created_at))

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        now: datetime,
        *,
        retry_at: datetime | None = None,
        detail: str = "",
    ) -> None:
        """Record the provider's word, or when to try again."""
        async with self._pool.connection() as connection:
            await connection.execute(
                _SQL["settle"],
                {
                    "notification_id": notification.id,
                    "state": state.value,
                    "now": now,
                    "retry_at": retry_at,
                    "detail": detail[:1000],
                },
            )
