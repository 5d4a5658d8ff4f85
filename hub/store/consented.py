"""Addresses, less whom a person excludes, plus browsers; implements `alerts.address.Directory`."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from psycopg_pool import AsyncConnectionPool

from alerts.address import Address, Directory
from alerts.browser import Browser
from alerts.consent import allowed
from alerts.errors import LookUpFailed
from alerts.policy import ChannelName
from hub.store import queries
from hub.store.brief import audience_of, decisions_for
from hub.store.gathered import AWAY, Gathered, all_by_key, rows
from schemas.ids import IncidentId

_SQL = queries.load("brief")
BROWSERS_MAX = 5
"""Of one person; the courier writes to no more addresses at once."""
_NOUNS = frozenset({"account", "contact", "responder"})


class ConsentedDirectory:
    """Asks the register's directory first; nobody is told whom the person excluded."""

    def __init__(self, pool: AsyncConnectionPool[Any], register: Directory) -> None:
        self._pool = pool
        self._register = register
        self._decisions = Gathered(
            partial(all_by_key, pool, _SQL["decisions"], column="incident_id")
        )
        self._browsers = Gathered(self._subscriptions)

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        """Raises LookUpFailed while the database is away."""
        address = await self._register.look_up(recipient, incident_id)
        kind, _, noun_id = recipient.partition(":")
        if address is None or kind not in _NOUNS:
            return address
        audience = audience_of(address)
        try:
            decided = await self._decisions.ask(incident_id) or ()
            browsers = await self._browsers.ask((kind, noun_id))
        except AWAY as error:
            raise LookUpFailed(type(error).__name__) from error
        if not allowed(audience, decisions_for(audience, decided)):
            return None
        if not browsers:
            return address
        return replace(address, values={**address.values, ChannelName.PUSH: browsers})

    async def _subscriptions(
        self, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], tuple[str, ...]]:
        values = {"kinds": [kind for kind, _ in keys], "ids": [noun_id for _, noun_id in keys],
                  "limit": BROWSERS_MAX}  # fmt: skip
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for row in await rows(self._pool, _SQL["subscriptions"], values):
            key = row["kind"], row["id"]
            browser = Browser(row["endpoint"], row["p256dh"], row["auth"])
            found[key] = (*found.get(key, ()), msgspec.json.encode(browser).decode())
        return found

    async def forget(self, endpoint: str) -> None:
        """A browser that took its permission back is not written to again."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["forget"], {"endpoint": endpoint})
