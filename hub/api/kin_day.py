"""Somebody's day and nights at a glance, from the signs of life of their home. Pure.

A family wants to know whether it was a usual day, not when a door was opened: hours and stretches
of quiet are told, single moments other than the last one are not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

NIGHTS = 3
"""As many as are told: the last ones."""
LOOK_BACK = timedelta(days=NIGHTS, hours=12)
QUIET = timedelta(minutes=45)
"""Ours: whoever lies awake turns over or gets up within this."""
EVENING = time(20)
"""Ours: a quiet that begins earlier is a nap."""
MORNING = time(11)
"""Ours: a quiet that ends later is a late riser's last one, and ends the night here."""
DAY_BEGINS = time(4)
"""Ours: what stirs before is the night's, what stirs after may be an early riser."""


@dataclass(frozen=True, slots=True)
class Night:
    """From one evening to the next morning."""

    evening: date
    quiet_from: datetime | None = None
    """None: nobody came to rest, or nothing was measured."""
    quiet_until: datetime | None = None
    """None while it lasts."""
    times_up: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """What is told of a home's last days."""

    last_active_at: datetime | None
    up_since: datetime | None
    """The first sign of today after the night."""
    active_hours: tuple[int, ...]
    """Of today, local: in which there was any sign."""
    nights: tuple[Night, ...]
    """The newest first."""


def day_of(signs: Sequence[datetime], now: datetime, zone: tzinfo) -> Day:
    """`signs` are in order of time and reach back `LOOK_BACK`."""
    here = now.astimezone(zone)
    local = [sign.astimezone(zone) for sign in signs if sign <= now]
    today = [sign for sign in local if sign.date() == here.date()]
    evenings = [here.date() - timedelta(days=1 + back) for back in range(NIGHTS)]
    if here.time() >= EVENING:
        evenings = [here.date(), *evenings[:-1]]
    return Day(
        last_active_at=local[-1] if local else None,
        up_since=next((sign for sign in today if sign.time() >= DAY_BEGINS), None),
        active_hours=tuple(sorted({sign.hour for sign in today})),
        nights=tuple(_night(local, evening, here, zone) for evening in evenings),
    )


def _night(signs: Sequence[datetime], evening: date, now: datetime, zone: tzinfo) -> Night:
    begins = datetime.combine(evening, EVENING, zone)
    ends = datetime.combine(evening + timedelta(days=1), MORNING, zone)
    quiet = [
        (start, end)
        for start, end in _silences(signs, now)
        if begins <= start < ends and (end or now) - start >= QUIET
    ]
    if not quiet:
        return Night(evening)
    return Night(evening, quiet[0][0], quiet[-1][1], len(quiet) - 1)


def _silences(
    signs: Sequence[datetime], now: datetime
) -> Iterator[tuple[datetime, datetime | None]]:
    yield from pairwise(signs)
    if signs and signs[-1] < now:
        yield signs[-1], None
