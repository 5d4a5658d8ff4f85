"""Observation rows as PostgreSQL's binary COPY wants them, packed by hand.

psycopg's `write_row` looks at every value of every row anew; for the one table that takes all
telemetry the shape is known, and packing it is four times as fast. Format: PostgreSQL's manual,
COPY, "Binary Format"; a value is its length and its bytes, big-endian, NULL is length -1.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from struct import Struct
from struct import pack as packed_as

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

_EPOCH_US = 946_684_800_000_000
"""... and here is how many that is since 1970."""
_EXACT_S = 4e9
"""Up to here (the year 2096) a double holds seconds to less than half a microsecond."""

_tail = Struct(">ihiq").pack
_batch = Struct(">iq").pack
_length = Struct(">i").pack
_double = Struct(">id").pack

_NULL = _length(-1)
_NO_PLACE = _NULL * 3
_START = packed_as(">hi", len(COLUMNS), 8)
_NO_MORE = _NULL * 4 + _length(2)
"""After a number: no state, no place; the quality has two bytes."""


Origin = tuple[bytes, bytes, bytes | None]
"""What every row of a device says of where it is from: its id, area and person."""


def origin_of(device: Device) -> Origin:
    """As `pack` wants it."""
    person_id = device.person_id
    return (
        device.id.encode(),
        device.area_id.encode(),
        None if person_id is None else person_id.encode(),
    )


def microseconds(at: datetime) -> int:
    """An instant as PostgreSQL stores it.

    >>> microseconds(datetime(2000, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def microseconds_at(at_s: float, at: datetime) -> int:
    """The same from seconds since 1970, for an instant of which they are known already.

    >>> from datetime import timedelta
    >>> moments = [datetime(1950, 1, 1, tzinfo=UTC) + timedelta(seconds=n * 1e5 + n * 1e-6)
    ...            for n in range(40_000)]
    >>> all(microseconds_at(each.timestamp(), each) == microseconds(each) for each in moments)
    True
    """
    if -_EXACT_S < at_s < _EXACT_S:
        return round(at_s * 1e6) - _EPOCH_US
    return microseconds(at)


def pack(
    origin: Origin, value: Measured, key: int, observed_us: int, received_us: int
) -> PackedRow:
    """One row. `key` is the sample's; times are `microseconds`."""
    quality = 0 if value.quality is Quality.GOOD else value.quality.code
    device, area, person = origin
    number = value.value
    if person is None:
        head = len(device), device, 2, value.measure.code, 8, key, len(area), area, -1
        pack_number, pack_other = _row(len(device), len(area), 0)
    else:
        head = (
            len(device), device, 2, value.measure.code, 8, key, len(area), area, len(person),
            person,
        )  # type: ignore[assignment] # fmt: skip
        pack_number, pack_other = _row(len(device), len(area), len(person))
    if number is not None:
        return pack_number(_START, observed_us, *head, 8, number, _NO_MORE, quality, 8, received_us)
    return pack_other(_START, observed_us, *head) + _said(value) + _tail(2, quality, 8, received_us)


@cache
def _row(device: int, area: int, person: int) -> tuple[Callable[..., bytes], Callable[..., bytes]]:
    """Packs a whole row with a number in one call, and one with a state or place as far as the
    person. Ids have 64 characters at most, so there are not many of these."""
    head = f">6sqi{device}sihiqi{area}si" + (f"{person}s" if person else "")
    return Struct(f"{head}id20shiq").pack, Struct(head).pack


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
