"""Reads the homes of TIHM and judges alert lines on them.

Convention, that of the published reference wherever it is stated: nobody collapsed in these
homes, so every alert is false. A silence that begins and ends with an outside door moving in the
same quarter of an hour counts as away. An alert belongs to the day its silence began in. Delay:
the person stops at every single minute somebody was at home, the alert comes when the running
silence reaches its limit; after an alert the running silence is not judged again.
Not judged, and taken off the home-weeks: times in which nobody of the whole set was heard for two
hours, which is the hub being deaf (15 to 17 June 2019 in the published set).
"""

import csv
import gzip
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.detect.inactivity import AWAY_LIMIT_MIN, OUTINGS_TO_PRESUME, QUIET_LIMIT_MIN, QUIET_SHARE
from hub.detect.inactivity_history import (
    DAY_MIN,
    Place,
    Silences,
    place_of,
    silences,
    tallies,
)
from hub.detect.inactivity_line import SLOT_MIN, SLOTS, Line, Tally

DEAF_AFTER_MIN = 120
MIN_HOMES_TO_TELL_DEAF = 5
EPOCH_MIN = date(1970, 1, 1).toordinal() * DAY_MIN
LONGEST_DELAY_MIN = 60 * 24 * 3

Flags = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Home:
    """One home's silences; minutes count from its first midnight."""

    name: str
    first_day: int
    """Days since 1970."""
    days: int
    found: Silences
    exact_away: Flags
    """Away by the strict reading: the very last and first sign of life was an outside door."""
    paused: Flags
    """The hub was deaf during the silence."""
    deaf_days: NDArray[np.float64]
    """Share of each day in which the hub was deaf."""
    tallies: tuple[Tally, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """How lines did in one home."""

    alerts: int
    strict_alerts: int
    """With only exact door-to-door silences counted as away."""
    all_alerts: int
    """With nothing counted as away."""
    check_ins: int
    """Soft questions, asked half an hour before an alert."""
    weeks: float
    delays: NDArray[np.int64]
    """Minutes of the day's collapses, by delay."""


def read_homes(folder: Path) -> list[Home]:
    """All homes with at least two days of activity, by name."""
    signs: dict[str, list[tuple[int, Place]]] = {}
    with gzip.open(folder / "activity.csv.gz", "rt", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        header = next(rows)
        person, place, at = map(header.index, ("patient_id", "location", "date"))
        for row in rows:
            signs.setdefault(row[person], []).append((_minute(row[at]), _place(row[place])))
    deaf = _deaf_times(signs)
    for mine in signs.values():
        mine.sort(key=lambda sign: sign[0])
    homes = (_home(name, signs[name], deaf) for name in sorted(signs))
    return [home for home in homes if home.days > 1]


@lru_cache(maxsize=512)
def _midnight(day: str) -> int:
    return date.fromisoformat(day).toordinal() * DAY_MIN - EPOCH_MIN


def _minute(local: str) -> int:
    """Minutes since 1970 by the home's own clock; the recordings name no zone."""
    return _midnight(local[:10]) + int(local[11:13]) * 60 + int(local[14:16])


_place = lru_cache(maxsize=64)(place_of)


def _home(name: str, signs: list[tuple[int, Place]], deaf: list[tuple[int, int]]) -> Home:
    minute = np.array([at for at, _ in signs], dtype=np.int64)
    place = np.array([kind for _, kind in signs], dtype=np.int8)
    first_day = int(minute[0]) // DAY_MIN
    minute -= first_day * DAY_MIN
    found = silences(minute, place)
    days = int(minute[-1]) // DAY_MIN + 1
    paused = np.zeros(len(found), dtype=bool)
    deaf_days = np.zeros(days)
    for begin, end in deaf:
        begin, end = begin - first_day * DAY_MIN, end - first_day * DAY_MIN
        paused |= (found.start < end) & (found.end > begin)
        for day in range(days):
            overlap = min(end, (day + 1) * DAY_MIN) - max(begin, day * DAY_MIN)
            deaf_days[day] += max(overlap, 0) / DAY_MIN
    active, first = np.unique(minute, return_index=True)
    last = np.r_[first[1:], len(minute)] - 1
    door = place == Place.OUTSIDE_DOOR
    return Home(
        name=name,
        first_day=first_day,
        days=days,
        found=found,
        exact_away=door[last[:-1]] & door[first[1:]] & (np.diff(active) > DAY_MIN // 96),
        paused=paused,
        deaf_days=deaf_days,
        tallies=tuple(tallies(found, days, paused=paused)),
    )


def _deaf_times(signs: dict[str, list[tuple[int, Place]]]) -> list[tuple[int, int]]:
    """When no home was heard although several were installed."""
    heard = np.unique(np.concatenate([[at for at, _ in mine] for mine in signs.values()]))
    spans = np.array([(min(mine)[0], max(mine)[0]) for mine in signs.values()])
    found = []
    for index in np.flatnonzero(np.diff(heard) > DEAF_AFTER_MIN):
        begin, end = int(heard[index]), int(heard[index + 1])
        if np.count_nonzero((spans[:, 0] < begin) & (spans[:, 1] >= end)) >= MIN_HOMES_TO_TELL_DEAF:
            found.append((begin, end))
    return found


def limits_of(home: Home, lines: dict[int, Line]) -> Numbers:
    """How long each silence might last by the line of its day; nan where there is no line."""
    found = home.found
    limits = np.full(len(found), np.nan)
    position = found.start % DAY_MIN / SLOT_MIN - 0.5
    here = np.floor(position).astype(np.int64)
    share = position - here
    day = found.start // DAY_MIN
    for number, line in lines.items():
        mine = day == number
        both = np.array([line.day_rooms_min, line.bed_rooms_min], dtype=np.float64)
        rooms = found.near_bed[mine].astype(np.int64)
        limit = np.round(
            (1 - share[mine]) * both[rooms, here[mine] % SLOTS]
            + share[mine] * both[rooms, (here[mine] + 1) % SLOTS]
        )
        quiet = found.level[mine] < QUIET_SHARE * line.usual_active_min
        limit = np.where(quiet, np.maximum(limit, QUIET_LIMIT_MIN), limit)
        if line.outings_per_100_days >= OUTINGS_TO_PRESUME:
            limit = np.where(found.departure[mine], np.maximum(limit, AWAY_LIMIT_MIN), limit)
        limits[mine] = limit
    return limits


def judge(home: Home, limits: Numbers, from_day: int, check_in_before_min: float) -> Judged:
    """Count alerts and collapses' delays from a day on."""
    found = home.found
    length = found.end - found.start
    judged = (found.start // DAY_MIN >= from_day) & ~np.isnan(limits) & ~home.paused
    alert = judged & (limits < length)
    asked = judged & (limits - check_in_before_min < length) & ~found.away
    counted = judged & ~found.away
    return Judged(
        alerts=int(np.count_nonzero(alert & ~found.away)),
        strict_alerts=int(np.count_nonzero(alert & ~home.exact_away)),
        all_alerts=int(np.count_nonzero(alert)),
        check_ins=int(np.count_nonzero(asked)),
        weeks=float(np.sum(1 - home.deaf_days[from_day:])) / 7,
        delays=_delays(limits[counted].astype(np.int64), length[counted]),
    )


def _delays(limit: NDArray[np.int64], length: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many minutes at home a collapse would have waited each number of minutes.

    A collapse in the k-th minute of a silence waits `limit - k`.
    """
    steps = np.zeros(LONGEST_DELAY_MIN + 2, dtype=np.int64)
    most = np.minimum(limit, LONGEST_DELAY_MIN)
    least = np.maximum(most - length + 1, 1)
    seen = most >= least
    np.add.at(steps, least[seen], 1)
    np.add.at(steps, most[seen] + 1, -1)
    return np.cumsum(steps)[:-1]
