"""Times of the night, and how long this person may be out of bed at each of them."""

from datetime import UTC, datetime, timedelta

import msgspec

from hub.detect.detector import PersonContext

EVENING_H = 21
"""Ours: before this, leaving the bed is the end of a nap."""
RISE_MIN = 390
"""Ours, until learned: 6:30; people over 70 get up between 6:00 and 8:00."""
RISE_EARLIEST_MIN, RISE_LATEST_MIN = 270, 660
"""4:30 to 11:00: what is earlier is the night, what is later is the day."""
DAWN_MIN = 60
"""In the hour before the usual rising, an absence is most likely the morning."""

FIRST_LIMIT_MIN = 30
"""Ours, while learning: a visit to the toilet takes 5 to 15 minutes, slowly and with a drink 20."""
LEAST_LIMIT_MIN, MOST_LIMIT_MIN = 15, 60
"""Whatever was learned: nobody is paged earlier, nobody lies on the floor longer."""
STRETCH = 2
"""The limit is this many times the long absences of this part of the night."""
LEARNED_AFTER = 8
"""Absences in a part of the night before its own limit counts."""
LONGEST_LEARNED_MIN = 90
"""A longer absence is another story than the toilet and teaches nothing."""

ABSENCE_LIMIT = "bed_absence_min"
"""A clinician's `Limit` of this name (its `high`) replaces the learned minutes."""
DAY_STAY_LIMIT = "bed_day_stay_min"
DAY_STAY_MIN = 300
"""Ours: five hours in bed after the usual rising is longer than any nap."""

PARTS = ((21, 24), (0, 3), (3, 12))
"""Evening, deep night, early morning: hours, local."""


class Habit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What was learned of one person's nights; minutes."""

    long_min: tuple[int, int, int] = (FIRST_LIMIT_MIN // STRETCH,) * 3
    """About the longest usual absence, by part of the night (PARTS)."""
    counts: tuple[int, int, int] = (0, 0, 0)
    rise_min: int = RISE_MIN


def local(at_s: int, person: PersonContext) -> datetime:
    """The wall clock at home."""
    return datetime.fromtimestamp(at_s, UTC).astimezone(person.time_zone)


def part_of(at: datetime) -> int:
    """The part of the night by the hour."""
    if at.hour >= EVENING_H:
        return 0
    return 1 if at.hour < PARTS[1][1] else 2


def by_night(at: datetime, habit: Habit) -> bool:
    """Whether the person is expected in bed: from the evening to their own rising."""
    return at.hour >= EVENING_H or at.hour * 60 + at.minute < habit.rise_min


def limit_min(left: datetime, habit: Habit, person: PersonContext) -> int:
    """How long an absence that began then may last."""
    for limit in person.limits:
        if limit.measure == ABSENCE_LIMIT and limit.high is not None:
            return int(limit.high)
    part = part_of(left)
    minutes = _part_min(habit, part)
    if part == 2 and left.hour * 60 + left.minute >= habit.rise_min - DAWN_MIN:
        minutes *= 2
    return max(LEAST_LIMIT_MIN, min(MOST_LIMIT_MIN, minutes))


def limit_of_part(habit: Habit, part: int) -> int:
    """How long an absence may last in a part of the night, minutes: learned, or the general one.

    >>> limit_of_part(Habit(), 0), limit_of_part(Habit((9, 9, 9), (8, 8, 8)), 1)
    (30, 18)
    """
    return max(LEAST_LIMIT_MIN, min(MOST_LIMIT_MIN, _part_min(habit, part)))


def _part_min(habit: Habit, part: int) -> int:
    known = habit.counts[part] >= LEARNED_AFTER
    return STRETCH * habit.long_min[part] if known else FIRST_LIMIT_MIN


def day_stay_min(person: PersonContext) -> int:
    """How long somebody may stay in bed by day."""
    for limit in person.limits:
        if limit.measure == DAY_STAY_LIMIT and limit.high is not None:
            return int(limit.high)
    return DAY_STAY_MIN


def learned_absence(habit: Habit, left: datetime, minutes: int) -> Habit:
    """After a return: the long absences of that part of the night, quickly up, slowly down."""
    if minutes > LONGEST_LEARNED_MIN:
        return habit
    part = part_of(left)
    known, count = habit.long_min[part], habit.counts[part]
    if minutes >= known:
        known = min(MOST_LIMIT_MIN // STRETCH, (known + minutes + 1) // 2)
    elif count % 8 == 7:
        known = max(known - 1, minutes)
    return Habit(
        _with(habit.long_min, part, known),
        _with(habit.counts, part, min(count + 1, 1_000)),
        habit.rise_min,
    )


def learned_rising(habit: Habit, rose: datetime) -> Habit:
    """After the last leaving of a night: an eighth of the way towards it."""
    minute = rose.hour * 60 + rose.minute
    if not RISE_EARLIEST_MIN <= minute <= RISE_LATEST_MIN:
        return habit
    return Habit(
        habit.long_min, habit.counts, habit.rise_min + round((minute - habit.rise_min) / 8)
    )


def rising_after(at_s: int, habit: Habit, person: PersonContext) -> int:
    """The usual rising of the day of this moment, in seconds since 1970."""
    here = local(at_s, person)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight + timedelta(minutes=habit.rise_min)).timestamp())


def _with(values: tuple[int, int, int], index: int, value: int) -> tuple[int, int, int]:
    changed = list(values)
    changed[index] = value
    return changed[0], changed[1], changed[2]
