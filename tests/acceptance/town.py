"""The alarm lane, the ladder and the courier over a real database, on a hand-moved clock.

Only the outside is made up: the broker's connection, the provider behind the webhook, and time.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.actions import Action, Verb
from alerts.channels.desk import DeskChannel
from alerts.channels.device import DeviceChannel
from alerts.courier import Courier
from alerts.escalator import Escalator
from alerts.incident import Outcome, Owner
from alerts.messages import Message
from alerts.notification import Notification, NotificationKind
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Announcement, Channel, Sent
from alerts.responders import Actor, ActorKind, Way
from hub.alarm_lane import LOOK_EVERY_S, SLOW_AFTER_S, AlarmLane
from hub.alarm_receipts import Receipts
from hub.board import Board
from hub.database import GIVE_UP_S, Connection, Session
from hub.desk_bus import action_message
from hub.detect.detector import Finding
from hub.findings import item_of
from hub.ingest import Desk
from hub.observation import Observation
from hub.register import Register
from hub.sources.mqtt import Delivery, MqttConnection, Ticket
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.cases import Recorded, record
from hub.store.escalation import PostgresEscalation
from hub.store.openings import opening
from hub.store.outbox import PostgresOutbox
from hub.wording import WordsWhereNeeded
from schemas import topics
from schemas.ids import DeviceId, IncidentId
from tests.scenes import LIN, ROOT, HandClock, actor_of, delivery, register, settle_in

Row = dict[str, Any]
T = TypeVar("T")

FALLBACK = {FALLBACK_CONTACT: {ChannelName.WEBHOOK: ("https://second.example/hotline",)}}
"""Whom the configuration names."""


@dataclass(slots=True)
class Broker:
    """Takes every message and remembers it."""

    clock: HandClock
    published: list[tuple[datetime, str, Row]] = field(default_factory=list)
    acknowledged: list[Ticket] = field(default_factory=list)

    def ack(self, ticket: Ticket) -> None:
        self.acknowledged.append(ticket)

    def take(self, topic: str, payload: bytes) -> bool:
        self.published.append((self.clock.now(), topic, json.loads(payload)))
        return True

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        self.take(topic, payload)


@dataclass(slots=True)
class Fallback:
    """The area's second hotline."""

    clock: HandClock
    name: ChannelName = ChannelName.WEBHOOK
    rung: list[datetime] = field(default_factory=list)
    told: list[tuple[datetime, str]] = field(default_factory=list)
    """What came after the rings: who has it, that it is over."""

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        if notification.kind is NotificationKind.RING:
            self.rung.append(self.clock.now())
        else:
            self.told.append((self.clock.now(), notification.kind.value))
        return Sent("taken")


@dataclass(slots=True)
class Phones:
    """Everybody's telephone: what came, and to whom."""

    clock: HandClock
    name: ChannelName = ChannelName.SMS
    got: list[tuple[datetime, str, str]] = field(default_factory=list)

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        self.got.append((self.clock.now(), notification.recipient, notification.kind.value))
        return Sent("taken")

    def of(self, recipient: str) -> list[str]:
        """What one of them was told, in order."""
        return [kind for _, whom, kind in self.got if whom == recipient]


class Line(Session):
    """A connection to the real database that can be cut."""

    away = False
    mistakes = 0
    """How many of the next conversations end in an error that nobody thought of."""

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], give_up_s: float = GIVE_UP_S
    ) -> T:
        if self.away:
            raise psycopg.OperationalError("the line is cut")
        if self.mistakes:
            self.mistakes -= 1
            raise KeyError("a mistake of ours")
        return await super().run(work, give_up_s)


@dataclass(slots=True)
class Town:
    """What a story may do, and what it may ask."""

    url: str
    clock: HandClock
    broker: Broker
    fallback: Fallback
    lane: AlarmLane
    line: Line
    board: Board
    register: Register
    escalator: Escalator
    courier: Courier
    phones: Phones
    _numbers: Any = field(default_factory=itertools.count)

    # What happens

    async def hears(self, message: Delivery) -> None:
        """The broker delivers; the hub has answered when this returns."""
        self.lane.on_message(message)
        await self.settled()

    async def settled(self) -> None:
        """Everything that was heard is recorded, and its consequences are drawn."""
        async with asyncio.timeout(5):
            while self.lane.unrecorded:  # noqa: ASYNC110 - the lane tells nobody
                await asyncio.sleep(0.001)
        await self._cycle()

    async def press(self, device: str, message_id: str | None = None, **fields: Any) -> None:
        """A press with the device's own clock right, unless said otherwise."""
        if message_id is not None:
            fields["message_id"] = message_id
            fields.setdefault("observed_at", self.clock.now().isoformat())
        await self.hears(delivery(device, mid=self._number(), **fields))

    def pressed(self, device: str, message_id: str, **fields: Any) -> Delivery:
        """A press on its way."""
        at = self.clock.now().isoformat()
        return delivery(device, mid=self._number(), message_id=message_id, observed_at=at, **fields)

    def delivers(self, device: str, message_id: str, fields: Row) -> Delivery:
        """Raw motion on its way."""
        at = self.clock.now().isoformat()
        mid = self._number()
        return delivery(device, "motion", mid=mid, message_id=message_id, observed_at=at, **fields)

    def walks(self, device: str, steps: int) -> None:
        """What the telemetry lane hands over about somebody who may have fallen."""
        at = self.clock.now()
        band = register().devices[DeviceId(device)]
        if band.person_id in self.lane.watched_people:
            self.lane.corroborate(Observation(band, "steps", at, at, value=steps))

    async def judged(self) -> None:
        """Every window has been looked at; the commit may still wait."""
        async with asyncio.timeout(5):
            while not self.announced():  # noqa: ASYNC110 - the lane tells nobody
                await asyncio.sleep(0.001)

    async def restarted(self) -> None:
        """A new process has read what the old one left."""
        found = await self.line.run(lambda c: opening(c, 1000, 20))
        for incident in found.incidents:
            self.board.put(incident)
        for alarm_id, incident_id in reversed(found.known):
            self.board.remember(alarm_id, incident_id)
        await asyncio.sleep(0.05)

    async def report(self, device: str, kind: str, **fields: Any) -> None:
        """Any other message of the alarm lane."""
        await self.hears(delivery(device, kind, mid=self._number(), **fields))

    async def moves(self, device: str, message_id: str, fields: Row) -> None:
        """Raw motion of a wristband whose clock is right."""
        at = self.clock.now().isoformat()
        await self.report(device, "motion", message_id=message_id, observed_at=at, **fields)

    async def finds(self, device: str, finding: Finding) -> Recorded:
        """The telemetry lane found something: recorded as it does, and handed over."""
        item = item_of(register().devices[DeviceId(device)], finding)
        async with await psycopg.AsyncConnection.connect(self.url) as connection:
            (recorded,) = await record(connection, [item])
        self.lane.adopt(recorded)
        await self.settled()
        return recorded

    async def slow(self) -> None:
        """The hub notices that something waits for its commit (it looks every 0.1 s)."""
        self.clock.pass_time(2 * SLOW_AFTER_S)
        await asyncio.sleep(2 * LOOK_EVERY_S)

    async def desk(
        self, verb: Verb, incident: str, *, by: Owner | Actor = LIN, **fields: Any
    ) -> str | None:
        """A human acts; what they are told instead of success, if anything."""
        deed_id = f"deed-{self._number()}"
        await self.hears(self.click(deed_id, verb, incident, by=by, **fields))
        (answer,) = [m for m in self.said(topics.DESK_ANNOUNCE) if m.get("action_id") == deed_id]
        return None if answer["ok"] else str(answer["refusal"]["title"])

    def click(
        self, deed_id: str, verb: Verb, incident: str, *, by: Owner | Actor = LIN, **fields: Any
    ) -> Delivery:
        """What the API publishes for a click, an answered message or a pressed digit."""
        actor = actor_of(by)
        usual = Way.DESK if actor.kind is ActorKind.ACCOUNT else Way.SMS
        if verb is Verb.RESOLVE:
            fields.setdefault("outcome", Outcome.HELPED)
        action = Action(
            id=deed_id,
            incident_id=IncidentId(incident),
            verb=verb,
            by=actor,
            at=self.clock.now(),
            **{"how": usual} | fields,
        )
        return self.bus(action_message(action, ROOT))

    def bus(self, payload: bytes) -> Delivery:
        """A message of the API on its way to ingest."""
        ticket = (1, self._number())
        return Delivery(topics.DESK_ACTION, payload, ticket, 1, duplicate=False, retained=False)

    async def later(self, **span: float) -> None:
        """Time passes; the ladder and the courier act at every instant at which they are due."""
        until = self.clock.now() + timedelta(**span)
        while True:
            (row,) = await self.rows(
                "SELECT min(due) AS due FROM (SELECT next_deadline_at AS due FROM incident"
                " UNION ALL SELECT due_at FROM notification WHERE state = 'pending') AS everything"
            )
            dues = [due for due in (row["due"], self.lane.next_deadline()) if due is not None]
            if not dues or min(dues) > until:
                break
            self.clock.move_to(max(min(dues), self.clock.now()))
            self.lane.let_pass()
            await self.settled()
        self.clock.move_to(until)
        await self._cycle()

    # What was seen

    async def rows(self, query: str) -> list[Row]:
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row) as found:
            cursor = await found.execute(query.encode())
            return await cursor.fetchall()

    async def change(self, query: str, *values: Any) -> None:
        """Somebody writes into the register."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(query.encode(), values)

    async def incidents(self, state: str = "state <> 'resolved'") -> list[Row]:
        """Incidents, oldest first; the open ones unless said otherwise."""
        return await self.rows(f"SELECT * FROM incident WHERE {state} ORDER BY opened_at")

    async def incident(self) -> Row:
        """The one that is open."""
        (row,) = await self.incidents()
        return row

    async def alarms(self) -> list[Row]:
        return await self.rows("SELECT * FROM alarm ORDER BY recorded_at")

    async def log(self) -> list[tuple[str, str | None]]:
        """(action, reason) of the audit log, oldest first."""
        found = await self.rows("SELECT action, reason FROM audit_log ORDER BY entry_id")
        return [(row["action"], row["reason"]) for row in found]

    def said(self, topic: str) -> list[Row]:
        """Everything published on a topic."""
        return [message for _, told, message in self.broker.published if told == topic]

    def receipts(self, device: str) -> list[str]:
        """The stages a device was told, in order."""
        return [m["stage"] for m in self.said(topics.receipt_topic(_prefix(device)))]

    def questions(self, device: str) -> list[Row]:
        """What a device was told to ask its person."""
        return self.said(f"{_prefix(device)}/command/check_in")

    def rings(self) -> list[datetime]:
        """When the desks rang."""
        return [
            at
            for at, topic, message in self.broker.published
            if topic == topics.DESK_ANNOUNCE and message["type"] == "ring"
        ]

    def announced(self) -> list[str]:
        """What the feed was told of incidents by ingest."""
        return [m["cause"] for m in self.said(topics.DESK_ANNOUNCE) if m["type"] == "incident"]

    async def _cycle(self) -> None:
        await self.escalator.run_once()
        while await self.courier.run_once():
            pass

    def _number(self) -> int:
        return cast(int, next(self._numbers))


def _prefix(device: str) -> str:
    return delivery(device).topic.removesuffix("/alarm/press")


class _Nobody:
    async def announce(self, announcement: Announcement) -> None:
        """The feed is not part of these stories."""


@asynccontextmanager
async def running_town(
    url: str, *, with_fallback: bool = True, with_phones: bool = False, settled: bool = False
) -> AsyncIterator[Town]:
    """Everything wired as `hub.ingest_process` and `hub.worker` wire it; `settled`: the
    neighbourhood lives there already."""
    if not settled:
        settle_in(url)
    clock, known, board = HandClock(), register(), Board()
    broker, fallback, line = Broker(clock), Fallback(clock), Line(url)
    phones = Phones(clock)
    lane = AlarmLane(
        Desk(known, board, ROOT),
        clock,
        line,
        Receipts(known, "zh-CN", broker.take),
        broker.take,
        lambda observation: None,
    )
    lane.connection = cast(MqttConnection, broker)
    channels: dict[ChannelName, Channel] = {
        ChannelName.DESK: DeskChannel(broker),
        ChannelName.DEVICE: DeviceChannel(broker),
    }
    if with_fallback:
        channels[ChannelName.WEBHOOK] = fallback
    if with_phones:
        channels[ChannelName.SMS] = phones
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        url, min_size=1, max_size=4, open=False, kwargs={"autocommit": True}
    )
    task = asyncio.create_task(lane.run())
    async with pool:
        ladder = Escalator(PostgresEscalation(pool, frozenset(channels)), _Nobody(), clock)
        book = PostgresDirectory(pool, Elsewhere("zh-CN", FALLBACK))
        courier = Courier(PostgresOutbox(pool), channels, book, WordsWhereNeeded(None), clock)
        yield Town(url, clock, broker, fallback, lane, line, board, known, ladder, courier, phones)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
