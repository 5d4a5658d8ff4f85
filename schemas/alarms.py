"""What comes up the alarm lane. Every field beyond the topic is optional on purpose:

a wristband with a dead clock, no fix and half a payload still raises (docs/contract.md).
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.fields import DeviceTime, Latitude, Length, Longitude, MessageId, Number, Share

MilliG = Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
"""Raw acceleration; 1000 g is far beyond every wearable's range."""

SampleRate = Annotated[float, msgspec.Meta(gt=0, le=10_000)]
Range = Annotated[float, msgspec.Meta(gt=0, le=1_000)]
Impact = Annotated[float, msgspec.Meta(ge=0, le=1_000)]


class PressAction(StrEnum):
    """What the person meant by the press."""

    EMERGENCY = "emergency"
    """Always rings."""
    HELP = "help"
    """Medium priority."""
    CANCEL = "cancel"
    TEST = "test"
    """Gets its receipt and is recorded, without ringing a desk."""


class PositionSource(StrEnum):
    """What a fix was made from."""

    GNSS = "gnss"
    WIFI = "wifi"
    CELL = "cell"
    BEACON = "beacon"
    PREMISES = "premises"
    """Not measured: the registered address."""


class Datum(StrEnum):
    """The coordinate system a device reports in; stored positions are WGS-84."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place on the earth, as the device says it; degrees, metres."""

    latitude: Latitude
    longitude: Longitude
    accuracy_m: Length | None = None
    source: PositionSource = PositionSource.GNSS
    fixed_at: DeviceTime | None = None
    datum: Datum = Datum.WGS84


class Press(msgspec.Struct, frozen=True, omit_defaults=True):
    """alarm/press: somebody pressed. An absent action is an emergency."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    action: PressAction = PressAction.EMERGENCY
    position: Position | None = None
    duress: bool = False
    """On a cancel: the person was made to cancel; escalate silently. Unreadable counts as true."""


class Fall(msgspec.Struct, frozen=True, omit_defaults=True):
    """alarm/fall: the wristband's own detector claims a fall."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    confidence: Share | None = None
    """0 to 1, as the device says it; None: not stated."""
    impact_g: Impact | None = None
    position: Position | None = None


class Motion(msgspec.Struct, frozen=True, omit_defaults=True):
    """alarm/motion: raw acceleration round an impact, three axes of equal length in milli-g."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    sample_rate_hz: SampleRate = 50.0
    range_g: Range = 16.0
    x_mg: list[MilliG] = []
    y_mg: list[MilliG] = []
    z_mg: list[MilliG] = []
    position: Position | None = None


class HazardKind(StrEnum):
    """What the sensor guards against."""

    SMOKE = "smoke"
    GAS = "gas"
    CARBON_MONOXIDE = "carbon_monoxide"
    WATER = "water"
    COLD = "cold"
    MAINS_LOST = "mains_lost"
    TAMPER = "tamper"


class HazardPhase(StrEnum):
    """Whether the hazard began or ended."""

    BEGAN = "began"
    ENDED = "ended"


class Hazard(msgspec.Struct, frozen=True, omit_defaults=True):
    """alarm/hazard: smoke, gas, water, cold, mains, tamper. An absent phase means it began."""

    message_id: MessageId | None = None
    observed_at: DeviceTime | None = None
    hazard: HazardKind | None = None
    phase: HazardPhase = HazardPhase.BEGAN
    value: Number | None = None
    """As the sensor measured it, in its own unit: shown to the dispatcher, never decided by."""
    position: Position | None = None


AlarmMessage = Press | Fall | Motion | Hazard
