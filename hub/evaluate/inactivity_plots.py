"""Pictures of inactivity: a day with its line, and false alerts against delay."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from hub.detect.inactivity_history import DAY_MIN
from hub.detect.inactivity_line import Line
from hub.evaluate.inactivity_homes import Home, limits_of
from hub.evaluate.inactivity_trial import Figures

mpl.use("Agg")
EPOCH = date(1970, 1, 1)


def draw_day(home: Home, day: int, line: Line, to: Path) -> None:
    """Today's curve (time since the last activity) under the limit of each running silence."""
    found, limits = home.found, limits_of(home, {day: line})
    figure, axes = plt.subplots(figsize=(10, 4.5))
    for index in np.flatnonzero(found.start // DAY_MIN == day):
        begin, end = found.start[index] % DAY_MIN / 60, found.end[index] - day * DAY_MIN
        length_h, limit_h = (found.end - found.start)[index] / 60, limits[index] / 60
        colour = "#888888" if found.away[index] or home.paused[index] else "#1f5fa8"
        colour = "#c0392b" if length_h > limit_h and colour != "#888888" else colour
        axes.plot([begin, end / 60], [0, length_h], color=colour, linewidth=1)
    hours = (np.arange(48) + 0.5) / 2
    axes.plot(hours, np.array(line.day_rooms_min) / 60, "k-", label="line, last seen elsewhere")
    axes.plot(hours, np.array(line.bed_rooms_min) / 60, "k--", label="line, last seen near the bed")
    shown = EPOCH + timedelta(days=home.first_day + day)
    axes.set(
        xlim=(0, 30),
        ylim=(0, None),
        xticks=range(0, 31, 3),
        xlabel="hour of the day (the last silence runs into the next); line: hour it began",
        ylabel="hours since last activity",
        title=f"home {home.name}, {shown.isoformat()} (red: alert, grey: away)",
    )
    axes.legend(loc="upper right")
    _save(figure, to)


def draw_trade_off(
    points: Sequence[Figures],
    ours: Figures,
    references: Sequence[tuple[str, Figures]],
    to: Path,
) -> None:
    """False alerts against median delay (and the 90th percentile)."""
    figure, axes = plt.subplots(figsize=(7, 5))
    alerts = [point.false_alerts_per_home_week for point in points]
    axes.plot(alerts, [p.median_delay_h for p in points], "o-", label="this line, median")
    axes.plot(alerts, [p.p90_delay_h for p in points], "o:", alpha=0.5, label="this line, p90")
    axes.plot(
        ours.false_alerts_per_home_week, ours.median_delay_h, "*", markersize=16, label="chosen"
    )
    for name, point in references:
        axes.plot(point.false_alerts_per_home_week, point.median_delay_h, "s", color="#555555")
        axes.annotate(name, (point.false_alerts_per_home_week, point.median_delay_h), fontsize=8)
    axes.axhline(2.5, linewidth=0.5, color="black")
    axes.axvline(0.25, linewidth=0.5, color="black")
    axes.set(
        xscale="log",
        xlabel="false alerts per home-week",
        ylabel="delay, hours",
        title="Inactivity: false alerts against delay",
    )
    axes.legend()
    _save(figure, to)


def most_telling_day(home: Home, first: int) -> int:
    """The judged day with the most silences worth drawing: over half an hour."""
    found = home.found
    worth = (found.end - found.start > 30) & ~found.away & ~home.paused
    days = np.bincount(found.start[worth] // DAY_MIN, minlength=home.days)
    return first + int(np.argmax(days[first:]))


def _save(figure: Figure, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(to, dpi=110)
    plt.close(figure)
