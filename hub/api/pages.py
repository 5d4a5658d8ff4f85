"""Places in a list: opaque to those who carry them, checked when they come back."""

import base64
import binascii
from datetime import UTC, datetime

from hub.api.problems import Problem

FARTHEST = (datetime(9999, 1, 1, tzinfo=UTC), "")
"""Before every incident, when the newest comes first."""


def encode(text: str) -> str:
    """A cursor."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str) -> str:
    """What was encoded; raises Problem 422."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        if "\x00" in text:
            raise not_ours()
        return text
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise not_ours() from None


def number(cursor: str | None, beyond: int) -> int:
    """A place in a list that is numbered backwards; `beyond` where there is no cursor."""
    if not cursor:
        return beyond
    text = decode(cursor)
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > beyond:
        raise not_ours()
    return int(text)


def incident_place(cursor: str | None) -> tuple[datetime, str]:
    """The opening time and id before which a page begins."""
    if not cursor:
        return FARTHEST
    opened_at, _, incident_id = decode(cursor).partition(" ")
    try:
        moment = datetime.fromisoformat(opened_at)
    except ValueError:
        raise not_ours() from None
    if moment.tzinfo is None:
        raise not_ours()
    return moment, incident_id


def not_ours() -> Problem:
    """A cursor that this hub never gave out."""
    return Problem(422, "The request makes no sense", "cursor: not one this hub gave out")
