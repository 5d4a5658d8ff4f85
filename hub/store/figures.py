"""What the database can tell about itself, for `/metrics`."""

from datetime import datetime, timedelta

from hub.store import queries
from hub.store.reach import Cursor, Reach

_SQL = queries.load("figures")

OVERDUE = timedelta(seconds=5)
"""An escalator looks every second; what is older was passed over."""


class PostgresFigures:
    """Implements `hub.api.ports_operation.FigureStore`."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def read(self, now: datetime) -> dict[str, float]:
        """Figures by column; what cannot be told is left out. Raises DatabaseAway."""

        async def read(cursor: Cursor) -> dict[str, float]:
            await cursor.execute(_SQL["operation"], {"now": now, "overdue": now - OVERDUE})
            (row,) = await cursor.fetchall()
            return {key: float(value) for key, value in row.items() if value is not None}

        return await self._reach.run(read)

    async def oldest_observation_s(self, now: datetime) -> float | None:
        """Age of the oldest observation; None without any. Raises DatabaseAway."""

        async def read(cursor: Cursor) -> float | None:
            await cursor.execute(_SQL["oldest_observation"], {"now": now})
            (row,) = await cursor.fetchall()
            return None if row["seconds"] is None else float(row["seconds"])

        return await self._reach.run(read)
