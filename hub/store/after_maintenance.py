"""What is still true when maintenance ends, raised then: one of the worker's rounds."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.incident import Incident
from hub.store.cases import AlarmItem, record
from hub.store.muting import conditions_over
from schemas import identity

RAISED_AT_ONCE = 200
"""Conditions in one transaction: a district's devices take a few rounds, and no lock is long."""


class PostgresAfterMaintenance:
    """Takes out what was muted and records it as alarms, in one transaction."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def raise_over(self, now: datetime) -> Sequence[Incident]:
        """Raise what windows that are over had muted; the incidents it became.

        The alarm gets an id of its own, derived from the muted one's: a second worker that does
        the same finds it recorded. Another window that is open now mutes it again.
        """
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            alarms = await conditions_over(cursor, now, RAISED_AT_ONCE)
            items = [
                AlarmItem(
                    replace(
                        alarm,
                        id=identity.unreadable_alarm_id(f"maintenance over/{alarm.id}", b""),
                        received_at=now,
                    )
                )
                for alarm in alarms
            ]
            results = await record(connection, items) if items else []
        return [r.incident for r in results if r.incident is not None and r.cause is not None]
