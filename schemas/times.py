"""When, as devices say it. Device clocks lie; this module only makes sure that they say a time."""

from datetime import UTC, datetime

import msgspec

MILLISECONDS_FROM = 1e11
"""A number this large counts milliseconds since 1970, a smaller one seconds (up to year 5138)."""


def read_time(value: object) -> datetime | None:
    """A time in UTC from ISO 8601 text with an offset, or seconds or milliseconds since 1970.

    Raises ValueError for anything else. A time without an offset is not a time: guessing the zone
    would be eight hours wrong in China.

    >>> read_time(1_700_000_000_000) == read_time("2023-11-14T22:13:20Z")
    True
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return from_number(value)
    raise ValueError(f"a time is wanted, not {type(value).__name__}")


def _from_text(value: str) -> datetime:
    try:
        moment = msgspec.convert(value, datetime)
    except (msgspec.ValidationError, UnicodeEncodeError):
        raise ValueError("ISO 8601 with an offset is wanted") from None
    if moment.tzinfo is None:
        raise ValueError("the offset from UTC is missing")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the calendar") from None


def from_number(value: float) -> datetime:
    """A time in UTC from seconds or milliseconds since 1970. Raises ValueError."""
    try:
        seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise ValueError("outside the calendar") from None
