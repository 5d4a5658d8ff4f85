"""`carebell evaluate inactivity`: false alerts and delay on TIHM's homes, or others like them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress

from hub.detect.inactivity import LEARNING_DAYS
from hub.detect.inactivity_line import Tally, Tuning, learn
from hub.detect.inactivity_prior import LEARNED_FROM, TUNING, prior
from hub.evaluate.inactivity_homes import Home, Judged, read_homes
from hub.evaluate.inactivity_plots import draw_day, draw_trade_off, most_telling_day
from hub.evaluate.inactivity_trial import (
    COSTS,
    FOLDS,
    SPREADS,
    Figures,
    curve,
    figures,
    folds_of,
    intervals,
    long,
    nested,
    try_fixed,
    try_home,
    try_reference,
)

EARLY_DAYS = 14
"""standards.md: the least a standard line is learned from; shown besides."""
REFERENCES = (("14 days + 60 min", 14, 60.0), ("28 days + 60 min", 28, 60.0),
              ("28 days + 120 min", 28, 120.0))  # fmt: skip
FIXED_MIN = 600.0
Lent = dict[str, tuple[Tally, Tuning]]


def run(data: Path, as_json: bool, plots: Path | None) -> None:
    """Measure, print, and end with one line of JSON; without the recordings, say so."""
    console = Console(stderr=True)
    folder = data / "tihm"
    if not (folder / "activity.csv.gz").is_file():
        typer.echo("tihm: not there, skipped", err=True)
        typer.echo(json.dumps({"homes": 0, "skipped": "tihm"}))
        return
    homes = read_homes(folder)
    if not long(homes):
        typer.echo(f"tihm: no home with more than {LEARNING_DAYS} days, skipped", err=True)
        typer.echo(json.dumps({"homes": 0, "skipped": "tihm"}))
        return
    lent, split = _lent(homes, console)
    judged = [try_home(home, *lent[home.name]) for home in long(homes)]
    references = [
        (name, figures([try_reference(home, days, buffer, LEARNING_DAYS) for home in long(homes)]))
        for name, days, buffer in REFERENCES
    ]
    fixed = figures([try_fixed(home, FIXED_MIN, LEARNING_DAYS) for home in long(homes)])
    references.append(("fixed 10 h", fixed))
    result = _result(homes, judged, lent, references, split)
    if not as_json:
        _tell(result)
    if plots is not None:
        ours = figures(judged)
        draw_trade_off(curve(homes, lent), ours, references, plots / "inactivity-trade-off.png")
        for home in long(homes)[:3]:
            day = most_telling_day(home, LEARNING_DAYS)
            line = learn(home.tallies[:day], *lent[home.name])
            draw_day(home, day, line, plots / f"inactivity-day-{home.name}.png")
    typer.echo(json.dumps(result))


def _lent(homes: Sequence[Home], console: Console) -> tuple[Lent, dict[str, Any]]:
    """What each home is lent by others: shipped where the shipped prior never saw it."""
    seen = [home for home in homes if home.name in LEARNED_FROM]
    lent: Lent = {home.name: (prior(), TUNING) for home in homes if home.name not in LEARNED_FROM}
    split: dict[str, Any] = {"shipped_prior_on_unseen_homes": sorted(lent)}
    if seen:
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("folds of homes", total=FOLDS * len(SPREADS) * len(COSTS))
            others, tunings = nested(seen, lambda: bar.advance(task))
        lent |= others
        split["nested_folds_of_homes"] = [
            {
                "tested": [home.name for home in fold],
                "spread": tuning.spread,
                "false_alert_cost": tuning.false_alert_cost,
            }
            for fold, tuning in zip(folds_of(seen), tunings, strict=True)
        ]
    return lent, split


def _result(
    homes: Sequence[Home],
    judged: Sequence[Judged],
    lent: Lent,
    references: Sequence[tuple[str, Figures]],
    split: dict[str, Any],
) -> dict[str, Any]:
    ours = figures(judged)
    weeks = sum(home.weeks for home in judged)
    early = long(homes, EARLY_DAYS)
    return {
        **_rounded(ours),
        "homes": len(judged),
        "home_weeks": round(weeks, 1),
        "ci95": intervals(judged),
        "check_ins_per_home_week": round(sum(home.check_ins for home in judged) / weeks, 3),
        "only_exact_door_to_door_counts_as_away": _rounded(
            figures(judged, lambda home: home.strict_alerts)
        )["false_alerts_per_home_week"],
        "nothing_counts_as_away": _rounded(figures(judged, lambda home: home.all_alerts))[
            "false_alerts_per_home_week"
        ],
        "from_day_15": _rounded(
            figures([try_home(home, *lent[home.name], EARLY_DAYS) for home in early])
        ),
        "references_same_homes_and_days": {name: _rounded(point) for name, point in references},
        "false_alerts_by_home": {
            home.name: mine.alerts for home, mine in zip(long(homes), judged, strict=True)
        },
        "split": split,
    }


def _rounded(point: Figures) -> dict[str, float]:
    return {
        "false_alerts_per_home_week": round(point.false_alerts_per_home_week, 3),
        "median_delay_h": round(point.median_delay_h, 2),
        "p90_delay_h": round(point.p90_delay_h, 2),
    }


def _tell(result: dict[str, Any]) -> None:
    typer.echo(
        f"{result['homes']} homes, {result['home_weeks']} home-weeks after {LEARNING_DAYS} days of "
        "learning; every alert counts as false; collapses at every minute at home."
    )
    typer.echo(
        "A line comes from the home's own earlier days and from other homes; tuning is chosen on "
        "other homes (nested)."
    )
    rows = [("this line", result), *result["references_same_homes_and_days"].items()]
    for name, row in (*rows, ("this line from day 15", result["from_day_15"])):
        typer.echo(
            f"  {name:24} {row['false_alerts_per_home_week']:6.3f} false alerts per home-week, "
            f"delay median {row['median_delay_h']:5.2f} h, p90 {row['p90_delay_h']:5.2f} h"
        )
    for key in ("only_exact_door_to_door_counts_as_away", "nothing_counts_as_away"):
        typer.echo(f"  {key.replace('_', ' ')}: {result[key]:.3f} false alerts per home-week")
    typer.echo(f"  95 % intervals over homes: {result['ci95']}")
