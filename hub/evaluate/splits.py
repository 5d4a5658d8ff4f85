"""Leaving people out: nobody stands on both sides of a split."""

from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

FOLDS = 5
SEED = 7


def people_in_folds(
    persons: Iterable[str], with_event: Iterable[str], folds: int = FOLDS
) -> dict[str, int]:
    """Which fold each person is tested in; persons are named `study/subject`.

    Studies, and within them the people with and without the event, are spread evenly, so that
    every fold can be both learned from and tested on.

    >>> people_in_folds(["a/1", "a/2", "a/3", "a/4"], ["a/1", "a/2"], folds=2).keys()
    dict_keys(['a/1', 'a/2', 'a/3', 'a/4'])
    """
    event = set(with_event)
    by_group: dict[tuple[str, bool], list[str]] = {}
    for person in sorted(set(persons)):
        by_group.setdefault((person.split("/")[0], person in event), []).append(person)
    fold: dict[str, int] = {}
    random = np.random.default_rng(SEED)
    for group in by_group.values():
        start = int(random.integers(folds))
        for place, index in enumerate(random.permutation(len(group))):
            fold[group[int(index)]] = (start + place) % folds
    return dict(sorted(fold.items()))


def described(fold: dict[str, int]) -> str:
    """The split in words: who is tested in which fold."""
    folds: Sequence[int] = sorted(set(fold.values()))
    lines = [
        f"  fold {number + 1}: {', '.join(p for p, f in fold.items() if f == number)}"
        for number in folds
    ]
    return "\n".join(chain([f"{len(fold)} people in {len(folds)} folds, none in two:"], lines))
