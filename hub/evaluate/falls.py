"""`carebell evaluate falls`: how many falls are found and how few people are woken for nothing.

One decision a trial. Two models are judged, wrist and waist; each set's figures come from people
the model has not seen, `trained_without` from a model that has not seen the set either.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from hub.detect.fall_model import PLACES, FallModel, shipped
from hub.evaluate.fall_plots import draw_roc
from hub.evaluate.metrics import auc, interval, operating_point, share_below
from hub.evaluate.recordings import Recordings, chosen_sources, read_source
from hub.evaluate.splits import described, people_in_folds
from hub.evaluate.train_falls import Impacts, fit, impacts_of, score

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TREES_WITHOUT = 40
"""Of the forests that have not seen a set: enough for its AUC, and within the time (ours)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One set with a score for every trial, log-odds of the vote."""

    recordings: Recordings
    score: Floats
    threshold: float
    """The one threshold of the place's model."""
    without: Floats | None = None
    """Scores by a model that never saw this set."""


def read_all(data: Path, names: Iterable[str] = ()) -> list[Recordings]:
    """The sets that are there; the others are named."""
    found = []
    for source in chosen_sources(names):
        recordings = read_source(data, source)
        if recordings is None:
            typer.echo(f"{source.name}: not in {data}, skipped", err=True)
        else:
            found.append(recordings)
    return found


def folds_of(sets: Sequence[Recordings]) -> dict[str, int]:
    """One split over the people of all sets."""
    persons = [str(p) for one in sets for p in one.person]
    fallers = [str(p) for one in sets for p in one.person[one.is_fall]]
    return people_in_folds(persons, fallers)


def left_out(parts: Sequence[Impacts], fold: dict[str, int], progress: Progress) -> list[Floats]:
    """Scores of every trial by the forest that has not seen its person."""
    result = [np.full(len(part.recordings), np.nan) for part in parts]
    tested = [_fold_of(part, fold) for part in parts]
    place = parts[0].recordings.source.place
    for number in progress.track(sorted(set(fold.values())), description=f"{place}: people"):
        learned = [(part, at != number) for part, at in zip(parts, tested, strict=True)]
        if not _teaches(learned):
            continue
        model = fit(learned)
        for row, (part, at) in enumerate(zip(parts, tested, strict=True)):
            here = at == number
            result[row][here] = score(model, part, here)[here]
    return result


def without_set(
    parts: Sequence[Impacts], index: int, fold: dict[str, int], progress: Progress
) -> Floats | None:
    """Scores of a set by forests trained on the others, without the people they have in common."""
    part = parts[index]
    others = [other for row, other in enumerate(parts) if row != index]
    known = {str(p) for other in others for p in other.recordings.person}
    shared = bool(known & {str(p) for p in part.recordings.person})
    at = _fold_of(part, fold) if shared else np.zeros(len(part.recordings), dtype=np.int64)
    result = np.full(len(at), np.nan)
    name = part.recordings.source.name
    for number in progress.track(np.unique(at).tolist(), description=f"without {name}"):
        learned = [
            (other, (_fold_of(other, fold) != number) | np.array(not shared)) for other in others
        ]
        if not _teaches(learned):
            return None
        here = at == number
        result[here] = score(fit(learned, TREES_WITHOUT), part, here)[here]
    return result


def _fold_of(part: Impacts, fold: dict[str, int]) -> NDArray[np.int64]:
    return np.array([fold[str(person)] for person in part.recordings.person])


def _teaches(learned: Sequence[tuple[Impacts, Flags]]) -> bool:
    """Whether there are falls and other activities to learn from."""
    labels = [part.recordings.is_fall[on] for part, on in learned]
    return len(np.unique(np.concatenate(labels))) == 2 if labels else False


def by_people_left_out(sets: Sequence[Recordings]) -> list[Judged]:
    """Refit with people left out, then with sets left out."""
    judged = []
    with Progress(console=Console(stderr=True)) as progress:
        for place in PLACES:
            here = [one for one in sets if one.source.place == place]
            if not here:
                continue
            parts = [
                impacts_of(one) for one in progress.track(here, description=f"{place}: features")
            ]
            fold = folds_of(here)
            typer.echo(f"{place}: {described(fold)}", err=True)
            scores = left_out(parts, fold, progress)
            threshold = common_threshold(here, scores)
            judged += [
                Judged(one, score_, threshold, without_set(parts, index, fold, progress))
                for index, (one, score_) in enumerate(zip(here, scores, strict=True))
            ]
    return judged


def by_shipped_model(sets: Sequence[Recordings]) -> list[Judged]:
    """Score with the model of this release, as it is served."""
    judged = []
    with Progress(console=Console(stderr=True)) as progress:
        for one in progress.track(sets, description="shipped model"):
            model = shipped(one.source.place)
            seen = set(model.origin.people) & {str(p) for p in one.person}
            if seen:
                typer.echo(f"{one.source.name}: {len(seen)} of its people trained this model; "
                           "the figures are not of people left out", err=True)  # fmt: skip
            judged.append(Judged(one, served(model, one), log_odds(model.origin.threshold)))
    return judged


def served(model: FallModel, recordings: Recordings) -> Floats:
    """Every trial through the serving path."""
    pairs = zip(recordings.acceleration_g, recordings.rate_hz, strict=True)
    return np.array([log_odds(model.judge(seen, rate).probability) for seen, rate in pairs])


def log_odds(probability: float) -> float:
    """The scale thresholds and scores are compared on."""
    return float(np.log(probability / (1.0 - probability)))


def common_threshold(
    sets: Sequence[Recordings], scores: Sequence[Floats], specificity: float = 0.97
) -> float:
    """One threshold for all sets: the mean of their specificities is as asked."""
    others = [values[~one.is_fall] for one, values in zip(sets, scores, strict=True)]
    others = [values[~np.isnan(values)] for values in others if len(values)]
    if not others:
        return 0.0
    weight = np.concatenate([np.full(len(values), 1.0 / len(values)) for values in others])
    pooled = np.concatenate(others)
    order = np.argsort(pooled)
    reached = np.cumsum(weight[order]) / len(others)
    return float(np.nextafter(pooled[order][np.searchsorted(reached, specificity)], np.inf))


def figures(judged: Judged) -> dict[str, Any]:
    """The figures of one set."""
    one = judged.recordings
    rows = np.flatnonzero(~np.isnan(judged.score))
    fall, values = one.is_fall[rows], judged.score[rows]
    elder, person = one.elder[rows] & ~fall, one.person[rows]
    point = operating_point(fall, values)
    hours = sum(len(one.acceleration_g[row]) / one.rate_hz[row] for row in rows[~fall]) / 3600
    alarms = int((values[~fall] >= judged.threshold).sum())
    return {
        "auc": auc(fall, values),
        "auc_interval": interval(person, lambda r: auc(fall[r], values[r])),
        "sensitivity_at_specificity_95": point.sensitivity,
        "sensitivity_interval": interval(
            person, lambda r: operating_point(fall[r], values[r]).sensitivity
        ),
        "specificity": point.specificity,
        "elder_specificity": share_below(values[elder], point.threshold),
        "elder_specificity_interval": interval(
            person[elder], lambda r: share_below(values[elder][r], point.threshold)
        ),
        "n_falls": int(fall.sum()),
        "n_adl": int((~fall).sum()),
        "trained_without": {"auc": _without_auc(judged)},
        "one_threshold": {
            "sensitivity": 1.0 - share_below(values[fall], judged.threshold),
            "specificity": share_below(values[~fall], judged.threshold),
            "elder_specificity": share_below(values[elder], judged.threshold),
            "false_alarms_per_hour_of_scripted_activity": alarms / hours if hours else None,
        },
    }


def _without_auc(judged: Judged) -> float | None:
    if judged.without is None:
        return None
    known = ~np.isnan(judged.without)
    return auc(judged.recordings.is_fall[known], judged.without[known])


def pooled(judged: Sequence[Judged], place: str) -> dict[str, Any]:
    """All sets of a place at its one threshold; each set weighs the same."""
    tables = [
        figures(one)["one_threshold"] for one in judged if one.recordings.source.place == place
    ]
    names = ("sensitivity", "specificity", "elder_specificity")
    known = {name: [row[name] for row in tables if not np.isnan(row[name])] for name in names}
    return {name: float(np.mean(row)) if row else float("nan") for name, row in known.items()}


def run(data: Path, as_json: bool, plots: Path | None, model: str | None = None) -> None:
    """Judge and print; the JSON is the last line."""
    sets = read_all(data)
    judged = by_shipped_model(sets) if model == "shipped" else by_people_left_out(sets)
    judged = [one for one in judged if one.recordings.source.judged]
    result = {one.recordings.source.name: figures(one) for one in judged}
    places = {place: pooled(judged, place) for place in PLACES
              if any(one.recordings.source.place == place for one in judged)}  # fmt: skip
    if not as_json:
        for name, row in result.items():
            typer.echo(_line(name, row))
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
        draw_roc(
            {one.recordings.source.name: (one.recordings.is_fall, one.score) for one in judged},
            plots / "falls-roc.png",
        )
    typer.echo(json.dumps(_plain({"sets": result, "pooled_at_one_threshold": places})))


def _line(name: str, row: dict[str, Any]) -> str:
    low, high = row["auc_interval"]
    return (
        f"{name:24} AUC {row['auc']:.3f} ({low:.3f}-{high:.3f})  sensitivity "
        f"{row['sensitivity_at_specificity_95']:.3f} at {row['specificity']:.3f}  "
        f"old people {row['elder_specificity']:.3f}  falls {row['n_falls']} others {row['n_adl']}"
    )


def _plain(value: Any) -> Any:
    """JSON has no NaN: what could not be measured is null; four digits are more than the data."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return None if np.isnan(value) else round(value, 4)
    return value
