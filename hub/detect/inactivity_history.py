"""From stored signs of life to counted silences: what the nightly learning of inactivity reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from hub.detect.inactivity_line import (
    CELLS,
    EDGES_MIN,
    OUTING_MIN,
    SHORT_MIN,
    SLOT_MIN,
    Tally,
    empty_tally,
)

Minutes = NDArray[np.int64]
DAY_MIN = 24 * 60

DEPARTURE_WITHIN_MIN = 10
"""Ours: somebody who was active indoors so shortly before an outside door moved may have left;
a door that moves after a longer silence is somebody coming home."""
DOOR_BURST_MIN = 5
"""Openings and closings of one passage through a door (ours)."""
LEVEL_HALF_LIFE_MIN = 360
"""Ours: half of what is remembered of activity is younger than six hours; measured on TIHM, 6 h
and 12 h do as well as a full day's count and need one number instead of 24."""


class Place(IntEnum):
    """What kind of place proved somebody active."""

    ROOM = 0
    NEAR_BED = 1
    OUTSIDE_DOOR = 2


@dataclass(frozen=True, slots=True)
class Silences:
    """Every silence of one home, one entry each; minutes of local time since the first midnight."""

    start: Minutes
    end: Minutes
    near_bed: NDArray[np.bool_]
    departure: NDArray[np.bool_]
    """It began with somebody who may have gone out."""
    away: NDArray[np.bool_]
    """Seen afterwards: it began and ended at an outside door."""
    level: NDArray[np.float64]
    """Minutes with activity a day, as remembered at its start."""

    def __len__(self) -> int:
        return len(self.start)


def silences(minute: Minutes, place: NDArray[np.int8], quarter_min: int = 15) -> Silences:
    """The silences between signs of life, which come in order of time.

    A silence counts as away when an outside door moved in the quarter of an hour it began in and in
    the one it ended in: the convention of the published reference (15-minute slots).
    """
    active, first = np.unique(minute, return_index=True)
    last = np.r_[first[1:], len(minute)] - 1
    quarters = np.zeros(int(minute[-1]) // quarter_min + 1, dtype=bool)
    quarters[minute[place == Place.OUTSIDE_DOOR] // quarter_min] = True
    start, end = active[:-1], active[1:]
    away = quarters[start // quarter_min] & quarters[end // quarter_min]
    return Silences(
        start=start,
        end=end,
        near_bed=place[last[:-1]] == Place.NEAR_BED,
        departure=_departures(minute, place)[last[:-1]],
        away=away & (end - start > quarter_min),
        level=_levels(active)[:-1],
    )


def left_by_door(left: bool, at_door: bool, quiet_min: float, was_at_door: bool) -> bool:
    """Whether somebody may have gone out, after one more sign of life.

    >>> left_by_door(False, True, 2, False), left_by_door(False, True, 90, False)
    (True, False)
    """
    if not at_door:
        return False
    if was_at_door and quiet_min <= DOOR_BURST_MIN:
        return left
    return quiet_min <= DEPARTURE_WITHIN_MIN


_FADING = log(2) / LEVEL_HALF_LIFE_MIN


def faded(level: float, minutes: float) -> float:
    """What is left of a remembered level after some minutes."""
    return level * exp(-_FADING * minutes)


PER_ACTIVE_MINUTE = log(2) / LEVEL_HALF_LIFE_MIN * DAY_MIN
"""What one active minute adds to the level, so that the level is a number of minutes a day."""


def tallies(
    found: Silences, days: int, without: Iterable[int] = (), paused: NDArray[np.bool_] | None = None
) -> list[Tally]:
    """One tally a day, by the day a silence began.

    `without`: days with a confirmed incident, which are not learned. `paused`: silences that say
    nothing (hospital, sensors down, hub not listening); those that were away are left out anyway.
    """
    left_out = set(without)
    learned = ~found.away if paused is None else ~(found.away | paused)
    day = found.start // DAY_MIN
    slot = found.start % DAY_MIN // SLOT_MIN
    kind = found.near_bed.astype(np.int64)
    length = np.minimum(found.end - found.start, DAY_MIN)
    cell = np.clip(np.searchsorted(EDGES_MIN, length, side="right") - 1, 0, CELLS - 1)
    out = found.away & found.departure & (found.end - found.start > OUTING_MIN)
    rows: Sequence[NDArray[np.bool_]] = [learned & (day == number) for number in range(days)]
    counted = []
    for number, row in enumerate(rows):
        if number in left_out:
            counted.append(empty_tally())
            continue
        tally = empty_tally()
        long = row & (length >= SHORT_MIN)
        np.add.at(tally.ended, (kind[long], slot[long], cell[long]), 1)
        np.add.at(tally.short_min, (kind[row], slot[row]), np.minimum(length[row], SHORT_MIN))
        active = int(np.count_nonzero(day == number))
        outings = int(np.count_nonzero(out & (day == number)))
        counted.append(Tally(tally.ended, tally.short_min, 1.0, (active,), outings))
    return counted


def _departures(minute: Minutes, place: NDArray[np.int8]) -> NDArray[np.bool_]:
    left = np.zeros(len(minute), dtype=bool)
    for index in range(1, len(minute)):
        left[index] = left_by_door(
            bool(left[index - 1]),
            bool(place[index] == Place.OUTSIDE_DOOR),
            float(minute[index] - minute[index - 1]),
            bool(place[index - 1] == Place.OUTSIDE_DOOR),
        )
    return left


def _levels(active: Minutes) -> NDArray[np.float64]:
    levels = np.zeros(len(active))
    level, before = 0.0, int(active[0])
    for index, minute in enumerate(active):
        level = faded(level, int(minute) - before) + PER_ACTIVE_MINUTE
        before = int(minute)
        levels[index] = level
    return levels


ROOM_WORDS: Mapping[str, Place] = {
    "bedroom": Place.NEAR_BED,
    "bed": Place.NEAR_BED,
    "hallway": Place.NEAR_BED,
    "landing": Place.NEAR_BED,
    "corridor": Place.NEAR_BED,
    "卧室": Place.NEAR_BED,
    "走廊": Place.NEAR_BED,
    "过道": Place.NEAR_BED,
    "front-door": Place.OUTSIDE_DOOR,
    "back-door": Place.OUTSIDE_DOOR,
    "entrance": Place.OUTSIDE_DOOR,
    "大门": Place.OUTSIDE_DOOR,
    "入户门": Place.OUTSIDE_DOOR,
}
"""Room labels an installer writes; everything else is a room."""


@lru_cache(maxsize=1024)
def place_of(label: str) -> Place:
    """The kind of place a label means.

    >>> place_of(" Bedroom ").name, place_of("fridge-door").name
    ('NEAR_BED', 'ROOM')
    """
    return ROOM_WORDS.get(label.strip().lower(), Place.ROOM)
