"""Maintenance as somebody plans it; implements `hub.api.ports.MaintenanceStore`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.errors import ForeignKeyViolation

from hub.desk import NotThere
from hub.maintenance import Planned
from hub.quarantine import Operator, Row
from hub.store import queries
from hub.store.cases import log_values
from hub.store.reach import Cursor, Reach

_SQL = queries.load("maintenance")
_INCIDENTS = queries.load("incidents")


class PostgresMaintenance:
    """Plan, end, list; every deed with its entry in the audit log. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def plan(self, planned: Planned, operator: Operator, now: datetime) -> int:
        """Store a checked plan; its number. Raises NotThere for an area nobody knows."""

        async def write(cursor: Cursor) -> int:
            await cursor.execute(
                _SQL["plan"],
                {
                    "area_id": planned.area_id,
                    "kinds": list(planned.kinds),
                    "why": planned.why,
                    "by_kind": operator.kind,
                    "by_id": operator.id,
                    "by_name": operator.name,
                    "from_at": planned.from_at,
                    "until_at": planned.until_at,
                    "now": now,
                },
            )
            (row,) = await cursor.fetchall()
            number = int(row["maintenance_id"])
            detail = {
                "maintenance_id": number,
                "from_at": planned.from_at,
                "until_at": planned.until_at,
                "kinds": planned.kinds,
            }
            await _note(cursor, operator, now, "maintenance_planned", planned.area_id,
                        planned.why, detail)  # fmt: skip
            return number

        try:
            return await self._reach.run(write)
        except ForeignKeyViolation:
            raise NotThere(planned.area_id) from None

    async def end(self, maintenance_id: int, operator: Operator, now: datetime) -> bool:
        """End it now; False: there is none that is not over."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(
                _SQL["end"], {"id": maintenance_id, "now": now, "areas": operator.seat}
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            detail = {"maintenance_id": maintenance_id}
            await cursor.execute(_SQL["wake"])
            await _note(cursor, operator, now, "maintenance_ended", row["area_id"], None, detail)
            return True

        return await self._reach.run(write)

    async def list(
        self, areas: tuple[str, ...] | None, before: int, limit: int, since: datetime | None
    ) -> list[Row]:
        """Windows, newest first; with `since` only those that end after it."""

        async def read(cursor: Cursor) -> list[Row]:
            await cursor.execute(
                _SQL["page"],
                {
                    "areas": None if areas is None else list(areas),
                    "before": before,
                    "limit": limit,
                    "since": since,
                },
            )
            return [row | {"id": row["maintenance_id"]} for row in await cursor.fetchall()]

        return await self._reach.run(read)


async def _note(
    cursor: Cursor,
    operator: Operator,
    now: datetime,
    action: str,
    area_id: str,
    reason: str | None,
    detail: Mapping[str, Any],
) -> None:
    actor = (operator.kind, operator.id, operator.name)
    entry = log_values(now, area_id, None, action, reason, dict(detail), actor)
    await cursor.execute(_INCIDENTS["log"], entry)
