"""Chooses and tests alert lines without letting a home judge itself.

A home's line for a day comes from its own earlier days and from the rates of other homes. Which
tuning to use is decided on training homes alone, each of them in turn with the rates of the other
training homes; the tested homes then get lines with the rates of all training homes. Homes that
the shipped prior has never seen are judged by what is shipped, and nothing is fitted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.detect.inactivity import CHECK_IN_BEFORE_MIN, LEARNING_DAYS
from hub.detect.inactivity_history import DAY_MIN
from hub.detect.inactivity_line import Tally, Tuning, empty_tally, learn
from hub.evaluate.inactivity_homes import Home, Judged, judge, limits_of

FOLDS = 6
TARGET_MIN = 150
"""Half of all collapses must be noticed within."""
TARGET_SHARE = 0.515
"""A little more than half on the training homes, so that half is left on others."""
SPREADS = (0.2, 0.3, 0.4)
COSTS = (1000.0, 1300.0, 1600.0, 1900.0, 2300.0, 2800.0)
CURVE_COSTS = (300.0, 500.0, 800.0, 1200.0, 1600.0, 2000.0, 2800.0, 4000.0, 6000.0, 9000.0)
PRIOR_MIN_DAYS = 10
"""A home with less says little about a usual day."""
SLOT_MIN = 15
"""The published reference's slots."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Pooled over homes."""

    false_alerts_per_home_week: float
    median_delay_h: float
    p90_delay_h: float
    within_target: float


def figures(judged: Sequence[Judged], count: Callable[[Judged], int] | None = None) -> Figures:
    """All homes together; `count`: which alerts, by default those of the convention."""
    weeks = sum(home.weeks for home in judged)
    delays = np.cumsum(np.sum([home.delays for home in judged], axis=0))
    alerts = sum((count or (lambda home: home.alerts))(home) for home in judged)

    def at(share: float) -> float:
        return float(np.searchsorted(delays, share * delays[-1])) / 60

    return Figures(
        false_alerts_per_home_week=alerts / weeks,
        median_delay_h=at(0.5),
        p90_delay_h=at(0.9),
        within_target=float(delays[TARGET_MIN] / delays[-1]),
    )


def rates_of(homes: Iterable[Home]) -> Tally:
    """The population's rates: every home counts alike."""
    total = empty_tally()
    for home in homes:
        if home.days >= PRIOR_MIN_DAYS:
            total += sum(home.tallies, empty_tally()).per_day()
    return replace(total, active_min=(), outings=0)


def without(rates: Tally, home: Home) -> Tally:
    """The same rates as if this home had not been among them."""
    if home.days < PRIOR_MIN_DAYS:
        return rates
    own = sum(home.tallies, empty_tally()).per_day()
    return Tally(rates.ended - own.ended, rates.short_min - own.short_min, rates.days - 1)


def try_home(home: Home, prior: Tally, tuning: Tuning, from_day: int = LEARNING_DAYS) -> Judged:
    """Every night a new line from the days before; every day judged by the line of its night."""
    lines = {day: learn(home.tallies[:day], prior, tuning) for day in range(from_day, home.days)}
    return judge(home, limits_of(home, lines), from_day, CHECK_IN_BEFORE_MIN)


def choose(homes: Sequence[Home], step: Callable[[], None] = lambda: None) -> Tuning:
    """The tuning with the fewest false alerts among those that notice half within the target."""
    rates = rates_of(homes)
    best, fewest = Tuning(), np.inf
    for spread in SPREADS:
        found = []
        for cost in COSTS:
            tuning = msgspec.structs.replace(Tuning(), spread=spread, false_alert_cost=cost)
            found.append(figures([try_home(h, without(rates, h), tuning) for h in long(homes)]))
            step()
        shares = [-figure.within_target for figure in found]
        alerts = [figure.false_alerts_per_home_week for figure in found]
        at = float(np.interp(-TARGET_SHARE, shares, alerts))
        if at < fewest and -shares[0] >= TARGET_SHARE:
            fewest = at
            cost = float(np.interp(-TARGET_SHARE, shares, COSTS))
            best = msgspec.structs.replace(Tuning(), spread=spread, false_alert_cost=round(cost))
    return best


def long(homes: Iterable[Home], from_day: int = LEARNING_DAYS) -> list[Home]:
    """Homes with something to judge after learning."""
    return [home for home in homes if home.days > from_day]


def folds_of(homes: Sequence[Home]) -> list[list[Home]]:
    """Homes dealt out in order of name."""
    return [list(homes[number::FOLDS]) for number in range(FOLDS)]


def nested(
    homes: Sequence[Home], step: Callable[[], None]
) -> tuple[dict[str, tuple[Tally, Tuning]], list[Tuning]]:
    """For each home a prior and a tuning that never saw it; and the tunings of the folds."""
    chosen: dict[str, tuple[Tally, Tuning]] = {}
    tunings = []
    for fold in folds_of(homes):
        mine = {home.name for home in fold}
        training = [home for home in homes if home.name not in mine]
        tuning = choose(training, step)
        tunings.append(tuning)
        rates = rates_of(training)
        chosen |= {home.name: (rates, tuning) for home in fold}
    return chosen, tunings


def curve(homes: Sequence[Home], priors: Mapping[str, tuple[Tally, Tuning]]) -> list[Figures]:
    """The trade-off: the same homes and priors over the price of a false alert."""
    points = []
    for cost in CURVE_COSTS:
        judged = []
        for home in long(homes):
            prior, tuning = priors[home.name]
            tuning = msgspec.structs.replace(tuning, false_alert_cost=cost)
            judged.append(try_home(home, prior, tuning))
        points.append(figures(judged))
    return points


def try_reference(home: Home, days: int, buffer_min: float, from_day: int) -> Judged:
    """The published rule on the same silences: maximum over the last days by slot, plus a buffer.

    Neighbouring slots count too, which brings this nearest to the published figures.
    """
    found = home.found
    slots = DAY_MIN // SLOT_MIN
    longest = np.zeros(home.days * slots)
    for start, end, skip in zip(found.start, found.end, found.away | home.paused, strict=True):
        if not skip and end - start >= SLOT_MIN:
            here = np.arange(start // SLOT_MIN, (end - 1) // SLOT_MIN + 1)
            until = np.minimum((here + 1) * SLOT_MIN, end) - start
            longest[here] = np.maximum(longest[here], until)
    by_day = longest.reshape(home.days, slots)
    limits = np.full(len(found), np.nan)
    for day in range(from_day, home.days):
        most = by_day[max(0, day - days) : day].max(axis=0)
        line = np.max([np.roll(most, -1), most, np.roll(most, 1)], axis=0) + buffer_min
        mine = found.start // DAY_MIN == day
        limits[mine] = _until_line(found.start[mine] - day * DAY_MIN, line)
    return judge(home, limits, from_day, 0)


def _until_line(start: NDArray[np.int64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """How long a silence lasts until it crosses a line by time of day."""
    minutes = np.arange(3 * DAY_MIN)
    needs_start_before = minutes - np.tile(np.repeat(line, SLOT_MIN), 3)
    crossed = np.searchsorted(np.maximum.accumulate(needs_start_before), start, side="right")
    until: NDArray[np.float64] = (crossed - start).astype(np.float64)
    return until


def try_fixed(home: Home, limit_min: float, from_day: int) -> Judged:
    """One limit for everybody at any time."""
    return judge(home, np.full(len(home.found), limit_min), from_day, 0)


def intervals(
    judged: Sequence[Judged], seed: int = 1, times: int = 1000
) -> dict[str, tuple[float, float]]:
    """95 % intervals by drawing homes with replacement."""
    draw = np.random.default_rng(seed)
    drawn = [
        figures([judged[i] for i in draw.integers(0, len(judged), len(judged))])
        for _ in range(times)
    ]
    names = ("false_alerts_per_home_week", "median_delay_h", "p90_delay_h")
    return {
        name: (
            round(float(np.quantile([getattr(f, name) for f in drawn], 0.025)), 3),
            round(float(np.quantile([getattr(f, name) for f in drawn], 0.975)), 3),
        )
        for name in names
    }
