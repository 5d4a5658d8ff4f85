"""Safe areas on the map: circles and polygons, and how far beyond their border a point lies."""

from collections.abc import Sequence
from math import cos, hypot, inf, radians

import msgspec

EARTH_M_PER_DEGREE = 111_195.0
"""Mean radius 6371.0 km (IUGG); flat within a few kilometres of a home, which is all that is
asked."""


LEAST_AREA_M2 = 400.0
"""Ours: 20 m by 20 m; a smaller fence is smaller than any fix."""

Point = tuple[float, float]
Side = tuple[Point, Point]


class Circle(msgspec.Struct, frozen=True, tag="circle"):
    """Everywhere within a radius; degrees WGS-84, metres."""

    latitude: float
    longitude: float
    radius_m: float


class Polygon(msgspec.Struct, frozen=True, tag="polygon"):
    """A drawn area: at least three corners (latitude, longitude); the last joins the first."""

    corners: tuple[tuple[float, float], ...]


class Fence(msgspec.Struct, frozen=True):
    """Where somebody is safe; several shapes together are one fence."""

    id: str
    label: str
    shapes: tuple[Circle | Polygon, ...]
    active_from_min: int | None = None
    """Local minute of the day from which leaving counts; None: always."""
    active_until_min: int | None = None
    """... and until which; before `active_from_min` it runs over midnight."""

    def holds(self, minute_of_day: int) -> bool:
        """Whether leaving counts at this local minute.

        >>> night = Fence("f", "home", (), 1320, 360)
        >>> night.holds(1380), night.holds(120), night.holds(720)
        (True, True, False)
        """
        start, end = self.active_from_min, self.active_until_min
        if start is None or end is None:
            return True
        if start <= end:
            return start <= minute_of_day < end
        return minute_of_day >= start or minute_of_day < end


def distance_m(fence: Fence, latitude: float, longitude: float) -> float:
    """How far outside the fence a point is; negative inside, by the deepest shape.

    >>> home = Fence("home", "home", (Circle(39.9, 116.4, 500),))
    >>> round(distance_m(home, 39.9, 116.4)), round(distance_m(home, 39.91, 116.4))
    (-500, 612)
    """
    return min((_beyond(shape, latitude, longitude) for shape in fence.shapes), default=-inf)


def _beyond(shape: Circle | Polygon, latitude: float, longitude: float) -> float:
    if isinstance(shape, Circle):
        east, north = metres_between(shape.latitude, shape.longitude, latitude, longitude)
        return hypot(east, north) - shape.radius_m
    corners = [metres_between(latitude, longitude, *corner) for corner in shape.corners]
    return _to_border(corners) * (-1 if _around_origin(corners) else 1)


def metres_between(
    from_latitude: float, from_longitude: float, latitude: float, longitude: float
) -> tuple[float, float]:
    """East and north of one point from another, the short way round the globe."""
    turn = (longitude - from_longitude + 180) % 360 - 180
    middle = radians((latitude + from_latitude) / 2)
    east = turn * cos(middle) * EARTH_M_PER_DEGREE
    return east, (latitude - from_latitude) * EARTH_M_PER_DEGREE


def encloses(polygon: Polygon) -> bool:
    """Whether a drawn area is one: no two sides cross, and there is something inside.

    >>> encloses(Polygon(((39.9, 116.4), (39.9, 116.5), (39.8, 116.5))))
    True
    >>> encloses(Polygon(((39.9, 116.4), (39.8, 116.5), (39.9, 116.5), (39.8, 116.4))))
    False
    """
    start = polygon.corners[0]
    corners = [metres_between(*start, *corner) for corner in polygon.corners]
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    doubled = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in sides)
    apart = (
        (one, other)
        for index, one in enumerate(sides)
        for other in sides[index + 2 : len(sides) - (index == 0)]
    )
    return abs(doubled) > 2 * LEAST_AREA_M2 and not any(_cross(*pair) for pair in apart)


def _cross(one: Side, other: Side) -> bool:
    """Whether two sides without a common corner meet."""
    return _turn(*one, other[0]) != _turn(*one, other[1]) and (
        _turn(*other, one[0]) != _turn(*other, one[1])
    )


def _turn(start: Point, end: Point, to: Point) -> bool:
    """Whether a point lies to the left of the way from start to end."""
    return (end[0] - start[0]) * (to[1] - start[1]) > (end[1] - start[1]) * (to[0] - start[0])


def _to_border(corners: Sequence[tuple[float, float]]) -> float:
    """From the origin to the nearest edge."""
    nearest = inf
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        along_x, along_y = x2 - x1, y2 - y1
        square = along_x * along_x + along_y * along_y
        share = 0.0 if square == 0 else -(x1 * along_x + y1 * along_y) / square
        share = min(1.0, max(0.0, share))
        nearest = min(nearest, hypot(x1 + share * along_x, y1 + share * along_y))
    return nearest


def _around_origin(corners: Sequence[tuple[float, float]]) -> bool:
    """Even-odd rule: a ray from the origin crosses the border an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y1 > 0) != (y2 > 0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0:
            inside = not inside
    return inside
