"""One day of one home for the nightly learning: from what was stored to a tally. Pure.

A day is counted when the day after it is over too, since a silence belongs to the day it began in
and may last through the next. Times in which the home's sensors were not heard (the hub's own
deafness included) or nobody was at home are left out; a day that is mostly left out, or on which
something really happened, is not learned at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum

import msgspec
import numpy as np

from hub.detect.inactivity_history import DAY_MIN, Place, silences, tallies
from hub.detect.inactivity_line import CELLS, SLOTS, Tally, empty_tally

BEFORE = timedelta(hours=6)
"""What is read before the day: who left by which door, and how busy the home was."""
AFTER = timedelta(days=1)
LEAST_SHARE = 0.5
"""Ours: of the day must count for it to be learned."""


class DayReason(StrEnum):
    """Why a day was learned, or was not; shown to who asks what a line rests on."""

    LEARNED = "learned"
    INCIDENT = "incident"
    """Something happened that day: it is no usual one."""
    NOT_AT_HOME = "not_at_home"
    NOTHING_HEARD = "nothing_heard"
    """The sensors were down, or there are none."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that proves somebody active."""

    at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Span:
    """From, until."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class HomeDay:
    """What is known of a home around one local day."""

    day: date
    zone: tzinfo
    signs: Sequence[Sign]
    unheard: Sequence[Span]
    """No sensor of the home was heard."""
    nobody: Sequence[Span]
    """Everybody was away or in hospital."""
    incident: bool

    @property
    def span(self) -> Span:
        """What must be read for it."""
        return span_of(self.day, self.zone)


def span_of(day: date, zone: tzinfo) -> Span:
    """The time to read for a local day.

    >>> from datetime import timezone
    >>> span_of(date(2026, 3, 2), timezone(timedelta(hours=8))).start.isoformat()
    '2026-03-01T18:00:00+08:00'
    """
    midnight = datetime.combine(day, time(), zone)
    next_midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return Span(midnight - BEFORE, next_midnight + AFTER)


def tally_of(home: HomeDay) -> tuple[Tally, DayReason]:
    """The day, counted; an empty tally where it is not learned."""
    if home.incident:
        return empty_tally(), DayReason.INCIDENT
    signs = sorted(home.signs, key=lambda sign: sign.at)
    # The first day is the one before: nothing of it is kept.
    minute = np.array([_minute(sign.at, home) for sign in signs], dtype=np.int64)
    today = (minute >= DAY_MIN) & (minute < 2 * DAY_MIN)
    if _share(home.nobody, home) > 1 - LEAST_SHARE:
        return empty_tally(), DayReason.NOT_AT_HOME
    if np.count_nonzero(today) < 2 or _share(home.unheard, home) > 1 - LEAST_SHARE:
        return empty_tally(), DayReason.NOTHING_HEARD
    found = silences(minute, np.array([sign.place for sign in signs], dtype=np.int8))
    paused = np.zeros(len(found), dtype=bool)
    for span in (*home.unheard, *home.nobody):
        paused |= (found.start < _minute(span.end, home)) & (found.end > _minute(span.start, home))
    return tallies(found, 2, paused=paused)[1], DayReason.LEARNED


def packed(tally: Tally) -> bytes:
    """As it is kept: only what is not zero."""
    rows = [np.flatnonzero(grid).tolist() for grid in (tally.ended, tally.short_min)]
    values = [
        [int(value) for value in grid.ravel()[row]]
        for grid, row in zip((tally.ended, tally.short_min), rows, strict=True)
    ]
    content = (rows[0], values[0], rows[1], values[1], tally.active_min, tally.outings)
    return msgspec.msgpack.encode(content)


def unpacked(stored: bytes) -> Tally:
    """A learned day as it was kept.

    >>> counted = empty_tally()
    >>> counted.ended[1, 3, 5] = 2
    >>> float(unpacked(packed(counted)).ended[1, 3, 5])
    2.0
    """
    kept = tuple[list[int], list[int], list[int], list[int], tuple[int, ...], int]
    where, counts, short_where, short, active, outings = msgspec.msgpack.decode(stored, type=kept)
    ended, short_min = np.zeros(2 * SLOTS * CELLS), np.zeros(2 * SLOTS)
    ended[where], short_min[short_where] = counts, short
    return Tally(ended.reshape(2, SLOTS, CELLS), short_min.reshape(2, SLOTS), 1.0, active, outings)


def _minute(at: datetime, home: HomeDay) -> int:
    """By the home's own clock, counted from the midnight before the day."""
    local = at.astimezone(home.zone).replace(tzinfo=None)
    start = datetime.combine(home.day - timedelta(days=1), time())
    return max(0, int((local - start).total_seconds() // 60))


def _share(spans: Iterable[Span], home: HomeDay) -> float:
    """How much of the day these spans cover; they do not overlap."""
    covered = 0
    for span in spans:
        start = min(max(_minute(span.start, home), DAY_MIN), 2 * DAY_MIN)
        covered += max(0, min(_minute(span.end, home), 2 * DAY_MIN) - start)
    return covered / DAY_MIN
