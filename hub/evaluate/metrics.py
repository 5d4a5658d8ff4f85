"""Figures of a yes-or-no detector, with their uncertainty from drawing people, not trials."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BOOTSTRAPS = 400
"""People are drawn with replacement this often; the 95 % interval is then steady to 1 % (ours)."""
SEED = 11


def auc(positive: Flags, score: Floats) -> float:
    """Chance that a random positive scores above a random negative (ties count half).

    >>> auc(np.array([True, False, False]), np.array([2.0, 1.0, 2.0]))
    0.75
    """
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    first = np.searchsorted(ranked, score, side="left")
    last = np.searchsorted(ranked, score, side="right")
    rank = (first + last + 1) / 2
    ups, downs = int(positive.sum()), int((~positive).sum())
    if not ups or not downs:
        return float("nan")
    return float((rank[positive].sum() - ups * (ups + 1) / 2) / (ups * downs))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a threshold gives."""

    threshold: float
    sensitivity: float
    specificity: float


def operating_point(
    positive: Flags, score: Floats, least_specificity: float = 0.95
) -> OperatingPoint:
    """The threshold with the largest sum of sensitivity and specificity among those whose
    specificity is at least as asked; with equal sums the more sensitive one.

    >>> operating_point(np.array([True, True, False]), np.array([3.0, 1.0, 2.0]))
    OperatingPoint(threshold=3.0, sensitivity=0.5, specificity=1.0)
    """
    events, others = np.sort(score[positive]), np.sort(score[~positive])
    if not len(events) or not len(others):
        return OperatingPoint(float("nan"), float("nan"), float("nan"))
    sensitivity = 1.0 - np.searchsorted(events, events, side="left") / len(events)
    specificity = np.searchsorted(others, events, side="left") / len(others)
    good = np.flatnonzero(specificity >= least_specificity)
    if not len(good):
        return OperatingPoint(float(np.nextafter(others[-1], np.inf)), 0.0, 1.0)
    best = good[int(np.argmax((sensitivity + specificity)[good]))]
    return OperatingPoint(float(events[best]), float(sensitivity[best]), float(specificity[best]))


def share_below(score: Floats, threshold: float) -> float:
    """Share of scores below a threshold; NaN of none."""
    return float((score < threshold).mean()) if len(score) else float("nan")


def interval(
    person: NDArray[np.str_], figure: Callable[[NDArray[np.int64]], float]
) -> tuple[float, float]:
    """95 % interval of a figure over trials when the people are drawn anew."""
    random = np.random.default_rng(SEED)
    people, owner = np.unique(person, return_inverse=True)
    if not len(people):
        return float("nan"), float("nan")
    rows = [np.flatnonzero(owner == number) for number in range(len(people))]
    drawn = []
    for _ in range(BOOTSTRAPS):
        pick = random.integers(len(people), size=len(people))
        value = figure(np.concatenate([rows[number] for number in pick]))
        if not np.isnan(value):
            drawn.append(value)
    if not drawn:
        return float("nan"), float("nan")
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
