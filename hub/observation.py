"""What a device measured, with three times kept apart: device clock, arrival, commit."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.device import Device
from hub.geo import to_wgs84
from schemas.alarms import AlarmMessage, Position
from schemas.telemetry import Activity, Bed, LinkState, Location, Status, TelemetryMessage, Vitals
from schemas.vocabulary import MEASURE_BY_KEY, Measure, Quality, quality_of

UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for a device time that is unknown: the same for every redelivery."""

ALIVE = "alive"
"""Not measured by anybody: every message that a device sends itself is a sign of its life."""

_KEY_MASK = (1 << 63) - 1
_KEY_STEP = 0x9E37_79B9_7F4A_7C15
"""Spreads the samples of one message over the key space (the golden ratio of 64 bits)."""


@dataclass(frozen=True, slots=True)
class Observation:
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


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of a telemetry message, before it becomes a row."""

    measure: Measure
    observed_at: datetime | None
    value: float | None = None
    state: str | None = None
    quality: Quality = Quality.GOOD
    position: Position | None = None


def measured(message: TelemetryMessage) -> list[Measured]:
    """The values of a message; implausible ones keep their number and say so."""
    return list(_VALUES[type(message)](message))


def is_last_will(message: TelemetryMessage) -> bool:
    """Whether the broker speaks for a device that is gone: no sign of life."""
    return isinstance(message, Status) and message.state is LinkState.OFFLINE


def sample_key(message_key: int, index: int) -> int:
    """The key of the n-th value of a message: the same for every redelivery.

    >>> sample_key(5, 0), sample_key(5, 1) == sample_key(5, 1), sample_key(5, 1) != 6
    (5, True, True)
    """
    return (message_key + index * _KEY_STEP) & _KEY_MASK


def _number(key: str, at: datetime | None, value: float, claimed: Quality) -> Measured:
    measure = MEASURE_BY_KEY[key]
    return Measured(measure, at, value, quality=quality_of(measure, value, claimed))


def _state(key: str, at: datetime | None, state: str) -> Measured:
    return Measured(MEASURE_BY_KEY[key], at, state=_clean(state))


def _clean(text: str) -> str:
    """PostgreSQL has no NUL in text, and nobody needs a long state."""
    return text.replace("\0", "")[:64]


def _vitals(message: Vitals) -> Iterator[Measured]:
    for sample in message.samples:
        at = sample.observed_at or message.observed_at
        # Contactless heart and breathing rates are invalid while the person moves.
        claimed = Quality.INVALID if sample.moving else sample.quality
        yield _number(sample.measure, at, sample.value, claimed)


def _bed(message: Bed) -> Iterator[Measured]:
    yield _state("bed_state", message.observed_at, message.state)
    if message.movement_percent is not None:
        yield _number(
            "movement_percent", message.observed_at, message.movement_percent, Quality.GOOD
        )


def _activity(message: Activity) -> Iterator[Measured]:
    at = message.observed_at
    if message.steps is not None:
        yield _number("steps", at, message.steps, Quality.GOOD)
    if message.motion is not None:
        yield _state("motion", at, "detected" if message.motion else "none")
    if message.door is not None:
        yield _state("door", at, message.door)
    if message.room is not None:
        yield _state("room", at, message.room)


def _location(message: Location) -> Iterator[Measured]:
    fix = Position(
        message.latitude,
        message.longitude,
        message.accuracy_m,
        message.source,
        message.fixed_at,
        message.datum,
    )
    yield Measured(
        MEASURE_BY_KEY["position"],
        message.fixed_at or message.observed_at,
        state=message.source.value,
        position=to_wgs84(fix),
    )


def _status(message: Status) -> Iterator[Measured]:
    at = message.observed_at
    yield _state("link_state", at, message.state)
    if message.battery_percent is not None:
        yield _number("battery_percent", at, message.battery_percent, Quality.GOOD)
    if message.signal_dbm is not None:
        yield _number("signal_dbm", at, message.signal_dbm, Quality.GOOD)
    if message.worn is not None:
        yield _state("worn_state", at, message.worn)


_VALUES: Mapping[type[Any], Callable[[Any], Iterator[Measured]]] = {
    Vitals: _vitals,
    Bed: _bed,
    Activity: _activity,
    Location: _location,
    Status: _status,
}
