"""Golden examples: the valid come back, the damaged raise, the invalid say why."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import examples
from schemas.codec import (
    ALARM_TYPES,
    COMMAND_TYPES,
    TELEMETRY_TYPES,
    Decoded,
    Malformed,
    Message,
    decode_alarm,
    decode_command,
    decode_telemetry,
    encode,
    kind_of,
)
from schemas.commands import CommandMessage
from schemas.examples import Example
from schemas.jsonschema import KINDS, schema
from schemas.telemetry import Vitals
from schemas.topics import Lane
from schemas.vocabulary import MEASURE_BY_KEY, Quality, quality_of

VALID = examples.load("valid")
DAMAGED = examples.load("damaged")
INVALID = examples.load("invalid")

VALIDATORS = {
    (lane, kind): Draft202012Validator(
        schema(lane, kind, struct), format_checker=Draft202012Validator.FORMAT_CHECKER
    )
    for lane, kind, struct in KINDS
}


def label(example: Example) -> str:
    return f"{example.lane}/{example.kind}/{example.name}"


def read(lane: Lane, kind: str, payload: bytes) -> Decoded[Any]:
    if lane is Lane.ALARM:
        return decode_alarm(kind, payload)
    if lane is Lane.TELEMETRY:
        return decode_telemetry(kind, payload)
    return Decoded(decode_command(kind, payload))


@pytest.mark.parametrize("example", VALID, ids=label)
def test_a_valid_example_is_read_without_damage(example: Example) -> None:
    decoded = read(example.lane, example.kind, example.payload)

    assert decoded.damage == ()
    assert kind_of(decoded.message) == (example.lane, example.kind)


@pytest.mark.parametrize("example", VALID, ids=label)
def test_a_valid_example_fits_its_json_schema(example: Example) -> None:
    VALIDATORS[example.lane, example.kind].validate(json.loads(example.payload))


@pytest.mark.parametrize("example", VALID, ids=label)
def test_a_valid_example_comes_back_the_same(example: Example) -> None:
    message: Message | CommandMessage = read(example.lane, example.kind, example.payload).message
    encoded = encode(message)
    again = read(example.lane, example.kind, encoded)

    assert again == Decoded(message)
    assert encode(again.message) == encoded
    VALIDATORS[example.lane, example.kind].validate(json.loads(encoded))


@pytest.mark.parametrize("example", DAMAGED, ids=label)
def test_a_damaged_alarm_raises_all_the_same(example: Example) -> None:
    decoded = decode_alarm(example.kind, example.payload)

    assert json.loads(encode(decoded.message)) == example.message
    assert len(decoded.damage) == len(example.damage), decoded.damage
    for note, beginning in zip(decoded.damage, example.damage, strict=True):
        assert note.startswith(beginning)


@pytest.mark.parametrize("example", INVALID, ids=label)
def test_an_invalid_example_is_malformed_for_the_stated_reason(example: Example) -> None:
    with pytest.raises(Malformed) as refusal:
        read(example.lane, example.kind, example.payload)

    assert example.reason
    assert example.reason in refusal.value.reason


def test_every_kind_has_examples() -> None:
    kinds = {(lane, kind) for lane, kind, _ in KINDS}

    assert {(example.lane, example.kind) for example in VALID} == kinds
    assert {example.kind for example in DAMAGED} == set(ALARM_TYPES)
    assert {example.kind for example in INVALID if example.lane is Lane.TELEMETRY} >= set(
        TELEMETRY_TYPES
    )
    assert {kind for lane, kind in kinds if lane is Lane.COMMAND} == set(COMMAND_TYPES)


def test_unknown_fields_are_counted_wherever_they_stand() -> None:
    counts = {
        example.name: read(example.lane, example.kind, example.payload).unknown_fields
        for example in VALID
    }

    assert counts["button_counter"] == 0
    assert counts["firmware_of_tomorrow"] == 3
    assert counts["measure_of_tomorrow"] == 2, "one field of a sample and one measure"


def test_an_out_of_range_vital_keeps_its_number_and_is_implausible() -> None:
    (example,) = (e for e in VALID if e.name == "out_of_range_keeps_its_number")
    message = decode_telemetry("vitals", example.payload).message
    assert isinstance(message, Vitals)

    assert [sample.value for sample in message.samples] == [612.0, 104.2, -3.1]
    for sample in message.samples:
        judged = quality_of(MEASURE_BY_KEY[sample.measure], sample.value, sample.quality)
        assert judged is Quality.IMPLAUSIBLE
