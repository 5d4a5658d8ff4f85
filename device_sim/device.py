"""A running device: repeats its alarms until they are received, shows what the hub answers.

Decisions are made in `press` and `display`; here they meet the line and the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from device_sim import press
from device_sim.display import Face, Screen, Shown, face_of, receipt_face
from device_sim.fleet import FleetDevice, Home
from device_sim.household import Household
from device_sim.line import Line, Listener
from device_sim.press import SentAlarm
from device_sim.reporter import Reporter, device_time
from device_sim.surroundings import Surroundings
from schemas import topics
from schemas.alarms import AlarmMessage, Press, PressAction
from schemas.codec import Malformed, decode_command, encode, kind_of
from schemas.commands import CheckIn, Receipt, ReceiptStage
from schemas.telemetry import TelemetryMessage
from schemas.topics import Lane

MAX_OPEN_ALARMS = 16
"""Alarms a device keeps; who presses more often before anybody answers repeats the last."""

MIN_PAUSE_S = 0.05
"""Ours: a line that goes up and down never makes a device spin."""


@dataclass(slots=True)
class _Raised:
    """An alarm, why it was raised, and what the device last showed about it."""

    alarm: SentAlarm
    action: PressAction | None
    shown: Face | None = None
    pubacked: bool = False
    look_at_s: float | None = None
    """When the agenda looks at it next; an entry for another time is stale."""


class Device(Listener):
    """One device of a home."""

    def __init__(
        self,
        home: Home,
        fleet_device: FleetDevice,
        household: Household,
        surroundings: Surroundings,
        open_line: Callable[[Listener], Line],
    ) -> None:
        self.home, self.identity, self.household = home, fleet_device, household
        self._around = surroundings
        self._prefix = home.topic_prefix(fleet_device)
        self._raised: dict[str, _Raised] = {}
        self._presses = 0
        self.reporter = Reporter(
            fleet_device, household, surroundings.clock, surroundings.agenda, self._send_telemetry
        )
        self.line: Line = open_line(self)

    # Telemetry

    def send_payload(self, topic: str, payload: bytes) -> bool:
        """Send telemetry that is already encoded; counted either way."""
        tally, clock = self._around.tally, self._around.clock
        sent_at_s = clock.monotonic_s()

        def on_puback() -> None:
            tally.telemetry_pubacked += 1
            tally.telemetry_to_puback.add(clock.monotonic_s() - sent_at_s)

        if self.line.publish(topic, payload, on_puback, urgent=False):
            tally.telemetry_sent += 1
            return True
        tally.telemetry_unsent += 1
        return False

    def topic(self, lane: Lane, kind: str) -> str:
        """The topic on which this device publishes `kind`."""
        return topics.up(self._prefix, lane, kind)

    def _send_telemetry(self, message: TelemetryMessage) -> None:
        lane, kind = kind_of(message)
        self.send_payload(self.topic(lane, kind), encode(message))

    # Alarms

    def new_message_id(self) -> str:
        """Unique for this device, across restarts too."""
        self._presses += 1
        return f"{self._around.boot}-{self._presses}"

    def raise_alarm(self, message: AlarmMessage) -> str:
        """Send an alarm until it is received; the message must carry `new_message_id`."""
        now_s = self._around.clock.monotonic_s()
        message_id = message.message_id or self.new_message_id()
        waiting = [raised for raised in self._raised.values() if raised.alarm.waiting]
        if len(waiting) >= MAX_OPEN_ALARMS:
            last = waiting[-1]
            last.alarm = press.line_back(last.alarm, now_s)
            self._tend(last.alarm.message_id)
            return last.alarm.message_id
        self._forget_oldest()
        _, kind = kind_of(message)
        action = message.action if isinstance(message, Press) else None
        alarm = press.begin(message_id, kind, encode(message), now_s)
        self._raised[message_id] = _Raised(alarm, action)
        self._around.tally.alarms += 1
        self._tend(message_id)
        return message_id

    def stage_of(self, message_id: str) -> ReceiptStage | None:
        """How far the hub has come with this alarm."""
        raised = self._raised.get(message_id)
        return None if raised is None else raised.alarm.stage

    def _forget_oldest(self) -> None:
        while len(self._raised) >= MAX_OPEN_ALARMS:
            settled = next(key for key, raised in self._raised.items() if not raised.alarm.waiting)
            del self._raised[settled]

    def _tend(self, message_id: str) -> None:
        """Send, repeat, give up on the line, show: whatever is due for this alarm now."""
        raised = self._raised.get(message_id)
        if raised is None:
            return
        now_s = self._around.clock.monotonic_s()
        if press.broker_silent(raised.alarm, now_s) and self.line.connected:
            self.line.redial()
        if press.due(raised.alarm, now_s):
            self._send_alarm(raised, now_s)
        self._show_alarm(raised, now_s)
        again_s = press.look_again_at_s(raised.alarm)
        if again_s is not None:
            self._look_at(raised, max(again_s, now_s + MIN_PAUSE_S))

    def _look_at(self, raised: _Raised, at_s: float) -> None:
        if raised.look_at_s is None or at_s < raised.look_at_s:
            raised.look_at_s = at_s
            look = partial(self._look_again, raised.alarm.message_id, at_s)
            self._around.agenda.add(at_s, look)

    def _look_again(self, message_id: str, at_s: float) -> None:
        raised = self._raised.get(message_id)
        if raised is not None and raised.look_at_s == at_s:
            raised.look_at_s = None
            self._tend(message_id)

    def _send_alarm(self, raised: _Raised, now_s: float) -> None:
        message_id = raised.alarm.message_id
        topic = self.topic(Lane.ALARM, raised.alarm.kind)
        on_puback = partial(self._on_alarm_puback, message_id)
        before = raised.alarm
        raised.alarm = press.sent(before, now_s)
        if self.line.publish(topic, before.payload, on_puback, urgent=True):
            self._around.tally.alarm_sends += 1
            return
        raised.alarm = press.postponed(before, now_s)
        self.line.hurry()

    def _on_alarm_puback(self, message_id: str) -> None:
        raised = self._raised.get(message_id)
        if raised is None:
            return
        raised.alarm = press.pubacked(raised.alarm)
        if not raised.pubacked:
            raised.pubacked = True
            self._around.tally.alarms_pubacked += 1
            took_s = self._around.clock.monotonic_s() - raised.alarm.raised_at_s
            self._around.tally.press_to_puback.add(took_s)

    # What the line says

    def on_connected(self) -> None:
        now_s = self._around.clock.monotonic_s()
        self._around.tally.connects += 1
        for message_id, raised in list(self._raised.items()):
            raised.alarm = press.line_back(raised.alarm, now_s)
            if raised.alarm.waiting:
                self._tend(message_id)
        self.reporter.say_alive()

    def on_lost(self) -> None:
        now_s = self._around.clock.monotonic_s()
        self._around.tally.losses += 1
        for raised in self._raised.values():
            raised.alarm = press.line_lost(raised.alarm)
            if raised.alarm.waiting:
                self.line.hurry()
                self._show_alarm(raised, now_s)

    def on_command(self, kind: str, payload: bytes) -> None:
        try:
            command = decode_command(kind, payload)
        except Malformed:
            self._around.tally.malformed_commands += 1
            return
        if isinstance(command, Receipt):
            self._on_receipt(command)
        elif isinstance(command, CheckIn):
            self._show(Face(Screen.QUESTION, command.text, "rising", "amber", True), None)

    def _on_receipt(self, receipt: Receipt) -> None:
        message_id = receipt.message_id or next(reversed(self._raised), None)
        raised = None if message_id is None else self._raised.get(message_id)
        now_s = self._around.clock.monotonic_s()
        if raised is None:
            now = self._around.clock.now()
            face = receipt_face(receipt, now=now, language=self.home.person.language)
            self._show(face, message_id)
            return
        before = raised.alarm
        raised.alarm = press.answered(before, receipt)
        self._count(before, raised.alarm, now_s - before.raised_at_s)
        self._show_alarm(raised, now_s)

    def _count(self, before: SentAlarm, after: SentAlarm, took_s: float) -> None:
        tally = self._around.tally
        if before.waiting and not after.waiting:
            tally.received += 1
            tally.press_to_received.add(took_s)
        if after.stage is before.stage:
            return
        if after.stage is ReceiptStage.HEARD:
            tally.heard += 1
            tally.press_to_heard.add(took_s)
        elif after.stage is ReceiptStage.COMING:
            tally.coming += 1
        elif after.stage is ReceiptStage.OVER:
            tally.over += 1

    # What the person sees

    def _show_alarm(self, raised: _Raised, now_s: float) -> None:
        face = face_of(
            raised.alarm,
            raised.action,
            now_s=now_s,
            now=self._around.clock.now(),
            language=self.home.person.language,
            connected=self.line.connected,
        )
        if face != raised.shown:
            raised.shown = face
            self._show(face, raised.alarm.message_id)

    def _show(self, face: Face, message_id: str | None) -> None:
        self._around.show(
            Shown(
                at=self._around.clock.now(),
                premises_id=self.home.premises_id,
                device_id=self.identity.id,
                device_kind=self.identity.kind.value,
                person=self.home.person.name,
                screen=face.screen,
                text=face.text,
                tone=face.tone,
                light=face.light,
                vibrate=face.vibrate,
                message_id=message_id,
            )
        )

    def time(self) -> datetime:
        """The device's own clock, which counts milliseconds."""
        return device_time(self._around.clock)
