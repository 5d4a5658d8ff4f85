"""The telemetry lane: detect, commit, PUBACK; bounded batches, one transaction each.

Runs on its own thread and loop. While a batch commits, the next one gathers; when the database is
silent the lane holds at most the broker's bound of unanswered messages and waits.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import structlog

from alerts.alarm import Alarm
from hub.clock import SystemClock
from hub.database import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, TRANSIENT, Connection, Session
from hub.detect.detector import Finding, Phase
from hub.detect.runner import SHARDS, Draft, Runner, shard_of
from hub.device import Device
from hub.observation import ALIVE, UNKNOWN_TIME, Observation, is_last_will, measured, sample_key
from hub.register import Register
from hub.sources.mqtt import Delivery, MqttConnection, Ticket
from hub.store.cases import AlarmItem, ClearItem, Item, Recorded, record
from hub.store.observations import ObservationRow, next_batch_id, store
from hub.store.upkeep import Quarantined, quarantine, save_shard
from schemas import identity, topics
from schemas.codec import Malformed, decode_telemetry
from schemas.ids import AreaId, DeviceId

EXPIRE_LIMIT = 1_000
"""Deadlines let pass per batch: a silent city is reported over a few batches."""
CAUGHT_UP_S = 30
"""Ours: after a stall or restart the broker's backlog comes first; silence is judged after this
long without a full batch."""
CHECKPOINT_EVERY_S = 1.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Message:
    """A delivery with every packet id under which the broker sent it."""

    delivery: Delivery
    received_at: datetime
    key: int
    tickets: list[Ticket]


@dataclass(slots=True)
class Batch:
    """What one transaction writes; kept until it is committed."""

    messages: list[Message]
    rows: list[list[ObservationRow]] = field(default_factory=list)
    """By message, so that one the database refuses can be told from the others."""
    quarantined: list[Quarantined] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    draft: Draft = field(default_factory=Draft)
    shards: dict[int, bytes] = field(default_factory=dict)
    """Detector state that must be stored together with what was found."""
    careful: bool = False


class TelemetryLane:
    """Gathers, detects and commits telemetry."""

    def __init__(
        self,
        register: Register,
        runner: Runner,
        clock: SystemClock,
        session: Session,
        *,
        owner: str,
        root_area_id: AreaId,
        batch_limit: int,
        linger_s: float,
        catch_up_per_s: float,
        adopt: Callable[[Recorded], None],
    ) -> None:
        """`adopt` hands what became of findings to the alarm lane, across threads."""
        self._register = register
        self._runner = runner
        self._clock = clock
        self._session = session
        self._owner = owner
        self._root_area_id = root_area_id
        self._batch_limit = batch_limit
        self._linger_s = linger_s
        self._catch_up_per_s = catch_up_per_s
        self._adopt = adopt
        self._inbox: deque[Message] = deque()
        self._waiting: dict[int, Message] = {}
        self._alive: deque[tuple[str, datetime]] = deque(maxlen=10_000)
        self._wake = asyncio.Event()
        self._behind_until_s = clock.monotonic_s() + CAUGHT_UP_S
        self._next_shard = 0
        self._shard_at_s = 0.0
        self.connection: MqttConnection | None = None
        self.counts: Counter[str] = Counter()
        self.committing_since_s: float | None = None

    def on_message(self, delivery: Delivery) -> None:
        """A message of the telemetry connection: into the inbox, or to its twin that waits."""
        self.counts["messages"] += 1
        key = identity.message_key(delivery.topic, delivery.payload)
        # Equal bytes that are not marked as a duplicate may be a new reading of a device without
        # clock and ids; what is one and the same meets its key in the database.
        twin = self._waiting.get(key) if delivery.duplicate else None
        if twin is not None:
            if delivery.qos > 0 and delivery.ticket not in twin.tickets:
                twin.tickets.append(delivery.ticket)
            return
        tickets = [delivery.ticket] if delivery.qos > 0 else []
        message = Message(delivery, self._clock.now(), key, tickets)
        self._waiting[key] = message
        self._inbox.append(message)
        if not self._wake.is_set():
            self._wake.set()

    def heard(self, device_id: str, at: datetime) -> None:
        """The alarm lane heard a device (called from its thread)."""
        self._alive.append((device_id, at))

    async def run(self) -> None:
        """Batch after batch, for ever."""
        while True:
            batch = self._prepare(await self._gather())
            started_s = self._clock.monotonic_s()
            self.committing_since_s = started_s
            batch_id, results = await self._commit(batch)
            self.committing_since_s = None
            if self._clock.monotonic_s() - started_s > CAUGHT_UP_S / 10:
                self._fell_behind()
            self._runner.accept(batch.draft)
            self._answer(batch)
            for recorded in results:
                self._adopt(recorded)
            await self._checkpoint(batch_id)
            if len(batch.messages) >= self._batch_limit:
                spent_s = self._clock.monotonic_s() - started_s
                await asyncio.sleep(len(batch.messages) / self._catch_up_per_s - spent_s)

    async def _gather(self) -> list[Message]:
        """At least one message or one second; then up to the limit or the linger."""
        if not self._inbox:
            self._wake.clear()
            try:
                async with asyncio.timeout(1.0):
                    await self._wake.wait()
            except TimeoutError:
                return []
        if len(self._inbox) < self._batch_limit:
            await asyncio.sleep(self._linger_s)
        count = min(len(self._inbox), self._batch_limit)
        if count == self._batch_limit:
            self._fell_behind()
        return [self._inbox.popleft() for _ in range(count)]

    def _fell_behind(self) -> None:
        """A backlog is not a silent city: nothing before now counts as silence."""
        self._behind_until_s = self._clock.monotonic_s() + CAUGHT_UP_S
        self._runner.rescheduled(self._clock.now())

    def _prepare(self, messages: list[Message]) -> Batch:
        batch = Batch(messages)
        while self._alive:
            device_id, at = self._alive.popleft()
            if device := self._register.devices.get(DeviceId(device_id)):
                self._runner.observe(batch.draft, Observation(device, ALIVE, at, None))
        for message in messages:
            batch.careful = batch.careful or message.delivery.duplicate
            try:
                batch.rows.append(self._digest(message, batch))
            except Malformed as error:
                batch.rows.append([])
                batch.quarantined.append(self._quarantined(message, error.reason))
            except Exception as error:  # noqa: BLE001 - one message must not stop every lane
                _log.exception("telemetry_step_failed", topic_length=len(message.delivery.topic))
                batch.rows.append([])
                reason = f"the hub failed: {type(error).__name__}"
                batch.quarantined.append(self._quarantined(message, reason))
        if self._clock.monotonic_s() >= self._behind_until_s:
            self._runner.expire(batch.draft, self._clock.now(), EXPIRE_LIMIT)
        for device, finding in batch.draft.findings:
            batch.items.append(_item(device, finding))
            # A silence that is recorded but forgotten by its detector would never be withdrawn.
            number = shard_of(device.id)
            if number not in batch.shards:
                batch.shards[number] = self._runner.shard(number, batch.draft)
        return batch

    def _digest(self, message: Message, batch: Batch) -> list[ObservationRow]:
        """Decode, identify, observe, and make rows. Raises Malformed."""
        delivery = message.delivery
        topic = topics.parse(delivery.topic)
        if topic is None:
            raise Malformed("the topic is not one of the contract's")
        device = self._register.devices.get(topic.device_id)
        if device is None:
            raise Malformed("the device is not in the register")
        decoded = decode_telemetry(topic.kind, delivery.payload)
        self.counts["unknown_fields"] += decoded.unknown_fields
        self.counts["damaged"] += len(decoded.damage)
        received_at = message.received_at
        if not is_last_will(decoded.message):
            self._runner.observe(batch.draft, Observation(device, ALIVE, received_at, None))
        key = message.key
        if decoded.message.message_id is None and decoded.message.observed_at is None:
            # Nothing tells two equal readings apart but their arrival. A redelivery after a crash
            # is then stored twice, which harms less than a reading that is never stored.
            key = identity.message_key(f"{delivery.topic} {received_at}", delivery.payload)
        rows: list[ObservationRow] = []
        for index, value in enumerate(measured(decoded.message)):
            rows.append(
                (
                    value.observed_at or UNKNOWN_TIME,
                    device.id,
                    value.measure.code,
                    sample_key(key, index),
                    device.area_id,
                    device.person_id,
                    value.value,
                    value.state,
                    value.position.latitude if value.position else None,
                    value.position.longitude if value.position else None,
                    value.position.accuracy_m if value.position else None,
                    value.quality.code,
                    received_at,
                )
            )
            if self._runner.wants(value.measure.key):
                self._runner.observe(
                    batch.draft,
                    Observation(
                        device,
                        value.measure.key,
                        received_at,
                        value.observed_at,
                        value.value,
                        value.state,
                        value.quality,
                    ),
                )
        return rows

    def _quarantined(self, message: Message, reason: str) -> Quarantined:
        self.counts["quarantined"] += 1
        topic = topics.parse(message.delivery.topic)
        device = self._register.devices.get(topic.device_id) if topic else None
        return Quarantined(
            area_id=device.area_id if device else self._root_area_id,
            lane=topics.Lane.TELEMETRY.value,
            topic=message.delivery.topic,
            device_id=topic.device_id if topic else None,
            message_key=message.key,
            reason=reason,
            payload=message.delivery.payload,
            received_at=message.received_at,
        )

    async def _commit(self, batch: Batch) -> tuple[int, list[Recorded]]:
        """Until it is committed. A row the database refuses goes into quarantine, not round and
        round."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                return await self._session.run(lambda c: self._write(c, batch))
            except psycopg.errors.UniqueViolation:
                batch.careful = True
            except TRANSIENT as error:
                batch.careful = True
                _log.warning(
                    "telemetry_commit_failed",
                    error=type(error).__name__,
                    waiting=len(batch.messages),
                )
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)
            except (psycopg.Error, ValueError, OverflowError, TypeError) as error:
                _log.error("telemetry_refused", error=type(error).__name__)
                await self._sift(batch, str(error))
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

    async def _write(self, connection: Connection, batch: Batch) -> tuple[int, list[Recorded]]:
        rows = [row for rows in batch.rows for row in rows]
        batch_id = 0
        if rows or batch.shards:
            batch_id = await next_batch_id(connection)
            await store(connection, [(*row, batch_id) for row in rows], careful=batch.careful)
        await quarantine(connection, batch.quarantined)
        results = await record(connection, batch.items) if batch.items else []
        for number, state in batch.shards.items():
            now = self._clock.now()
            await save_shard(connection, self._owner, number, batch_id, now, state)
        return batch_id, results

    async def _sift(self, batch: Batch, reason: str) -> None:
        """Find the messages whose rows the database refuses, by trying each alone, unkept."""

        async def attempt(connection: Connection, rows: Sequence[ObservationRow]) -> None:
            async with connection.transaction(force_rollback=True):
                await store(connection, [(*row, 0) for row in rows], careful=True)

        for index, rows in enumerate(batch.rows):
            if not rows:
                continue
            try:
                await self._session.run(lambda c, rows=rows: attempt(c, rows))  # type: ignore[misc]
            except TRANSIENT:
                return
            except (psycopg.Error, ValueError, OverflowError, TypeError) as error:
                batch.rows[index] = []
                told = f"the database refuses it: {error}" if str(error) else reason
                batch.quarantined.append(self._quarantined(batch.messages[index], told))

    def _answer(self, batch: Batch) -> None:
        """Committed: PUBACK, and the messages wait no longer."""
        connection = self.connection
        for message in batch.messages:
            if self._waiting.get(message.key) is message:
                del self._waiting[message.key]
            if connection is not None:
                for ticket in message.tickets:
                    connection.ack(ticket)
        self.counts["committed"] += len(batch.messages)

    async def _checkpoint(self, batch_id: int) -> None:
        """One shard of detector state a second; recovery replays what came after its watermark."""
        now_s = self._clock.monotonic_s()
        if now_s - self._shard_at_s < CHECKPOINT_EVERY_S or batch_id == 0:
            return
        self._shard_at_s = now_s
        shard, self._next_shard = self._next_shard, (self._next_shard + 1) % SHARDS
        state = self._runner.shard(shard)

        async def work(connection: Connection) -> None:
            await save_shard(connection, self._owner, shard, batch_id, self._clock.now(), state)

        try:
            await self._session.run(work)
        except TRANSIENT:
            _log.warning("checkpoint_failed", shard=shard)


def _item(device: Device, finding: Finding) -> Item:
    """A finding becomes an alarm, or the end of one. The key makes it the same on every replay."""
    alarm_id = identity.unreadable_alarm_id(
        f"{finding.detector}/{finding.kind}/{finding.subject.id}/{finding.key}/{finding.phase}", b""
    )
    alarm = Alarm(
        id=alarm_id,
        area_id=device.area_id,
        subject=finding.subject,
        device_id=device.id,
        person_id=device.person_id,
        premises_id=device.premises_id,
        kind=finding.kind,
        category=finding.category,
        priority=finding.priority,
        action=None,
        message_id=None,
        observed_at=None,
        received_at=finding.at,
        text=finding.text,
    )
    if finding.phase is Phase.WITHDRAWN:
        return ClearItem(finding.subject, alarm)
    return AlarmItem(alarm)
