"""Where a person really is, on the ground: at home, out for a walk, or walking away at night."""

from dataclasses import dataclass
from math import cos, pi, radians, sin

from device_sim.seeded import between, drift, fraction

METRES_PER_DEGREE = 111_320.0
"""Of latitude; a sphere is good enough for a walk."""

WALK_RADIUS_M = 300.0
"""Ours: how far an everyday walk leads from home."""
LEAVING_MIN = 5.0
"""Ours: so long it takes to be as far away as the walk leads, and to come back."""

WANDER_SPEED_M_PER_S = 0.8
"""Usual gait of the over-75s (Studenski et al., JAMA 2011;305:50: 0.8 m/s divides the outlook)."""
WANDER_FURTHEST_M = 5_000.0
"""Ours: nobody of the watched walks further in one night."""


@dataclass(frozen=True, slots=True)
class Place:
    """WGS-84 degrees; `indoors` decides which receiver hears anything."""

    latitude: float
    longitude: float
    indoors: bool


def moved(latitude: float, longitude: float, east_m: float, north_m: float) -> tuple[float, float]:
    """The place so many metres away.

    >>> moved(31.0, 121.0, 0.0, 111_320.0)
    (32.0, 121.0)
    """
    along = METRES_PER_DEGREE * cos(radians(latitude))
    return latitude + north_m / METRES_PER_DEGREE, longitude + east_m / along


def walking(home: Place, seed: str, minute: float, gone_min: float, left_min: float) -> Place:
    """On an everyday walk, `gone_min` after leaving and `left_min` before being back."""
    reach_m = WALK_RADIUS_M * max(0.0, min(1.0, gone_min / LEAVING_MIN, left_min / LEAVING_MIN))
    east_m = reach_m * drift(12.0, minute, seed, "walk east")
    north_m = reach_m * drift(12.0, minute, seed, "walk north")
    return Place(*moved(home.latitude, home.longitude, east_m, north_m), indoors=False)


def wandering(home: Place, seed: str, gone_s: float) -> Place:
    """Walking off in one direction, with bends."""
    away_m = min(WANDER_FURTHEST_M, WANDER_SPEED_M_PER_S * max(0.0, gone_s))
    bearing = 2 * pi * fraction(seed, "wander") + 0.6 * drift(300.0, gone_s, seed, "bend")
    east_m, north_m = away_m * sin(bearing), away_m * cos(bearing)
    return Place(*moved(home.latitude, home.longitude, east_m, north_m), indoors=away_m < 1.0)


def scattered(home: tuple[float, float], seed: str, radius_m: float) -> tuple[float, float]:
    """A place somewhere in a square round `home`; the same for the same seed."""
    east_m = between(-radius_m, radius_m, seed, "east")
    north_m = between(-radius_m, radius_m, seed, "north")
    return moved(*home, east_m, north_m)
