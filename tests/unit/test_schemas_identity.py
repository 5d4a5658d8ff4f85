"""When two messages are the same message, and when they are not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_alarm
from schemas.identity import (
    DERIVED_REPEAT_S,
    alarm_id,
    derived,
    message_key,
    occurrence,
    occurrence_id,
    unreadable_alarm_id,
)
from schemas.ids import AlarmId, is_id
from schemas.topics import Lane, Topic, device_prefix, parse, up

PRESS: dict[str, Any] = {
    "message_id": "1742",
    "observed_at": "2026-03-02T06:41:09+08:00",
    "action": "emergency",
    "position": {"latitude": 24.87, "longitude": 118.67},
}


def topic(device: str = "button-1", premises: str = "home-1", kind: str = "press") -> Topic:
    parsed = parse(up(device_prefix("city", premises, device), Lane.ALARM, kind))
    assert parsed is not None
    return parsed


def identify(fields: dict[str, Any] | bytes, at: Topic | None = None) -> AlarmId:
    payload = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    at = at or topic()
    return alarm_id(at, decode_alarm(at.kind, payload).message)


def test_the_same_bytes_have_the_same_id() -> None:
    assert identify(PRESS) == identify(PRESS)


def test_an_id_is_stable_over_releases() -> None:
    # Alarms in the database carry it: a change here would double every alarm in flight.
    assert identify(PRESS) == "be3dd9edc81ae42bdcb295d5e46a8c"


@pytest.mark.parametrize(
    "change",
    [
        {"message_id": "1743"},
        {"message_id": None},
        {"observed_at": "2026-03-02T06:41:10+08:00"},
        {"observed_at": None},
        {"action": "help"},
        {"position": None},
        {"position": {"latitude": 24.87, "longitude": 118.68}},
        {"duress": True},
    ],
)
def test_other_content_is_another_press(change: dict[str, Any]) -> None:
    assert identify({**PRESS, **change}) != identify(PRESS)


def test_another_device_or_kind_is_another_alarm() -> None:
    minimal = b'{"message_id":"1"}'
    ids = {
        identify(minimal, topic(device, kind=kind))
        for device in ("button-1", "button-2")
        for kind in ("press", "fall", "motion", "hazard")
    }

    assert len(ids) == 8


def test_a_device_that_was_moved_keeps_its_alarms_apart_by_device_only() -> None:
    assert identify(PRESS, topic(premises="home-2")) == identify(PRESS)


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text()), st.randoms())
def test_unknown_fields_order_and_white_space_do_not_matter(
    extra: dict[str, Any], chance: Any
) -> None:
    fields = list({**{f"x-{key}": value for key, value in extra.items()}, **PRESS}.items())
    chance.shuffle(fields)
    spaced = json.dumps(dict(fields), indent=chance.randrange(4)).encode()

    assert identify(spaced) == identify(PRESS)


@pytest.mark.parametrize(
    "same",
    [
        {"message_id": 1742},
        {"observed_at": "2026-03-01T22:41:09Z"},
        {"observed_at": 1772404869},
        {"observed_at": 1772404869000},
        {"duress": False},
        {"duress": None},
        {"position": {"latitude": 24.87, "longitude": 118.67, "source": "gnss", "datum": "wgs84"}},
    ],
)
def test_the_same_said_otherwise_is_the_same_press(same: dict[str, Any]) -> None:
    assert identify({**PRESS, **same}) == identify(PRESS)


def test_a_damaged_field_that_changes_is_not_another_press() -> None:
    assert identify({**PRESS, "duress": False, "confidence": "?"}) == identify(PRESS)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_presses_without_id_are_told_apart_by_occurrence(one: int, other: int) -> None:
    same = occurrence_id(identify(b"{}"), one) == occurrence_id(identify(b"{}"), other)

    assert same == (one == other)


def test_the_first_occurrence_has_the_derived_id() -> None:
    assert occurrence_id(identify(b"{}"), 1) == identify(b"{}")


def test_only_a_press_without_id_can_occur_twice() -> None:
    assert derived(decode_alarm("press", b"{}").message)
    assert not derived(decode_alarm("press", b'{"message_id":0}').message)


@given(st.integers(1, 1000), st.floats(0, 1e9), st.booleans())
def test_the_occurrence_rule(last: int, seconds: float, marked: bool) -> None:
    nth = occurrence(last, seconds, marked_duplicate=marked)

    repeated = marked or seconds <= DERIVED_REPEAT_S
    assert nth == (last if repeated else last + 1)
    assert occurrence(0, None, marked_duplicate=marked) == 1


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_unreadable_alarms_are_told_apart_by_their_bytes(one: bytes, other: bytes) -> None:
    at = "care/v1/city/home-1/button-1/alarm/press"

    assert (unreadable_alarm_id(at, one) == unreadable_alarm_id(at, other)) == (one == other)


def test_alarm_ids_may_stand_in_a_topic() -> None:
    assert is_id(identify(PRESS))
    assert is_id(unreadable_alarm_id("care/v1/a/b/c/alarm/press", b"\xff"))


@given(st.text(), st.binary())
def test_a_message_key_fits_a_signed_column(name: str, payload: bytes) -> None:
    name = name.encode("utf-8", "replace").decode()

    assert 0 <= message_key(name, payload) < 2**63
    assert message_key(name, payload) == message_key(name, payload)
