"""The alarm lane: announce, commit, PUBACK, receipt. It never waits for telemetry, and while the
database is silent it still rings.

Everything here runs on one event loop, so nothing needs a lock. A batch that fails is tried again
whole; redeliveries of what is in flight attach to it instead of starting anew.
"""

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import psycopg
import structlog

from alerts.actions import Action, perform
from alerts.alarm import Alarm, Flag
from alerts.errors import AlertsError
from alerts.incident import Incident
from alerts.policy import policy_for
from hub.alarm_receipts import Receipts
from hub.clock import SystemClock
from hub.database import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, TRANSIENT, Connection, Session
from hub.desk_bus import action_result, incident_announcement, read_action
from hub.in_flight import Entry, InFlight
from hub.ingest import ALARM_STEPS, Desk, Incoming, undigested
from hub.pace import in_slices
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.cases import ActionItem, AlarmItem, Item, Recorded, record
from hub.store.upkeep import Quarantined, quarantine
from hub.view import View, alarm_view, incident_view
from schemas import identity, topics
from schemas.alarms import Motion
from schemas.codec import Malformed, encode
from schemas.ids import AlarmId

BATCH_LIMIT = 25
"""Alarms and actions in one transaction: about 10 ms of work during which a fresh press waits."""
SETTLED_AT_ONCE = 4
SETTLE_PAUSE_S = 0.002
"""After a stall hundreds are recorded at once; telling everybody takes about a millisecond each,
and a fresh press must not wait behind them, here or in the API."""
SLOW_AFTER_S = 0.3
"""A commit takes 5 ms; after this the person hears `heard` and the desk `pending`."""
LOOK_EVERY_S = 0.1

REFUSED = (psycopg.Error, ValueError, TypeError, OverflowError)
"""What psycopg or PostgreSQL say to a value they cannot take."""

_log = structlog.get_logger(__name__)


class AlarmLane:
    """Steps, queue, commit and answers of the alarm lane."""

    def __init__(
        self,
        desk: Desk,
        clock: SystemClock,
        session: Session,
        receipts: Receipts,
        publish: Callable[[str, bytes], bool],
        alive: Callable[[str, datetime], None],
    ) -> None:
        """`publish` hands a QoS 0 message to the hub's own connection; `alive` tells the telemetry
        lane that a device was heard."""
        self._desk = desk
        self._board = desk.board
        self._clock = clock
        self._session = session
        self._receipts = receipts
        self._publish = publish
        self._alive = alive
        self._in_flight = InFlight()
        self._again: deque[Delivery] = deque()
        self._wake = asyncio.Event()
        self._again_wake = asyncio.Event()
        self.connection: MqttConnection | None = None
        self.counts: Counter[str] = Counter()

    @property
    def unrecorded(self) -> int:
        """Alarms and actions that are not in the database yet."""
        return len(self._in_flight) + len(self._again)

    def oldest_unrecorded_s(self) -> float:
        """Age of the oldest of them, seconds."""
        oldest = self._in_flight.oldest()
        return 0.0 if oldest is None else self._clock.monotonic_s() - oldest.arrived_s

    def on_message(self, delivery: Delivery) -> None:
        """A message of the alarm lane's connection. Never raises: an alarm that a step cannot
        digest is still an alarm.

        What the broker sends again comes in hundreds after a stall or a restart; fresh presses go
        first.
        """
        self.counts["messages"] += 1
        if delivery.duplicate:
            self._again.append(delivery)
            self._again_wake.set()
        else:
            self._take(delivery)

    def _take(self, delivery: Delivery) -> None:
        if delivery.topic == topics.DESK_ACTION:
            self._take_action(delivery)
            return
        incoming = Incoming(delivery, self._clock.now())
        try:
            for step in ALARM_STEPS:
                step(incoming, self._desk)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not silence a press
            _log.exception("alarm_step_failed", topic_length=len(delivery.topic))
            self.counts["step_failures"] += 1
            incoming = undigested(incoming, self._desk, f"the hub failed: {type(error).__name__}")
        if incoming.decoded is not None:
            self.counts["unknown_fields"] += incoming.decoded.unknown_fields
        if incoming.device is not None:
            self._alive(incoming.device.id, incoming.received_at)
        if incoming.alarm is not None:
            self._take_alarm(incoming, incoming.alarm)

    def raise_own(self, alarm: Alarm) -> None:
        """An alarm of the hub itself (a lost broker session): same path, nobody to answer."""
        self._enqueue(Entry(AlarmItem(alarm), self._clock.monotonic_s(), key=alarm.id))

    def adopt(self, recorded: Recorded) -> None:
        """The other lane recorded something: show it."""
        if recorded.incident is not None and recorded.cause is not None:
            if recorded.alarm is not None:
                self._board.show(recorded.incident.id, recorded.alarm)
            self._announce(recorded.cause, recorded.incident, recorded.alarm)
            self._board.put(recorded.incident)

    async def announce_all(self) -> None:
        """An API process has just started: tell it everything that is open."""
        async for incident_id in in_slices(list(self._board.open)):
            if incident := self._board.open.get(incident_id):
                self._announce("refreshed", incident, None)

    def view(self, incident: Incident, pending: str | None = None) -> View:
        """The incident as a desk sees it, by what the board knows."""
        return incident_view(
            incident,
            self._desk.register.cards(incident),
            self._board.alarms.get(incident.id, ()),
            provisional=incident.id in self._board.provisional,
            pending_action=pending,
        )

    def _take_alarm(self, incoming: Incoming, alarm: Alarm) -> None:
        delivery = incoming.delivery
        entry = self._in_flight.newest(alarm.id)
        if entry is not None and not self._pressed_anew(entry, incoming):
            self._attach(entry, delivery)
            return
        key: str = alarm.id
        if incoming.derived:
            settled = self._in_flight.just_settled(key, self._clock.monotonic_s())
            if settled is not None and delivery.duplicate:
                self._answer_repeat(replace(alarm, id=settled), delivery)
                return
            alarm = replace(alarm, id=self._board.tell_apart(alarm.id, incoming.received_at))
        if alarm.id in self._board.known:
            self._answer_repeat(alarm, delivery)
            return
        base = incoming.alarm if incoming.derived and incoming.alarm else alarm
        item = AlarmItem(base, incoming.derived, _window(incoming))
        entry = Entry(item, self._clock.monotonic_s(), key=key, payload=delivery.payload)
        if delivery.qos > 0:
            entry.tickets.append(delivery.ticket)
        if incoming.unreadable is not None:
            entry.quarantined = _quarantined(incoming, alarm, incoming.unreadable)
            self.counts["quarantined"] += 1
        self._enqueue(entry, alarm)

    def _pressed_anew(self, entry: Entry, incoming: Incoming) -> bool:
        """Without an id: the same bytes long after the ones in flight are a new press."""
        if not incoming.derived or incoming.delivery.duplicate:
            return False
        age_s = self._clock.monotonic_s() - entry.arrived_s
        return age_s > identity.DERIVED_REPEAT_S

    def _attach(self, entry: Entry, delivery: Delivery) -> None:
        """The same message again while it waits for its commit."""
        self.counts["repeats"] += 1
        if delivery.qos > 0 and delivery.ticket not in entry.tickets:
            entry.tickets.append(delivery.ticket)
        if isinstance(entry.item, AlarmItem) and entry.told_slow:
            self._receipts.heard(entry.item.alarm, self._clock.now())

    def _answer_repeat(self, alarm: Alarm, delivery: Delivery) -> None:
        """It is recorded already: PUBACK and the receipt again, as far as things have come."""
        self.counts["repeats"] += 1
        self._ack(delivery)
        incident_id = self._board.known.get(alarm.id)
        incident = self._board.open.get(incident_id) if incident_id else None
        self._receipts.recorded(alarm, incident, self._clock.now(), repeat=True)

    def _enqueue(self, entry: Entry, shown: Alarm | None = None) -> None:
        """Announce, then wait for the commit."""
        if isinstance(entry.item, AlarmItem):
            alarm = shown or entry.item.alarm
            entry.joined = self._board.open_of(alarm.subject)
            grouping = self._board.group(alarm)
            if grouping.incident is not None and grouping.cause is not None:
                entry.provisional_id = grouping.incident.id
                self._announce(grouping.cause, grouping.incident, alarm, unrecorded=True)
        self._wait(entry)

    def _wait(self, entry: Entry) -> None:
        self._in_flight.add(entry)
        self._wake.set()

    def _take_action(self, delivery: Delivery) -> None:
        try:
            action = read_action(delivery.payload)
        except Malformed as error:
            _log.error("desk_action_unreadable", reason=error.reason)
            self._ack(delivery)
            return
        entry = self._in_flight.newest(action.id)
        if entry is not None:
            self._attach(entry, delivery)
            return
        entry = Entry(ActionItem(action), self._clock.monotonic_s(), key=action.id)
        if delivery.qos > 0:
            entry.tickets.append(delivery.ticket)
        self._wait(entry)

    async def run(self) -> None:
        """Commit for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit_for_ever())
            group.create_task(self._take_again())
            group.create_task(self._watch_slow())

    async def _take_again(self) -> None:
        """Redeliveries, a few at a time; the broker's bound on unanswered messages is theirs."""
        while True:
            await self._again_wake.wait()
            self._again_wake.clear()
            while self._again:
                for _ in range(min(SETTLED_AT_ONCE, len(self._again))):
                    self._take(self._again.popleft())
                await asyncio.sleep(SETTLE_PAUSE_S)

    async def _commit_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._in_flight.take(BATCH_LIMIT):
                await self._commit(batch)

    async def _commit(self, batch: Sequence[Entry]) -> None:
        """Until it is recorded; there is no giving up on an alarm."""
        backoff_s = FIRST_BACKOFF_S

        async def work(connection: Connection) -> list[Recorded]:
            await quarantine(connection, [e.quarantined for e in batch if e.quarantined])
            items = [entry.item for entry in batch]
            return await record(connection, items, self._receipts.language)

        results: list[Recorded] | None = None
        while results is None:
            try:
                results = await self._session.run(work)
            except TRANSIENT as error:
                _log.warning("alarm_commit_failed", error=type(error).__name__, waiting=len(batch))
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)
            except REFUSED as error:
                _log.error("alarm_refused", error=type(error).__name__, alarms=len(batch))
                if len(batch) > 1:
                    for entry in batch:
                        await self._commit([entry])
                    return
                if batch[0].refused:
                    await self._set_aside(batch[0], str(error))
                    return
                batch[0].refused = True
                batch[0].item = _bare(batch[0].item)
        for entry in batch:
            self._puback(entry)
        for number, (entry, recorded) in enumerate(zip(batch, results, strict=True), 1):
            self._in_flight.forget(entry)
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
                area_id=self._desk.root_area_id,
                lane=topics.Lane.ALARM.value,
                topic=alarm.reply_prefix or "",
                device_id=alarm.device_id,
                message_key=int(alarm.id[:15], 16),
                reason=f"the database refuses it: {reason}",
                payload=entry.payload,
                received_at=alarm.received_at,
            )
            await self._keep(kept)
        elif isinstance(item, ActionItem):
            refusal = AlertsError("it cannot be recorded")
            result = action_result(item.action.id, None, refusal=refusal)
            self._publish(topics.DESK_ANNOUNCE, result)
        self.counts["set_aside"] += 1
        self._in_flight.forget(entry)
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
        if self.connection is not None:
            for ticket in entry.tickets:
                self.connection.ack(ticket)
        entry.tickets.clear()

    def _settle(self, entry: Entry, recorded: Recorded) -> None:
        """It is recorded: receipt, and the desk learns the truth."""
        self._puback(entry)
        incident, now = recorded.incident, self._clock.now()
        certain = incident is not None and not self._in_flight.concerns(incident.id)
        if incident is not None and certain:
            self._board.provisional.discard(incident.id)
        if isinstance(entry.item, ActionItem):
            # Before the board lets go of a resolved incident's alarms: the desk shows them.
            self._settle_action(entry.item.action, recorded)
        if incident is not None and certain:
            self._board.put(incident)
        if isinstance(entry.item, AlarmItem):
            self._settle_alarm(entry, entry.item, recorded, now)

    def _settle_alarm(
        self,
        entry: Entry,
        item: AlarmItem,
        recorded: Recorded,
        now: datetime,
    ) -> None:
        alarm, incident = recorded.alarm or item.alarm, recorded.incident
        self.counts["duplicates" if recorded.duplicate else "alarms"] += 1
        self._board.remember(alarm.id, incident.id if incident else None)
        if item.derived:
            self._in_flight.settled(entry.key, alarm.id, self._clock.monotonic_s())
        self._receipts.recorded(alarm, incident, now, repeat=recorded.duplicate)
        merged_from = entry.provisional_id
        if incident is not None and not recorded.duplicate:
            self._board.show(incident.id, alarm)
        if merged_from is not None and (incident is None or merged_from != incident.id):
            if recorded.duplicate and entry.joined is not None:
                # An old press that only the database knew: the case it seemed to join is as before.
                self._announce("refreshed", self._board.take_back(entry.joined, alarm.id), None)
                return
            self._board.remove(merged_from)
            if incident is not None:
                self._announce("merged", incident, alarm, merged_from=merged_from)
            return
        if incident is None or self._in_flight.concerns(incident.id):
            return
        self._announce("committed", incident, None if recorded.duplicate else alarm)

    def _settle_action(self, action: Action, recorded: Recorded) -> None:
        incident = recorded.incident
        view = self.view(incident) if incident is not None else None
        result = action_result(action.id, view, refusal=recorded.refusal)
        self._publish(topics.DESK_ANNOUNCE, result)
        if incident is not None and recorded.cause is not None:
            self._announce(recorded.cause, incident, None)

    async def _watch_slow(self) -> None:
        """What waits too long for its commit: the person hears that it rings, the desk that its
        action is kept."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            before_s = self._clock.monotonic_s() - SLOW_AFTER_S
            for entry in list(self._in_flight):
                if entry.arrived_s > before_s:
                    break
                if not entry.told_slow:
                    entry.told_slow = True
                    self._tell_slow(entry)

    def _tell_slow(self, entry: Entry) -> None:
        match entry.item:
            case AlarmItem(alarm=alarm) if alarm.rings:
                self._receipts.heard(alarm, self._clock.now())
            case ActionItem(action=action):
                self._show_pending(action)

    def _show_pending(self, action: Action) -> None:
        incident = self._board.open.get(action.incident_id)
        if incident is None:
            return
        with contextlib.suppress(AlertsError):
            perform(incident, action, policy_for(incident.category, incident.priority))
            view = self.view(incident, pending=action.verb.value)
            self._publish(topics.DESK_ANNOUNCE, action_result(action.id, view, pending=True))
            message = incident_announcement("pending", view, self._clock.now())
            self._publish(topics.DESK_ANNOUNCE, message)

    def _announce(
        self,
        cause: str,
        incident: Incident,
        alarm: Alarm | None,
        *,
        unrecorded: bool = False,
        merged_from: str | None = None,
    ) -> None:
        view = self.view(incident)
        if unrecorded:
            view["provisional"] = True
        message = incident_announcement(
            cause,
            view,
            self._clock.now(),
            alarm=alarm_view(alarm) if alarm else None,
            merged_from=merged_from,
        )
        if not self._publish(topics.DESK_ANNOUNCE, message):
            self.counts["announcements_lost"] += 1

    def _ack(self, delivery: Delivery) -> None:
        if self.connection is not None and delivery.qos > 0:
            self.connection.ack(delivery.ticket)


def _window(incoming: Incoming) -> bytes | None:
    return encode(incoming.message) if isinstance(incoming.message, Motion) else None


def _quarantined(incoming: Incoming, alarm: Alarm, reason: str) -> Quarantined:
    delivery = incoming.delivery
    return Quarantined(
        area_id=alarm.area_id,
        lane=topics.Lane.ALARM.value,
        topic=delivery.topic,
        device_id=alarm.device_id,
        message_key=identity.message_key(delivery.topic, delivery.payload),
        reason=reason,
        payload=delivery.payload,
        received_at=incoming.received_at,
    )


def _bare(item: Item) -> Item:
    """What the database refused, without everything a device could have put into it."""
    if not isinstance(item, AlarmItem):
        return item
    flags = tuple({*item.alarm.flags, Flag.DAMAGED})
    alarm = replace(item.alarm, text="", position=None, message_id=None, flags=flags)
    return AlarmItem(replace(alarm, observed_at=None, reply_prefix=None), item.derived)


def own_alarm_id(*parts: str) -> AlarmId:
    """The id of an alarm that the hub raises about itself."""
    return identity.unreadable_alarm_id("/".join(parts), b"")
