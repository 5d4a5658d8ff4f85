"""What comes up the telemetry lane; `message_id` and `observed_at` may be missing everywhere."""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.alarms import Datum, PositionSource
from schemas.fields import (
    Count,
    DeviceTime,
    Label,
    Latitude,
    Length,
    Longitude,
    MessageId,
    Number,
    Sequence,
)
from schemas.vocabulary import Quality

MAX_SAMPLES = 256
"""Samples in one message: four hours of a bed's minute values after lost coverage."""


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured number at one time."""

    measure: str
    """A numeric key of `vocabulary.json` and so its unit; others are ignored and counted."""
    value: Number
    observed_at: DeviceTime | None = None
    """Absent: the message's time."""
    quality: Quality = Quality.GOOD
    moving: bool = False
    """The person moved while it was measured; contactless rates are invalid then."""


class Vitals(msgspec.Struct, frozen=True, omit_defaults=True):
    """telemetry/vitals: one or many samples of a care bed or wristband."""

    samples: Annotated[list[Sample], msgspec.Meta(min_length=1, max_length=MAX_SAMPLES)]
    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    sequence: Sequence | None = None


class BedState(StrEnum):
    """What the bed feels."""

    OCCUPIED = "occupied"
    EMPTY = "empty"


class Bed(msgspec.Struct, frozen=True, omit_defaults=True):
    """telemetry/bed: occupied or empty, and how much the person moves."""

    state: BedState
    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    movement_percent: Number | None = None
    """Share of the last minute with movement, 0 to 100."""
    sequence: Sequence | None = None


class DoorState(StrEnum):
    """What a door did last."""

    OPENED = "opened"
    CLOSED = "closed"


class Activity(msgspec.Struct, frozen=True, omit_defaults=True):
    """telemetry/activity: signs of life from wristband, room and door sensors."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    steps: Count | None = None
    """Steps since the last message."""
    motion: bool | None = None
    door: DoorState | None = None
    room: Label | None = None
    sequence: Sequence | None = None


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """telemetry/location: a fix; degrees in the declared datum, metres."""

    latitude: Latitude
    longitude: Longitude
    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    accuracy_m: Length | None = None
    source: PositionSource = PositionSource.GNSS
    fixed_at: DeviceTime | None = None
    datum: Datum = Datum.WGS84
    sequence: Sequence | None = None


class LinkState(StrEnum):
    """`offline` is sent by the broker as the device's last will."""

    ONLINE = "online"
    OFFLINE = "offline"


class WornState(StrEnum):
    """Whether a wristband is where it can feel the person."""

    WORN = "worn"
    OFF = "off"
    CHARGING = "charging"


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """telemetry/status: the heartbeat."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    state: LinkState = LinkState.ONLINE
    battery_percent: Number | None = None
    signal_dbm: Number | None = None
    firmware: Label | None = None
    worn: WornState | None = None
    sequence: Sequence | None = None


TelemetryMessage = Vitals | Bed | Activity | Location | Status
