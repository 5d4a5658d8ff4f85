"""Test messages and their answers: ask, verify, give up; who is overdue; many at a bounded rate."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg.errors import ForeignKeyViolation
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.policy import ChannelName
from hub.desk import NotThere
from hub.proof import ANSWER_WITHIN, URGENCY, CannotAsk, address_sha256, code_in, fate
from hub.quarantine import Operator
from hub.store import queries
from hub.store.ledger import log_values
from hub.store.reach import Reach
from hub.view import View

_SQL = queries.load("proofs")
_LOG = queries.load("incidents")["log"]

SETTLED_AT_ONCE = 500
ASKED_AT_ONCE = 100
"""Of a campaign in one transaction."""

Cursor = psycopg.AsyncCursor[dict[str, Any]]


async def ask(
    cursor: Cursor, recipient: str, channel: ChannelName, now: datetime
) -> tuple[int, str]:
    """Put a test message into the outbox; its number, and the area of whom it is for. Raises
    NotThere, CannotAsk."""
    noun, _, found_id = recipient.partition(":")
    await cursor.execute(_SQL["ways"], {"noun": noun, "id": found_id})
    row = await cursor.fetchone()
    if row is None:
        raise NotThere(recipient)
    if not row["served"]:
        raise CannotAsk("they are not served any more, or may not log in")
    address = row["email"] if channel is ChannelName.EMAIL else row["phone"]
    if channel is ChannelName.PUSH:
        address = recipient  # the browsers of an account are the account's
    if not address:
        raise CannotAsk(f"there is no address for {channel}")
    code = f"{secrets.randbelow(10_000):04d}"
    values = {
        "area_id": row["area_id"], "channel": channel.value, "recipient": recipient, "now": now,
        "urgency": URGENCY, "body": msgspec.json.encode({"code": code}).decode(),
    }  # fmt: skip
    await cursor.execute(_SQL["enqueue"], values)
    (made,) = await cursor.fetchall()
    number = int(made["notification_id"])
    asked = {
        "recipient": recipient, "channel": channel.value, "area_id": row["area_id"], "now": now,
        "address_sha256": address_sha256(address), "due_at": now + ANSWER_WITHIN,
        "notification_id": number, "code": code,
    }  # fmt: skip
    await cursor.execute(_SQL["ask"], asked)
    return number, row["area_id"]


async def verify(cursor: Cursor, recipient: str, channel: str, how: str, now: datetime) -> bool:
    """Somebody answered by this way; False: nobody was asked there."""
    await cursor.execute(
        _SQL["verify"], {"recipient": recipient, "channel": channel, "how": how, "now": now}
    )
    row = await cursor.fetchone()
    if row is None:
        return False
    actor = (recipient.partition(":")[0], recipient.partition(":")[2], None)
    detail = {"recipient": recipient, "channel": channel}
    entry = log_values(now, row["area_id"], None, "contact_verified", how, detail, actor)
    await cursor.execute(_LOG, entry)
    return True


async def answered_text(
    cursor: Cursor, recipients: Sequence[str], text: str, now: datetime, how: str = "reply"
) -> bool:
    """An SMS came back from whoever these are: does it answer a test message? For the call-backs;
    `recipients` are those to whom the sender's number belongs."""
    code = code_in(text)
    if code is None:
        return False
    await cursor.execute(
        _SQL["waiting_by_code"], {"code": code, "recipients": list(recipients), "now": now}
    )
    rows = await cursor.fetchall()
    if len(rows) != 1:
        return False
    return await verify(cursor, rows[0]["recipient"], rows[0]["channel"], how, now)


async def answered_notification(
    cursor: Cursor, notification_id: int, how: str, now: datetime
) -> bool:
    """A human answered the test message of that number: pressed 1 in the call, opened its link.
    For the call-backs."""
    await cursor.execute(
        _SQL["waiting_by_notification"], {"notification_id": notification_id, "now": now}
    )
    row = await cursor.fetchone()
    if row is None:
        return False
    return await verify(cursor, row["recipient"], row["channel"], how, now)


class ProofLoopStore:
    """The worker's side; every method is one short transaction."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def settle(self, now: datetime) -> int:
        """Give up what cannot be answered any more; how many."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["outcomes"], {"limit": SETTLED_AT_ONCE})
            given_up = 0
            for row in await cursor.fetchall():
                became = fate(row["state"], row["reason"], late=row["answer_due_at"] <= now)
                if not became.over:
                    continue
                given_up += 1
                await cursor.execute(
                    _SQL["give_up"],
                    {"recipient": row["recipient"], "channel": row["channel"], "now": now,
                     "failed": became.failed, "failure": became.failure},
                )  # fmt: skip
            return given_up

    async def tidy(self) -> None:
        """Proofs of contacts that are gone."""
        async with self._pool.connection() as connection:
            await connection.execute(_SQL["forget_orphans"], {})

    async def work_campaigns(self, now: datetime, proven_since: datetime) -> int:
        """Ask as many as the campaigns' rates allow; how many."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["campaigns"])
            asked = 0
            for row in await cursor.fetchall():
                asked += await self._advance(cursor, row, now, proven_since)
            return asked

    async def _advance(
        self, cursor: Cursor, row: Mapping[str, Any], now: datetime, proven_since: datetime
    ) -> int:
        elapsed_min = max(0.0, (now - row["created_at"]).total_seconds() / 60)
        allowed = int(elapsed_min * row["per_minute"]) + 1 - row["asked"]
        allowed = min(allowed, row["per_minute"], ASKED_AT_ONCE)
        if allowed <= 0:
            return 0
        await cursor.execute(
            _SQL["next_of_campaign"],
            {"area_id": row["area_id"], "channels": row["channels"], "since": proven_since,
             "began_at": row["created_at"], "limit": allowed},
        )  # fmt: skip
        found = await cursor.fetchall()
        for one in found:
            await ask(cursor, one["recipient"], ChannelName(one["channel"]), now)
        await cursor.execute(
            _SQL["progressed"],
            {"id": row["campaign_id"], "asked": len(found), "ended": len(found) < allowed,
             "now": now},
        )  # fmt: skip
        return len(found)

    async def probe(
        self, recipients: Mapping[ChannelName, str], now: datetime, every: timedelta
    ) -> list[str]:
        """Send a test by every channel that got nothing through for a while, unless one is under
        way; the channels."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            names = [channel.value for channel in recipients]
            await cursor.execute(_SQL["quiet_channels"], {"channels": names, "since": now - every})
            quiet = [ChannelName(row["channel"]) for row in await cursor.fetchall()
                     if row["success_at"] is None]  # fmt: skip
            sent = []
            for channel in quiet:
                await cursor.execute(_SQL["proofs"], {"recipient": recipients[channel]})
                known = {row["channel"]: row for row in await cursor.fetchall()}
                last = known.get(channel.value)
                if last is not None and last["asked_at"] and now - last["asked_at"] < every:
                    continue
                await ask(cursor, recipients[channel], channel, now)
                sent.append(channel.value)
            return sent


class PostgresProofs:
    """Implements `hub.api.ports_assurance.ProofStore`. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def ask(
        self, recipient: str, channel: ChannelName, operator: Operator, now: datetime
    ) -> int:
        """Send a test message; its number. Raises NotThere, CannotAsk."""

        async def write(cursor: Cursor) -> int:
            number, area_id = await ask(cursor, recipient, channel, now)
            _may_touch(operator, area_id, recipient)
            detail = {"recipient": recipient, "channel": channel, "notification_id": number}
            await _note(cursor, operator, now, "contact_asked", area_id, detail)
            return number

        return await self._reach.run(write)

    async def verify_by_hand(
        self, recipient: str, channel: ChannelName, operator: Operator, now: datetime
    ) -> bool:
        """Somebody was spoken to; False: nobody was asked by this way yet."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(
                _SQL["verify"],
                {"recipient": recipient, "channel": channel.value, "how": "by_hand", "now": now},
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            _may_touch(operator, row["area_id"], recipient)
            detail = {"recipient": recipient, "channel": channel}
            await _note(cursor, operator, now, "contact_verified", row["area_id"], detail)
            return True

        return await self._reach.run(write)

    async def of(self, recipient: str) -> list[View]:
        """What is known of somebody's ways."""
        return await self._rows("proofs", {"recipient": recipient})

    async def of_person(self, person_id: str) -> list[View]:
        """What is known of the ways to a person's contacts."""
        return await self._rows("proofs_of_person", {"person_id": person_id})

    async def overdue(
        self, areas: Sequence[str] | None, since: datetime, after: str, limit: int
    ) -> list[View]:
        """Who was not proven since that day, a page by recipient."""
        return await self._rows(
            "overdue", {"areas": areas, "since": since, "after": after, "limit": limit}
        )

    async def start(
        self, area_id: str, channels: Sequence[ChannelName], per_minute: int,
        operator: Operator, now: datetime,
    ) -> int:  # fmt: skip
        """Begin a campaign; its number. Raises NotThere."""

        async def write(cursor: Cursor) -> int:
            names = [channel.value for channel in channels]
            await cursor.execute(
                _SQL["add_campaign"],
                {"area_id": area_id, "channels": names, "per_minute": per_minute, "now": now,
                 "by": operator.id},
            )  # fmt: skip
            (row,) = await cursor.fetchall()
            detail = {"campaign_id": row["campaign_id"], "channels": names,
                      "per_minute": per_minute}  # fmt: skip
            await _note(cursor, operator, now, "proof_campaign", area_id, detail)
            return int(row["campaign_id"])

        try:
            return await self._reach.run(write)
        except ForeignKeyViolation:
            raise NotThere(area_id) from None

    async def stop(self, campaign_id: int, operator: Operator, now: datetime) -> bool:
        """End one; False: there is none under way."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(
                _SQL["stop_campaign"], {"id": campaign_id, "now": now, "areas": operator.seat}
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            detail = {"campaign_id": campaign_id}
            await _note(cursor, operator, now, "proof_campaign_ended", row["area_id"], detail)
            return True

        return await self._reach.run(write)

    async def campaigns(self, areas: Sequence[str] | None, limit: int) -> list[View]:
        """Newest first."""
        return await self._rows("campaigns_page", {"areas": areas, "limit": limit})

    async def _rows(self, query: str, values: Mapping[str, Any]) -> list[View]:
        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL[query], values)
            return await cursor.fetchall()

        return await self._reach.run(read)


def _may_touch(operator: Operator, area_id: str, recipient: str) -> None:
    """Raises NotThere, which rolls everything back, for somebody of another area."""
    if operator.areas is not None and area_id not in operator.areas:
        raise NotThere(recipient)


async def _note(
    cursor: Cursor, operator: Operator, now: datetime, action: str, area_id: str,
    detail: Mapping[str, Any],
) -> None:  # fmt: skip
    actor = (operator.kind, operator.id, operator.name)
    await cursor.execute(_LOG, log_values(now, area_id, None, action, None, detail, actor))
