"""What devices sent besides numbers: raw acceleration, and presses as an installer waits for them;
implements `hub.api.ports_signals.SignalStore`."""

from datetime import datetime

from hub.store import queries
from hub.store.reach import Cursor, Reach
from hub.view import View

_SQL = queries.load("signals")


class PostgresSignals:
    """Raises DatabaseAway, within two seconds, if there is no answer."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def window(self, alarm_id: str) -> View | None:
        """The raw acceleration behind an alarm; None if there is none (any more)."""

        async def read(cursor: Cursor) -> View | None:
            await cursor.execute(_SQL["window"], {"alarm_id": alarm_id})
            return await cursor.fetchone()

        return await self._reach.run(read)

    async def presses(self, device_id: str, after: datetime, limit: int) -> list[View]:
        """Presses of a device that arrived after a moment, oldest first."""

        async def read(cursor: Cursor) -> list[View]:
            values = {"device_id": device_id, "after": after, "limit": limit}
            await cursor.execute(_SQL["presses"], values)
            return await cursor.fetchall()

        return await self._reach.run(read)
