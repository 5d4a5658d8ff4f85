"""The courier's store: claims with a lease, and what became of them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString

import psycopg
import structlog
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.delivery import Outcome, overdue, still_needed
from alerts.incident import State
from alerts.notification import (
    MOST_URGENT,
    Notification,
    NotificationKind,
    NotificationState,
)
from alerts.policy import ChannelName
from alerts.ports import Settled
from hub.store import queries
from hub.store.ledger import many
from hub.store.whereabouts import Cursor
from schemas.ids import IncidentId

_SQL = queries.load("outbox")
_log = structlog.get_logger("hub.store.outbox")

LEASE_S = 30
"""Twice the courier's send timeout: a lease never runs out under a courier that is alive."""
SHIFT = 0x636F_7572
"""Advisory lock key that every living courier shares: `cour` in ASCII."""
MAX_DETAIL = 1000
"""Characters of a provider's word that are kept."""

Row = dict[str, Any]


class PostgresOutbox:
    """Implements `alerts.ports.Outbox`."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, ordinary: int | None = None
    ) -> Sequence[Notification]:
        """Lease at most `limit` of a channel, the most urgent first."""
        parameters = {
            "channel": channel.value,
            "now": now,
            "limit": limit,
            "ordinary": limit if ordinary is None else ordinary,
            "most_urgent": MOST_URGENT,
            "lease_until": now + timedelta(seconds=LEASE_S),
        }
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["claim_due"], parameters)
            return [
                notification
                for row in await cursor.fetchall()
                if (notification := await _readable(cursor, row, now)) is not None
            ]

    async def channels_due(self, now: datetime) -> Collection[ChannelName]:
        """The channels for which anything waits."""
        parameters = {"channels": [channel.value for channel in ChannelName], "now": now}
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_SQL["channels_due"], parameters)
            return {ChannelName(name) for (name,) in await cursor.fetchall()}

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Record what became of attempts, in one transaction and without waiting in between."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.pipeline(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            for some in _once_each(settled):
                values = _columns([outcome_values(*each, now) for each in some])
                # Always attempts before notifications, and each by number: so does a receipt.
                await cursor.execute(_SQL["hold_attempts"], values)
                await cursor.execute(_SQL["hold"], values)
                await cursor.execute(_SQL["settle"], values | {"now": now})
                sent = [pair[0].id for pair in some if pair[1].state is NotificationState.SENT]
                if sent:
                    await cursor.execute(_SQL["sent_after_all"], {"ids": sent, "now": now})
                    await cursor.execute(_SQL["supersede_waiting_rings"], {"ids": sent, "now": now})

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        """What follows where a receipt did not come in time."""
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            await cursor.execute(_SQL["overdue"], {"now": now, "limit": limit})
            rows = await cursor.fetchall()
            found = []
            for row in rows:
                if (notification := await _readable(cursor, row, now)) is not None:
                    outcome = overdue(notification, now, needed=needed(notification, row))
                    found.append(outcome_values(notification, outcome, now))
            await many(cursor, _SQL["attempt_unconfirmed"], found)
            await many(cursor, _SQL["moved_on"], found)
        return len(rows)


async def go_on_shift(connection: psycopg.AsyncConnection[Any], now: datetime | None) -> int:
    """Say that a courier lives, for as long as this connection does. `now`: one that begins, which
    has claimed nothing yet; None: it lives already, and its connection was lost.

    Where no other lives, what the dead had claimed does not wait for the end of its lease: a rung
    that was under way in a crash rings at once. How many there were.
    """
    key = {"key": SHIFT}
    alone = now is not None and (await _first(connection, _SQL["alone"], key))
    freed = 0
    if alone:
        cursor = await connection.execute(_SQL["leased_by_the_dead"], {"now": now})
        freed = cursor.rowcount
    await connection.execute(_SQL["on_shift"], key)
    if alone:
        await connection.execute(_SQL["not_alone"], key)
    return freed


async def _first(
    connection: psycopg.AsyncConnection[Any], query: LiteralString, values: Row
) -> Any:
    row = await (await connection.execute(query, values)).fetchone()
    return row[0] if row else None


def _once_each(settled: Sequence[Settled]) -> Iterable[Sequence[Settled]]:
    """Rounds in which no notification comes twice. It can, where the database was away for longer
    than a lease: both attempts then wait to be recorded, in their order."""
    rounds: list[dict[int, Settled]] = []
    for each in settled:
        free = next((one for one in rounds if each[0].id not in one), None)
        if free is None:
            rounds.append(free := {})
        free[each[0].id] = each
    return [list(one.values()) for one in rounds]


def _columns(given: Sequence[Row]) -> Row:
    """Rows as arrays for `unnest`; what a notification may try next as one text each."""
    columns = {name: [row[name] for row in given] for name in given[0]}
    columns["channels"] = [",".join(names) for names in columns["channels"]]
    return columns


async def _readable(cursor: Cursor, row: Row, now: datetime) -> Notification | None:
    """The notification; None: a newer release wrote it, and it is set apart."""
    try:
        return notification_of(row)
    except ValueError as error:
        number = row["notification_id"]
        _log.error("notification_unreadable", notification_id=number)
        said = {"notification_id": number, "now": now, "detail": str(error)}
        await cursor.execute(_SQL["unreadable"], said)
        return None


def notification_of(row: Row) -> Notification:
    """A notification from a row with all its columns. Raises ValueError for what is not known."""
    return Notification(
        id=row["notification_id"],
        incident_id=IncidentId(row["incident_id"] or ""),
        area_id=row["area_id"],
        channel=ChannelName(row["channel"]),
        recipient=row["recipient"],
        kind=NotificationKind(row["kind"]),
        urgency=row["urgency"],
        body=row["body"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        channels=tuple(ChannelName(name) for name in row["channels"]),
        sent_at=row["sent_at"],
        broken=row["broken"],
        round=row["round"],
        delivery_id=row["delivery_id"],
    )


def needed(notification: Notification, row: Row) -> bool:
    """Whether its recipient is to be rung by the next way; `row` tells of the incident too."""
    state = row["incident_state"]
    return still_needed(
        notification, None if state is None else State(state), answered=row["answered"]
    )


def _storable(word: str) -> str:
    """PostgreSQL keeps no NUL, and one provider's would stop everything settled with it."""
    return word.replace("\0", "")


def outcome_values(notification: Notification, outcome: Outcome, now: datetime) -> Row:
    """What became of an attempt, as parameters."""
    return {
        "notification_id": notification.id,
        "delivery_id": notification.delivery_id,
        "incident_id": notification.incident_id or None,
        "recipient": notification.recipient,
        "was": notification.channel.value,
        "now": now,
        "state": outcome.state.value,
        "channel": outcome.channel.value,
        "channels": [name.value for name in outcome.channels],
        "reason": outcome.reason.value,
        "delivery": outcome.delivery.value,
        "due_at": outcome.due_at,
        "attempts": outcome.attempts,
        "broken": outcome.broken,
        "detail": _storable(outcome.detail)[:MAX_DETAIL],
        "address": outcome.address,
        "provider_id": outcome.provider_id and _storable(outcome.provider_id),
        "sent_at": outcome.sent_at,
        "receipt_due_at": outcome.receipt_due_at,
    }
