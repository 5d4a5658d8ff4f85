"""Who may sign in, and who has; implements `hub.api.ports.AccountStore`."""

from datetime import datetime
from typing import Any

from alerts.people import Account
from hub.desk import Credential, DeskSession
from hub.store import queries
from hub.store.reach import Cursor, Reach
from schemas.ids import AccountId, AreaId

_SQL = queries.load("desk")


class PostgresAccounts:
    """Accounts and log-ins; of a log-in only the hash of its cookie is kept."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def credential(self, username: str) -> Credential | None:
        """What proves that somebody is the holder of this name; None: nobody is."""

        async def read(cursor: Cursor) -> Credential | None:
            await cursor.execute(_SQL["credential"], {"username": username})
            row = await cursor.fetchone()
            if row is None:
                return None
            return Credential(_account_of(row), row["password_hash"], row["disabled"])

        return await self._reach.run(read)

    async def session(self, token_sha256: str, now: datetime) -> DeskSession | None:
        """The log-in behind a cookie; None if it ran out, was closed or the account is disabled."""

        async def read(cursor: Cursor) -> DeskSession | None:
            await cursor.execute(_SQL["session"], {"token_sha256": token_sha256, "now": now})
            row = await cursor.fetchone()
            if row is None:
                return None
            return DeskSession(row["token_sha256"], _account_of(row), row["expires_at"])

        return await self._reach.run(read)

    async def open_session(self, session: DeskSession, now: datetime) -> None:
        """Keep a log-in; again is harmless. Those that ran out go at the same time."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["close_sessions_run_out"], {"now": now})
            await cursor.execute(
                _SQL["open_session"],
                {
                    "token_sha256": session.token_sha256,
                    "account_id": session.account.id,
                    "now": now,
                    "expires_at": session.expires_at,
                },
            )

        await self._reach.run(write)

    async def close_session(self, token_sha256: str) -> None:
        """Forget a log-in."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["close_session"], {"token_sha256": token_sha256})

        await self._reach.run(write)


def _account_of(row: dict[str, Any]) -> Account:
    return Account(
        id=AccountId(row["account_id"]),
        name=row["name"],
        role=row["role"],
        area_id=AreaId(row["area_id"]),
        language=row["language"],
    )
