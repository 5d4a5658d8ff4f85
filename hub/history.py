"""What is asked of history, and how finely it is answered. Pure.

A long span is never answered from single observations: a year of one person's pulse is half a
million rows and 365 daily ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.errors import HubError


class Resolution(StrEnum):
    """What a point of an answer stands for."""

    RAW = "raw"
    """One observation."""
    HOUR = "hour"
    DAY = "day"
    """A day in the zone of the hub."""


class SpanTooLong(HubError):
    """The span is too long for this resolution."""


LONGEST: dict[Resolution, timedelta] = {
    Resolution.RAW: timedelta(hours=48),
    Resolution.HOUR: timedelta(days=92),
    Resolution.DAY: timedelta(days=3_660),
}
"""Ours: an answer has a few thousand points at most, more than any curve on a screen shows."""
AUTO_RAW = timedelta(hours=24)
AUTO_HOUR = timedelta(days=31)
"""Up to these, `auto` takes the finer one: 1,440 single values, 744 hours."""
MOST_POINTS = 10_000
"""In one answer; single observations of several devices may be more, and are cut, which is said."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What is wanted of history; exactly one of device and person is given."""

    device_id: str | None
    person_id: str | None
    measure: int
    since: datetime
    until: datetime
    resolution: Resolution


def resolution_for(
    asked: Resolution | None, since: datetime, until: datetime, single_since: datetime
) -> Resolution:
    """The resolution asked for, or for None the finest one that suits the span; single
    observations are there from `single_since` on. Raises SpanTooLong."""
    span = until - since
    if asked is None:
        if span <= AUTO_RAW and since >= single_since:
            return Resolution.RAW
        return Resolution.HOUR if span <= AUTO_HOUR else Resolution.DAY
    if span > LONGEST[asked]:
        raise SpanTooLong(f"{asked}: at most {LONGEST[asked] // timedelta(hours=1)} hours")
    return asked
