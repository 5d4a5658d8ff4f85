"""The shipped model on real recordings: rate and range of the sensor do not change its word."""

from pathlib import Path

import numpy as np
import pytest

from hub.detect.fall_model import shipped
from hub.detect.fall_signal import Floats
from hub.evaluate.recordings import SOURCES, Recordings, read_source

DATA = Path(__file__).parents[3] / "shared" / "data"
MOST_CHANGED = 0.04
"""Share of trials that may change class: those that lie within a hair of the threshold."""


def recordings(name: str) -> Recordings:
    source = next(source for source in SOURCES if source.name == name)
    found = read_source(DATA, source)
    if found is None:
        pytest.skip("the recordings are not on this machine")
    return found


def slower(seen: Floats, rate_hz: float, new_rate_hz: float) -> Floats:
    """Resampled as a good sensor would: averaged, then read off."""
    width = max(1, round(rate_hz / new_rate_hz))
    padded = np.pad(seen, ((width // 2, width - 1 - width // 2), (0, 0)), mode="edge")
    smooth = np.stack([np.convolve(a, np.ones(width) / width, "valid") for a in padded.T], axis=1)
    at = np.arange(0, len(seen) - 1, rate_hz / new_rate_hz)
    return np.stack([np.interp(at, np.arange(len(seen)), axis) for axis in smooth.T], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["weda-fall", "sisfall"])
def test_resampling_does_not_change_the_class(name: str) -> None:
    trials = recordings(name)
    model = shipped(trials.source.place)
    chosen = np.random.default_rng(1).choice(len(trials), 120, replace=False)
    for new_rate_hz in (20.0, 25.0, 31.0):
        changed = 0
        for trial in chosen:
            seen, rate_hz = trials.acceleration_g[trial], float(trials.rate_hz[trial])
            one = model.judge(seen, rate_hz).probability
            other = model.judge(slower(seen, rate_hz, new_rate_hz), new_rate_hz).probability
            changed += (one >= model.origin.threshold) != (other >= model.origin.threshold)
        assert changed / len(chosen) <= MOST_CHANGED


@pytest.mark.parametrize("name", ["umafall-wrist", "sisfall"])
def test_clipping_never_changes_the_verdict(name: str) -> None:
    trials = recordings(name)
    model = shipped(trials.source.place)
    for trial in np.random.default_rng(2).choice(len(trials), 60, replace=False):
        seen, rate_hz = trials.acceleration_g[trial], float(trials.rate_hz[trial])
        whole = model.judge(seen, rate_hz).probability
        for limit_g in (2.0, 4.0, 8.0):
            assert model.judge(np.clip(seen, -limit_g, limit_g), rate_hz).probability == whole
