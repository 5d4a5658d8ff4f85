"""Counting agreement, and how sure a figure is: the bootstrap draws whole people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

DRAWS = 1_000
"""Bootstrap draws; 95 % intervals move by less than half a point from draw to draw."""
SEED = 20_240_101


@dataclass(frozen=True, slots=True)
class Agreement:
    """A rule against labels."""

    hits: int = 0
    misses: int = 0
    false: int = 0
    quiet: int = 0

    @classmethod
    def of(cls, pairs: Sequence[tuple[bool, bool]]) -> "Agreement":
        """From (labelled, found) pairs."""
        return cls(
            hits=sum(label and found for label, found in pairs),
            misses=sum(label and not found for label, found in pairs),
            false=sum(found and not label for label, found in pairs),
            quiet=sum(not label and not found for label, found in pairs),
        )

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.hits + other.hits,
            self.misses + other.misses,
            self.false + other.false,
            self.quiet + other.quiet,
        )

    @property
    def sensitivity(self) -> float | None:
        """Share of the labelled that was found; None without any."""
        labelled = self.hits + self.misses
        return self.hits / labelled if labelled else None

    @property
    def specificity(self) -> float | None:
        """Share of the unlabelled that stayed quiet."""
        unlabelled = self.false + self.quiet
        return self.quiet / unlabelled if unlabelled else None


def pooled(parts: Sequence[Agreement]) -> Agreement:
    """The sum over people."""
    return sum(parts, Agreement())


def interval(
    people: Sequence[Agreement], figure: Callable[[Agreement], float | None]
) -> list[float] | None:
    """95 % bootstrap interval of a pooled figure, drawing whole people."""
    draws = Random(SEED)  # noqa: S311 - reproducible resampling
    values = []
    for _ in range(DRAWS):
        value = figure(pooled(draws.choices(people, k=len(people)))) if people else None
        if value is not None:
            values.append(value)
    return _ends(values)


def mean_interval(by_person: Mapping[str, Sequence[float]]) -> list[float] | None:
    """95 % bootstrap interval of the mean over everybody's values, drawing whole people."""
    draws = Random(SEED)  # noqa: S311 - reproducible resampling
    people = list(by_person)
    means = []
    for _ in range(DRAWS if people else 0):
        values = [value for who in draws.choices(people, k=len(people)) for value in by_person[who]]
        if values:
            means.append(sum(values) / len(values))
    return _ends(means)


def _ends(values: list[float]) -> list[float] | None:
    if not values:
        return None
    values.sort()
    low, high = values[int(0.025 * len(values))], values[int(0.975 * len(values))]
    return [round(low, 4), round(high, 4)]
