"""How a device believes to know where it is: the source it had, the error it made, what it admits.

Radial errors by source, measured on phones side by side by Zandbergen, Transactions in GIS 13(s1),
2009 (medians: assisted GPS 8 m, Wi-Fi 74 m, cellular 600 m). Open-sky GNSS follows a Rayleigh
distribution; Wi-Fi and cell have the long tail of that paper's figures, here log-normal with a
spread that is ours. A beacon names a room: its error is the room.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import cos, exp, log, pi, sin, sqrt
from statistics import NormalDist

from device_sim import gcj02
from device_sim.place import Place, moved
from device_sim.seeded import fraction
from schemas.alarms import Datum, PositionSource

_NORMAL = NormalDist()
_STATED_SHARE = 0.68
"""What phones mean by accuracy: the true place is within it with 68 % (Android, Location)."""
OPTIMISM = 0.25
"""Ours: an optimistic device states a quarter of what it should."""
_LEAST_U, _MOST_U = 1e-6, 1 - 1e-6


class Honesty(StrEnum):
    """Whether `accuracy_m` says what it should."""

    HONEST = "honest"
    OPTIMISTIC = "optimistic"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Distribution of the distance between a fix and the truth."""

    median_m: float
    log_spread: float | None = None
    """Of a log-normal distribution; None: Rayleigh."""

    def at(self, share: float) -> float:
        """The error that `share` of all fixes do not exceed, in metres.

        >>> ErrorModel(8.0).at(0.5), round(ErrorModel(74.0, 0.8).at(0.5))
        (8.0, 74)
        """
        share = min(_MOST_U, max(_LEAST_U, share))
        if self.log_spread is None:
            return self.median_m * sqrt(-log(1.0 - share) / log(2.0))
        return self.median_m * exp(self.log_spread * _NORMAL.inv_cdf(share))


ERRORS: dict[PositionSource, ErrorModel] = {
    PositionSource.GNSS: ErrorModel(8.0),
    PositionSource.WIFI: ErrorModel(74.0, 0.7),
    PositionSource.CELL: ErrorModel(600.0, 0.6),
    PositionSource.BEACON: ErrorModel(2.0),
}
LONGEST_ERROR_M = 5_000.0
"""The worst cellular fix of the paper was off by a few kilometres."""

INDOORS = (PositionSource.BEACON, PositionSource.WIFI, PositionSource.CELL)
OUTDOORS = (PositionSource.GNSS, PositionSource.WIFI, PositionSource.CELL)
"""Which source is asked, in order. Under a roof no satellite is heard."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What a device can locate itself with, and how truthful it is about it."""

    sources: tuple[PositionSource, ...] = (PositionSource.GNSS, PositionSource.WIFI)
    datum: Datum = Datum.WGS84
    honesty: Honesty = Honesty.HONEST
    stale_share: float = 0.0
    """Of the fixes: the last one again, with its old time."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A place as the device says it, in the datum it declares."""

    latitude: float
    longitude: float
    accuracy_m: float | None
    source: PositionSource
    fixed_at: datetime | None
    datum: Datum


def take_fix(
    place: Place, receiver: Receiver, *, seed: str, number: int, at: datetime | None
) -> Fix | None:
    """The device's `number`-th fix; None: nothing it could locate itself with."""
    asked = INDOORS if place.indoors else OUTDOORS
    source = next((source for source in asked if source in receiver.sources), None)
    if source is None:
        return None
    model = ERRORS[source]
    off_m = min(LONGEST_ERROR_M, model.at(fraction(seed, number, "error")))
    bearing = 2 * pi * fraction(seed, number, "bearing")
    latitude, longitude = moved(
        place.latitude, place.longitude, off_m * sin(bearing), off_m * cos(bearing)
    )
    if receiver.datum is Datum.GCJ02:
        latitude, longitude = gcj02.from_wgs84(latitude, longitude)
    return Fix(
        round(latitude, 6),
        round(longitude, 6),
        _stated_m(model, receiver.honesty),
        source,
        at,
        receiver.datum,
    )


def is_stale(receiver: Receiver, seed: str, number: int) -> bool:
    """Whether the device repeats its last fix instead of taking this one."""
    return fraction(seed, number, "stale") < receiver.stale_share


def _stated_m(model: ErrorModel, honesty: Honesty) -> float | None:
    if honesty is Honesty.ABSENT:
        return None
    stated_m = model.at(_STATED_SHARE)
    return round(stated_m * (OPTIMISM if honesty is Honesty.OPTIMISTIC else 1.0), 1)
