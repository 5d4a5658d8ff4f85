"""Hand-overs: who leaves what to whom, and what became of it."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from alerts.people import Account
from hub.desk import NotThere
from hub.rota import HANDED_OVER_AT_ONCE, BadHandover
from hub.store import queries
from hub.store.ledger import log_values
from hub.store.reach import Cursor, Reach
from hub.view import View

_SQL = queries.load("rota")
_LOG = queries.load("incidents")["log"]

MAY_TAKE = ("administrator", "dispatcher")


class PostgresHandovers:
    """Implements `hub.api.ports_assurance.HandoverStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def owned(self, account_id: str) -> list[View]:
        """Open incidents somebody is responsible for."""

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(
                _SQL["owned"], {"owner_id": account_id, "limit": HANDED_OVER_AT_ONCE}
            )
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def offer(
        self,
        account: Account,
        to_id: str,
        note: str,
        incident_ids: Sequence[str] | None,
        now: datetime,
    ) -> View:
        """Offer incidents to somebody; None: all that one has. Raises NotThere, BadHandover."""

        async def write(cursor: Cursor) -> View:
            receiver = await _receiver(cursor, to_id, account)
            wanted = incident_ids
            if wanted is None:
                await cursor.execute(
                    _SQL["owned"], {"owner_id": account.id, "limit": HANDED_OVER_AT_ONCE}
                )
                wanted = [row["incident_id"] for row in await cursor.fetchall()]
            handover_id = secrets.token_hex(8)
            values = {
                "handover_id": handover_id, "area_id": account.area_id, "from_id": account.id,
                "from_name": account.name, "to_id": to_id, "to_name": receiver["name"],
                "note": note, "now": now,
            }  # fmt: skip
            await cursor.execute(_SQL["offer"], values)
            for incident_id in wanted:
                await cursor.execute(
                    _SQL["offer_incident"],
                    {"handover_id": handover_id, "incident_id": incident_id, "from_id": account.id},
                )
                if cursor.rowcount == 0:
                    raise BadHandover(f"incident {incident_id} is not yours, or it is over")
            detail = {"handover_id": handover_id, "to": to_id, "incidents": list(wanted)}
            await _note(cursor, account, now, "handover_offered", note, detail)
            return await _one(cursor, handover_id)

        return await self._reach.run(write)

    async def list(
        self, account: Account, areas: Sequence[str] | None, limit: int, *, past: bool
    ) -> list[View]:
        """Those of an account and of these areas, open ones first."""
        values = {"account_id": account.id, "areas": areas, "limit": limit, "past": past}

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["handovers"], values)
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def settle(
        self, handover_id: str, state: str, account: Account, now: datetime
    ) -> View | None:
        """Confirm, decline (whoever is asked) or withdraw (whoever offered); None: it is not theirs
        to say, or it was said already."""

        async def write(cursor: Cursor) -> View | None:
            await cursor.execute(
                _SQL["settle_handover"],
                {"handover_id": handover_id, "state": state, "account_id": account.id, "now": now},
            )
            if await cursor.fetchone() is None:
                return None
            found = await _one(cursor, handover_id)
            detail = {"handover_id": handover_id, "incidents": found["incident_ids"]}
            await _note(cursor, account, now, f"handover_{state}", None, detail)
            return found

        return await self._reach.run(write)

    async def note_result(self, handover_id: str, results: Mapping[str, str]) -> None:
        """What became of each incident when the other one confirmed."""

        async def write(cursor: Cursor) -> None:
            for incident_id, result in results.items():
                await cursor.execute(
                    _SQL["handover_result"],
                    {"handover_id": handover_id, "incident_id": incident_id, "result": result},
                )

        await self._reach.run(write)


async def _receiver(cursor: Cursor, to_id: str, account: Account) -> View:
    if to_id == account.id:
        raise BadHandover("you have them already")
    await cursor.execute(_SQL["account"], {"id": to_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotThere(to_id)
    if row["disabled"] or row["role"] not in MAY_TAKE:
        raise BadHandover(f"{to_id} cannot take responsibility: name a dispatcher")
    return row


async def _one(cursor: Cursor, handover_id: str) -> View:
    await cursor.execute(_SQL["handover"], {"handover_id": handover_id})
    (row,) = await cursor.fetchall()
    return row


async def _note(
    cursor: Cursor,
    account: Account,
    now: datetime,
    action: str,
    reason: str | None,
    detail: Mapping[str, Any],
) -> None:
    actor = ("account", account.id, account.name)
    entry = log_values(now, account.area_id, None, action, reason or None, detail, actor)
    await cursor.execute(_LOG, entry)
