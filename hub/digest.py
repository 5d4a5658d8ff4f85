"""What becomes of one telemetry message: decode, identify, show to the detectors, make rows.

The order of the steps is the order of `TelemetryDigest.digest`. Nothing here waits or writes.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from hub.detect.belonging import Belonging
from hub.detect.runner import Draft, Runner
from hub.device import Device
from hub.observation import (
    ALIVE,
    BACKLOG_S,
    CLOCK_AHEAD_S,
    UNKNOWN_TIME,
    Measured,
    Observation,
    firmware_of,
    is_last_will,
    measured,
    sample_key,
)
from hub.register import Register
from hub.sources.mqtt import Delivery, Ticket
from hub.store.packed import PackedRow, microseconds, microseconds_at, origin_of, pack
from schemas import identity, topics
from schemas.codec import Malformed, decode_telemetry
from schemas.ids import DeviceId, PersonId
from schemas.quick import read_quickly
from schemas.telemetry import TelemetryMessage
from schemas.vocabulary import Quality

CORROBORATING = frozenset({"steps", "bed_state", "worn_state", "motion"})
"""What confirms or contradicts a fall: somebody up and about, in bed, or without the wristband."""
SAME_FIRMWARE_FOR_S = 86_400
"""Ours: a device says it with every heartbeat; a row a day shows that it still runs it."""
MOST_AHEAD_US = 1_000_000
"""A second: a burst of a million rows."""

_UNKNOWN_US = microseconds(UNKNOWN_TIME)
_STEM, _LANE, _SPLIT = f"{topics.PREFIX}/", topics.Lane.TELEMETRY.value, 5


class Message(msgspec.Struct, gc=False):
    """A delivery with every packet id under which the broker sent it. (Of no interest to the
    garbage collector: there are thousands at a time, and nothing points back.)"""

    delivery: Delivery
    received_at: datetime
    key: int
    tickets: list[Ticket]
    retry_key: int = 0
    """Of its envelope, if it comes out of quarantine: the same however often it is delivered."""


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
        self._alive = runner.wanted(ALIVE) or ()
        self._last_us = 0
        self._received_at, self._received_s = UNKNOWN_TIME, 0.0
        """The time of arrival last seen: many messages have the same."""
        self._firmware: dict[DeviceId, tuple[str, int]] = {}
        """What each device said last that it runs, and when that was kept (seconds since 1970)."""

    def digest(self, message: Message, draft: Draft) -> list[PackedRow]:
        """The message's rows; what detectors make of it is in the draft. Raises Malformed."""
        delivery = message.delivery
        device, kind = self._sender(delivery.topic)
        content = self._decode(kind, delivery.payload)
        received_at = message.received_at
        if received_at is not self._received_at:
            self._received_at, self._received_s = received_at, received_at.timestamp()
        received_s = self._received_s
        values = measured(content)
        firmware = firmware_of(content)
        if firmware is not None and self._is_news(device.id, firmware.state or "", int(received_s)):
            values.append(firmware)
        belonging = self._runner.belonging(device)
        if not is_last_will(content):
            arrived_s = int(received_s)
            alive = Observation(
                device, ALIVE, received_at, None, None, None, Quality.GOOD, None, None,
                content.sequence, arrived_s, 0, arrived_s,
            )  # fmt: skip
            self._runner.show(draft, belonging, self._alive, alive, bool(values))
        key = message.key
        if content.message_id is None and content.observed_at is None:
            # Nothing tells two equal readings apart but their arrival and their place in it. A
            # redelivery after a crash is then stored twice, which harms less than a reading that
            # is never stored. Out of quarantine its first arrival comes with it.
            arrival = f"{delivery.topic} {received_at} {self._last_us}"
            key = message.retry_key or identity.message_key(arrival, delivery.payload)
        watched = self._witness.watched()
        if watched and device.person_id in watched:
            self._corroborate(device, values, received_at)
        return self._values(belonging, values, key, received_at, received_s, draft)

    def _is_news(self, device_id: DeviceId, firmware: str, now_s: int) -> bool:
        """Whether this is worth a row."""
        known, kept_s = self._firmware.get(device_id, ("", 0))
        if known == firmware and 0 <= now_s - kept_s < SAME_FIRMWARE_FOR_S:
            return False
        self._firmware[device_id] = firmware, now_s
        return True

    def _sender(self, topic: str) -> tuple[Device, str]:
        """Whose message it is, and of what kind. Raises Malformed."""
        devices, levels = self._register.devices, topic.rsplit("/", 4)
        if len(levels) == _SPLIT and levels[3] == _LANE:
            device = devices.get(levels[2])  # type: ignore[call-overload]
            # As it is registered, so these are ids; a device that was moved takes the long way.
            if (
                device is not None
                and levels[1] == device.premises_id
                and levels[0] == _STEM + device.area_id
            ):
                return device, levels[4]
        found = topics.telemetry_levels(topic)
        device = None if found is None else devices.get(DeviceId(found[0]))
        if found is None or device is None:
            raise Malformed(why_unreadable(topic))
        return device, found[1]

    def _decode(self, kind: str, payload: bytes) -> TelemetryMessage:
        message = read_quickly(kind, payload)
        if message is not None:
            return message
        decoded = decode_telemetry(kind, payload)
        self._counts["unknown_fields"] += decoded.unknown_fields
        self._counts["damaged"] += len(decoded.damage)
        return decoded.message

    def _values(
        self,
        belonging: Belonging,
        values: list[Measured],
        key: int,
        received_at: datetime,
        received_s: float,
        draft: Draft,
    ) -> list[PackedRow]:
        """Each value to the detectors that want it, and as a row."""
        runner, device = self._runner, belonging.device
        origin = origin_of(device)
        received_us = self._arrival(microseconds_at(received_s, received_at), len(values))
        arrived_s = int(received_s)
        at, observed_us, observed_s, moment_s = None, _UNKNOWN_US, 0, arrived_s
        rows: list[PackedRow] = []
        for index, value in enumerate(values):
            if value.observed_at is not at:
                at = value.observed_at
                observed_us, observed_s, moment_s = _times(at, received_s, arrived_s)
            name = value.measure.key
            wanted = runner.wanted(name)
            if wanted is not None:
                observation = Observation(
                    device, name, received_at, at, value.value, value.state, value.quality, None,
                    value.position, None, arrived_s, observed_s, moment_s,
                )  # fmt: skip
                runner.show(draft, belonging, wanted, observation, True)
            row_key = sample_key(key, index) if index else key
            rows.append(pack(origin, value, row_key, observed_us, received_us + index))
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


def _times(at: datetime | None, received_s: float, arrived_s: int) -> tuple[int, int, int]:
    """A device's time as it is stored, and as detectors count it (`seconds_of`)."""
    if at is None:
        return _UNKNOWN_US, 0, arrived_s
    at_s = at.timestamp()
    observed_s = int(at_s)
    believed = -CLOCK_AHEAD_S <= received_s - at_s <= BACKLOG_S
    return microseconds_at(at_s, at), observed_s, observed_s if believed else arrived_s


def why_unreadable(topic: str) -> str:
    """What is wrong with a topic that names no device of ours."""
    parsed = topics.parse(topic)
    if parsed is None or parsed.lane is not topics.Lane.TELEMETRY:
        return "the topic is not one of the contract's"
    return "the device is not in the register"
