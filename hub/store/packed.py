"""Observation rows as PostgreSQL's binary COPY wants them, packed by hand.

psycopg's `write_row` looks at every value of every row anew; for the one table that takes all
telemetry the shape is known, and packing it is four times as fast. Format: PostgreSQL's manual,
COPY, "Binary Format"; a value is its length and its bytes, big-endian, NULL is length -1.
"""

from datetime import UTC, datetime
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

_EPOCH_US = 946_684_800_000_000
"""... and here is how many that is since 1970."""
_EXACT_S = 4e9
"""Up to here (the year 2096) a double holds seconds to less than half a microsecond."""

_when = Struct(">hiq").pack
_what = Struct(">ihiq").pack
_number = Struct(">id20shiq").pack
_tail = Struct(">ihiq").pack
_batch = Struct(">iq").pack
_length = Struct(">i").pack
_double = Struct(">id").pack

_NULL = _length(-1)
_NO_PLACE = _NULL * 3
_NO_MORE = _NULL * 4 + _length(2)
"""After a number: no state, no place; the quality has two bytes."""
_COLUMNS = len(COLUMNS)
_GOOD = Quality.GOOD

Origin = tuple[bytes, bytes]
"""What every row of a device says of where it is from, packed: its id; its area and person."""


def origin_of(device: Device) -> Origin:
    """As `pack` wants it."""
    source, area, person_id = device.id.encode(), device.area_id.encode(), device.person_id
    if person_id is None:
        place = _length(len(area)) + area + _NULL
    else:
        person = person_id.encode()
        place = _length(len(area)) + area + _length(len(person)) + person
    return _length(len(source)) + source, place


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
    quality = 0 if value.quality is _GOOD else value.quality.code
    source, place = origin
    head = _when(_COLUMNS, 8, observed_us) + source + _what(2, value.measure.code, 8, key) + place
    number = value.value
    if number is not None:
        return head + _number(8, number, _NO_MORE, quality, 8, received_us)
    return head + _said(value) + _tail(2, quality, 8, received_us)


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
