"""How an older person spends a day: a seeded plan of rooms and doings, one per person and date.

The times are ours: a plain day of somebody who lives alone and rises early, with the night-time
walk to the bathroom after which so many falls happen. They are scenery, not a threshold.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from device_sim.seeded import between, fraction

MINUTES_PER_DAY = 1440
KEPT_PLANS = 4096
"""Plans kept in memory, about 2 kB each; a plan that was dropped is made again, the same."""


class Doing(StrEnum):
    """What the person does, as far as sensors feel it."""

    ASLEEP = "asleep"
    SITTING = "sitting"
    MOVING = "moving"
    OUTSIDE = "outside"
    LYING = "lying"
    """On the floor, or in bed all day: awake and not moving. No plan has it; a scenario does."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the day, from this minute until the next stretch begins."""

    from_minute: float
    room: str
    doing: Doing


@lru_cache(maxsize=KEPT_PLANS)
def plan_of(seed: str, day: date) -> tuple[Stretch, ...]:
    """The day of the person with this seed; covers it from midnight without a gap."""

    def around(minute: float, spread: float, what: str) -> float:
        return minute + between(-spread, spread, seed, day, what)

    def happens(chance: float, what: str) -> bool:
        return fraction(seed, day, what, "happens") < chance

    stretches = [Stretch(0, "bedroom", Doing.ASLEEP)]

    def add(minute: float, room: str, doing: Doing) -> None:
        stretches.append(Stretch(minute, room, doing))

    if happens(0.7, "night"):
        night = around(180, 80, "night")
        add(night, "bathroom", Doing.MOVING)
        add(night + 7, "bedroom", Doing.ASLEEP)
    wake = around(380, 35, "wake")
    add(wake, "bathroom", Doing.MOVING)
    add(wake + 20, "kitchen", Doing.MOVING)
    add(wake + 50, "living_room", Doing.SITTING)
    if happens(0.7, "walk"):
        walk = around(560, 25, "walk")
        add(walk, "outside", Doing.OUTSIDE)
        add(walk + 55, "living_room", Doing.SITTING)
    add(around(680, 10, "cook"), "kitchen", Doing.MOVING)
    add(around(725, 10, "lunch"), "living_room", Doing.SITTING)
    if happens(0.75, "nap"):
        nap = around(780, 20, "nap")
        add(nap, "bedroom", Doing.ASLEEP)
        add(nap + around(70, 20, "nap length"), "living_room", Doing.SITTING)
    add(around(960, 20, "chores"), "bathroom", Doing.MOVING)
    add(around(985, 3, "chores end"), "living_room", Doing.SITTING)
    add(around(1050, 15, "supper"), "kitchen", Doing.MOVING)
    add(around(1090, 10, "evening"), "living_room", Doing.SITTING)
    bed = around(1290, 35, "bed")
    add(bed - 18, "bathroom", Doing.MOVING)
    add(bed, "bedroom", Doing.ASLEEP)
    return tuple(stretches)


def stretch_at(seed: str, local: datetime) -> Stretch:
    """Where the person is and what they do at this local time."""
    return stretch_and_end(seed, local)[0]


def stretch_and_end(seed: str, local: datetime) -> tuple[Stretch, float]:
    """The stretch at this local time, and the minute of the day at which it ends."""
    plan = plan_of(seed, local.date())
    minute = minute_of(local)
    after = bisect_right(plan, minute, key=lambda stretch: stretch.from_minute)
    end = plan[after].from_minute if after < len(plan) else float(MINUTES_PER_DAY)
    return plan[after - 1], end


def minute_of(local: datetime) -> float:
    """Minutes since midnight."""
    return local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 60e6
