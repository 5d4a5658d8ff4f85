"""From announced to recorded: commit, PUBACK, receipt, and what the desks learn of the truth.

A batch that fails is tried again whole, for ever; what the database refuses is recorded bare, and
what it refuses even then is set aside, so that one alarm never holds up the others.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import psycopg
import structlog

from alerts.alarm import Flag
from alerts.errors import AlertsError
from alerts.incident import Incident, State
from hub.alarm_receipts import Receipts
from hub.alarm_voice import Voice
from hub.board import Board
from hub.clock import SystemClock
from hub.database import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, TRANSIENT, Connection, Session
from hub.in_flight import Entry, InFlight
from hub.sources.mqtt import Ticket
from hub.store.alarm_states import save_states
from hub.store.cases import ActionItem, AlarmItem, Item, Recorded, record
from hub.store.upkeep import Quarantined, quarantine
from schemas import topics
from schemas.alarms import PressAction
from schemas.ids import AreaId

BATCH_LIMIT = 25
"""Alarms and actions in one transaction: about 10 ms of work during which a fresh press waits."""
BACKLOG_SHARE = 8
BACKLOG_BATCH_LIMIT = 200
"""Where thousands wait, an eighth of them at once, up to this many: a fresh press stands behind
them anyhow, and twenty questions a transaction are asked for eight times as many."""
SETTLED_AT_ONCE = 4
SETTLE_PAUSE_S = 0.002
"""After a stall hundreds are recorded at once; telling everybody takes about a millisecond each,
and a fresh press must not wait behind them, here or in the API."""
SLOW_AFTER_S = 0.3
"""A commit takes 5 ms; after this the person hears `heard` and the desk `pending`."""
LOOK_EVERY_S = 0.1

REFUSED = (psycopg.Error, ValueError, TypeError, OverflowError)
"""What psycopg or PostgreSQL say to a value they cannot take. A mistake of ours in the middle of a
record is treated alike: ending the process would have the broker bring the same message again, and
one alarm must never hold up the others."""

_log = structlog.get_logger(__name__)


class Settling:
    """The queue of what was announced, and its way into the database."""

    def __init__(
        self,
        board: Board,
        clock: SystemClock,
        session: Session,
        receipts: Receipts,
        voice: Voice,
        counts: Counter[str],
        *,
        root_area_id: AreaId,
        ack: Callable[[Ticket], None],
    ) -> None:
        """`ack` answers a delivery of the broker."""
        self._board = board
        self._clock = clock
        self._session = session
        self._receipts = receipts
        self._voice = voice
        self._counts = counts
        self._root_area_id = root_area_id
        self._ack = ack
        self._wake = asyncio.Event()
        self.in_flight = InFlight()

    def add(self, entry: Entry) -> None:
        """It waits for its commit."""
        self.in_flight.add(entry)
        self._wake.set()

    def adopt(self, recorded: Recorded) -> None:
        """Something was recorded that nobody announced before: show it."""
        incident = recorded.incident
        if incident is not None and recorded.cause is not None:
            if recorded.alarm is not None:
                self._board.show(incident.id, recorded.alarm)
            self._voice.announce(recorded.cause, incident, recorded.alarm)
            self._board.put(incident)

    async def commit_for_ever(self) -> None:
        """Batch after batch."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self.in_flight.take(_batch_size(len(self.in_flight))):
                await self._commit(batch)

    async def _commit(self, batch: Sequence[Entry]) -> None:
        """Until it is recorded; there is no giving up on an alarm."""
        backoff_s = FIRST_BACKOFF_S

        async def work(connection: Connection) -> list[Recorded]:
            await quarantine(connection, [e.quarantined for e in batch if e.quarantined])
            items = [entry.item for entry in batch]
            results = await record(connection, items, self._receipts.language)
            kept = [one for entry in batch for one in entry.kept]
            await save_states(connection, kept, self._clock.now())
            return results

        results: list[Recorded] | None = None
        while results is None:
            try:
                results = await self._session.run(work)
            except TRANSIENT as error:
                _log.warning("alarm_commit_failed", error=type(error).__name__, waiting=len(batch))
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)
            except Exception as error:  # noqa: BLE001 - refused, or a mistake of ours: see REFUSED
                if isinstance(error, REFUSED):
                    _log.error("alarm_refused", error=type(error).__name__, alarms=len(batch))
                else:
                    _log.exception("alarm_record_failed", alarms=len(batch))
                if len(batch) > 1:
                    for entry in batch:
                        await self._commit([entry])
                    return
                if batch[0].refused:
                    await self._set_aside(batch[0], str(error))
                    return
                batch[0].refused = True
                batch[0].item, batch[0].kept = _bare(batch[0].item), ()
        for entry in batch:
            self._puback(entry)
        for number, (entry, recorded) in enumerate(zip(batch, results, strict=True), 1):
            self.in_flight.forget(entry)
            self._settle(entry, recorded)
            if number % SETTLED_AT_ONCE == 0:
                await asyncio.sleep(SETTLE_PAUSE_S)

    async def _set_aside(self, entry: Entry, reason: str) -> None:
        """The database refuses it even without its extras: keep the bytes, let the others pass.
        It has rung, and stays on the board as provisional."""
        item = entry.item
        if isinstance(item, AlarmItem):
            alarm = item.alarm
            kept = entry.quarantined or Quarantined(
                area_id=self._root_area_id,
                lane=topics.Lane.ALARM.value,
                topic=entry.topic,
                device_id=alarm.device_id,
                message_key=int(alarm.id[:15], 16),
                reason=f"the database refuses it: {reason}",
                payload=entry.payload,
                received_at=alarm.received_at,
            )
            await self._keep(kept)
        elif isinstance(item, ActionItem):
            self._voice.acted(item.action, None, AlertsError("it cannot be recorded"))
        self._counts["set_aside"] += 1
        self.in_flight.forget(entry)
        self._puback(entry)

    async def _keep(self, message: Quarantined) -> None:
        """Into quarantine, however long it takes: the broker forgets it after the PUBACK."""
        while True:
            try:
                await self._session.run(lambda connection: quarantine(connection, [message]))
            except TRANSIENT:
                await asyncio.sleep(LONGEST_BACKOFF_S)
            except REFUSED as error:
                _log.error("quarantine_refused", error=type(error).__name__)
                return
            else:
                return

    def _puback(self, entry: Entry) -> None:
        """Answer every delivery of it that was not answered yet."""
        for ticket in entry.tickets:
            self._ack(ticket)
        entry.tickets.clear()

    def _settle(self, entry: Entry, recorded: Recorded) -> None:
        """It is recorded: receipt, and the desk learns the truth."""
        self._puback(entry)
        incident, now = recorded.incident, self._clock.now()
        certain = incident is not None and not self.in_flight.concerns(incident.id)
        if incident is not None and certain:
            self._board.provisional.discard(incident.id)
        match entry.item:
            case ActionItem(action=action):
                # Before the board lets go of a resolved incident's alarms: the desk shows them.
                if incident is not None and recorded.shown:
                    self._board.put(incident)
                    for alarm in recorded.shown:
                        self._board.show(incident.id, alarm)
                self._voice.acted(action, incident, recorded.refusal)
                if incident is not None and recorded.cause is not None:
                    self._voice.announce(recorded.cause, incident, None)
                if incident is not None and certain:
                    self._board.put(incident)
            case AlarmItem() as item:
                if incident is not None and certain:
                    self._board.put(incident)
                self._settle_alarm(entry, item, recorded, now)
            case _:
                self.adopt(recorded)

    def _settle_alarm(
        self,
        entry: Entry,
        item: AlarmItem,
        recorded: Recorded,
        now: datetime,
    ) -> None:
        alarm, incident = recorded.alarm or item.alarm, recorded.incident
        self._counts["duplicates" if recorded.duplicate else "alarms"] += 1
        self._board.remember(alarm.id, incident.id if incident else None)
        if item.derived:
            self.in_flight.settled(entry.key, alarm.id, self._clock.monotonic_s())
        self._receipts.recorded(alarm, incident, now, repeat=recorded.duplicate)
        asked = entry.joined is not None and entry.joined.state is State.CHECKING
        if alarm.action is PressAction.CANCEL and asked and entry.joined is not None:
            self._receipts.question_over(alarm, entry.joined, now)
        if incident is not None and not recorded.duplicate:
            self._board.show(incident.id, alarm)
        if entry.provisional_id is not None and not _same(incident, entry.provisional_id):
            self._settle_elsewhere(entry, recorded, incident)
            return
        if incident is None or self.in_flight.concerns(incident.id):
            return
        self._voice.announce("committed", incident, None if recorded.duplicate else alarm)

    def _settle_elsewhere(
        self, entry: Entry, recorded: Recorded, incident: Incident | None
    ) -> None:
        """What was announced is not what the database made of it."""
        merged_from = entry.provisional_id
        alarm = recorded.alarm
        if merged_from is None or alarm is None:
            return
        if recorded.duplicate and entry.joined is not None:
            # An old press that only the database knew: the case it seemed to join is as before.
            before = self._board.take_back(entry.joined, alarm.id)
            self._voice.announce("refreshed", before, None)
            return
        self._board.remove(merged_from)
        if incident is not None:
            self._voice.announce("merged", incident, alarm, merged_from=merged_from)

    def tell_slow(self) -> None:
        """What waits too long for its commit: the person hears that it rings, the desk that its
        action is kept."""
        before_s = self._clock.monotonic_s() - SLOW_AFTER_S
        for entry in list(self.in_flight):
            if entry.arrived_s > before_s:
                return
            if entry.told_slow:
                continue
            entry.told_slow = True
            match entry.item:
                case AlarmItem(alarm=alarm) if alarm.rings:
                    self._receipts.heard(alarm, self._clock.now())
                case ActionItem(action=action):
                    self._voice.pending(action)

    def not_answered(self, incident: Incident) -> None:
        """Nobody answered while this waits for its commit: recorded as raised."""
        for entry in self.in_flight:
            item = entry.item
            if entry.provisional_id != incident.id or not isinstance(item, AlarmItem):
                continue
            if item.alarm.ask_s:
                entry.item = replace(item, alarm=replace(item.alarm, ask_s=0), unanswered=True)


def _batch_size(waiting: int) -> int:
    """How many are recorded together while so many wait.

    >>> [_batch_size(n) for n in (1, 200, 800, 10_000)]
    [25, 25, 100, 200]
    """
    return min(max(BATCH_LIMIT, waiting // BACKLOG_SHARE), BACKLOG_BATCH_LIMIT)


def _same(incident: Incident | None, incident_id: str) -> bool:
    return incident is not None and incident.id == incident_id


def _bare(item: Item) -> Item:
    """What the database refused, without everything a device could have put into it."""
    if not isinstance(item, AlarmItem):
        return item
    flags = tuple({*item.alarm.flags, Flag.DAMAGED})
    alarm = replace(
        item.alarm, text="", position=None, message_id=None, flags=flags, observed_at=None,
        reply_prefix=None, evidence={},
    )  # fmt: skip
    return AlarmItem(alarm, item.derived)
