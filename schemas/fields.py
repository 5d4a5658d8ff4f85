"""Field types that several messages share: what a decoder accepts and what the documents say.

Bounds here separate sense from nonsense (a latitude of 95, a NaN), not healthy from sick: a vital
sign out of its plausible range keeps its number (see `vocabulary.quality_of`).
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

MAX_MESSAGE_ID_LENGTH = 128
"""A message id is a counter or a UUID; anything longer is not one."""

MAX_LABEL_LENGTH = 64
"""A room or a firmware version fits on one line of a form."""

ALSO = "x-also"
"""Marks a type that the codec reads besides the field's own; `schemas.jsonschema` merges it."""

MessageId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_MESSAGE_ID_LENGTH,
        description="Unique per device: a counter or a UUID; a number is read as its digits.",
        extra_json_schema={ALSO: "integer"},
    ),
]

DeviceTime = Annotated[
    datetime,
    Meta(
        tz=True,
        description="ISO 8601 with an offset, or seconds or milliseconds since 1970.",
        extra_json_schema={ALSO: "number"},
    ),
]

HubTime = Annotated[datetime, Meta(tz=True, description="The hub's clock: ISO 8601 in UTC.")]

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]

Length = Annotated[float, Meta(ge=0, le=1e8)]
"""Metres; more than twice the way round the earth is no accuracy."""

Number = Annotated[float, Meta(ge=-1e300, le=1e300)]
"""Any finite number; infinity and NaN can neither be stored as JSON nor compared."""

Count = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""Any whole number that survives every JSON reader (RFC 8259, section 6)."""

MAX_SEQUENCE = 2**53
"""Survives every JSON reader (RFC 8259, section 6)."""

Sequence = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_SEQUENCE,
        description="Counts the telemetry messages of this device, of all kinds together, by one; "
        "starting again is allowed. In every message or in none: gaps are messages that were lost.",
    ),
]

Share = Annotated[float, Meta(ge=0, le=1)]

Label = Annotated[str, Meta(max_length=MAX_LABEL_LENGTH, pattern=r"^(?![\s\S]*[\x00-\x1f])")]
"""One short line of text without control characters."""
