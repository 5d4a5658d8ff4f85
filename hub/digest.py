"""What becomes of one telemetry message: decode, identify, show to the detectors, make rows.

The order of the steps is the order of `TelemetryDigest.digest`. Nothing here waits or writes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.detect.runner import Draft, Runner
from hub.device import Device
from hub.observation import (
    ALIVE,
    UNKNOWN_TIME,
    Measured,
    Observation,
    is_last_will,
    measured,
    sample_key,
)
from hub.register import Register
from hub.sources.mqtt import Delivery, Ticket
from hub.store.packed import PackedRow, microseconds, origin_of, pack
from schemas import identity, topics
from schemas.codec import Malformed, decode_telemetry
from schemas.ids import DeviceId, PersonId
from schemas.quick import read_quickly
from schemas.telemetry import TelemetryMessage

CORROBORATING = frozenset({"steps", "bed_state", "worn_state", "motion"})
"""What confirms or contradicts a fall: somebody up and about, in bed, or without the wristband."""
MOST_AHEAD_US = 1_000_000
"""A second: a burst of a million rows."""

_UNKNOWN_US = microseconds(UNKNOWN_TIME)


@dataclass(slots=True)
class Message:
    """A delivery with every packet id under which the broker sent it."""

    delivery: Delivery
    received_at: datetime
    key: int
    tickets: list[Ticket]


@dataclass(frozen=True, slots=True)
class Witness:
    """Where observations of people go whose fall is being checked just now."""

    watched: Callable[[], frozenset[PersonId]]
    tell: Callable[[Observation], None]


class TelemetryDigest:
    """Turns messages into rows and into what detectors see."""

    def __init__(
        self, register: Register, runner: Runner, counts: Counter[str], witness: Witness
    ) -> None:
        self._register = register
        self._runner = runner
        self._counts = counts
        self._witness = witness
        self._last_us = 0

    def digest(self, message: Message, draft: Draft) -> list[PackedRow]:
        """The message's rows; what detectors make of it is in the draft. Raises Malformed."""
        delivery = message.delivery
        levels = topics.telemetry_levels(delivery.topic)
        device = None if levels is None else self._register.devices.get(DeviceId(levels[0]))
        if levels is None or device is None:
            raise Malformed(why_unreadable(delivery.topic))
        content = self._decode(levels[1], delivery.payload)
        received_at = message.received_at
        values = measured(content)
        if not is_last_will(content):
            alive = Observation(device, ALIVE, received_at, None, sequence=content.sequence)
            self._runner.observe(draft, alive, stored=bool(values))
        key = message.key
        if content.message_id is None and content.observed_at is None:
            # Nothing tells two equal readings apart but their arrival. A redelivery after a crash
            # is then stored twice, which harms less than a reading that is never stored.
            key = identity.message_key(f"{delivery.topic} {received_at}", delivery.payload)
        watched = self._witness.watched()
        if watched and device.person_id in watched:
            self._corroborate(device, values, received_at)
        self._show(device, values, received_at, draft)
        return self._rows(device, values, key, received_at)

    def _decode(self, kind: str, payload: bytes) -> TelemetryMessage:
        message = read_quickly(kind, payload)
        if message is not None:
            return message
        decoded = decode_telemetry(kind, payload)
        self._counts["unknown_fields"] += decoded.unknown_fields
        self._counts["damaged"] += len(decoded.damage)
        return decoded.message

    def _show(
        self, device: Device, values: list[Measured], received_at: datetime, draft: Draft
    ) -> None:
        runner = self._runner
        for value in values:
            name = value.measure.key
            if runner.wants(name):
                observation = Observation(
                    device,
                    name,
                    received_at,
                    value.observed_at,
                    value.value,
                    value.state,
                    value.quality,
                    None,
                    value.position,
                )
                runner.observe(draft, observation)

    def _rows(
        self, device: Device, values: list[Measured], key: int, received_at: datetime
    ) -> list[PackedRow]:
        origin = origin_of(device)
        received_us = self._arrival(microseconds(received_at), len(values))
        rows: list[PackedRow] = []
        for index, value in enumerate(values):
            at = value.observed_at
            observed_us = _UNKNOWN_US if at is None else microseconds(at)
            rows.append(
                pack(origin, value, sample_key(key, index), observed_us, received_us + index)
            )
        return rows

    def _arrival(self, received_us: int, rows: int) -> int:
        """When the first row arrived: later than every row before it, by a microsecond each, so
        that recovery replays them in this order. A clock that is set back sets back the order."""
        if self._last_us - MOST_AHEAD_US < received_us <= self._last_us:
            received_us = self._last_us + 1
        self._last_us = received_us + rows - 1
        return received_us

    def _corroborate(self, device: Device, values: list[Measured], received_at: datetime) -> None:
        for value in values:
            if value.measure.key in CORROBORATING:
                self._witness.tell(
                    Observation(
                        device,
                        value.measure.key,
                        received_at,
                        value.observed_at,
                        value.value,
                        value.state,
                        value.quality,
                    )
                )


def why_unreadable(topic: str) -> str:
    """What is wrong with a topic that names no device of ours."""
    parsed = topics.parse(topic)
    if parsed is None or parsed.lane is not topics.Lane.TELEMETRY:
        return "the topic is not one of the contract's"
    return "the device is not in the register"
