"""Writes `hub/detect/inactivity_prior.py`: what other homes lend to a home that is still new.

Run as `python -m hub.evaluate.inactivity_fit DATA` on recordings of people who agreed to it; only
rates pooled over all homes are written, no home's own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np

from hub.detect.inactivity_line import CELLS, SLOTS, Counts
from hub.evaluate.inactivity_homes import Home, read_homes
from hub.evaluate.inactivity_trial import choose, rates_of

PER_DAYS = 10_000
TEMPLATE = '''"""Rates of silences in other homes: the population prior of the inactivity line.

Written by hub/evaluate/inactivity_fit.py from {homes} homes of TIHM (Palermo et al., Sci Data 2023,
10:606; CC BY 4.0; Surrey and Borders Partnership NHS Foundation Trust and Howz): pooled counts
per 10,000 home-days, by room kind, hour of begin and length cell.
"""

import numpy as np

from hub.detect.inactivity_line import CELLS, SLOTS, Tally, Tuning

_HOMES = """
{names}
"""
LEARNED_FROM = frozenset(_HOMES.split())
"""Homes that must not be judged by this prior."""

TUNING = Tuning(spread={spread}, false_alert_cost={cost})
"""Chosen on the same homes."""

_ENDED = """
{ended}
"""
_SHORT_MIN = """
{short}
"""


def prior() -> Tally:
    """Rates a day; two half hours share their hour's."""
    hours = SLOTS // 2
    ended = np.array(_ENDED.split(), dtype=np.float64).reshape(2, hours, CELLS)
    short = np.array(_SHORT_MIN.split(), dtype=np.float64).reshape(2, hours)
    return Tally(
        np.repeat(ended, 2, axis=1) / 2 / 10_000, np.repeat(short, 2, axis=1) / 2 / 10_000, 1.0
    )
'''


def prior_module(homes: Sequence[Home]) -> str:
    """The module's text; the same homes give the same text."""
    rates, tuning = rates_of(homes).per_day(), choose(homes)
    names = [home.name for home in homes]
    return TEMPLATE.format(
        homes=len(homes),
        names=_lines(names),
        spread=tuning.spread,
        cost=tuning.false_alert_cost,
        ended=_lines(_by_hour(rates.ended.reshape(2, SLOTS // 2, 2, CELLS).sum(axis=2))),
        short=_lines(_by_hour(rates.short_min.reshape(2, SLOTS // 2, 2).sum(axis=2))),
    )


def _by_hour(rates: Counts) -> list[str]:
    return [str(number) for number in np.rint(rates * PER_DAYS).astype(int).ravel()]


def _lines(words: Sequence[str]) -> str:
    return "\n".join(wrap(" ".join(words), width=99))


if __name__ == "__main__":
    target = Path(__file__).parents[1] / "detect" / "inactivity_prior.py"
    target.write_text(prior_module(read_homes(Path(sys.argv[1]) / "tihm")), encoding="utf-8")
