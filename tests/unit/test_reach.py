"""Who is nearest: distances, travel times, circles, stale positions, and whether it was in time."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.handoff import EmergencyService, HandOffRefused, Owed, handed_off, owed
from alerts.reach import (
    ACCURACY_LIMIT_M,
    FRESH_S,
    SEARCH_RADII_M,
    Arrival,
    Fixed,
    Goer,
    Point,
    Settlement,
    Standing,
    TravelMode,
    arrival,
    candidate,
    candidates,
    circle_of,
    distance_m,
    nobody_sooner,
    standing_of,
    travel_s,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOME = Point(31.2, 121.4)
NORTH_1_KM = Point(31.2 + 1000 / 111_194.9, 121.4)

latitudes = st.floats(-85, 85)
longitudes = st.floats(-180, 180)


def goer(
    name: str,
    *,
    at: Point | None = NORTH_1_KM,
    mode: TravelMode = TravelMode.FOOT,
    standing: Standing = Standing.AVAILABLE,
    reported: Point | None = None,
    accuracy_m: float | None = None,
    age_s: float = 0.0,
) -> Goer:
    fixed_at = NOW - timedelta(seconds=age_s) if reported else None
    return Goer(name, name, "person", mode, standing, at, reported, accuracy_m, fixed_at)


@pytest.mark.parametrize(
    ("one", "other", "metres"),
    [
        # Of the WGS-84 ellipsoid: a degree of the equator, and a quarter of a meridian (NGA
        # STND.0036, semi-axes 6,378,137 m and 6,356,752.3 m).
        (Point(0, 179.5), Point(0, -179.5), 111_319.5),
        (Point(0, 30), Point(90, 0), 10_001_966),
    ],
)
def test_a_great_circle_is_within_six_per_mille_of_the_ellipsoid(
    one: Point, other: Point, metres: float
) -> None:
    assert distance_m(one, other) == pytest.approx(metres, rel=0.006)


@given(latitudes, longitudes, latitudes, longitudes)
def test_a_distance_is_symmetric_and_bounded(a: float, b: float, c: float, d: float) -> None:
    there = distance_m(Point(a, b), Point(c, d))
    assert there == pytest.approx(distance_m(Point(c, d), Point(a, b)), abs=1e-3)
    assert 0 <= there <= math.pi * 6_371_009


@given(st.floats(0, 50_000), st.floats(0, 50_000), st.sampled_from(TravelMode))
def test_farther_never_takes_less(near_m: float, far_m: float, mode: TravelMode) -> None:
    near_m, far_m = sorted((near_m, far_m))
    for settlement in Settlement:
        assert travel_s(near_m, mode, settlement) <= travel_s(far_m, mode, settlement)


@pytest.mark.parametrize(("seconds", "circle"), [(0, 10), (600, 10), (600.1, 15), (900, 15),
                                                 (2400, 40), (2400.1, None)])  # fmt: skip
def test_circles_end_where_they_say(seconds: float, circle: int | None) -> None:
    assert circle_of(seconds) == circle


def test_a_car_far_away_beats_a_walker_who_is_near() -> None:
    driver = goer("driver", at=Point(31.2 + 0.03, 121.4), mode=TravelMode.CAR)
    walker = goer("walker", at=Point(31.2 + 0.012, 121.4))
    found = candidates([walker, driver], HOME, Settlement.URBAN, NOW)
    assert [c.responder_id for c in found] == ["driver", "walker"]
    assert found[0].distance_m > found[1].distance_m


def test_who_is_with_another_incident_comes_after_everybody_who_is_free() -> None:
    near = goer("near", at=HOME, standing=standing_of("available", engaged=True))
    off = goer("off", at=HOME, standing=standing_of("off_duty", engaged=True))
    found = candidates([off, near, goer("far")], HOME, Settlement.URBAN, NOW)
    assert [(c.responder_id, c.standing.value) for c in found] == [
        ("far", "available"), ("near", "engaged"), ("off", "off_duty"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("age_s", "accuracy_m", "fixed"),
    [
        (0, 10, Fixed.REPORTED),
        (FRESH_S, None, Fixed.REPORTED),
        (FRESH_S + 1, 10, Fixed.REGISTERED),
        (5, ACCURACY_LIMIT_M + 1, Fixed.REGISTERED),
    ],
)
def test_an_old_or_wide_position_gives_way_to_the_registered_one(
    age_s: float, accuracy_m: float | None, fixed: Fixed
) -> None:
    moving = goer("team", reported=HOME, age_s=age_s, accuracy_m=accuracy_m)
    found = candidate(moving, HOME, Settlement.URBAN, NOW)
    assert found is not None
    assert found.fixed is fixed
    assert found.position_age_s == (age_s if fixed is Fixed.REPORTED else None)


def test_an_old_position_is_better_than_none_and_says_its_age() -> None:
    lost = goer("team", at=None, reported=HOME, age_s=7200)
    found = candidate(lost, HOME, Settlement.URBAN, NOW)
    assert found is not None
    assert (found.fixed, found.position_age_s) == (Fixed.STALE, 7200)
    assert candidate(goer("nowhere", at=None), HOME, Settlement.URBAN, NOW) is None


def test_a_clock_that_runs_ahead_does_not_make_a_position_younger_than_now() -> None:
    ahead = goer("team", reported=HOME, age_s=-300)
    found = candidate(ahead, HOME, Settlement.URBAN, NOW)
    assert found is not None
    assert found.position_age_s == 0


@given(
    st.lists(
        st.tuples(st.floats(30.5, 31.9), st.floats(120.7, 122.1), st.sampled_from(TravelMode)),
        min_size=1, max_size=40,
    ),
    st.integers(1, 5),
    st.sampled_from(Settlement),
)  # fmt: skip
def test_looking_no_farther_than_needed_finds_the_same(
    places: list[tuple[float, float, TravelMode]], limit: int, settlement: Settlement
) -> None:
    everybody = [
        goer(f"r{n}", at=Point(latitude, longitude), mode=mode)
        for n, (latitude, longitude, mode) in enumerate(places)
    ]
    wanted = candidates(everybody, HOME, settlement, NOW)[:limit]
    for radius_m in SEARCH_RADII_M:
        within = [
            g for g in everybody if g.registered and distance_m(g.registered, HOME) <= radius_m
        ]
        found = candidates(within, HOME, settlement, NOW)
        if nobody_sooner(found, limit, radius_m, settlement):
            assert [c.travel_s for c in found[:limit]] == [c.travel_s for c in wanted]
            return


DUE = NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("attended_min", "resolved_min", "now_min", "verdict"),
    [
        (None, None, 3, Arrival.OPEN),
        (None, None, 16, Arrival.MISSED),
        (15, None, 16, Arrival.MET),
        (15.1, None, 16, Arrival.MISSED),
        (10, 60, 70, Arrival.MET),
        (None, 5, 70, Arrival.NOT_NEEDED),
        (None, 16, 17, Arrival.MISSED),
    ],
)
def test_a_target_is_met_by_who_was_there(
    attended_min: float | None, resolved_min: float | None, now_min: float, verdict: Arrival
) -> None:
    def at(minutes: float | None) -> datetime | None:
        return None if minutes is None else NOW + timedelta(minutes=minutes)

    assert arrival(DUE, at(attended_min), at(resolved_min), NOW + timedelta(minutes=now_min)) is (
        verdict
    )


def test_a_hand_off_keeps_what_was_dialled_and_what_the_service_calls_it() -> None:
    handed = handed_off("120", "  SH 2026-0815 ", NOW)
    assert (handed.service, handed.number) == (EmergencyService.AMBULANCE, "120")
    assert handed.reference == "SH 2026-0815"
    europe = handed_off("ambulance", None, NOW, numbers={EmergencyService.AMBULANCE: "112"})
    assert (europe.number, europe.reference) == ("112", "")
    assert owed(handed, resolved=False) == (Owed.LEASE, Owed.ARRIVAL, Owed.OUTCOME)
    assert owed(handed, resolved=True) == ()


@pytest.mark.parametrize(("word", "reference"), [("taxi", "1"), ("", "1"), ("120", "9" * 65)])
def test_a_hand_off_to_nobody_is_refused(word: str, reference: str) -> None:
    with pytest.raises(HandOffRefused):
        handed_off(word, reference, NOW)
