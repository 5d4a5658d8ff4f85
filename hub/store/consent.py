"""What people agreed to, and whose browsers are written to; implements `hub.api.ports_channels`."""

from collections.abc import Sequence
from typing import Any

from alerts.browser import Browser
from alerts.consent import Audience, DataType
from hub.desk import Entry, NotThere
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach

_SQL = queries.load("consent")
_LOG = queries.load("incidents")["log"]
BROWSERS_MAX = 5
"""Of one account, as many as the courier writes to at once."""

Row = dict[str, Any]


class PostgresConsent:
    """Every change is one transaction with its line of the log. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def decided(self, person_id: str, look: Entry | None) -> list[Row] | None:
        """The decisions; None: there is no such person. A look is logged."""

        async def read(cursor: Cursor) -> list[Row] | None:
            await cursor.execute(_SQL["person"], {"person_id": person_id})
            if await cursor.fetchone() is None:
                return None
            await cursor.execute(_SQL["decided"], {"person_id": person_id})
            rows = await cursor.fetchall()
            if look is not None:
                await cursor.execute(_LOG, log_line(look))
            return rows

        return await self._reach.run(read)

    async def decide(
        self,
        person_id: str,
        changes: Sequence[tuple[Audience, DataType, bool | None]],
        ground: str,
        entry: Entry,
    ) -> None:
        """None for a decision that is taken back: the default holds again. Raises NotThere."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["person"], {"person_id": person_id})
            if await cursor.fetchone() is None:
                raise NotThere(person_id)
            for audience, data, permission in changes:
                values = {
                    "person_id": person_id,
                    "audience": audience.value,
                    "data_type": data.value,
                    "allowed": permission,
                    "at": entry.at,
                    "by_id": entry.account.id,
                    "by_name": entry.account.name,
                    "ground": ground,
                }
                await cursor.execute(_SQL["undecide" if permission is None else "decide"], values)
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)


class PostgresPush:
    """Browsers of accounts. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def subscribe(self, browser: Browser, agent: str, entry: Entry) -> None:
        """The newest of an account are kept."""

        async def write(cursor: Cursor) -> None:
            values = {
                "account_id": entry.account.id,
                "endpoint": browser.endpoint,
                "p256dh": browser.p256dh,
                "auth": browser.auth,
                "agent": agent[:200],
                "at": entry.at,
                "most": BROWSERS_MAX,
            }
            await cursor.execute(_SQL["subscribe"], values)
            await cursor.execute(_SQL["bound"], values)
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def unsubscribe(self, endpoint: str, entry: Entry) -> bool:
        """Whether it was one of theirs."""

        async def write(cursor: Cursor) -> bool:
            values = {"account_id": entry.account.id, "endpoint": endpoint}
            await cursor.execute(_SQL["unsubscribe"], values)
            gone = cursor.rowcount > 0
            await cursor.execute(_LOG, log_line(entry))
            return gone

        return await self._reach.run(write)

    async def subscribed(self, account_id: str) -> list[Row]:
        """Their browsers, the newest first."""

        async def read(cursor: Cursor) -> list[Row]:
            await cursor.execute(_SQL["subscribed"], {"account_id": account_id})
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def show_test(self, entry: Entry) -> None:
        """A test message to all of them."""

        async def write(cursor: Cursor) -> None:
            values = {"account_id": entry.account.id, "at": entry.at}
            await cursor.execute(_SQL["show_test"], values)
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)
