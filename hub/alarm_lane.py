"""The alarm lane: announce, commit, PUBACK, receipt. It never waits for telemetry, and while the
database is silent it still rings.

Here messages are taken in and announced; `hub.alarm_settling` records them. Everything runs on one
event loop, so nothing needs a lock. A press goes before everything else: a window of raw motion
takes two milliseconds to judge and waits its turn, unanswered, so that the broker keeps it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import structlog

from alerts.actions import Action
from alerts.alarm import Alarm
from alerts.grouping import Cause, Grouping
from alerts.incident import Incident, unanswered
from alerts.muting import muted
from alerts.people import PersonState
from hub import retry
from hub.alarm_receipts import Receipts
from hub.alarm_settling import (
    LOOK_EVERY_S,
    SETTLE_PAUSE_S,
    SETTLED_AT_ONCE,
    SLOW_AFTER_S,
    Settling,
)
from hub.alarm_states import Kept
from hub.alarm_voice import Voice
from hub.asking import asking_devices
from hub.call_in import call_in_alarm, read_call_in
from hub.clock import SystemClock
from hub.database import LONGEST_BACKOFF_S, TRANSIENT, Session
from hub.desk_bus import read_action
from hub.detect.detector import Finding
from hub.device import Device
from hub.drill import drill_alarm, read_drill
from hub.findings import finding_id, item_of
from hub.in_flight import Entry
from hub.ingest import ALARM_STEPS, Desk, Incoming, undigested
from hub.observation import ALIVE, Observation
from hub.pace import in_slices
from hub.sources.mqtt import Delivery, MqttConnection, Ticket
from hub.store.alarm_states import saved_states
from hub.store.cases import ActionItem, AlarmItem, Found, Recorded
from hub.store.upkeep import Quarantined
from hub.synthetic import is_synthetic
from hub.view import View
from schemas import identity, topics
from schemas.alarms import Motion
from schemas.codec import Malformed, encode
from schemas.ids import AlarmId, PersonId

__all__ = ["LOOK_EVERY_S", "SLOW_AFTER_S", "AlarmLane", "own_alarm_id"]

UNANSWERED_GRACE = timedelta(seconds=3)
"""The ladder raises an unanswered question within a second; where it does not (no database), the
lane itself does, after three."""
HEARSAY_KEPT = 10_000
"""Observations of other sensors that wait for the next look, 0.1 s; more than a city sends about
the few people who may have fallen."""

_MOTION = f"/{topics.Lane.ALARM.value}/motion"
_log = structlog.get_logger(__name__)


class AlarmLane:
    """Takes in, announces, asks; and lets time pass."""

    def __init__(
        self,
        desk: Desk,
        clock: SystemClock,
        session: Session,
        receipts: Receipts,
        publish: Callable[[str, bytes], bool],
        alive: Callable[[Observation], None],
        leaves_alone: Callable[[str], bool] | None = None,
    ) -> None:
        """`publish` hands a QoS 0 message to the hub's own connection; `alive` tells the telemetry
        lane what was heard of a device; `leaves_alone` says which areas are another process's."""
        self._desk = desk
        self._board = desk.board
        self._clock = clock
        self._session = session
        self._receipts = receipts
        self._alive = alive
        self._leaves_alone = leaves_alone or _is_ours
        self.counts: Counter[str] = Counter()
        self._voice = Voice(desk.register, desk.board, clock, publish, self.counts)
        self._settling = Settling(
            desk.board,
            clock,
            session,
            receipts,
            self._voice,
            self.counts,
            root_area_id=desk.root_area_id,
            ack=self._answer,
        )
        self._in_flight = self._settling.in_flight
        self._again: deque[Delivery] = deque()
        self._again_wake = asyncio.Event()
        self._windows: deque[Delivery] = deque()
        self._windows_wake = asyncio.Event()
        self._hearsay: deque[Observation] = deque(maxlen=HEARSAY_KEPT)
        self.connection: MqttConnection | None = None

    @property
    def unrecorded(self) -> int:
        """Alarms and actions that are not in the database yet."""
        return len(self._in_flight) + len(self._again) + len(self._windows)

    def waiting_actions(self) -> list[Action]:
        """What humans did and is not in the database yet, in order."""
        return [e.item.action for e in self._in_flight if isinstance(e.item, ActionItem)]

    def oldest_unrecorded_s(self) -> float:
        """Age of the oldest of them, seconds."""
        oldest = self._in_flight.oldest()
        return 0.0 if oldest is None else self._clock.monotonic_s() - oldest.arrived_s

    @property
    def watched_people(self) -> frozenset[PersonId]:
        """People of whom it is undecided whether they fell; read from any thread."""
        return self._desk.states.watched_people

    def corroborate(self, observation: Observation) -> None:
        """What another sensor says of somebody in `watched_people`; called from any thread."""
        self._hearsay.append(observation)

    def on_message(self, delivery: Delivery) -> None:
        """A message of the alarm lane's connection. Never raises: an alarm that a step cannot
        digest is still an alarm.

        What the broker sends again comes in hundreds after a stall or a restart, and windows come
        in bursts; fresh presses go first.
        """
        self.counts["messages"] += 1
        if delivery.topic.endswith(_MOTION):
            self._windows.append(delivery)
            self._windows_wake.set()
        elif delivery.duplicate:
            self._again.append(delivery)
            self._again_wake.set()
        else:
            self._take(delivery)

    def raise_own(self, alarm: Alarm) -> None:
        """An alarm of the hub itself (a lost broker session): same path, nobody to answer."""
        self._enqueue(Entry(AlarmItem(alarm), self._clock.monotonic_s(), key=alarm.id))

    def adopt(self, recorded: Recorded) -> None:
        """The other lane recorded something: show it."""
        self._settling.adopt(recorded)

    async def announce_all(self) -> None:
        """An API process has just started: tell it everything that is open."""
        async for incident_id in in_slices(list(self._board.open)):
            if incident := self._board.open.get(incident_id):
                self._voice.announce("refreshed", incident, None)

    def view(self, incident: Incident, pending: str | None = None) -> View:
        """The incident as a desk sees it, by what the board knows."""
        return self._voice.view(incident, pending)

    def next_deadline(self) -> datetime | None:
        """When a possible fall must be decided."""
        return self._desk.states.next_deadline()

    def let_pass(self) -> None:
        """Whatever time brings: candidates are decided, questions run out."""
        now = self._clock.now()
        while self._hearsay:
            self._desk.states.corroborate(self._hearsay.popleft())
        for key in self._desk.states.due(now):
            try:
                device, findings, kept = self._desk.states.decide(key, now)
            except Exception:  # noqa: BLE001 - one mistake must not stop the lane
                _log.exception("decision_failed", detector=key[0])
                self.counts["step_failures"] += 1
                continue
            for finding in findings:
                self._take_finding(device, finding, kept)
        for incident in self._board.unanswered(now, UNANSWERED_GRACE):
            if self._leaves_alone(incident.area_id):
                continue
            raised = unanswered(incident)
            self._board.put(raised)
            self._settling.not_answered(raised)
            unrecorded = incident.id in self._board.provisional
            self._voice.announce(Cause.RAISED.value, raised, None, unrecorded=unrecorded)

    # Taking in

    def _take(self, delivery: Delivery) -> None:
        if delivery.topic == topics.DESK_ACTION:
            self._take_action(delivery)
            return
        try:
            incoming = _incoming(delivery, self._clock.now())
        except Malformed as error:
            _log.error("retry_unreadable", reason=error.reason)
            self._ack(delivery)
            return
        try:
            for step in ALARM_STEPS:
                step(incoming, self._desk)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not silence a press
            _log.exception("alarm_step_failed", topic_length=len(delivery.topic))
            self.counts["step_failures"] += 1
            incoming = undigested(incoming, self._desk, f"the hub failed: {type(error).__name__}")
        if incoming.decoded is not None:
            self.counts["unknown_fields"] += incoming.decoded.unknown_fields
        self.counts["step_failures"] += incoming.failed
        if incoming.device is not None:
            for observation in _overheard(incoming.device, incoming):
                self._alive(observation)
        if incoming.alarm is not None:
            self._take_alarm(incoming, incoming.alarm)

    def _take_alarm(self, incoming: Incoming, alarm: Alarm) -> None:
        delivery = incoming.delivery
        if incoming.retried and incoming.unreadable is not None:
            self._keep_again(incoming, alarm, incoming.unreadable)
            return
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
        item = AlarmItem(base, incoming.derived, _window(incoming), incoming.found)
        entry = Entry(item, self._clock.monotonic_s(), key=key, payload=delivery.payload)
        entry.kept = tuple(incoming.kept)
        entry.topic = delivery.topic
        if delivery.qos > 0:
            entry.tickets.append(delivery.ticket)
        if incoming.unreadable is not None:
            entry.quarantined = _quarantined(incoming, alarm, incoming.unreadable)
            self.counts["quarantined"] += 1
        self._enqueue(entry, alarm)

    def _keep_again(self, incoming: Incoming, alarm: Alarm, reason: str) -> None:
        """Still unreadable: it has rung, and waits for an operator again."""
        entry = Entry(AlarmItem(alarm), self._clock.monotonic_s(), key=f"retry {alarm.id}")
        entry.tickets.append(incoming.delivery.ticket)
        entry.quarantined = _quarantined(incoming, alarm, reason)
        self._settling.add(entry)

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

    def _take_finding(self, device: Device, finding: Finding, kept: Kept) -> None:
        """A finding that time brought, without a message behind it."""
        item = item_of(device, finding)
        asks = isinstance(item, AlarmItem) and item.alarm.ask_s
        if asks and not asking_devices(self._desk.register, self._board, device):
            item = item_of(device, replace(finding, ask_s=0))
        key = finding_id(finding)
        self._enqueue(Entry(item, self._clock.monotonic_s(), key=key, kept=(kept,)))

    def _enqueue(self, entry: Entry, shown: Alarm | None = None) -> None:
        """Announce, ask, then wait for the commit."""
        item = entry.item
        if isinstance(item, AlarmItem) and not self._muted(item.found):
            alarm = shown or item.alarm
            entry.joined = self._board.open_for(alarm)
            grouping = self._board.group(alarm)
            if grouping.incident is not None and grouping.cause is not None:
                entry.provisional_id = grouping.incident.id
                self._voice.announce(grouping.cause, grouping.incident, alarm, unrecorded=True)
                if self._ask(alarm, grouping):
                    entry.item = replace(item, asked=True)
            elif is_synthetic(alarm):
                self._voice.synthetic(alarm)
        self._settling.add(entry)

    def _ask(self, alarm: Alarm, grouping: Grouping) -> bool:
        """Ask the person from memory, at once; whether anything could be asked."""
        device = self._desk.register.devices.get(alarm.device_id)
        if grouping.cause is not Cause.CHECKING or grouping.incident is None or device is None:
            return False
        devices = asking_devices(self._desk.register, self._board, device)
        return self._receipts.ask(alarm, grouping.incident, devices, self._clock.now())

    def _muted(self, found: Found | None) -> bool:
        """Whether a finding wakes nobody, by what the register has in memory; the database says
        so again when it is recorded."""
        if found is None:
            return False
        register, finding = self._desk.register, found.finding
        residents = register.residents_of(found.premises_id) if found.premises_id else ()
        people = [found.person_id] if found.person_id else residents
        states: list[PersonState] = [
            person.state for one in people if (person := register.people.get(one))
        ]
        reason = muted(finding.kind, finding.category, states, carried=found.carried)
        return reason is not None

    def _take_begun(self, order_id: str, alarm: Alarm, delivery: Delivery) -> None:
        """Practice or a call, begun at a desk: announced and recorded like a press."""
        entry = self._in_flight.newest(alarm.id)
        if entry is not None:
            self._attach(entry, delivery)
            return
        if alarm.id in self._board.known:
            self._ack(delivery)
            self._voice.began(order_id, self._board.open_of(alarm.subject))
            return
        entry = Entry(AlarmItem(alarm), self._clock.monotonic_s(), key=alarm.id)
        if delivery.qos > 0:
            entry.tickets.append(delivery.ticket)
        self._enqueue(entry)
        self._voice.began(order_id, self._board.open_of(alarm.subject))

    def _take_action(self, delivery: Delivery) -> None:
        now = self._clock.now()
        if (drill := read_drill(delivery.payload)) is not None:
            alarm = drill_alarm(drill, self._desk.register, now)
            self._take_begun(drill.id, alarm, delivery)
            return
        if (call := read_call_in(delivery.payload)) is not None:
            alarm = call_in_alarm(call, self._desk.register, now)
            self._take_begun(call.id, alarm, delivery)
            return
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
        self._settling.add(entry)

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._settling.commit_for_ever())
            group.create_task(self._take_again())
            group.create_task(self._judge_windows())
            group.create_task(self._look())
            group.create_task(self._remember())

    async def _take_again(self) -> None:
        """Redeliveries, a few at a time; the broker's bound on unanswered messages is theirs."""
        while True:
            await self._again_wake.wait()
            self._again_wake.clear()
            while self._again:
                for _ in range(min(SETTLED_AT_ONCE, len(self._again))):
                    self._take(self._again.popleft())
                await asyncio.sleep(SETTLE_PAUSE_S)

    async def _judge_windows(self) -> None:
        """One window at a time; in between the loop reads what has arrived, a press above all."""
        while True:
            await self._windows_wake.wait()
            self._windows_wake.clear()
            while self._windows:
                self._take(self._windows.popleft())
                await asyncio.sleep(0)

    async def _look(self) -> None:
        """What waits too long, and what time brings."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self._settling.tell_slow()
            self.let_pass()

    async def _remember(self) -> None:
        """What the detectors knew before a restart: a possible fall is decided after it too."""
        while True:
            try:
                stored = await self._session.run(saved_states)
            except TRANSIENT as error:
                _log.warning("alarm_states_wait", error=type(error).__name__)
                await asyncio.sleep(LONGEST_BACKOFF_S)
            else:
                devices = self._desk.register.devices
                ours = [kept for kept in stored if not self._leaves_alone(kept.area_id)]
                self._desk.states.load(ours, devices.get, self._clock.now())
                return

    def _ack(self, delivery: Delivery) -> None:
        if delivery.qos > 0:
            self._answer(delivery.ticket)

    def _answer(self, ticket: Ticket) -> None:
        """PUBACK."""
        if self.connection is not None:
            self.connection.ack(ticket)


def _incoming(delivery: Delivery, now: datetime) -> Incoming:
    """A message as it came, or out of the envelope of a retry. Raises Malformed."""
    if delivery.topic != topics.DESK_RETRY_ALARM:
        return Incoming(delivery, now)
    opened = retry.opened(delivery.payload)
    message = msgspec.structs.replace(
        delivery, topic=opened.topic, payload=opened.payload, duplicate=False
    )
    return Incoming(message, opened.received_at, retried=not opened.spoken)


def _is_ours(area_id: str) -> bool:
    """One process owns everything: it leaves no area alone."""
    del area_id
    return False


def _overheard(device: Device, incoming: Incoming) -> Iterator[Observation]:
    """What an alarm says besides: the device lives, somebody is active, and where."""
    received_at, message = incoming.received_at, incoming.message
    yield Observation(device, ALIVE, received_at, None)
    if message is not None and incoming.topic is not None:
        kind = incoming.topic.kind
        yield Observation(device, kind, received_at, message.observed_at, message=message)


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


def own_alarm_id(*parts: str) -> AlarmId:
    """The id of an alarm that the hub raises about itself."""
    return identity.unreadable_alarm_id("/".join(parts), b"")
