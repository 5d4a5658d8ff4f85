"""Pictures of the fall figures."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")

from matplotlib import pyplot as plt


def draw_roc(sets: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float64]]], path: Path) -> None:
    """One curve a set: falls found against daily activities mistaken."""
    figure, axes = plt.subplots(figsize=(7, 6))
    for name, (fall, score) in sets.items():
        known = ~np.isnan(score)
        events, others = np.sort(score[known & fall]), np.sort(score[known & ~fall])
        if not len(events) or not len(others):
            continue
        cut = np.unique(np.concatenate([events, others]))
        found = 1.0 - np.searchsorted(events, cut) / len(events)
        mistaken = 1.0 - np.searchsorted(others, cut) / len(others)
        axes.plot([*mistaken, 0.0], [*found, 0.0], label=name)
    axes.axvline(0.05, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="daily activities mistaken for falls", ylabel="falls found",
             xlim=(0, 0.3), ylim=(0.5, 1.005), title="Falls, one decision a trial")  # fmt: skip
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(figure)
