"""Messages nobody should send, drawn from a seed: broken, huge, lying, and almost right ones.

Half of them are close to what devices send, so that they get past the first check and reach the
detectors; the rest ends wherever a parser gives up.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from hub.device import Device
from schemas import examples, topics
from schemas.codec import MAX_PAYLOAD_BYTES
from schemas.topics import ALARM_KINDS, TELEMETRY_KINDS, Lane
from schemas.vocabulary import MEASURES, DeviceKind

RAW = "\ue000raw:"
"""Marks a text that is written without quotes: what is no JSON, or no number Python has."""
LARGE_ONE_IN = 400
"""So many messages are near or above the bound on size: each costs as much as a hundred others."""

_TIMES = (
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "1970-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z", "2026-03-02", "2026-03-02T08:00:00", "yesterday",
    "2026-03-02T08:00:60Z", "2026-03-02T24:00:00Z", "2026-03-02T08:00:00+99:99", "",
    "-4713-11-24T00:00:00Z", "1899-12-31T23:59:59Z", "2026-03-02T08:00:00.123456789Z",
)  # fmt: skip
_NUMBERS = (
    0, -1, 1, 2**31, 2**32, -(2**63), 2**63, 2**64, 10**30, -(10**30), 253402300799, 253402300800,
    -62135596801, 1e308, -1e308, 5e-324, 1e15 + 0.3, 253402300800000, -0.0,
)  # fmt: skip
_NOT_JSON = (
    "NaN", "-NaN", "Infinity", "-Infinity", "1e400", "-1e400", "01", "1.", ".5", "+1", "0x10",
    "undefined", "True", "nul", "9" * 300, "9" * 5000, "1e-5000", "'single'", "", "--1",
)  # fmt: skip
_TEXTS = (
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\ufeff", "\u202e", "王秀英", "🧓🏽" * 20,
    "x" * 129, "x" * 5000, "\n", "\x1b[31m", "%s%s%n", "{0.__class__}", "'; DROP TABLE alarm; --",
    "../../etc/passwd", "null", "NaN", "\\", '"', "emergency ", "EMERGENCY", "\u2028",
)  # fmt: skip
_HOSTILE_LEVELS = (
    "", "+", "#", "$SYS", " ", "..", "%2e", "北京", "é", "\0", "A", "home_1", "-", "x" * 64,
    "x" * 65, "\ufeff", "\u202e", "care", "v1", "🧓", "*", ">", "desk", "city;", "'",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hostile:
    """One message, and the lane it is thrown at (whatever its topic says)."""

    lane: Lane
    topic: str
    payload: bytes


class Hostility:
    """An endless supply; equal seeds and devices give equal messages."""

    def __init__(self, devices: dict[Any, Device], seed: int) -> None:
        self._draw = random.Random(seed)
        self._devices = sorted(devices.values(), key=lambda device: device.id)
        self._by_kind: dict[tuple[Lane, str], list[dict[str, Any]]] = {}
        self._texts: list[bytes] = []
        for folder in ("valid", "damaged", "invalid"):
            for example in examples.load(folder):
                self._texts.append(example.payload)
                fields = _fields(example.payload)
                if fields is not None and example.lane is not Lane.COMMAND:
                    self._by_kind.setdefault((example.lane, example.kind), []).append(fields)
        self._names = sorted(
            {name for many in self._by_kind.values() for fields in many for name in fields}
        )
        self._mutations: tuple[Callable[[bytes], bytes], ...] = (
            self._bits, self._cut, self._inserted, self._spliced, self._recoded, self._twice,
        )  # fmt: skip

    def messages(self, clock: Callable[[], datetime], lanes: tuple[Lane, ...]) -> Iterator[Hostile]:
        """For ever, one lane after the other; `clock` says what a truthful device would."""
        for number, lane in enumerate(cycle(lanes)):
            kind = self._kind(lane)
            device = self._draw.choice(self._devices)
            if number % LARGE_ONE_IN == 0:
                payload = self._large()
            else:
                payload = self._payload(lane, kind, clock())
            yield Hostile(lane, self._topic(device, lane, kind), payload)

    def payload_for(self, lane: Lane, kind: str, now: datetime) -> bytes:
        """One payload for a topic somebody else chose."""
        return self._payload(lane, kind, now)

    def _kind(self, lane: Lane) -> str:
        kinds = ALARM_KINDS if lane is Lane.ALARM else TELEMETRY_KINDS
        # A window of motion costs twenty times as much as anything else; a few are enough.
        kind = self._draw.choice(kinds)
        return "press" if kind == "motion" and self._draw.random() < 0.8 else kind

    def _topic(self, device: Device, lane: Lane, kind: str) -> str:
        prefix = topics.device_prefix(device.area_id, device.premises_id, device.id)
        topic = topics.up(prefix, lane, kind)
        chance = self._draw.random()
        if chance < 0.85:
            return topic
        levels = topic.split("/")
        if chance < 0.90:
            levels[self._draw.choice((2, 3, 4))] = f"stranger-{self._draw.randrange(50)}"
        elif chance < 0.92:
            levels[6] = self._draw.choice((*ALARM_KINDS, *TELEMETRY_KINDS, "scream", "x" * 500))
        elif chance < 0.96:
            levels[self._draw.randrange(7)] = self._draw.choice(_HOSTILE_LEVELS)
        elif chance < 0.98:
            del levels[self._draw.randrange(7) :]
        elif chance < 0.99:
            levels += [self._draw.choice(_HOSTILE_LEVELS)] * self._draw.choice((1, 3, 200))
        else:
            levels = [self._draw.choice(_HOSTILE_LEVELS) for _ in range(self._draw.randrange(9))]
        return "/".join(levels)

    def _payload(self, lane: Lane, kind: str, now: datetime) -> bytes:
        chance = self._draw.random()
        # One wrong field and telemetry is not believed; an alarm is.
        lying = 0.40 if lane is Lane.ALARM else 0.20
        if chance < lying:
            return self._lying(lane, kind, now)
        if chance < 0.60:
            return self._almost_right(lane, kind, now)
        if chance < 0.90:
            payload = self._draw.choice(self._texts)
            for _ in range(self._draw.choice((1, 1, 2, 5))):
                payload = self._draw.choice(self._mutations)(payload)
            return payload
        if chance < 0.93:
            return self._nested()
        if chance < 0.96:
            return self._draw.randbytes(self._draw.choice((0, 1, 2, 7, 30, 300)))
        return self._draw.choice(self._texts)

    # Fields that lie

    def _fields_of(self, lane: Lane, kind: str) -> dict[str, Any]:
        known = self._by_kind.get((lane, kind))
        return json.loads(json.dumps(self._draw.choice(known))) if known else {}

    def _almost_right(self, lane: Lane, kind: str, now: datetime) -> bytes:
        """What a device would send just now, with numbers at the edges of what is plausible."""
        fields = self._fields_of(lane, kind)
        fields["observed_at"] = self._moment(now)
        fields["message_id"] = str(self._draw.randrange(10**6))
        if kind == "vitals":
            fields["samples"] = [self._sample(now) for _ in range(self._draw.choice((1, 3, 64)))]
        worded = [name for name, value in fields.items() if isinstance(value, str)]
        if self._draw.random() < 0.2:
            fields[self._draw.choice(worded)] = self._draw.choice(_TEXTS)
        return _written(fields)

    def _sample(self, now: datetime) -> dict[str, Any]:
        measure = self._draw.choice(MEASURES)
        low, high = measure.low, measure.high
        edge = self._draw.choice((low, high, low - 1, high + 1, (low + high) / 2, low - 1e-9))
        sample: dict[str, Any] = {"measure": measure.key, "value": edge}
        if self._draw.random() < 0.3:
            sample["observed_at"] = self._moment(now)
        return sample

    def _moment(self, now: datetime) -> str:
        apart_s = self._draw.choice((0, 0, 0, 1, -1, -600, 86_400, -200_000, 400, -30_000_000))
        return (now + timedelta(seconds=apart_s)).isoformat()

    def _lying(self, lane: Lane, kind: str, now: datetime) -> bytes:
        fields = self._fields_of(lane, kind)
        if self._draw.random() < 0.5:
            fields["observed_at"] = self._moment(now)
        for _ in range(self._draw.choice((1, 1, 2, 4))):
            self._spoil(fields)
        return _written(fields)

    def _spoil(self, fields: dict[str, Any]) -> None:
        """One field anywhere in it becomes something else."""
        place: Any = fields
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys or self._draw.random() < 0.15:
                if isinstance(place, dict):
                    place[self._draw.choice(self._names)] = self._value()
                else:
                    place.append(self._value())
                return
            key = self._draw.choice(keys)
            inner = place[key]
            if isinstance(inner, dict | list) and self._draw.random() < 0.7:
                place = inner
                continue
            place[key] = self._value()
            return

    def _value(self) -> Any:
        match self._draw.randrange(8):
            case 0:
                return self._draw.choice(_NUMBERS)
            case 1:
                return RAW + self._draw.choice(_NOT_JSON)
            case 2:
                return self._draw.choice(_TEXTS)
            case 3:
                return self._draw.choice(_TIMES)
            case 4:
                return self._draw.choice((None, True, False, [], {}, [[]], [None], {"a": {}}, [1]))
            case 5:
                return self._draw.uniform(-1e6, 1e6)
            case 6:
                return [self._draw.randrange(-40_000, 40_000) for _ in range(40)]
            case _:
                return self._draw.choice((DeviceKind.BUTTON.value, "cancel", "gcj02", "offline"))

    # Bytes that are damaged

    def _bits(self, payload: bytes) -> bytes:
        spoilt = bytearray(payload)
        for _ in range(self._draw.choice((1, 3, 20))):
            if spoilt:
                spoilt[self._draw.randrange(len(spoilt))] = self._draw.randrange(256)
        return bytes(spoilt)

    def _cut(self, payload: bytes) -> bytes:
        return payload[: self._draw.randrange(len(payload) + 1)]

    def _inserted(self, payload: bytes) -> bytes:
        at = self._draw.randrange(len(payload) + 1)
        some = (b"\xff\xfe", b"\0", b"\xed\xa0\x80", b"\\ud800", b"{", b'"', b",,", b"\xc0\xaf",
                b"NaN", b"\xf4\x90\x80\x80", b"/*", b"\\u0000", b"}{")  # fmt: skip
        return payload[:at] + self._draw.choice(some) + payload[at:]

    def _spliced(self, payload: bytes) -> bytes:
        other = self._draw.choice(self._texts)
        middle = self._draw.randrange(len(payload) + 1)
        return payload[:middle] + other[self._draw.randrange(len(other) + 1) :]

    def _recoded(self, payload: bytes) -> bytes:
        text = payload.decode("utf-8", "replace")
        coding = self._draw.choice(("utf-16", "utf-32", "gbk", "latin-1", "utf-8-sig", "utf-7"))
        return text.encode(coding, "replace")

    def _twice(self, payload: bytes) -> bytes:
        """A key that comes again with another value."""
        name = self._draw.choice(self._names)
        value = _written({name: self._value()})[1:-1]
        return b"{" + value + b"," + payload.lstrip()[1:].rstrip(b"} \n") + b"," + value + b"}"

    def _nested(self) -> bytes:
        depth = self._draw.choice((10, 200, 1_000, 10_000, 30_000))
        name = self._draw.choice(self._names).encode()
        opened, closed = self._draw.choice(((b"[", b"]"), (b'{"%b":' % name, b"}")))
        depth = min(depth, (MAX_PAYLOAD_BYTES - 100) // (len(opened) + 1))
        inner = opened * depth + b"1" + closed * self._draw.choice((0, depth))
        return b'{"%b":%b}' % (name, inner)

    def _large(self) -> bytes:
        size = self._draw.choice(
            (MAX_PAYLOAD_BYTES - 1, MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1, 2 * MAX_PAYLOAD_BYTES)
        )
        name = self._draw.choice(self._names).encode()
        filling = self._draw.choice((b"x", b"\\u0000", b"\xe7\x8e\x8b", b"\xff", b"9", b"[1],"))
        head = b'{"action":"emergency","%b":%b' % (name, b'"' if filling[0] != 91 else b"[")
        tail = b'"}' if filling[0] != 91 else b"1]}"
        room = max(0, size - len(head) - len(tail))
        body = filling * (room // len(filling))
        return head + body + b" " * (room - len(body)) + tail


def _fields(payload: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _written(fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields)
    mark = json.dumps(RAW)[:-1]
    if mark in text:
        first, *rest = text.split(mark)
        for piece in rest:
            value, _, after = piece.partition('"')
            first += value + after
        text = first
    return text.encode()
