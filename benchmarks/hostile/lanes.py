"""Hostile messages through the steps of both lanes, in this process and without a broker.

What the steps make of them is written where a mistake would come out: an alarm as the desk shows
it, a detector's state as JSON, an observation's row as the database takes it (in a transaction
that is rolled back).
"""

import gc
import os
import traceback
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import psycopg

from benchmarks.harness import rss_mib, say
from benchmarks.hostile.homes import ROOT, MovedClock, register
from benchmarks.hostile.payloads import Hostile, Hostility
from hub.alarm_states import AlarmStates
from hub.board import Board
from hub.circumstances import Circumstances
from hub.detect.belonging import SHARDS
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Draft, Runner
from hub.digest import Message, TelemetryDigest, Witness
from hub.findings import item_of
from hub.ingest import ALARM_STEPS, Desk, Incoming
from hub.sources.mqtt import Delivery
from hub.store.observations import store
from hub.store.packed import PackedRow
from hub.view import alarm_view
from schemas import identity
from schemas.codec import Malformed
from schemas.topics import Lane

BATCH = 2_000
EXPIRE_LIMIT = 1_000
SECONDS_A_BATCH = 45.0
"""A million messages take six hours of the clock: candidates are decided, deadlines pass."""
WARM_UP = 0.1
"""Share of the messages before memory is looked at for the first time: caches and models are
loaded, every device has a state."""
EXAMPLES_KEPT = 20


@dataclass(slots=True)
class Outcome:
    """What became of the messages."""

    payloads: int = 0
    alarms: int = 0
    quarantined: int = 0
    """Of the telemetry lane: not readable, or of nobody; of the alarm lane those ring as well."""
    digested: int = 0
    rows: int = 0
    findings: int = 0
    escaped: int = 0
    lost: int = 0
    """Of the alarm lane without an alarm."""
    growth_mib: float = 0.0
    examples: list[str] = field(default_factory=list)

    def escape(self, hostile: Hostile | None, why: str) -> None:
        """Something came out that nobody caught."""
        self.escaped += 1
        if len(self.examples) < EXAMPLES_KEPT:
            told = "" if hostile is None else f"{hostile.topic[:200]!r} {hostile.payload[:400]!r}: "
            self.examples.append(told + why)

    @property
    def conserved(self) -> bool:
        """Whether every message is accounted for."""
        return self.payloads == self.alarms + self.digested + self.quarantined + self.escaped


class Lanes:
    """Both lanes' steps over one register, as the ingest process has them."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.register = register()
        self.outcome = Outcome()
        self._board = Board()
        self._states = AlarmStates()
        self._desk = Desk(self.register, self._board, ROOT, self._states)
        circumstances = Circumstances(self.register, list)
        self._runner = Runner(TELEMETRY_DETECTORS, circumstances, self.clock.now())
        witness = Witness(lambda: self._states.watched_people, self._states.corroborate)
        self._digest = TelemetryDigest(self.register, self._runner, Counter(), witness)
        self._mid = 0

    def alarm(self, hostile: Hostile) -> None:
        """decode > identify > stamp > place > detect > raise, then as a desk sees it."""
        incoming = Incoming(self._delivery(hostile), self.clock.now())
        try:
            for step in ALARM_STEPS:
                step(incoming, self._desk)
            if incoming.failed:
                self.outcome.escape(hostile, "a detector failed on it")
                return
            if incoming.alarm is None:
                self.outcome.lost += 1
                self.outcome.escape(hostile, "no alarm")
                return
            msgspec.json.encode(alarm_view(incoming.alarm))
            identity.message_key(hostile.topic, hostile.payload)
        except Exception:  # noqa: BLE001 - this is what is looked for
            self.outcome.escape(hostile, traceback.format_exc(limit=-3))
            return
        self.outcome.alarms += 1

    def telemetry(self, hostile: Hostile, draft: Draft) -> list[PackedRow]:
        """decode > identify > detect > pack."""
        key = identity.message_key(hostile.topic, hostile.payload)
        message = Message(self._delivery(hostile), self.clock.now(), key, [])
        try:
            rows = self._digest.digest(message, draft)
        except Malformed:
            self.outcome.quarantined += 1
            return []
        except Exception:  # noqa: BLE001 - this is what is looked for
            self.outcome.escape(hostile, traceback.format_exc(limit=-3))
            return []
        self.outcome.digested += 1
        return rows

    def let_pass(self, draft: Draft, number: int) -> None:
        """Time passes: candidates are decided, deadlines expire, states are written down."""
        self.clock.pass_time(SECONDS_A_BATCH)
        now = self.clock.now()
        try:
            for key in self._states.due(now):
                self._states.decide(key, now)
            self._runner.expire(draft, now, EXPIRE_LIMIT)
            for device, finding in draft.findings:
                item_of(device, finding)
                msgspec.json.encode(finding.evidence)
            self._runner.kept(draft)
            self.outcome.findings += len(draft.findings)
            self._runner.shard(number % SHARDS)
        except Exception:  # noqa: BLE001 - this is what is looked for
            self.outcome.escape(None, traceback.format_exc(limit=-3))

    def draft(self) -> Draft:
        """An empty batch."""
        return self._runner.draft()

    def _delivery(self, hostile: Hostile) -> Delivery:
        self._mid = self._mid % 65_535 + 1
        return Delivery(hostile.topic, hostile.payload, (1, self._mid), 1, False, False)


async def storm(database_url: str, count: int, seed: int) -> Outcome:
    """`count` messages, both lanes in turn; what should be stored is offered to a real database."""
    lanes = Lanes()
    outcome = lanes.outcome
    hostility = Hostility(lanes.register.devices, seed)
    messages = hostility.messages(lanes.clock.now, (Lane.ALARM, Lane.TELEMETRY))
    warm_at, before_mib = count * WARM_UP, 0.0
    connection = await psycopg.AsyncConnection.connect(database_url)
    async with connection:
        for number in range(-(-count // BATCH)):
            draft, rows = lanes.draft(), list[tuple[Hostile, list[PackedRow]]]()
            for hostile in islice(messages, min(BATCH, count - outcome.payloads)):
                outcome.payloads += 1
                if hostile.lane is Lane.ALARM:
                    lanes.alarm(hostile)
                elif found := lanes.telemetry(hostile, draft):
                    rows.append((hostile, found))
            lanes.let_pass(draft, number)
            await _offer(connection, rows, outcome)
            if not before_mib and outcome.payloads >= warm_at:
                before_mib = _rss_mib()
            if number % 25 == 24:
                say(f"{outcome.payloads} payloads, {outcome.escaped} escaped, {_rss_mib():.0f} MiB")
    outcome.growth_mib = round(_rss_mib() - before_mib, 1)
    return outcome


async def _offer(
    connection: psycopg.AsyncConnection[object],
    rows: list[tuple[Hostile, list[PackedRow]]],
    outcome: Outcome,
) -> None:
    """Rows the database would refuse would hold up a whole batch of the lane."""
    try:
        async with connection.transaction(force_rollback=True):
            await store(connection, [row for _, some in rows for row in some], 1, careful=True)
        outcome.rows += sum(len(some) for _, some in rows)
        return
    except psycopg.Error as error:
        if len(rows) == 1:
            outcome.escape(rows[0][0], f"the database refuses it: {error}")
            return
    middle = len(rows) // 2
    await _offer(connection, rows[:middle], outcome)
    await _offer(connection, rows[middle:], outcome)


def _rss_mib() -> float:
    gc.collect()
    return rss_mib(os.getpid())
