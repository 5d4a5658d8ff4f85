"""The personal alert line of inactivity, learned nightly from stored history; a pure function.

The line says, for each half hour in which somebody was last active and for two kinds of rooms, how
long a silence may last. It is chosen as the cheapest answer to one question: how much later would
help come, against how often would somebody be woken for nothing? Both are counted over the home's
own silences; a population prior (other homes) stands in for the days that are missing:

    cost(limit) = false_alert_cost * expected alerts a day + sum over minutes of lateness(limit)

A minute of lateness costs little up to `target_min` and one unit beyond it, plus a small slope so
that nights are not forgotten. Measured on TIHM against "maximum over N days plus a buffer"
(Cuddihy et al. 2007, standards.md), this halves the false alerts at the same median delay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]

SLOTS = 48
SLOT_MIN = 24 * 60 // SLOTS
DAY_ROOMS, BED_ROOMS = 0, 1
"""Last seen near the bed (bedroom, the hallway to it), or anywhere else: people fall asleep from
the first and hardly from the second; measured, the split is worth a tenth of the false alerts."""

SHORT_MIN = 10
"""Silences below are time, not events."""
USUAL_SILENCE_MIN = 1
"""Where most short time lies: awake people move every minute or two."""
EDGES_MIN: Counts = SHORT_MIN * np.power(1.15, np.arange(37, dtype=np.float64))
CELLS = len(EDGES_MIN) - 1
LENGTHS_MIN: Counts = np.sqrt(EDGES_MIN[:-1] * EDGES_MIN[1:])
LIMITS_MIN: Counts = np.r_[np.arange(30, 300, 10), np.arange(300, 1441, 30)].astype(np.float64)
"""What a line can say: half an hour to a day."""
OUTINGS_DAYS = 45
"""The window of the standard line (standards.md)."""
OUTING_MIN = 150
"""An absence that would have come near the alert line of a day."""
LONG_MIN = 90
"""Silences beyond are what makes a home quiet or busy."""


class Tuning(msgspec.Struct, frozen=True):
    """Chosen on other homes than those it is judged on; the values are those of the last fit."""

    false_alert_cost: float = 1900.0
    """Minutes that may go beyond the target to save one false alert."""
    prior_days: float = 24.0
    """How many days of the home's own the population counts for."""
    spread: float = 0.3
    """Logarithmic width by which a silence could have been longer or shorter than it was."""
    target_min: float = 155.0
    """Lateness that is paid in full beyond: the 2.5 h that is asked of the detector."""
    softness_min: float = 2.0
    slope_per_h: float = 0.03
    """Price of an hour of lateness on either side of the target."""
    shift_min: float = 30.0
    """How far a habit may move in the day (standard deviation)."""
    home_days: float = 1.0
    """Days of population mixed into a home's own rate of long silences."""
    max_days: int = 90


class Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is kept of the history: small integers, minutes by half-hour of the last activity."""

    day_rooms_min: tuple[int, ...]
    bed_rooms_min: tuple[int, ...]
    usual_active_min: int = 0
    """Median of minutes with activity a day; 0: unknown."""
    outings_per_100_days: int = 100
    """How often the person is out for long; a home nobody leaves needs no patience at its door."""

    def flat(self) -> tuple[int, ...]:
        """As one row of 98 integers: how the person's context carries it."""
        return (
            *self.day_rooms_min,
            *self.bed_rooms_min,
            self.usual_active_min,
            self.outings_per_100_days,
        )


def line_from(flat: Sequence[int]) -> Line | None:
    """The line a context carries: 98 integers, 48 (one line for all rooms), or none: learning.

    >>> line_from([240] * 48).bed_rooms_min[0], line_from([])
    (240, None)
    """
    if len(flat) == SLOTS:
        return Line(tuple(flat), tuple(flat))
    if len(flat) == 2 * SLOTS + 2:
        return Line(tuple(flat[:SLOTS]), tuple(flat[SLOTS : 2 * SLOTS]), flat[-2], flat[-1])
    return None


def allowed_min(line: Line, minute_of_day: float, near_bed: bool) -> int:
    """How long a silence that begins at this local minute may last; slots are joined smoothly.

    >>> allowed_min(Line((60,) * 48, tuple(range(48))), 45, near_bed=True)
    1
    """
    limits = line.bed_rooms_min if near_bed else line.day_rooms_min
    position = minute_of_day / SLOT_MIN - 0.5
    first = int(position // 1)
    share = position - first
    here, there = limits[first % SLOTS], limits[(first + 1) % SLOTS]
    return round((1 - share) * here + share * there)


@dataclass(frozen=True, slots=True)
class Tally:
    """The silences of one or many days, counted: all that learning needs to know of them."""

    ended: Counts
    """Silences by room kind, half-hour of their begin, length cell."""
    short_min: Counts
    """Minutes within the first `SHORT_MIN` of any silence, by room kind and half-hour."""
    days: float
    active_min: tuple[int, ...] = ()
    """Minutes with activity, a day."""
    outings: int = 0
    """Long absences by an outside door."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.ended + other.ended,
            self.short_min + other.short_min,
            self.days + other.days,
            self.active_min + other.active_min,
            self.outings + other.outings,
        )

    def per_day(self) -> "Tally":
        """The same as rates."""
        return Tally(self.ended / self.days, self.short_min / self.days, 1.0)


def empty_tally() -> Tally:
    """Nothing counted yet."""
    return Tally(np.zeros((2, SLOTS, CELLS)), np.zeros((2, SLOTS)), 0.0)


def learn(days: Sequence[Tally], prior: Tally, tuning: Tuning) -> Line:
    """The line for tomorrow from the days up to today, oldest first, and the rates of others."""
    own = sum(days[-tuning.max_days :], empty_tally())
    others = prior.per_day()
    long_cells = LENGTHS_MIN > LONG_MIN
    usual = others.ended[..., long_cells].sum()
    pace = (own.ended[..., long_cells].sum() + tuning.home_days * usual) / (
        (own.days + tuning.home_days) * usual
    )
    shift = _shift(tuning.shift_min)
    ended = shift @ (own.ended + tuning.prior_days * pace * others.ended)
    short = (own.short_min + tuning.prior_days * others.short_min) @ shift
    # Lateness counts minutes at risk, and those do not grow with the pace of long silences.
    at_risk = shift @ (own.ended + tuning.prior_days * others.ended)
    alerts, lateness, short_lateness = _prices(tuning)
    cost = (
        tuning.false_alert_cost * (ended @ alerts)
        + at_risk @ lateness
        + short[..., np.newaxis] * short_lateness
    )
    limits = LIMITS_MIN[np.argmin(cost, axis=-1)].astype(int)
    active = int(np.median(own.active_min)) if own.active_min else 0
    recent = days[-OUTINGS_DAYS:]
    outings = sum(day.outings for day in recent) * 100 // max(1, len(recent))
    return Line(tuple(map(int, limits[0])), tuple(map(int, limits[1])), active, outings)


@lru_cache(maxsize=8)
def _shift(shift_min: float) -> Counts:
    """Spreads what happened in a half hour over its neighbours, round the clock."""
    minutes = np.arange(SLOTS) * SLOT_MIN
    apart = np.minimum(minutes, 24 * 60 - minutes)
    weights = np.exp(-0.5 * (apart / shift_min) ** 2)
    weights /= weights.sum()
    spread: Counts = np.stack([np.roll(weights, slot) for slot in range(SLOTS)])
    return spread


@lru_cache(maxsize=64)
def _prices(tuning: Tuning) -> tuple[Counts, Counts, Counts]:
    """By length cell and limit: chance of an alert, price of lateness; the latter of short time."""
    ratio = (np.log(LENGTHS_MIN)[:, np.newaxis] - np.log(LIMITS_MIN)) / tuning.spread
    alerts = 1 / (1 + np.exp(-1.702 * ratio))  # logistic stand-in for the normal distribution
    minutes = np.arange(int(LIMITS_MIN[-1]) + 1)
    beyond = np.clip((minutes - tuning.target_min) / tuning.softness_min, -40, 40)
    price = tuning.slope_per_h * minutes / 60 + 1 / (1 + np.exp(-beyond))
    total = np.r_[0.0, np.cumsum(price)]
    within = np.minimum(LENGTHS_MIN[:, np.newaxis], LIMITS_MIN)
    grid = np.arange(len(total))
    upper = np.interp(np.maximum(LIMITS_MIN - SHORT_MIN, 0), grid, total)
    lateness = np.maximum(upper - np.interp(LIMITS_MIN - within, grid, total), 0.0)
    short_lateness = np.interp(LIMITS_MIN - USUAL_SILENCE_MIN, minutes, price)
    return alerts, lateness, short_lateness
