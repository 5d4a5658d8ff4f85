"""The telemetry lane: detect, commit, PUBACK; bounded batches, one transaction each.

Runs on its own thread and loop. While a batch commits, the next one is prepared on top of it; when
the database is silent the lane holds at most the broker's bound of unanswered messages and waits.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import msgspec
import psycopg
import structlog

from hub import retry
from hub.circumstances import Circumstances
from hub.clock import SystemClock
from hub.database import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, TRANSIENT, Connection, Session
from hub.detect.belonging import SHARDS
from hub.detect.runner import Draft, Runner
from hub.detect.silence import SilenceDetector
from hub.detect.states import KeptState
from hub.device import Device
from hub.digest import Message, TelemetryDigest, Witness
from hub.observation import Observation
from hub.outage_watch import OutageChanges, OutageWatch
from hub.register import Register
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.cases import Item, Recorded, record
from hub.store.checkpoints import save_kept, save_shard
from hub.store.observations import next_batch_id, store
from hub.store.outages import save_outages
from hub.store.packed import PackedRow
from hub.store.upkeep import Quarantined, quarantine
from schemas import identity, topics
from schemas.codec import Malformed
from schemas.ids import AreaId

EXPIRE_LIMIT = 1_000
"""Deadlines let pass per batch: a silent city is reported over a few batches."""
CAUGHT_UP_S = 30
"""Ours: after a stall or restart the broker's backlog comes first; silence is judged after this
long without a backlog."""
DEAF_EVERY_S = 1.0
"""How often it is noted while there is a backlog: every context is made anew by it."""
SLICE = 64
"""Messages digested before the loop looks at its sockets again: about two milliseconds."""
CHECKPOINT_EVERY_S = 1.0
CHECKPOINT_EVERY_MESSAGES = 6_000
"""A shard is written after so many at the latest, so that recovery replays no more than 64 times as
many. Measured: seven to ten microseconds a row, and ten once for each device met: some six seconds
after a kill that follows minutes of full load, and less than one on a usual day."""
CIRCUMSTANCES_EVERY_S = 1.0
"""As often as the register is looked at for changes."""
ROLL_CALL_EVERY_S = 4.0
CALLED_PER_S = 4_000
"""At most, on average: below a hundredth of the time."""
CALLED_AT_ONCE = 500
"""Devices looked up in one batch of a roll call: about a millisecond."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """What one transaction writes; kept until it is committed."""

    messages: list[Message]
    draft: Draft
    rows: list[list[PackedRow]] = field(default_factory=list)
    """By message, so that one the database refuses can be told from the others."""
    quarantined: list[Quarantined] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    outages: OutageChanges | None = None
    kept: list[KeptState] = field(default_factory=list)
    """Detector states that must be stored together with what was found."""
    careful: bool = False
    shard: tuple[int, bytes] | None = None
    """A shard of detector state as of this batch, to be stored after it."""


class TelemetryLane:
    """Gathers, detects and commits telemetry."""

    def __init__(
        self,
        register: Register,
        runner: Runner,
        circumstances: Circumstances,
        clock: SystemClock,
        session: Session,
        *,
        owner: str,
        root_area_id: AreaId,
        batch_limit: int,
        linger_s: float,
        adopt: Callable[[Recorded], None],
        witness: Witness,
    ) -> None:
        """`adopt` hands what became of findings to the alarm lane, across threads."""
        self._register = register
        self._runner = runner
        self._circumstances = circumstances
        self._clock = clock
        self._session = session
        self._owner = owner
        self._root_area_id = root_area_id
        self._batch_limit = batch_limit
        self._linger_s = linger_s
        self._adopt = adopt
        self._inbox: deque[Message] = deque()
        self._received_at: datetime | None = None
        self._waiting: dict[int, Message] = {}
        self._overheard: deque[Observation] = deque(maxlen=10_000)
        self._wake = asyncio.Event()
        self._behind_until_s = clock.monotonic_s() + CAUGHT_UP_S
        self._deaf_at_s = -DEAF_EVERY_S
        self._next_shard = 0
        self._shard_at_s = 0.0
        self._since_shard = 0
        self._last_batch_id = 0
        self._news = 0
        """Batches that changed anything."""
        self._written: dict[int, int] = {}
        """Up to which of them each shard was written by this process."""
        self._circumstances_at_s = 0.0
        self._roll_call: Iterator[Device] | None = None
        self._roll_call_at_s = 0.0
        self._answered = 0
        self.devices_online = 0
        """Heard of and not silent, as of the last roll call."""
        self.outages = OutageWatch(
            register, lambda: runner.table("silence"), lambda: runner.listening_since
        )
        """What of the findings is one area's and not many devices'."""
        self.connection: MqttConnection | None = None
        self.counts: Counter[str] = Counter()
        self.committing_since_s: float | None = None
        self._digest = TelemetryDigest(register, runner, self.counts, witness)

    def on_message(self, delivery: Delivery) -> None:
        """A message of the telemetry connection: into the inbox, or to its twin that waits."""
        self.counts["messages"] += 1
        received_at, retry_key = self._received_at or self._look_at_clock(), 0
        if delivery.topic == topics.DESK_RETRY_TELEMETRY:
            try:
                opened = retry.opened(delivery.payload)
            except Malformed as error:
                _log.error("retry_unreadable", reason=error.reason)
                if self.connection is not None:
                    self.connection.ack(delivery.ticket)
                return
            retry_key = identity.message_key(delivery.topic, delivery.payload)
            delivery = msgspec.structs.replace(delivery, topic=opened.topic, payload=opened.payload)
            received_at = opened.received_at
        key = identity.message_key(delivery.topic, delivery.payload)
        # Equal bytes that are not marked as a duplicate may be a new reading of a device without
        # clock and ids; what is one and the same meets its key in the database.
        twin = self._waiting.get(retry_key or key) if delivery.duplicate else None
        if twin is not None:
            if delivery.qos > 0 and delivery.ticket not in twin.tickets:
                twin.tickets.append(delivery.ticket)
            return
        tickets = [delivery.ticket] if delivery.qos > 0 else []
        message = Message(delivery, received_at, key, tickets, retry_key)
        self._waiting[retry_key or key] = message
        self._inbox.append(message)
        if not self._wake.is_set():
            self._wake.set()

    def _look_at_clock(self) -> datetime:
        """Once for all messages of one read off the socket: it costs more than cutting one out."""
        now = self._received_at = self._clock.now()
        asyncio.get_running_loop().call_soon(self._forget_time)
        return now

    def _forget_time(self) -> None:
        self._received_at = None

    def heard(self, observation: Observation) -> None:
        """The alarm lane heard a device (called from its thread)."""
        self._overheard.append(observation)

    async def run(self) -> None:
        """Batch after batch, for ever; one is prepared while the one before commits."""
        committing: asyncio.Task[None] | None = None
        try:
            while True:
                messages = await self._gather()
                batch = await self._prepare(messages)
                if committing is not None:
                    await committing
                committing = asyncio.create_task(self._conclude(batch))
        finally:
            if committing is not None:
                committing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await committing

    async def _conclude(self, batch: Batch) -> None:
        """Commit, answer, tell the alarm lane."""
        started_s = self._clock.monotonic_s()
        self.committing_since_s = started_s
        batch_id, results = await self._commit(batch)
        self.committing_since_s = None
        if self._clock.monotonic_s() - started_s > CAUGHT_UP_S / 10:
            self._fell_behind()
        self._answer(batch)
        for recorded in results:
            self._adopt(recorded)
        self._last_batch_id = max(self._last_batch_id, batch_id)
        if batch.shard is not None:
            await self._save_shard(*batch.shard)

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
        if self.connection is not None and self.connection.saturated:
            self._fell_behind()
        count = min(len(self._inbox), self._batch_limit)
        return [self._inbox.popleft() for _ in range(count)]

    def _fell_behind(self) -> None:
        """A backlog is not a silent city: nothing before now counts as silence."""
        now_s = self._clock.monotonic_s()
        self._behind_until_s = now_s + CAUGHT_UP_S
        if now_s - self._deaf_at_s >= DEAF_EVERY_S:
            self._deaf_at_s = now_s
            self._runner.rescheduled(self._clock.now())

    async def _prepare(self, messages: list[Message]) -> Batch:
        batch = Batch(messages, self._runner.draft())
        now_s = self._clock.monotonic_s()
        if now_s - self._circumstances_at_s >= CIRCUMSTANCES_EVERY_S:
            self._circumstances_at_s = now_s
            self._take_up_changes(batch.draft)
        self._call_roll(batch.draft, now_s)
        while self._overheard:
            self._runner.observe(batch.draft, self._overheard.popleft(), stored=False)
        for number, message in enumerate(messages, 1):
            batch.careful = batch.careful or message.delivery.duplicate
            batch.rows.append(self._digested(message, batch))
            if number % SLICE == 0:
                await asyncio.sleep(0)
        if self._clock.monotonic_s() >= self._behind_until_s:
            self._runner.expire(batch.draft, self._clock.now(), EXPIRE_LIMIT)
        batch.items, batch.outages = self.outages.fold(batch.draft.findings, self._clock.now())
        batch.kept = self._runner.kept(batch.draft)
        self._since_shard += len(messages)
        batch.shard = self._shard_due(bool(messages or batch.kept))
        return batch

    def _take_up_changes(self, draft: Draft) -> None:
        changed = self._circumstances.refresh()
        if changed is None:
            self._runner.resettled()
            self._roll_call_at_s = 0.0
        elif changed:
            self._runner.circumstances_changed(draft, changed)

    def _call_roll(self, draft: Draft, now_s: float) -> None:
        """Who is heard, a few devices a batch. Those that never were are expected to speak from
        their first roll call on; who joins meanwhile is called the next time."""
        if self._roll_call is None:
            if now_s < self._roll_call_at_s:
                return
            ours = self._register.ours
            devices = [d for d in self._register.devices.values() if ours(d.area_id)]
            self._roll_call_at_s = now_s + max(ROLL_CALL_EVERY_S, len(devices) / CALLED_PER_S)
            self._roll_call, self._answered = iter(devices), 0
        called = list(islice(self._roll_call, CALLED_AT_ONCE))
        silences = self._runner.table(SilenceDetector.name)
        unheard = []
        for device in called:
            state = silences.get(device.id)
            if state is None:
                unheard.append(device)
            elif not state.reported:
                self._answered += 1
        self._runner.begin(draft, unheard, self._clock.now())
        if len(called) < CALLED_AT_ONCE:
            self._roll_call, self.devices_online = None, self._answered

    def _digested(self, message: Message, batch: Batch) -> list[PackedRow]:
        try:
            return self._digest.digest(message, batch.draft)
        except Malformed as error:
            batch.quarantined.append(self._quarantined(message, error.reason))
        except Exception as error:  # noqa: BLE001 - one message must not stop every lane
            _log.exception("telemetry_step_failed", topic_length=len(message.delivery.topic))
            reason = f"the hub failed: {type(error).__name__}"
            batch.quarantined.append(self._quarantined(message, reason))
        return []

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
        if rows or batch.kept:
            batch_id = await next_batch_id(connection)
            await store(connection, rows, batch_id, careful=batch.careful)
            await save_kept(connection, self._owner, batch_id, batch.kept)
        await quarantine(connection, batch.quarantined)
        if batch.outages:
            await save_outages(connection, batch.outages)
        results = await record(connection, batch.items) if batch.items else []
        return batch_id, results

    async def _sift(self, batch: Batch, reason: str) -> None:
        """Find the messages whose rows the database refuses, by trying each alone, unkept."""

        async def attempt(connection: Connection, rows: list[PackedRow]) -> None:
            async with connection.transaction(force_rollback=True):
                await store(connection, rows, 0, careful=True)

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
        waiting = self._waiting
        for message in batch.messages:
            known_by = message.retry_key or message.key
            if waiting.get(known_by) is message:
                del waiting[known_by]
        if self.connection is not None:
            self.connection.ack_all([t for message in batch.messages for t in message.tickets])
        self.counts["committed"] += len(batch.messages)

    def _shard_due(self, news: bool) -> tuple[int, bytes] | None:
        """A shard of detector state now and then, unless nothing came since it was written last.
        Taken between two batches, it holds this one whole and nothing of the next."""
        self._news += news
        now_s = self._clock.monotonic_s()
        due = now_s - self._shard_at_s >= CHECKPOINT_EVERY_S
        if not due and self._since_shard < CHECKPOINT_EVERY_MESSAGES:
            return None
        self._shard_at_s, self._since_shard = now_s, 0
        shard, self._next_shard = self._next_shard, (self._next_shard + 1) % SHARDS
        if self._written.get(shard) == self._news:
            return None
        self._written[shard] = self._news
        return shard, self._runner.shard(shard)

    async def _save_shard(self, shard: int, state: bytes) -> None:
        """After its batch: recovery replays what came after the watermark."""
        batch_id = self._last_batch_id

        async def work(connection: Connection) -> None:
            await save_shard(connection, self._owner, shard, batch_id, self._clock.now(), state)

        try:
            await self._session.run(work)
        except TRANSIENT:
            self._written.pop(shard, None)
            _log.warning("checkpoint_failed", shard=shard)
