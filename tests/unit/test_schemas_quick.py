"""What is read quickly is read as the thorough way reads it, or not at all."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import TELEMETRY_TYPES, Malformed, decode_telemetry
from schemas.quick import read_quickly

USUAL: dict[str, dict[str, Any]] = {
    "vitals": {
        "samples": [
            {"measure": "heart_rate_per_min", "value": 72, "quality": "poor"},
            {"measure": "body_temperature_c", "value": 36.6, "observed_at": 1_790_000_000},
        ],
        "sequence": 7,
    },
    "bed": {"state": "empty", "movement_percent": 3.5},
    "activity": {"steps": 12, "motion": True, "door": "closed", "room": "kitchen"},
    "location": {"latitude": 24.9, "longitude": 118.6, "fixed_at": "2026-03-02T08:00:00+08:00"},
    "status": {"battery_percent": 80, "worn": "charging", "firmware": "1.2"},
}
TIMES = st.sampled_from(
    [
        None, 1_790_000_000, 1_790_000_000_123, -5, 10**18, 1.5, True, "2026-03-02T08:00:00Z",
        "2026-03-02T08:00:00+08:00", "2026-03-02T08:00:00", "0001-01-01T00:00:00+14:00", "soon",
    ]
)  # fmt: skip
IDS = st.sampled_from([None, "", "17", 17, -1, 10**30, "a\nb", "x" * 129, True, ["1"]])
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, -1, 1e308, "", "a\0b", "room", [], {}, True, "online", "occupied"]
)


@pytest.mark.parametrize("kind", sorted(TELEMETRY_TYPES))
def test_what_devices_usually_send_is_read_quickly(kind: str) -> None:
    message = USUAL[kind] | {"message_id": "17", "observed_at": 1_790_000_000_123}
    assert read_quickly(kind, json.dumps(message).encode()) is not None


@given(data=st.data(), kind=st.sampled_from(sorted(TELEMETRY_TYPES)))
def test_both_ways_read_the_same(data: st.DataObject, kind: str) -> None:
    usual = copy.deepcopy(USUAL[kind])
    message = {name: value for name, value in usual.items() if data.draw(st.integers(0, 5))}
    for name in ("observed_at", "fixed_at"):
        if data.draw(st.booleans()):
            message[name] = data.draw(TIMES)
    if data.draw(st.booleans()):
        message["message_id"] = data.draw(IDS)
    for name in data.draw(st.lists(st.sampled_from([*USUAL[kind], "colour"]), max_size=2)):
        message[name] = data.draw(ODD)
    samples = message.get("samples")
    for sample in samples if isinstance(samples, list) else ():
        if isinstance(sample, dict) and data.draw(st.booleans()):
            sample["observed_at"] = data.draw(TIMES)
    payload = json.dumps(message).encode()
    read = read_quickly(kind, payload)
    if read is None:
        return
    thorough = decode_telemetry(kind, payload)
    assert (thorough.unknown_fields, thorough.damage) == (0, ())
    assert msgspec.to_builtins(read) == msgspec.to_builtins(thorough.message)


@given(payload=st.binary(max_size=60), kind=st.sampled_from([*TELEMETRY_TYPES, "gossip"]))
def test_nothing_else_is_read(payload: bytes, kind: str) -> None:
    if read_quickly(kind, payload) is not None:
        assert decode_telemetry(kind, payload).damage == ()


def test_what_is_refused_is_left_to_the_thorough_way() -> None:
    payload = b'{"state":"floating"}'
    assert read_quickly("bed", payload) is None
    with pytest.raises(Malformed):
        decode_telemetry("bed", payload)
