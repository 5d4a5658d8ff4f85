"""Chinese map coordinates exist only at the border; inside, every position is WGS-84.

GCJ-02 and BD-09 with the constants published in the many open implementations of the "Mars"
offset (Krasovsky 1940 ellipsoid). Outside mainland China GCJ-02 equals WGS-84.
"""

from dataclasses import dataclass
from math import atan2, cos, pi, sin, sqrt

import msgspec

from schemas.alarms import Datum, Position

_AXIS_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BD_TURN = pi * 3000.0 / 180.0
_INVERSE_STEPS = 4
"""Fixed-point steps of the inverse; after four the error is below a millimetre."""


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees, in whichever datum the caller means."""

    latitude: float
    longitude: float


def to_wgs84(position: Position) -> Position:
    """The position in WGS-84, whatever datum the device declared.

    >>> p = to_wgs84(Position(39.908, 116.397, datum=Datum.GCJ02))
    >>> round(p.latitude, 4), round(p.longitude, 4), p.datum.value
    (39.9066, 116.3908, 'wgs84')
    """
    if position.datum is Datum.WGS84:
        return position
    point = Point(position.latitude, position.longitude)
    if position.datum is Datum.BD09:
        point = _bd09_to_gcj02(point)
    point = _gcj02_to_wgs84(point)
    return msgspec.structs.replace(
        position, latitude=point.latitude, longitude=point.longitude, datum=Datum.WGS84
    )


def _outside_china(point: Point) -> bool:
    """The rectangle every published implementation uses."""
    return not (72.004 <= point.longitude <= 137.8347 and 0.8293 <= point.latitude <= 55.8271)


def _gcj02_to_wgs84(point: Point) -> Point:
    if _outside_china(point):
        return point
    guess = point
    for _ in range(_INVERSE_STEPS):
        shifted = _wgs84_to_gcj02(guess)
        guess = Point(
            guess.latitude + point.latitude - shifted.latitude,
            guess.longitude + point.longitude - shifted.longitude,
        )
    return guess


def _wgs84_to_gcj02(point: Point) -> Point:
    if _outside_china(point):
        return point
    x, y = point.longitude - 105.0, point.latitude - 35.0
    waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    radians = point.latitude / 180.0 * pi
    magic = 1.0 - _ECCENTRICITY_SQUARED * sin(radians) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (magic * sqrt(magic))
    parallel_m = _AXIS_M / sqrt(magic) * cos(radians)
    return Point(
        point.latitude + north * 180.0 / (meridian_m * pi),
        point.longitude + east * 180.0 / (parallel_m * pi),
    )


def _bd09_to_gcj02(point: Point) -> Point:
    x, y = point.longitude - 0.0065, point.latitude - 0.006
    radius = sqrt(x * x + y * y) - 0.00002 * sin(y * _BD_TURN)
    angle = atan2(y, x) - 0.000003 * cos(x * _BD_TURN)
    return Point(radius * sin(angle), radius * cos(angle))


def _gcj02_to_bd09(point: Point) -> Point:
    x, y = point.longitude, point.latitude
    radius = sqrt(x * x + y * y) + 0.00002 * sin(y * _BD_TURN)
    angle = atan2(y, x) + 0.000003 * cos(x * _BD_TURN)
    return Point(radius * sin(angle) + 0.006, radius * cos(angle) + 0.0065)


def from_wgs84(point: Point, datum: Datum) -> Point:
    """The point as a map of that datum draws it; outside mainland China all are the same.

    >>> found = from_wgs84(Point(39.9066, 116.3908), Datum.GCJ02)
    >>> round(found.latitude, 3), round(found.longitude, 3)
    (39.908, 116.397)
    """
    if datum is Datum.WGS84 or _outside_china(point):
        return point
    shifted = _wgs84_to_gcj02(point)
    return _gcj02_to_bd09(shifted) if datum is Datum.BD09 else shifted
