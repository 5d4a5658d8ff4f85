"""Pictures of the vital-signs figures."""

from itertools import product
from pathlib import Path

import matplotlib as mpl

from hub.evaluate import vitals_nights, vitals_tihm
from hub.evaluate.vitals_figures import Agreement, pooled

mpl.use("Agg")

from matplotlib import pyplot as plt


def draw_tihm(study: vitals_tihm.Study, plots: Path) -> None:
    """Sensitivity against false-alert share as the limits move, and where the shipped ones are."""
    plots.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(6, 5))
    for sign in vitals_tihm.SIGNS:
        points = [_point(one) for one in vitals_tihm.by_limits(study, sign)]
        axes.plot(*zip(*points, strict=True), ".", markersize=3, alpha=0.4, label=f"{sign}, grid")
        shipped = pooled(list(vitals_tihm.agreement(study, sign).values()))
        axes.plot(*_point(shipped), "o", label=f"{sign}, shipped")
    axes.set(
        xlabel="1 - specificity (review days)", ylabel="sensitivity", xlim=(0, 0.3), ylim=(0.5, 1)
    )
    axes.legend()
    figure.savefig(plots / "vitals_tihm_roc.png", dpi=120)
    plt.close(figure)


def draw_nights(nights: vitals_nights.Nights, plots: Path) -> None:
    """False pages of a plain limit against the delay it waits."""
    plots.mkdir(parents=True, exist_ok=True)
    figure, axes = plt.subplots(figsize=(6, 5))
    minutes = range(1, 31)
    for (low, high), style in zip(
        product((40.0, 45.0, 50.0), (111.0,)), ("-", "--", ":"), strict=True
    ):
        rates = [vitals_nights.plain_pages(nights, low, high, delay) for delay in minutes]
        axes.plot(minutes, rates, style, label=f"pulse <= {low:g} or >= {high:g}")
    axes.set(xlabel="minutes in a row before it pages", ylabel="pages a healthy night")
    axes.legend()
    figure.savefig(plots / "vitals_nights.png", dpi=120)
    plt.close(figure)


def _point(one: Agreement) -> tuple[float, float]:
    return 1 - (one.specificity or 0.0), one.sensitivity or 0.0
