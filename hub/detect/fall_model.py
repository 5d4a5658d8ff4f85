"""The fall model as served: a forest of quantised trees over `fall_features`, numpy only.

One model and one threshold for every sensor of a place (wrist; waist, pocket or pendant).
How it was fitted, on whom, and what it is not good for: docs/models/falls.md.
"""

import io
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.detect.fall_features import STILL_G, angle_deg, features
from hub.detect.fall_signal import RATE_HZ, Floats, canonical, impacts, windows_round

PLACES: Final = ("wrist", "waist")


class ModelOrigin(msgspec.Struct, frozen=True):
    """What the parameters came from; stored in the model file."""

    place: str
    sets: dict[str, str]
    """Name and licence of every set it was fitted on."""
    people: list[str]
    slope: float
    offset: float
    """From the forest's vote to log-odds, fitted on people left out."""
    threshold: float
    """Probability from which the wearer is asked."""
    sure: float
    """Probability from which it is a confirmed fall at once."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one window, in words a dispatcher can read."""

    probability: float
    impact_g: float
    """Highest acceleration within half a second of the impact, as the sensor gave it."""
    still_s: float
    """Longest time without movement after the impact, as far as the window reaches."""
    posture_change_deg: float
    """How far the sensor turned against gravity."""


@dataclass(frozen=True, slots=True)
class FallModel:
    """Trees in flat arrays: node n asks whether code[feature[n]] > cut[n]."""

    origin: ModelOrigin
    edges: NDArray[np.float32]
    """(features, bins - 1): where a feature's value passes into the next bin."""
    roots: NDArray[np.int32]
    feature: NDArray[np.uint16]
    cut: NDArray[np.uint8]
    left: NDArray[np.uint16]
    """Offset from the tree's root to the lower child, its neighbour the upper; 0: a leaf."""
    value: NDArray[np.uint8]
    """Of a leaf: share of falls in 1/255."""
    depth: int

    def votes(self, table: Floats) -> Floats:
        """Mean vote of the trees, 0 to 1, for every row of features."""
        codes = (table[:, :, None] > self.edges[None]).sum(axis=2, dtype=np.uint8)
        flat = codes.ravel()
        row = np.arange(len(table), dtype=np.int32)[:, None] * codes.shape[1]
        node = np.broadcast_to(self.roots, (len(table), len(self.roots)))
        for _ in range(self.depth):
            left = self.left.take(node)
            code = flat.take(row + self.feature.take(node))
            below = self.roots + left + (code > self.cut.take(node))
            node = np.where(left > 0, below, node)
        return np.asarray(self.value[node].mean(axis=1) / 255.0, dtype=np.float64)

    def probabilities(self, table: Floats) -> Floats:
        """Calibrated on people left out, at even odds of the training sets."""
        vote = np.clip(self.votes(table), 0.002, 0.998)
        log_odds = self.origin.offset + self.origin.slope * np.log(vote / (1.0 - vote))
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)

    def judge(self, acceleration_g: Floats, rate_hz: float) -> Verdict:
        """The surest of the window's impacts."""
        signal = canonical(acceleration_g, rate_hz)
        places = impacts(signal)
        windows = windows_round(signal, places)
        probability = self.probabilities(features(windows))
        best = int(probability.argmax())
        at = places[best] / RATE_HZ
        near = acceleration_g[max(0, int((at - 0.5) * rate_hz)) : int((at + 0.5) * rate_hz) + 1]
        return Verdict(
            probability=float(probability[best]),
            impact_g=float(np.linalg.norm(near, axis=1).max()),
            still_s=_longest_still_s(signal, int(places[best])),
            posture_change_deg=_posture_change_deg(signal, int(places[best])),
        )


def _longest_still_s(signal: Floats, place: int) -> float:
    """Within 0.6 s of mean movement below STILL_G, counted from half a second after the impact."""
    tail = signal[place + int(0.5 * RATE_HZ) :]
    width = 12
    if len(tail) < width:
        return 0.0
    sums = np.cumsum(np.concatenate([np.zeros((1, 3)), tail]), axis=0)
    squares = np.cumsum(np.concatenate([np.zeros((1, 3)), tail**2]), axis=0)
    mean = (sums[width:] - sums[:-width]) / width
    spread = ((squares[width:] - squares[:-width]) / width - mean**2).sum(axis=1)
    longest = run = 0
    for still in spread < STILL_G**2:
        run = run + 1 if still else 0
        longest = max(longest, run)
    return (longest + width - 1) / RATE_HZ if longest else 0.0


def _posture_change_deg(signal: Floats, place: int) -> float:
    before = signal[max(0, place - 60) : max(1, place - 16)].mean(axis=0)
    after = signal[min(place + 24, len(signal) - 1) : place + 84].mean(axis=0)
    return float(angle_deg(before, after))


def pack(model: FallModel) -> bytes:
    """The model file; the same model gives the same bytes."""
    origin = np.frombuffer(msgspec.json.encode(model.origin), dtype=np.uint8)
    arrays: dict[str, Any] = {
        "edges": model.edges, "roots": model.roots, "feature": model.feature,
        "cut": model.cut, "left": model.left, "value": model.value,
        "depth": np.array(model.depth), "origin": origin,
    }  # fmt: skip
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def unpack(stored: bytes) -> FallModel:
    """The model of a file written by `pack`."""
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        return FallModel(
            origin=msgspec.json.decode(arrays["origin"].tobytes(), type=ModelOrigin),
            edges=arrays["edges"],
            roots=arrays["roots"],
            feature=arrays["feature"],
            cut=arrays["cut"],
            left=arrays["left"],
            value=arrays["value"],
            depth=int(arrays["depth"]),
        )


@cache
def shipped(place: str) -> FallModel:
    """The model of this release for a place; read once."""
    name = f"falls-{place}.npz"
    return unpack((files("hub.detect") / "models" / name).read_bytes())
