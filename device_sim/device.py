"""A running device: repeats its alarms until they are received, shows what the hub answers.

Decisions are made in `press` and `display`, telemetry goes through `sender`; what the device is
made of stands in `hardware`. Here they meet the line and the clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from device_sim import press
from device_sim.display import Face, Screen, Shown, face_of, receipt_face
from device_sim.fleet import FleetDevice, Home
from device_sim.hardware import Hardware
from device_sim.household import Household
from device_sim.line import Line, Listener
from device_sim.power import PowerLife
from device_sim.press import SentAlarm
from device_sim.reporter import Reporter
from device_sim.seeded import fraction
from device_sim.sender import Sender
from device_sim.surroundings import Surroundings
from device_sim.traits import Traits, ordinary
from device_sim.truth import Detail
from schemas import topics
from schemas.alarms import AlarmMessage, Press, PressAction
from schemas.codec import Malformed, decode_command, encode, kind_of
from schemas.commands import CheckIn, Configure, Locate, Receipt, ReceiptStage
from schemas.topics import Lane

MAX_OPEN_ALARMS = 16
"""Alarms a device keeps; who presses more often before anybody answers repeats the last."""

SHORTEST_RHYTHM_S = 5
"""Ours: a hub that asks for more is not obeyed; the battery is the device's."""

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

    __slots__ = (
        "_around", "_powered", "_prefix", "_raised", "_sender", "hardware", "home", "household",
        "identity", "life", "line", "reporter",
    )  # fmt: skip

    def __init__(
        self,
        home: Home,
        fleet_device: FleetDevice,
        household: Household,
        surroundings: Surroundings,
        open_line: Callable[[Listener], Line],
        traits: Traits | None = None,
    ) -> None:
        self.home, self.identity, self.household = home, fleet_device, household
        self._around = around = surroundings
        self._prefix = home.topic_prefix(fleet_device)
        self._raised: dict[str, _Raised] = {}
        self._powered = True
        seed = f"{around.seed}/{fleet_device.id}"
        traits = traits or ordinary(fleet_device.kind)
        self.hardware = Hardware(fleet_device, traits, household, around.clock, around.seed)
        self._sender = Sender(self._prefix, self.hardware, around, lambda: self.line, seed)
        self.reporter = Reporter(
            fleet_device, household, self.hardware, around.clock, around.agenda, self._sender.send,
            lambda: self._powered,
        )  # fmt: skip
        self.life = PowerLife(fleet_device.kind, self.hardware, household, around, self, seed)
        self.line: Line = open_line(self)

    def start(self, *, reports: bool = True) -> None:
        """Begin to live: reports in their rhythm, and the battery."""
        if reports:
            self.reporter.start()
        self.life.start()

    # Power and radio

    def power(self, *, on: bool) -> None:
        """The device loses its power, or has it back (and starts anew)."""
        if on == self._powered:
            return
        self._powered = on
        if on:
            self.hardware.rebooted()
            self._sender.restart_numbers()
            self.life.renew()
        self.line.power(on=on)

    def cover(self, *, on: bool) -> None:
        """The radio loses its network, or has it back."""
        self.line.cover(on=on)

    def say_status(self) -> None:
        """The heartbeat, out of turn: something about the device has changed."""
        if self._powered:
            self.reporter.say_alive()

    def later(self, after_s: float, call: Callable[[], None]) -> None:
        """Have `call` made in so many seconds."""
        self._around.agenda.add(self._around.clock.monotonic_s() + after_s, call)

    def speak_next(self) -> None:
        """One report out of turn: load at a given rate."""
        if self._powered:
            self.reporter.say_next()

    def note(self, what: str, due_s: float | None = None, **detail: Detail) -> None:
        """For the log of what really happened."""
        now_s = self._around.clock.monotonic_s() if due_s is None else due_s
        self._around.truth.note(what, self.home, self.identity.id, now_s, detail=detail)

    @property
    def powered(self) -> bool:
        return self._powered

    # Alarms

    def new_message_id(self) -> str | None:
        """The next one of the device's numbering; None: it has none."""
        return self._sender.next_id()

    def topic(self, lane: Lane, kind: str) -> str:
        """The topic on which this device publishes `kind`."""
        return topics.up(self._prefix, lane, kind)

    def raise_alarm(self, message: AlarmMessage) -> str:
        """Send an alarm until it is received; what it is known by here: its `message_id`, or one
        of the device's own."""
        now_s = self._around.clock.monotonic_s()
        message_id = message.message_id or f"unnumbered-{now_s}"
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
        if kind not in press.EVIDENCE:
            self._around.tally.pressed(self.identity.id, message_id, kind, now_s)
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
        if not raised.pubacked and not raised.alarm.settled:
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
        self.reporter.say_alive(first=True)
        self._sender.flush()

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
        match command:
            case Receipt():
                self._on_receipt(command)
            case CheckIn():
                self._show(Face(Screen.QUESTION, command.text, "rising", "amber", True), None)
                self._answer(command)
            case Locate():
                location = self.hardware.locate(asked=True)
                if location is not None:
                    self._sender.send(location)
            case Configure():
                self._configure(command)

    def _configure(self, asked: Configure) -> None:
        rhythms = {
            "status": asked.heartbeat_s,
            "vitals": asked.vitals_interval_s,
            "location": asked.location_interval_s,
        }
        for name, every_s in rhythms.items():
            if every_s is not None:
                self.hardware.rhythm_s[name] = float(max(SHORTEST_RHYTHM_S, every_s))

    def _answer(self, question: CheckIn) -> None:
        """Who is well may answer, in the first half of the time they are given."""
        seed = (self._around.seed, self.home.person.id, question.check_in_id)
        well = self.household.well
        if not well or fraction(*seed, "answers") >= self._around.answers:
            return
        due_s = self._around.clock.monotonic_s() + fraction(*seed, "after") * (
            question.answer_within_s / 2
        )
        self._around.agenda.add(due_s, self._say_well)

    def _say_well(self) -> None:
        self.raise_alarm(
            Press(self.new_message_id(), self.hardware.time(), action=PressAction.CANCEL)
        )

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
            tally.answered(self.identity.id, before.message_id, ReceiptStage.RECEIVED, took_s)
        if after.stage is before.stage:
            return
        if after.stage is not None:
            tally.answered(self.identity.id, before.message_id, after.stage, took_s)
        if after.stage is ReceiptStage.HEARD:
            tally.heard += 1
            tally.press_to_heard.add(took_s)
        elif after.stage is ReceiptStage.COMING:
            tally.coming += 1
        elif after.stage is ReceiptStage.OVER:
            tally.over += 1

    # What the person sees

    def _show_alarm(self, raised: _Raised, now_s: float) -> None:
        if raised.alarm.kind in press.EVIDENCE:
            return
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
