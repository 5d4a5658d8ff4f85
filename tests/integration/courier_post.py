"""A courier over a real outbox, with providers that do what a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.address import Address
from alerts.alarm import Priority
from alerts.courier import Courier, Width
from alerts.messages import Message
from alerts.notification import Notification, NotificationKind, urgency_of
from alerts.policy import ChannelName
from alerts.ports import Channel, Sent
from hub.store.outbox import PostgresOutbox
from schemas.ids import IncidentId
from tests.scenes import START, HandClock, settle_in

Row = dict[str, Any]
DAUGHTER = "contact:mei"
PUSH, SMS, VOICE = ChannelName.PUSH, ChannelName.SMS, ChannelName.VOICE


@dataclass
class Provider:
    """A channel whose provider does what the test says."""

    name: ChannelName
    receipt_within_s: int | None = None
    trouble: Callable[[Notification], Exception | None] = lambda _: None
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Reference and recipient of what it took, in order."""
    gate: asyncio.Event | None = None
    """While it is closed every answer waits."""

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        if self.gate is not None:
            await self.gate.wait()
        if (trouble := self.trouble(notification)) is not None:
            raise trouble
        self.taken.append((notification.reference, notification.recipient))
        return Sent("taken", f"id-{notification.id}", self.receipt_within_s)


class Everybody:
    """Has an address by every channel, except those who are gone."""

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        if recipient == "contact:gone":
            return None
        values = {name: (f"{name}-of-{recipient}",) for name in ChannelName}
        if recipient == "contact:no-phone":
            values.pop(SMS)
        return Address(recipient, "Mei", "daughter", "en", values)

    async def words_for(self, notification: Notification, address: Address) -> Message:
        if notification.body.get("poison"):
            raise KeyError("a row that cannot be said")
        return Message("", "somebody is needed")


@dataclass
class Post:
    """The database and a courier over it."""

    url: str
    pool: AsyncConnectionPool[Any]
    clock: HandClock
    providers: dict[ChannelName, Provider]
    courier: Courier

    async def write(
        self,
        channel: ChannelName,
        *channels: ChannelName,
        recipient: str = DAUGHTER,
        kind: NotificationKind = NotificationKind.RING,
        priority: Priority = Priority.HIGH,
        first: bool = False,
        body: Mapping[str, Any] | None = None,
        count: int = 1,
    ) -> None:
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            await connection.execute(
                "INSERT INTO notification (area_id, incident_id, channel, channels, recipient,"
                " kind, urgency, body, created_at, due_at) SELECT 'city', 'i-1', %s, %s,"
                " CASE WHEN %s > 1 THEN %s || '-' || n ELSE %s END, %s, %s, %s, %s, %s"
                " FROM generate_series(1, %s) AS n",
                (channel, [c.value for c in channels], count, recipient, recipient, kind.value,
                 urgency_of(priority, kind, first=first), json.dumps(dict(body or {})),
                 self.clock.now(), self.clock.now(), count),
            )  # fmt: skip

    async def rows(self, query: str) -> list[Row]:
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row) as line:
            return await (await line.execute(query.encode())).fetchall()

    async def one(self) -> Row:
        (row,) = await self.rows("SELECT * FROM notification ORDER BY notification_id")
        return row

    async def attempts(self) -> list[tuple[str, str]]:
        """(channel, state) of every attempt, oldest first."""
        found = await self.rows("SELECT channel, state FROM delivery ORDER BY delivery_id")
        return [(row["channel"], row["state"]) for row in found]

    async def later(self, seconds: float) -> None:
        """Time passes; the courier acts within a second of every instant at which it should."""
        until = self.clock.now() + timedelta(seconds=seconds)
        await self.cycle()
        while self.clock.now() < until:
            (row,) = await self.rows(
                "SELECT min(CASE state WHEN 'sent' THEN receipt_due_at"
                " ELSE greatest(due_at, leased_until) END) AS due"
                " FROM notification WHERE state IN ('pending', 'sent')"
            )
            soonest = self.clock.now() + timedelta(seconds=1)
            self.clock.move_to(min(until, max(row["due"] or until, soonest)))
            await self.cycle()

    async def cycle(self) -> None:
        while await self.courier.run_once():
            pass

    def new_courier(self, widths: Mapping[ChannelName, Width] | None = None) -> Courier:
        """After a restart."""
        channels: dict[ChannelName, Channel] = dict(self.providers)
        return Courier(PostgresOutbox(self.pool), channels, Everybody(), Everybody(), self.clock,
                       widths=widths or {})  # fmt: skip


INCIDENT = (
    "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
    " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
    " next_deadline_at) VALUES ('i-1', 'city', 'person', 'anna', 'raised', 'personal', 'high',"
    " 'press', %(at)s, %(at)s, 1, 1, false, 1, %(at)s)"
)


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    settle_in(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(INCIDENT, {"at": START})
    providers = {
        PUSH: Provider(PUSH, 20),
        SMS: Provider(SMS, 30),
        VOICE: Provider(VOICE),
    }
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        database_url, min_size=1, max_size=4, open=False, kwargs={"autocommit": True}
    )
    async with pool:
        post = Post(database_url, pool, HandClock(), providers, None)  # type: ignore[arg-type]
        post.courier = post.new_courier()
        yield post
