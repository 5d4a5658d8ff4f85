"""Who is nearest, how long they take, and whether somebody was there in time. Pure.

The travel time is an estimate from the great-circle distance, a detour factor and a speed by mode
and kind of area; where a routing service is configured, `hub.routing` replaces it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the WGS-84 ellipsoid (IUGG, 2a + b over 3); a great circle on it is wrong by at
most 0.6 %, which is far less than any detour."""

DETOUR = 1.4
"""Road over straight line: 1.417 in the mean of 66,000 trips to hospitals (Boscoe, Henry and Zdeb
2012, The Professional Geographer 64(2), 188-196)."""

CIRCLES_MIN = (10, 15, 40)
"""Service circles, minutes: 10 and 15 in towns, 40 in the country (Chinese elder-care practice)."""

FRESH_S = 600.0
"""Ours: a reported position says where a responder is for ten minutes, one circle; afterwards
where they are registered is the better guess."""

ACCURACY_LIMIT_M = 2_000.0
"""Ours: a fix by cell that is wider than this says less than the registered place."""


class TravelMode(StrEnum):
    """How a responder moves."""

    FOOT = "foot"
    BICYCLE = "bicycle"
    CAR = "car"


class Settlement(StrEnum):
    """What an area is like, as far as that decides how fast somebody moves."""

    URBAN = "urban"
    RURAL = "rural"


class Standing(StrEnum):
    """Whether a responder can be sent now, and why not."""

    AVAILABLE = "available"
    ENGAGED = "engaged"
    """With another incident just now, or on the way to it."""
    BUSY = "busy"
    OFF_DUTY = "off_duty"


class Fixed(StrEnum):
    """Where the position of a responder comes from."""

    REPORTED = "reported"
    """They, or their phone, said so a moment ago."""
    REGISTERED = "registered"
    """Where the register says they usually are."""
    STALE = "stale"
    """They said so a while ago, and the register does not know better."""


class Arrival(StrEnum):
    """How an arrival target stands."""

    OPEN = "open"
    """Nobody is with the person yet, and there is still time."""
    MET = "met"
    MISSED = "missed"
    NOT_NEEDED = "not_needed"
    """It was resolved in time without anybody having to go: a false alarm, a word by telephone."""


DEFAULT_WITHIN_MIN: Mapping[Settlement, int] = {Settlement.URBAN: 15, Settlement.RURAL: 40}
"""The circle of an area that says none, and whose areas above say none; the same stands in the
function `reach_of_area` of the schema."""

SPEEDS_KM_PER_H: Mapping[tuple[TravelMode, Settlement], float] = {
    (TravelMode.FOOT, Settlement.URBAN): 5.0,
    (TravelMode.FOOT, Settlement.RURAL): 5.0,
    (TravelMode.BICYCLE, Settlement.URBAN): 15.0,
    (TravelMode.BICYCLE, Settlement.RURAL): 15.0,
    (TravelMode.CAR, Settlement.URBAN): 25.0,
    (TravelMode.CAR, Settlement.RURAL): 40.0,
}
"""Defaults of the open routing engine OSRM (project-osrm.org, profiles foot, bicycle and car):
walking 5, cycling 15, residential streets 25, tertiary roads 40."""

SET_OFF_S: Mapping[TravelMode, float] = {
    TravelMode.FOOT: 60.0,
    TravelMode.BICYCLE: 90.0,
    TravelMode.CAR: 120.0,
}
"""Ours: from the decision to the street, with coat, keys and parking at the other end."""

SEARCH_RADII_M = (2_000.0, 8_000.0, 32_000.0, 128_000.0)
"""Ours: how far to look, one after the other; a street, a town, a county, a province's half."""


@dataclass(frozen=True, slots=True)
class Point:
    """WGS-84 degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Goer:
    """A responder as the search knows them."""

    responder_id: str
    name: str
    kind: str
    mode: TravelMode
    standing: Standing
    registered: Point | None = None
    reported: Point | None = None
    accuracy_m: float | None = None
    reported_at: datetime | None = None
    """When the reported position was fixed, on the hub's clock at the latest."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A responder who could go, and how soon they would be there."""

    responder_id: str
    name: str
    distance_m: float
    """Great circle, without the detour."""
    travel_s: float
    within_circle_min: int | None
    """The smallest service circle they reach it in; None: none of them."""
    kind: str
    mode: TravelMode
    standing: Standing
    fixed: Fixed
    position: Point
    position_age_s: float | None
    """Of a reported position; None where it is the registered one."""
    by_route: bool = False
    """Whether a routing service said so; otherwise it is the estimate."""


def distance_m(one: Point, other: Point) -> float:
    """The great-circle distance, by the haversine formula.

    >>> round(distance_m(Point(39.9042, 116.4074), Point(31.2304, 121.4737)) / 1000)
    1067
    """
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    chord = (
        sin(north / 2) ** 2
        + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(chord)))


def travel_s(straight_m: float, mode: TravelMode, settlement: Settlement) -> float:
    """How long the way takes, from the decision to the door.

    >>> round(travel_s(1000, TravelMode.FOOT, Settlement.URBAN))
    1068
    """
    metres_per_s = SPEEDS_KM_PER_H[mode, settlement] / 3.6
    return SET_OFF_S[mode] + straight_m * DETOUR / metres_per_s


def circle_of(seconds: float) -> int | None:
    """The smallest service circle that holds it.

    >>> circle_of(599), circle_of(601), circle_of(3600)
    (10, 15, None)
    """
    return next((minutes for minutes in CIRCLES_MIN if seconds <= minutes * 60), None)


def standing_of(availability: str, *, engaged: bool) -> Standing:
    """What a responder said of themselves, and what the incidents say."""
    said = Standing(availability)
    return Standing.ENGAGED if engaged and said is Standing.AVAILABLE else said


def whereabouts(goer: Goer, now: datetime) -> tuple[Point, Fixed, float | None] | None:
    """Where a responder is taken to be, why, and the age of that in seconds.

    None: nobody knows where they are.
    """
    age_s = None
    if goer.reported is not None and goer.reported_at is not None:
        age_s = max(0.0, (now - goer.reported_at).total_seconds())
        sharp = goer.accuracy_m is None or goer.accuracy_m <= ACCURACY_LIMIT_M
        if age_s <= FRESH_S and sharp:
            return goer.reported, Fixed.REPORTED, age_s
    if goer.registered is not None:
        return goer.registered, Fixed.REGISTERED, None
    if goer.reported is not None:
        return goer.reported, Fixed.STALE, age_s
    return None


def candidate(goer: Goer, to: Point, settlement: Settlement, now: datetime) -> Candidate | None:
    """How soon they would be there; None: nobody knows where they are."""
    found = whereabouts(goer, now)
    if found is None:
        return None
    position, fixed, age_s = found
    straight_m = distance_m(position, to)
    seconds = travel_s(straight_m, goer.mode, settlement)
    return Candidate(
        responder_id=goer.responder_id,
        name=goer.name,
        distance_m=straight_m,
        travel_s=seconds,
        within_circle_min=circle_of(seconds),
        kind=goer.kind,
        mode=goer.mode,
        standing=goer.standing,
        fixed=fixed,
        position=position,
        position_age_s=age_s,
    )


def candidates(
    goers: Iterable[Goer], to: Point, settlement: Settlement, now: datetime
) -> list[Candidate]:
    """Everybody whose place is known: who can be sent first, of these the soonest first."""
    known = [found for goer in goers if (found := candidate(goer, to, settlement, now))]
    return ranked(known)


def ranked(known: Iterable[Candidate]) -> list[Candidate]:
    """Who can be sent first, of these the soonest; the id decides between equals."""
    order = list(Standing)
    return sorted(known, key=lambda c: (order.index(c.standing), c.travel_s, c.responder_id))


def nobody_sooner(
    found: Sequence[Candidate], limit: int, radius_m: float, settlement: Settlement
) -> bool:
    """Whether nobody outside `radius_m` can be among the `limit` soonest who can be sent: even by
    the fastest mode they would take longer than the last of these."""
    free = [c.travel_s for c in found if c.standing is Standing.AVAILABLE]
    if len(free) < limit:
        return False
    outside_s = min(travel_s(radius_m, mode, settlement) for mode in TravelMode)
    return sorted(free)[limit - 1] <= outside_s


def arrive_by(opened_at: datetime, within_min: int) -> datetime:
    """When somebody should be at the door."""
    return opened_at + timedelta(minutes=within_min)


def arrival(
    due_at: datetime, attended_at: datetime | None, resolved_at: datetime | None, now: datetime
) -> Arrival:
    """Whether the target was met: by who was there, not by who said they would come."""
    if attended_at is not None:
        return Arrival.MET if attended_at <= due_at else Arrival.MISSED
    if resolved_at is not None and resolved_at <= due_at:
        return Arrival.NOT_NEEDED
    return Arrival.OPEN if resolved_at is None and now <= due_at else Arrival.MISSED
