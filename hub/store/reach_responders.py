"""Who is nearest, from the tables: a box by index that grows until nobody outside can be sooner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import cos, degrees, radians
from typing import Any

from alerts.incident import Incident
from alerts.reach import (
    EARTH_RADIUS_M,
    SEARCH_RADII_M,
    Candidate,
    Goer,
    Point,
    Settlement,
    Standing,
    TravelMode,
    candidates,
    nobody_sooner,
    standing_of,
)
from hub.store import queries
from hub.store.whereabouts import Cursor
from schemas.ids import PremisesId

_SQL = queries.load("reach")

GOERS_LIMIT = 500
"""Read of one box, the nearest first: a street with more responders than this has no nearest."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is needed, and what holds there."""

    area_id: str
    point: Point | None
    """None: nobody wrote down where the home is."""
    settlement: Settlement
    within_min: int
    """The service circle of the area."""
    incident_id: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Candidates with the rows they came from, by responder."""

    candidates: Sequence[Candidate]
    rows: Mapping[str, Row]


async def nearest(
    cursor: Cursor,
    incident_or_premises: Incident | PremisesId | str,
    limit: int,
    at: datetime | None = None,
) -> list[Candidate]:
    """The `limit` soonest responders who can be sent now, of the county and of every area above.

    Empty where nobody is available or nobody knows where the home is. `at` is now; without it the
    database's clock tells how old positions are.
    """
    place = await place_of(cursor, incident_or_premises)
    if place is None or place.point is None:
        return []
    areas = await serving_areas(cursor, place.area_id)
    now = at or await _database_now(cursor)
    found = await search(cursor, place, areas, limit, now, free_only=True)
    free = [c for c in found.candidates if c.standing is Standing.AVAILABLE]
    return free[:limit]


async def place_of(
    cursor: Cursor, incident_or_premises: Incident | PremisesId | str
) -> Place | None:
    """Where an incident or a home is; None: there is no such one. A string is a home's id."""
    if isinstance(incident_or_premises, Incident):
        await cursor.execute(_SQL["place_of_incident"], {"id": incident_or_premises.id})
    else:
        await cursor.execute(_SQL["place_of_premises"], {"id": incident_or_premises})
    row = await cursor.fetchone()
    return None if row is None else place_from(row)


def place_from(row: Row) -> Place:
    """A place from a row of `place_of_incident` or `place_of_premises`."""
    known = row["latitude"] is not None and row["longitude"] is not None
    return Place(
        area_id=row["area_id"],
        point=Point(row["latitude"], row["longitude"]) if known else None,
        settlement=Settlement(row["settlement"]),
        within_min=row["arrive_within_min"],
        incident_id=row["incident_id"],
    )


async def serving_areas(cursor: Cursor, area_id: str) -> list[str]:
    """Whose responders may be sent to an area."""
    await cursor.execute(_SQL["serving_areas"], {"area_id": area_id})
    return [row["area_id"] for row in await cursor.fetchall()]


async def search(
    cursor: Cursor,
    place: Place,
    areas: Sequence[str],
    limit: int,
    now: datetime,
    *,
    free_only: bool,
) -> Found:
    """Candidates of these areas: at least the `limit` soonest who can be sent, if there are as
    many within the last radius."""
    found = Found([], {})
    if place.point is None:
        return found
    for radius_m in SEARCH_RADII_M:
        await cursor.execute(
            _SQL["goers_within"],
            {
                **_box(place.point, radius_m),
                "latitude": place.point.latitude,
                "longitude": place.point.longitude,
                "shrink": cos(radians(place.point.latitude)),
                "incident_id": place.incident_id,
                "areas": list(areas),
                "free_only": free_only,
                "limit": GOERS_LIMIT,
            },
        )
        rows = await cursor.fetchall()
        known = candidates(map(goer_of, rows), place.point, place.settlement, now)
        found = Found(known, {row["responder_id"]: row for row in rows})
        full = len(rows) == GOERS_LIMIT
        if full or nobody_sooner(known, limit, radius_m, place.settlement):
            break
    return found


def goer_of(row: Row) -> Goer:
    """A responder from a row of `goers_within`."""
    registered = reported = None
    if row["latitude"] is not None and row["longitude"] is not None:
        registered = Point(row["latitude"], row["longitude"])
    if row["reported_latitude"] is not None:
        reported = Point(row["reported_latitude"], row["reported_longitude"])
    return Goer(
        responder_id=row["responder_id"],
        name=row["name"],
        kind=row["kind"],
        mode=TravelMode(row["travel_mode"]),
        standing=standing_of(row["availability"], engaged=row["engaged"]),
        registered=registered,
        reported=reported,
        accuracy_m=row["accuracy_m"],
        reported_at=row["fixed_at"],
    )


def _box(point: Point, radius_m: float) -> dict[str, float]:
    """Degrees that hold a circle; near a pole or the date line every longitude."""
    north = degrees(radius_m / EARTH_RADIUS_M)
    shrunk = cos(radians(min(89.0, abs(point.latitude) + north)))
    east = min(180.0, north / shrunk)
    west, far = point.longitude - east, point.longitude + east
    if west < -180 or far > 180:
        west, far = -180.0, 180.0
    return {
        "south": point.latitude - north,
        "north": point.latitude + north,
        "west": west,
        "east": far,
    }


async def _database_now(cursor: Cursor) -> datetime:
    await cursor.execute(_SQL["now"])
    (row,) = await cursor.fetchall()
    now: datetime = row["now"]
    return now
