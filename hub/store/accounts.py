"""Who may sign in, and who has; implements `hub.api.ports.AccountStore`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerts.people import Account
from hub.desk import (
    AccountNews,
    AccountProof,
    DeskSession,
    Entry,
    NewToken,
    NotThere,
    Origin,
    decisions_from,
)
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.store.register_desk import end_sessions
from hub.view import View
from schemas.ids import AccountId, AreaId, PersonId, PremisesId

_SQL = queries.load("accounts")
_LOG = queries.load("incidents")["log"]

SESSIONS_SHOWN = 100


class PostgresAccounts:
    """Accounts, log-ins and tokens; of what is carried only hashes are kept."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def credential(self, username: str) -> AccountProof | None:
        """What proves that somebody is the holder of this name; None: nobody is."""

        async def read(cursor: Cursor) -> AccountProof | None:
            await cursor.execute(_SQL["credential"], {"username": username})
            row = await cursor.fetchone()
            if row is None:
                return None
            return AccountProof(
                account_of(row), row["password_hash"], row["disabled"], row["must_change_password"]
            )

        return await self._reach.run(read)

    async def session(self, token_sha256: str, now: datetime) -> DeskSession | None:
        """The log-in or token of this hash; None if it ran out, was closed or revoked, or the
        account is disabled."""

        async def read(cursor: Cursor) -> DeskSession | None:
            return await _session(cursor, token_sha256, now)

        return await self._reach.run(read)

    async def open_session(self, session: DeskSession, origin: Origin) -> bool:
        """Keep a log-in; again is harmless. Those that ran out go at the same time. False: the
        account was disabled or its password changed after the log-in began."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(_SQL["close_sessions_run_out"], {"now": origin.at})
            await cursor.execute(
                _SQL["open_session"],
                {
                    "token_sha256": session.token_sha256,
                    "account_id": session.account.id,
                    "created_at": origin.at,
                    "expires_at": session.expires_at,
                    "address": origin.address,
                    "agent": origin.agent,
                },
            )
            return await _session(cursor, session.token_sha256, origin.at) is not None

        return await self._reach.run(write)

    async def close_session(self, token_sha256: str) -> None:
        """Forget a log-in."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["close_session"], {"token_sha256": token_sha256})

        await self._reach.run(write)

    async def sessions_of(self, account_id: str, now: datetime) -> list[View]:
        """Where an account is logged in, newest first."""
        values = {"account_id": account_id, "now": now, "limit": SESSIONS_SHOWN}
        return await self._rows("sessions_of", values)

    async def close_sessions_of(
        self, account_id: str, prefix: str, keep: str | None, entry: Entry
    ) -> list[str]:
        """End the log-in whose hash begins so, or all but `keep`; their hashes."""

        async def write(cursor: Cursor) -> list[str]:
            gone = await end_sessions(cursor, account_id, prefix, keep)
            if gone:
                await cursor.execute(_LOG, log_line(entry))
            return gone

        return await self._reach.run(write)

    async def set_password(
        self,
        account_id: str,
        password_hash: str,
        *,
        must_change: bool,
        keep: str | None,
        entry: Entry,
    ) -> list[str]:
        """Another password; every log-in but `keep` ends. Their hashes. Raises NotThere."""

        async def write(cursor: Cursor) -> list[str]:
            values = {
                "account_id": account_id,
                "password_hash": password_hash,
                "must_change_password": must_change,
                "at": entry.at,
            }
            await cursor.execute(_SQL["set_password"], values)
            if cursor.rowcount == 0:
                raise NotThere("There is no such account")
            gone = await end_sessions(cursor, account_id, keep=keep)
            await cursor.execute(_LOG, log_line(entry))
            return gone

        return await self._reach.run(write)

    async def news(self, since: str | None) -> AccountNews:
        """What changed since a horizon, and the next one; None: nothing but the horizon."""

        async def read(cursor: Cursor) -> AccountNews:
            await cursor.execute(_SQL["horizon"])
            (horizon,) = [row["horizon"] for row in await cursor.fetchall()]
            rows: list[dict[str, Any]] = []
            if since is not None:
                await cursor.execute(_SQL["account_changes"], {"since": since})
                rows = await cursor.fetchall()
            accounts = frozenset(row["id"] for row in rows if row["noun"] == "account")
            hashes = frozenset(
                row["id"] for row in rows if row["noun"] in ("desk_session", "api_token")
            )
            areas = any(row["noun"] == "area" for row in rows)
            return AccountNews(horizon, accounts, hashes, areas)

        return await self._reach.run(read)

    async def add_token(self, token: NewToken, entry: Entry) -> None:
        """Let a program in."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(
                _SQL["add_token"], {name: getattr(token, name) for name in NewToken.__slots__}
            )
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def tokens(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]:
        """Tokens by id, also those that were revoked."""
        return await self._rows("tokens", {"areas": areas, "after": after, "limit": limit})

    async def token_area(self, token_id: str) -> View | None:
        """Where a token belongs, and its hash; None if there is none."""
        rows = await self._rows("token_area", {"id": token_id})
        return rows[0] if rows else None

    async def revoke_token(self, token_id: str, entry: Entry) -> None:
        """Let a program in no longer; again is harmless."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["revoke_token"], {"id": token_id, "at": entry.at})
            if cursor.rowcount:
                await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def _rows(self, query: str, values: dict[str, Any]) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)


async def _session(cursor: Cursor, token_sha256: str, now: datetime) -> DeskSession | None:
    await cursor.execute(_SQL["session"], {"token_sha256": token_sha256, "now": now})
    row = await cursor.fetchone()
    if row is None:
        return None
    return DeskSession(
        row["token_sha256"],
        account_of(row),
        row["expires_at"],
        row["must_change_password"],
        row["by_token"],
    )


def account_of(row: dict[str, Any]) -> Account:
    """An account from its row, with whom it is linked to."""
    return Account(
        id=AccountId(row["account_id"]),
        name=row["name"],
        role=row["role"],
        area_id=AreaId(row["area_id"]),
        language=row["language"],
        people=frozenset(map(PersonId, row["people"] or ())),
        homes=frozenset(map(PremisesId, row["homes"] or ())),
        responders=frozenset(row["responders"] or ()),
        decided=decisions_from(row["decided"] or ()),
        decides_for=frozenset(map(PersonId, row["decides_for"] or ())),
    )
