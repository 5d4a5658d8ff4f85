"""Observation rows as PostgreSQL's binary COPY wants them, packed by hand.

psycopg's `write_row` looks at every value of every row anew; for the one table that takes all
telemetry the shape is known, and packing it is four times as fast. Format: PostgreSQL's manual,
COPY, "Binary Format"; a value is its length and its bytes, big-endian, NULL is length -1.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from struct import Struct

from hub.device import Device
from hub.observation import Measured
from schemas.vocabulary import Quality

COLUMNS = (
    "observed_at", "device_id", "measure", "message_key", "area_id", "person_id", "value", "state",
    "latitude", "longitude", "accuracy_m", "quality", "received_at", "batch_id",
)  # fmt: skip
"""In this order; the batch comes last, since it is known last."""

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

PackedRow = bytes
"""A row without its last value, the batch."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL counts microseconds from here."""

_tail = Struct(">ihiq").pack
_batch = Struct(">iq").pack
_length = Struct(">i").pack
_double = Struct(">id").pack

_NULL = _length(-1)
_NO_PLACE = _NULL * 3


def origin_of(device: Device) -> tuple[bytes, bytes]:
    """What every row of a device says of where it is from: its id; its area and person."""
    device_id, area_id = device.id.encode(), device.area_id.encode()
    if device.person_id is None:
        owner = b"%b%b%b" % (_length(len(area_id)), area_id, _NULL)
    else:
        person_id = device.person_id.encode()
        owner = b"%b%b%b%b" % (_length(len(area_id)), area_id, _length(len(person_id)), person_id)
    return _length(len(device_id)) + device_id, owner


def microseconds(at: datetime) -> int:
    """An instant as PostgreSQL stores it.

    >>> microseconds(datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def pack(
    origin: tuple[bytes, bytes], value: Measured, key: int, observed_us: int, received_us: int
) -> PackedRow:
    """One row. `key` is the sample's; times are `microseconds`."""
    quality = 0 if value.quality is Quality.GOOD else value.quality.code
    device, owner = origin
    if value.value is not None:
        return _number_row(len(device), len(owner))(
            len(COLUMNS), 8, observed_us, device, 2, value.measure.code, 8, key, owner,
            8, value.value, -1, -1, -1, -1, 2, quality, 8, received_us,
        )  # fmt: skip
    return _other_row(len(device), len(owner))(
        len(COLUMNS), 8, observed_us, device, 2, value.measure.code, 8, key, owner,
    ) + _said(value) + _tail(2, quality, 8, received_us)  # fmt: skip


@cache
def _number_row(device: int, owner: int) -> Callable[..., bytes]:
    """Packs a whole row with a number in one call. Ids have 64 characters at most, so there are
    not many of these."""
    return Struct(f">hiq{device}sihiq{owner}sidiiiiihiq").pack


@cache
def _other_row(device: int, owner: int) -> Callable[..., bytes]:
    return Struct(f">hiq{device}sihiq{owner}s").pack


def in_batch(rows: list[PackedRow], batch_id: int) -> bytes:
    """The whole of what COPY reads."""
    end = _batch(8, batch_id)
    return b"".join((HEADER, end.join(rows), end, TRAILER)) if rows else HEADER + TRAILER


def _said(value: Measured) -> bytes:
    """The columns from value to accuracy, of a state or a place."""
    state = _NULL
    if value.state is not None:
        text = value.state.encode()
        state = _length(len(text)) + text
    place = value.position
    if place is None:
        return _NULL + state + _NO_PLACE
    accuracy = _NULL if place.accuracy_m is None else _double(8, place.accuracy_m)
    point = _double(8, place.latitude) + _double(8, place.longitude)
    return _NULL + state + point + accuracy
