"""Things that happen now and then to a device, at moments that only its seed decides."""

from collections.abc import Callable
from functools import partial
from math import log

from device_sim.seeded import fraction
from device_sim.surroundings import Surroundings

SHORTEST_GAP_S = 1.0
"""Ours: whatever the mean, a device has a second of peace."""


def gap_s(mean_s: float, seed: str, number: int) -> float:
    """The `number`-th gap of a Poisson process with this mean.

    >>> gap_s(60.0, "a", 1) == gap_s(60.0, "a", 1)
    True
    """
    return max(SHORTEST_GAP_S, -mean_s * log(1.0 - fraction(seed, number, "gap")))


class Chance:
    """Calls `happen` with its due time again and again; nothing with a mean of 0."""

    __slots__ = ("_around", "_happen", "_mean_s", "_number", "_seed")

    def __init__(
        self, around: Surroundings, seed: str, mean_s: float, happen: Callable[[float], None]
    ) -> None:
        self._around, self._seed, self._mean_s, self._happen = around, seed, mean_s, happen
        self._number = 0

    def start(self, now_s: float) -> None:
        """Plan the first."""
        if self._mean_s > 0:
            self._number += 1
            due_s = now_s + gap_s(self._mean_s, self._seed, self._number)
            self._around.agenda.add(due_s, partial(self._due, due_s))

    def _due(self, due_s: float) -> None:
        self._happen(due_s)
        self.start(due_s)
