"""From a message to the line: numbers it, lets its fate befall it, stores it without a line.

`message_id` is given when a message is made, `sequence` when it goes out: what is merged or told
first is no gap. What is lost on purpose or for want of memory has used its number, and is one.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from device_sim.delivery import ORDINARY, fate_of
from device_sim.hardware import Hardware
from device_sim.line import Line
from device_sim.outbox import Outbox
from device_sim.surroundings import Surroundings
from device_sim.traits import Numbering
from schemas import topics
from schemas.codec import encode, kind_of
from schemas.telemetry import TelemetryMessage


class Sender:
    """The telemetry of one device."""

    __slots__ = (
        "_around", "_flushing", "_hardware", "_line", "_number", "_outbox", "_prefix", "_resets",
        "_seed", "_sequence",
    )  # fmt: skip

    def __init__(
        self,
        prefix: str,
        hardware: Hardware,
        around: Surroundings,
        line: Callable[[], Line],
        seed: str,
    ) -> None:
        self._prefix, self._hardware, self._around, self._line = prefix, hardware, around, line
        self._seed = seed
        self._outbox = Outbox(hardware.traits.stores)
        self._number = self._resets = self._sequence = 0
        self._flushing = False

    @property
    def waiting(self) -> int:
        """Messages that are stored."""
        return len(self._outbox)

    def next_id(self) -> str | None:
        """The next `message_id` of this device, for whatever lane; None: it sends none."""
        self._number += 1
        match self._hardware.traits.numbering:
            case Numbering.ABSENT:
                return None
            case Numbering.COUNTER:
                return str(self._number)
            case Numbering.BOOT:
                return f"{self._around.boot}-{self._resets}-{self._number}"

    def restart_numbers(self) -> None:
        """The device started again: the counter begins at 1."""
        self._resets += 1
        self._number = self._sequence = 0

    def send(self, message: TelemetryMessage, *, first: bool = False) -> None:
        """Send it, or store it; `first`: before what is stored (the device has just come back)."""
        message = self._hardware.distort(message)
        message_id = self.next_id()
        fate = fate_of(self._hardware.traits.delivery, f"{self._seed}/{self._resets}", self._number)
        message = msgspec.structs.replace(message, message_id=message_id)
        if fate.after_s != ORDINARY.after_s:
            message = self._counted(message)
            self._sequence += 1
        if not fate.after_s:
            self._around.tally.telemetry_never_sent += 1
        for after_s in fate.after_s:
            if after_s:
                due_s = self._around.clock.monotonic_s() + after_s
                self._around.agenda.add(due_s, partial(self._offer, message))
            else:
                self._offer(message, first=first)
        if fate.cut_line and self._line().connected:
            self._line().redial()

    def flush(self) -> None:
        """Send what is stored, as far as the line takes it; the rest follows with every PUBACK."""
        if self._flushing:  # a line may answer at once
            return
        self._flushing = True
        batches = self._hardware.traits.batches
        while len(self._outbox) and self._line().connected:
            message = self._outbox.take_together() if batches else self._outbox.take()
            if message is None:
                break
            if not self._publish(message):
                self._outbox.put_back(message)
                break
        self._flushing = False

    def _offer(self, message: TelemetryMessage, *, first: bool = False) -> None:
        if (first or not len(self._outbox)) and self._publish(message):
            return
        dropped = self._outbox.dropped
        self._outbox.put(message)
        self._around.tally.telemetry_stored += 1
        lost = self._outbox.dropped - dropped
        self._sequence += lost
        self._around.tally.telemetry_dropped += lost

    def _counted(self, message: TelemetryMessage) -> TelemetryMessage:
        if message.sequence is not None or not self._hardware.traits.counts:
            return message
        return msgspec.structs.replace(message, sequence=self._sequence + 1)

    def _publish(self, message: TelemetryMessage) -> bool:
        tally, clock = self._around.tally, self._around.clock
        sent_at_s = clock.monotonic_s()

        def on_puback() -> None:
            tally.telemetry_pubacked += 1
            tally.telemetry_to_puback.add(clock.monotonic_s() - sent_at_s)
            if len(self._outbox):
                self.flush()

        lane, kind = kind_of(message)
        topic = topics.up(self._prefix, lane, kind)
        counted = self._counted(message)
        used = int(counted is not message)
        self._sequence += used
        if not self._line().publish(topic, encode(counted), on_puback, urgent=False):
            self._sequence -= used
            return False
        tally.telemetry_sent += 1
        return True
