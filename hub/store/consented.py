"""Addresses, less whom a person excludes, plus browsers; implements `alerts.address.Directory`."""

from dataclasses import replace
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from alerts.address import Address, Directory
from alerts.browser import Browser
from alerts.consent import DataType, Decision, allowed
from alerts.errors import LookUpFailed
from alerts.policy import ChannelName
from hub.store import queries
from hub.store.brief import audience_of
from schemas.ids import IncidentId

_SQL = queries.load("brief")
BROWSERS_MAX = 5
"""Of one person; the courier writes to no more addresses at once."""
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_NOUNS = frozenset({"account", "contact", "responder"})


class ConsentedDirectory:
    """Asks the register's directory first; nobody is told whom the person excluded."""

    def __init__(self, pool: AsyncConnectionPool[Any], register: Directory) -> None:
        self._pool = pool
        self._register = register

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        """Raises LookUpFailed while the database is away."""
        address = await self._register.look_up(recipient, incident_id)
        kind, _, noun_id = recipient.partition(":")
        if address is None or kind not in _NOUNS:
            return address
        audience = audience_of(address)
        values = {"incident_id": incident_id, "audience": audience.value, "kind": kind,
                  "id": noun_id, "limit": BROWSERS_MAX}  # fmt: skip
        try:
            async with (
                self._pool.connection() as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                await cursor.execute(_SQL["decisions"], values)
                decided = [
                    Decision(audience, DataType(row["data_type"]), row["allowed"])
                    for row in await cursor.fetchall()
                ]
                await cursor.execute(_SQL["subscriptions"], values)
                browsers = tuple(
                    msgspec.json.encode(Browser(**row)).decode() for row in await cursor.fetchall()
                )
        except _AWAY as error:
            raise LookUpFailed(type(error).__name__) from error
        if not allowed(audience, decided):
            return None
        if not browsers:
            return address
        return replace(address, values={**address.values, ChannelName.PUSH: browsers})

    async def forget(self, endpoint: str) -> None:
        """A browser that took its permission back is not written to again."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["forget"], {"endpoint": endpoint})
