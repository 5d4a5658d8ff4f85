"""Whatever arrives ends in a message or in `Malformed`; an alarm object always rings."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import examples
from schemas.alarms import Motion, Position, Press, PressAction
from schemas.codec import (
    ALARM_TYPES,
    COMMAND_TYPES,
    MAX_PAYLOAD_BYTES,
    TELEMETRY_TYPES,
    Decoded,
    Malformed,
    decode_alarm,
    decode_command,
    decode_telemetry,
    encode,
    read_time,
)
from schemas.commands import CommandMessage
from schemas.identity import alarm_id
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.json_object import MAX_REASON_LENGTH
from schemas.jsonschema import KINDS
from schemas.telemetry import Sample
from schemas.topics import Lane, Topic

TOPIC = Topic(AreaId("city"), PremisesId("home-1"), DeviceId("button-1"), Lane.ALARM, "press")

Reader = Callable[[str, bytes], Decoded[Any] | CommandMessage]
READERS: tuple[tuple[Reader, str], ...] = (
    *((decode_alarm, kind) for kind in ALARM_TYPES),
    *((decode_telemetry, kind) for kind in TELEMETRY_TYPES),
    *((decode_command, kind) for kind in COMMAND_TYPES),
)
PAYLOADS = [example.payload for example in (*examples.load("valid"), *examples.load("damaged"))]

STRUCTS: tuple[type[msgspec.Struct], ...] = (*(struct for _, _, struct in KINDS), Sample, Position)
FIELD_NAMES = sorted({field.name for struct in STRUCTS for field in msgspec.structs.fields(struct)})
VALUES = (
    "emergency",
    "cancel",
    "gnss",
    "gcj02",
    "smoke",
    "began",
    "occupied",
    "offline",
    "opened",
    "good",
    "heart_rate_per_min",
    "received",
    "2026-03-01T22:41:09Z",
    "2026-03-01T22:41:09",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2016-12-31T23:59:60Z",
    "1970-01-01",
)
NASTY_NUMBERS = (
    0,
    -1,
    2**53,
    2**63,
    2**64,
    10**400,
    -(10**400),
    253402300799,
    253402300800,
    253402300799999,
    -62135596800,
    -62135596801,
    1e11,
    1e308,
    -0.0,
    5e-324,
    float("nan"),
    float("inf"),
    float("-inf"),
)
NASTY_TEXTS = ("", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e", "é" * 129, "x" * 5000, "\n")

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(VALUES)
    | st.sampled_from(NASTY_NUMBERS)
    | st.sampled_from(NASTY_TEXTS)
)
names = st.sampled_from(FIELD_NAMES) | st.text(st.characters(codec=None), max_size=4)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=12,
)
objects = st.dictionaries(names, values, max_size=8)


def as_json(value: object) -> bytes:
    """JSON as a careless device writes it: NaN, Infinity and lone surrogates included."""
    return json.dumps(value).encode()


def read_or_refuse(payload: bytes) -> None:
    for decode, kind in READERS:
        said: list[str] = []
        try:
            decoded = decode(kind, payload)
        except Malformed as malformed:
            said.append(malformed.reason)
        else:
            encode(decoded.message if isinstance(decoded, Decoded) else decoded)
            said.extend(decoded.damage if isinstance(decoded, Decoded) else ())
        for line in said:
            assert line
            assert line.isprintable()
            assert len(line) <= MAX_REASON_LENGTH + 30, "the field's name may stand before it"


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_malformed(payload: bytes) -> None:
    read_or_refuse(payload)


@given(values)
def test_random_json_is_read_or_malformed(value: Any) -> None:
    read_or_refuse(as_json(value))


@given(objects)
def test_objects_of_known_fields_are_read_or_malformed(fields: dict[str, Any]) -> None:
    read_or_refuse(as_json(fields))


@given(st.sampled_from(PAYLOADS), st.randoms(use_true_random=False))
def test_mutated_examples_are_read_or_malformed(payload: bytes, chance: random.Random) -> None:
    mutated = bytearray(payload)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(mutated) + 1)
        match chance.randrange(4):
            case 0:
                mutated[at:at] = bytes([chance.randrange(256)])
            case 1:
                del mutated[at : at + chance.randint(1, 9)]
            case 2:
                mutated[at : at + 1] = bytes([chance.randrange(256)])
            case _:
                mutated[at:at] = mutated[at : at + chance.randint(1, 40)]
    read_or_refuse(bytes(mutated))


@given(st.sampled_from(sorted(ALARM_TYPES)), objects)
def test_an_alarm_object_of_any_content_raises(kind: str, fields: dict[str, Any]) -> None:
    decoded = decode_alarm(kind, as_json(fields))

    assert isinstance(decoded.message, ALARM_TYPES[kind])
    assert alarm_id(TOPIC, decoded.message)
    again = decode_alarm(kind, encode(decoded.message))
    assert again.message == decoded.message
    assert again.damage == ()


@given(objects)
def test_a_window_of_motion_always_has_three_even_axes(fields: dict[str, Any]) -> None:
    message = decode_alarm("motion", as_json(fields)).message

    assert isinstance(message, Motion)
    assert len(message.x_mg) == len(message.y_mg) == len(message.z_mg)
    assert message.sample_rate_hz > 0


@given(objects)
def test_what_telemetry_reads_it_reads_again(fields: dict[str, Any]) -> None:
    for kind in TELEMETRY_TYPES:
        try:
            message = decode_telemetry(kind, as_json(fields)).message
        except Malformed:
            continue
        if getattr(message, "samples", True):
            assert decode_telemetry(kind, encode(message)).message == message


@pytest.mark.parametrize("depth", [100, 10_000, 30_000])
def test_deep_nesting_is_refused_not_a_crash(depth: int) -> None:
    read_or_refuse(b"[" * depth + b"]" * depth)
    read_or_refuse(b'{"position":' * (depth // 8) + b"1" + b"}" * (depth // 8))


@pytest.mark.parametrize("digits", [20, 309, 400, 401, 4299, 4301, 60_000])
def test_a_number_of_many_digits_never_silences_a_press(digits: int) -> None:
    huge = b"9" * digits
    payload = b'{"message_id":%b,"observed_at":%b,"position":{"latitude":%b},"action":"help"}'
    bounded = payload.replace(b"%b", huge, 1 if digits > 20_000 else 3).replace(b"%b", b"0")

    message = decode_alarm("press", bounded).message

    assert isinstance(message, Press)
    assert message.action is PressAction.HELP
    assert message.message_id is None or message.message_id == huge.decode()


def test_a_payload_beyond_the_bound_is_malformed() -> None:
    for decode, kind in READERS:
        with pytest.raises(Malformed, match="at most 65536"):
            decode(kind, b'{"a":"' + b"x" * MAX_PAYLOAD_BYTES + b'"}')


def test_an_unknown_kind_is_malformed_and_bounded() -> None:
    for decode in (decode_alarm, decode_telemetry, decode_command):
        with pytest.raises(Malformed, match="unknown") as refusal:
            decode("\0" * 60_000, b"{}")
        assert refusal.value.reason.isprintable()
        assert len(refusal.value.reason) <= MAX_REASON_LENGTH


def test_null_is_the_same_as_absent() -> None:
    nulls = as_json(dict.fromkeys(FIELD_NAMES))

    assert decode_alarm("press", nulls).message == Press()
    assert decode_alarm("press", nulls).damage == ()
    state = as_json({**dict.fromkeys(FIELD_NAMES), "state": "occupied"})
    assert encode(decode_telemetry("bed", state).message) == b'{"state":"occupied"}'


def test_a_state_is_no_measure_of_a_sample() -> None:
    payload = as_json({"samples": [{"measure": "bed_state", "value": 3}]})

    decoded = decode_telemetry("vitals", payload)
    assert decoded.unknown_fields == 1
    assert encode(decoded.message) == b'{"samples":[]}'


# -- times -------------------------------------------------------------------------------------

moments = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999)


@given(values | st.sampled_from(NASTY_NUMBERS) | st.datetimes().map(datetime.isoformat))
def test_a_time_is_read_in_utc_or_refused(value: object) -> None:
    try:
        moment = read_time(value)
    except ValueError:
        return
    assert moment is None or moment.utcoffset() == timedelta(0)


@given(moments, st.integers(-14 * 60, 14 * 60))
def test_the_same_moment_is_the_same_in_every_offset(moment: datetime, minutes: int) -> None:
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    local = (moment + timedelta(minutes=minutes)).replace(tzinfo=None)

    assert read_time(f"{local.isoformat()}{sign}{hours:02}:{rest:02}") == moment


@given(st.integers(0, 4_102_444_800))
def test_seconds_and_milliseconds_mean_the_same(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)

    assert read_time(seconds) == moment
    if seconds > 100_000_000:  # before March 1973 milliseconds look like seconds
        assert read_time(seconds * 1000) == moment
