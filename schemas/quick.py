"""The quick way to read telemetry: what nearly every device sends, in one step.

Reads only what needs no repair: no unknown field, no unreadable sample, times as text with an
offset or as whole numbers. Everything else is `None` here and goes the thorough way,
`schemas.codec.decode_telemetry`, which repairs, counts and explains. Where this module reads a
message, both read the same.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from schemas.fields import MAX_MESSAGE_ID_LENGTH
from schemas.json_object import MAX_PAYLOAD_BYTES
from schemas.telemetry import (
    MAX_SAMPLES,
    Activity,
    Bed,
    Location,
    Sample,
    Status,
    TelemetryMessage,
    Vitals,
)
from schemas.times import from_number
from schemas.vocabulary import MEASURES

_Time = Annotated[datetime, msgspec.Meta(tz=True)] | int | None
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_MESSAGE_ID_LENGTH)]
_Counter = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]

_NUMERIC = frozenset(measure.key for measure in MEASURES if measure.numeric)
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


def _as_sent(struct: type[Any], *fields: tuple[str, Any, Any]) -> type[Any]:
    """The struct as devices send it, and nothing else."""
    return msgspec.defstruct(
        f"Quick{struct.__name__}", fields, bases=(struct,), frozen=True, forbid_unknown_fields=True
    )


_QuickSample = _as_sent(Sample, ("observed_at", _Time, None))
_IDS = (("message_id", _Text | _Counter | None, None), ("observed_at", _Time, None))
_SAMPLES = Annotated[
    list[_QuickSample],  # type: ignore[valid-type]
    msgspec.Meta(min_length=1, max_length=MAX_SAMPLES),
]
QUICK: dict[str, type[Any]] = {
    "vitals": _as_sent(Vitals, *_IDS, ("samples", _SAMPLES, msgspec.NODEFAULT)),
    "bed": _as_sent(Bed, *_IDS),
    "activity": _as_sent(Activity, *_IDS),
    "location": _as_sent(Location, *_IDS, ("fixed_at", _Time, None)),
    "status": _as_sent(Status, *_IDS),
}
"""By kind what `read_quickly` returns; each inherits from the contract's struct."""

_DECODERS = {kind: msgspec.json.Decoder(struct).decode for kind, struct in QUICK.items()}
_replace = msgspec.structs.force_setattr


def read_quickly(kind: str, payload: bytes) -> TelemetryMessage | None:
    """The message, an instance of its contract struct; None: it wants the thorough way.

    >>> read_quickly("bed", b'{"state":"empty","observed_at":1700000000}').observed_at.year
    2023
    >>> read_quickly("bed", b'{"state":"empty","colour":"red"}') is None
    True
    """
    decode = _DECODERS.get(kind)
    if decode is None or len(payload) > MAX_PAYLOAD_BYTES:
        return None
    try:
        message: TelemetryMessage = decode(payload)
        at = message.observed_at
        if at is not None:
            _replace(message, "observed_at", _settled(at))
        if kind == "vitals":
            for sample in message.samples:  # type: ignore[union-attr]
                if sample.measure not in _NUMERIC:
                    return None
                if sample.observed_at is not None:
                    _replace(sample, "observed_at", _settled(sample.observed_at))
        elif kind == "location" and message.fixed_at is not None:  # type: ignore[union-attr]
            _replace(message, "fixed_at", _settled(message.fixed_at))  # type: ignore[union-attr]
    except _UNREADABLE:
        return None
    message_id: object = message.message_id
    if message_id is None:
        return message
    if type(message_id) is int:
        _replace(message, "message_id", str(message_id))
    elif not message.message_id.isprintable():  # type: ignore[union-attr]
        return None
    return message


def _settled(at: datetime | int) -> datetime:
    """A time as the contract has it: in UTC. Raises ValueError outside the calendar."""
    if not isinstance(at, datetime):
        return from_number(at)
    if at.tzinfo is UTC:
        return at
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the calendar") from None
