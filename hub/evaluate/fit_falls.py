"""`carebell train falls`: the two model files, calibrated on people left out."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import hub.detect
from hub.detect.fall_model import PLACES, FallModel, pack
from hub.evaluate.falls import Floats, common_threshold, folds_of, left_out, read_all
from hub.evaluate.recordings import Recordings
from hub.evaluate.train_falls import fit, impacts_of

ASK_SPECIFICITY = 0.97
"""From here the wearer is asked (ours: the best that keeps sensitivity on every set)."""
SURE_SPECIFICITY = 0.995
"""From here it is a confirmed fall at once (ours)."""


def run(data: Path, names: Sequence[str], out: Path | None) -> None:
    """Fit both places on the sets there are, on one thread: sums keep their order."""
    folder = out or Path(hub.detect.__path__[0]) / "models"
    folder.mkdir(parents=True, exist_ok=True)
    sets = read_all(data, names)
    with threadpool_limits(1), Progress(console=Console(stderr=True)) as progress:
        for place in PLACES:
            here = [one for one in sets if one.source.place == place]
            if not here:
                typer.echo(f"{place}: no recordings, model left as it is", err=True)
                continue
            stored = pack(_fitted(here, progress))
            (folder / f"falls-{place}.npz").write_bytes(stored)
            typer.echo(f"falls-{place}.npz {len(stored)} bytes {sha256(stored).hexdigest()}")


def _fitted(sets: Sequence[Recordings], progress: Progress) -> FallModel:
    parts = [impacts_of(one) for one in sets]
    scores = left_out(parts, folds_of(sets), progress)
    slope, offset = calibration(sets, scores)
    model = fit([(part, np.ones(len(part.recordings), dtype=bool)) for part in parts])

    def probability(specificity: float) -> float:
        log_odds = offset + slope * common_threshold(sets, scores, specificity)
        return round(float(1.0 / (1.0 + np.exp(-log_odds))), 4)

    return replace(
        model,
        origin=msgspec.structs.replace(
            model.origin,
            slope=slope,
            offset=offset,
            threshold=probability(ASK_SPECIFICITY),
            sure=probability(SURE_SPECIFICITY),
        ),
    )


def calibration(sets: Sequence[Recordings], scores: Sequence[Floats]) -> tuple[float, float]:
    """Slope and offset that make the votes of people left out a probability at even odds."""
    values, falls, weights = [], [], []
    for one, row in zip(sets, scores, strict=True):
        known = ~np.isnan(row)
        for fall in (True, False):
            rows = known & (one.is_fall == fall)
            values.append(row[rows])
            falls.append(np.full(int(rows.sum()), fall))
            weights.append(np.full(int(rows.sum()), 1.0 / max(1, int(rows.sum()))))
    line = LogisticRegression(C=1e6)
    line.fit(np.concatenate(values)[:, None], np.concatenate(falls), np.concatenate(weights))
    return round(float(line.coef_[0, 0]), 4), round(float(line.intercept_[0]), 4)
