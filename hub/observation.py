"""What a device measured, with three times kept apart: device clock, arrival, commit."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from hub.device import Device
from hub.geo import to_wgs84
from schemas.alarms import AlarmMessage, Position
from schemas.codec import TELEMETRY_TYPES
from schemas.quick import QUICK
from schemas.telemetry import Activity, Bed, LinkState, Location, Status, TelemetryMessage, Vitals
from schemas.vocabulary import MEASURE_BY_KEY, Measure, Quality, quality_of

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a device time that is unknown: the same for every redelivery."""

ALIVE = "alive"
"""Not measured by anybody: every message that a device sends itself is a sign of its life."""

CLOCK_AHEAD_S = 300
"""Ours: NTP keeps a healthy device within a second; five minutes ahead is a clock that lies."""
BACKLOG_S = 86_400
"""Ours: a bed keeps hours of minute values after lost coverage; what is older is a wrong clock."""

_KEY_MASK = (1 << 63) - 1
_KEY_STEP = 0x9E37_79B9_7F4A_7C15
"""Spreads the samples of one message over the key space (the golden ratio of 64 bits)."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """What detectors see. `measure` is a key of the vocabulary, `alive`, or an alarm's kind."""

    device: Device
    measure: str
    received_at: datetime
    observed_at: datetime | None
    value: float | None = None
    state: str | None = None
    quality: Quality = Quality.GOOD
    message: AlarmMessage | None = None
    """Only of the alarm lane: the whole message."""
    position: Position | None = None
    """Only of a fix; WGS-84."""
    sequence: int | None = None
    """Only of `alive`: the device's own count of its telemetry messages, where it keeps one."""
    arrived_s: int = 0
    """`received_at` in whole seconds since 1970, where it was worked out already (`seconds_of`);
    0: it was not, and neither were the next two."""
    observed_s: int = 0
    """`observed_at` likewise; 0: unknown."""
    moment_s: int = 0
    """When it was measured, as far as the device's clock can be believed."""


class Seconds(msgspec.Struct, frozen=True, gc=False):
    """The times of a value as detectors count them, whole seconds since 1970."""

    arrived_s: int
    observed_s: int
    """What the device says; 0: nothing."""
    moment_s: int
    """The device's time, or the arrival where that cannot be."""


def seconds_of(received_s: float, observed_at: datetime | None) -> Seconds:
    """Arrival (seconds since 1970) and device time, worked out once for whoever needs them.

    >>> seconds_of(1_700_000_000.5, datetime(2020, 1, 1, tzinfo=UTC))
    Seconds(arrived_s=1700000000, observed_s=1577836800, moment_s=1700000000)
    """
    arrived_s = int(received_s)
    if observed_at is None:
        return Seconds(arrived_s, 0, arrived_s)
    observed_s = observed_at.timestamp()
    believed = -CLOCK_AHEAD_S <= received_s - observed_s <= BACKLOG_S
    return Seconds(arrived_s, int(observed_s), int(observed_s) if believed else arrived_s)


class Measured(msgspec.Struct, frozen=True, gc=False):
    """One value of a telemetry message, before it becomes a row."""

    measure: Measure
    observed_at: datetime | None
    value: float | None = None
    state: str | None = None
    quality: Quality = Quality.GOOD
    position: Position | None = None


def measured(message: TelemetryMessage) -> list[Measured]:
    """The values of a message; implausible ones keep their number and say so."""
    return _VALUES[type(message)](message)


def is_last_will(message: TelemetryMessage) -> bool:
    """Whether the broker speaks for a device that is gone: no sign of life."""
    return isinstance(message, Status) and message.state is LinkState.OFFLINE


def sample_key(message_key: int, index: int) -> int:
    """The key of the n-th value of a message: the same for every redelivery.

    >>> sample_key(5, 0), sample_key(5, 1) == sample_key(5, 1), sample_key(5, 1) != 6
    (5, True, True)
    """
    return (message_key + index * _KEY_STEP) & _KEY_MASK


def _number(
    measure: Measure, at: datetime | None, value: float, claimed: Quality = Quality.GOOD
) -> Measured:
    if measure.low <= value <= measure.high:
        return Measured(measure, at, value, None, claimed)
    return Measured(measure, at, value, None, quality_of(measure, value, claimed))


def _state(measure: Measure, at: datetime | None, state: str) -> Measured:
    return Measured(measure, at, None, _clean(state))


def _clean(text: str) -> str:
    """PostgreSQL has no NUL in text, and nobody needs a long state."""
    return text.replace("\0", "")[:64]


def _vitals(message: Vitals) -> list[Measured]:
    at = message.observed_at
    return [
        _number(
            MEASURE_BY_KEY[sample.measure],
            sample.observed_at or at,
            sample.value,
            # Contactless heart and breathing rates are invalid while the person moves.
            Quality.INVALID if sample.moving else sample.quality,
        )
        for sample in message.samples
    ]


_BED_STATE, _MOVEMENT = MEASURE_BY_KEY["bed_state"], MEASURE_BY_KEY["movement_percent"]
_STEPS, _MOTION = MEASURE_BY_KEY["steps"], MEASURE_BY_KEY["motion"]
_DOOR, _ROOM = MEASURE_BY_KEY["door"], MEASURE_BY_KEY["room"]
_LINK, _WORN = MEASURE_BY_KEY["link_state"], MEASURE_BY_KEY["worn_state"]
_BATTERY, _SIGNAL = MEASURE_BY_KEY["battery_percent"], MEASURE_BY_KEY["signal_dbm"]
_POSITION, _FIRMWARE = MEASURE_BY_KEY["position"], MEASURE_BY_KEY["firmware"]


def _bed(message: Bed) -> list[Measured]:
    at = message.observed_at
    values = [_state(_BED_STATE, at, message.state)]
    if message.movement_percent is not None:
        values.append(_number(_MOVEMENT, at, message.movement_percent))
    return values


def _activity(message: Activity) -> list[Measured]:
    at = message.observed_at
    values: list[Measured] = []
    if message.steps is not None:
        values.append(_number(_STEPS, at, message.steps))
    if message.motion is not None:
        values.append(_state(_MOTION, at, "detected" if message.motion else "none"))
    if message.door is not None:
        values.append(_state(_DOOR, at, message.door))
    if message.room is not None:
        values.append(_state(_ROOM, at, message.room))
    return values


def _location(message: Location) -> list[Measured]:
    fix = Position(
        message.latitude,
        message.longitude,
        message.accuracy_m,
        message.source,
        message.fixed_at,
        message.datum,
    )
    at = message.fixed_at or message.observed_at
    return [Measured(_POSITION, at, state=message.source.value, position=to_wgs84(fix))]


def _status(message: Status) -> list[Measured]:
    at = message.observed_at
    values = [_state(_LINK, at, message.state)]
    if message.battery_percent is not None:
        values.append(_number(_BATTERY, at, message.battery_percent))
    if message.signal_dbm is not None:
        values.append(_number(_SIGNAL, at, message.signal_dbm))
    if message.worn is not None:
        values.append(_state(_WORN, at, message.worn))
    return values


def firmware_of(message: TelemetryMessage) -> Measured | None:
    """What a device says it runs, which is a value only where it is news (`hub.digest`)."""
    if not isinstance(message, Status) or not message.firmware:
        return None
    return _state(_FIRMWARE, message.observed_at, message.firmware)


_BY_KIND: Mapping[str, Callable[[Any], list[Measured]]] = {
    "vitals": _vitals,
    "bed": _bed,
    "activity": _activity,
    "location": _location,
    "status": _status,
}
_VALUES = {
    struct: values
    for kind, values in _BY_KIND.items()
    for struct in (TELEMETRY_TYPES[kind], QUICK[kind])
}
