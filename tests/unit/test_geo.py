"""Mixed up, two datums put the ambulance in front of the wrong building."""

from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.geo import Point, _outside_china, _wgs84_to_gcj02, to_wgs84
from schemas.alarms import Datum, Position, PositionSource


def distance_m(one: Point | Position, other: Point | Position) -> float:
    """Great circle on a sphere of 6,371 km."""
    south, north = radians(one.latitude), radians(other.latitude)
    half_latitude = sin((north - south) / 2) ** 2
    half_longitude = sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * 6_371_000 * asin(sqrt(half_latitude + cos(south) * cos(north) * half_longitude))


def test_the_published_example_of_coordtransform() -> None:
    """github.com/wandergis/coordtransform, README: the values everybody compares with."""
    beijing = Point(39.915, 116.404)
    shifted = _wgs84_to_gcj02(beijing)
    assert shifted.longitude == pytest.approx(116.41024449916938, abs=1e-9)
    assert shifted.latitude == pytest.approx(39.91640428150164, abs=1e-9)
    from_baidu = to_wgs84(Position(39.915, 116.404, datum=Datum.BD09))
    through_gcj = Point(39.90865673957631, 116.39762729119315)
    assert distance_m(_wgs84_to_gcj02(Point(from_baidu.latitude, from_baidu.longitude)),
                      through_gcj) < 0.01  # fmt: skip


INLAND = st.builds(Point, st.floats(20, 50), st.floats(80, 130))


@given(INLAND)
@example(Point(31.2304, 121.4737))
def test_there_and_back_is_the_same_door(point: Point) -> None:
    shifted = _wgs84_to_gcj02(point)
    back = to_wgs84(Position(shifted.latitude, shifted.longitude, datum=Datum.GCJ02))
    assert distance_m(point, back) < 0.001


@given(INLAND)
def test_taken_for_the_other_it_is_another_building(point: Point) -> None:
    assert 20 < distance_m(point, _wgs84_to_gcj02(point)) < 1200


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(Datum))
@example(0.8293, 72.004, Datum.GCJ02)
@example(55.8271, 137.8347, Datum.BD09)
@example(90.0, 180.0, Datum.BD09)
def test_every_place_gets_an_answer_not_far_off(
    latitude: float, longitude: float, datum: Datum
) -> None:
    position = Position(latitude, longitude, datum=datum)
    found = to_wgs84(position)
    assert found.datum is Datum.WGS84
    assert abs(found.latitude - latitude) < 0.02
    assert abs(found.longitude - longitude) < 0.02


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_outside_mainland_china_gcj02_is_wgs84(latitude: float, longitude: float) -> None:
    if not _outside_china(Point(latitude, longitude)):
        return
    found = to_wgs84(Position(latitude, longitude, datum=Datum.GCJ02))
    assert (found.latitude, found.longitude) == (latitude, longitude)


def test_only_the_place_changes() -> None:
    given_position = Position(31.0, 121.0, 12.5, PositionSource.WIFI, None, Datum.GCJ02)
    found = to_wgs84(given_position)
    assert (found.accuracy_m, found.source) == (12.5, PositionSource.WIFI)
    same = Position(31.0, 121.0)
    assert to_wgs84(same) is same
