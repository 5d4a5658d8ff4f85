"""China's official datum, which many devices sold there report in: WGS-84 to GCJ-02.

The formula was never published by its authors; this is the one everybody uses, as reconstructed in
2010 and kept by the project eviltransform. Undeclared, a place in Shanghai is 480 m off.
"""

from math import pi, sin, sqrt

_AXIS_M = 6_378_245.0  # semi-major axis of the Krasovsky ellipsoid
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
"""Outside these bounds (degrees) the datum is WGS-84 itself."""


def from_wgs84(latitude: float, longitude: float) -> tuple[float, float]:
    """The same place in GCJ-02 degrees.

    >>> latitude, longitude = from_wgs84(31.2304, 121.4737)
    >>> round(latitude, 5), round(longitude, 5)
    (31.22846, 121.47822)
    """
    if not (_SOUTH < latitude < _NORTH and _WEST < longitude < _EAST):
        return latitude, longitude
    x, y = longitude - 105.0, latitude - 35.0
    phi = latitude * pi / 180.0
    magic = 1.0 - _ECCENTRICITY_SQUARED * sin(phi) ** 2
    north = _north_m(x, y) * 180.0
    east = _east_m(x, y) * 180.0
    per_latitude = _AXIS_M * (1.0 - _ECCENTRICITY_SQUARED) / (magic * sqrt(magic)) * pi
    per_longitude = _AXIS_M / sqrt(magic) * sin(pi / 2 - phi) * pi
    return latitude + north / per_latitude, longitude + east / per_longitude


def _north_m(x: float, y: float) -> float:
    flat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    return (
        flat
        + _waves(x)
        + (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
        + (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    )


def _east_m(x: float, y: float) -> float:
    flat = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    return (
        flat
        + _waves(x)
        + (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
        + (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    )


def _waves(x: float) -> float:
    return (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
