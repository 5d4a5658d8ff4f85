"""Ten seconds of a wristband: somebody walks, and falls or does not."""

from typing import Any, NamedTuple

import numpy as np

RATE_HZ = 50


class Movement(NamedTuple):
    """What happens in the window."""

    peak_g: float
    """Of the blow; 0: there is none."""
    dip: float
    """What is left of the weight before it."""
    walk_g: float


SURE = Movement(peak_g=6.0, dip=0.6, walk_g=0.3)
"""The shipped wrist model is sure of this one ..."""
DOUBTFUL = Movement(peak_g=3.0, dip=0.2, walk_g=0.1)
"""... asks other sensors about this one ..."""
NONE = Movement(peak_g=0.0, dip=1.0, walk_g=0.3)
"""... and says nothing about this one."""


def window(movement: Movement, *, seed: int = 1) -> dict[str, Any]:
    """The fields of a `motion` message: walking, lighter for half a second, a blow, lying still.

    Without a blow the person goes on walking.
    """
    peak_g, dip, walk_g = movement
    noise = np.random.default_rng(seed)
    at_s = np.arange(10 * RATE_HZ) / RATE_HZ
    walking = at_s < (4.0 if peak_g else 10.0)
    seen = np.where(walking[:, None], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0])
    step = 2 * np.pi * 1.8 * at_s
    seen[walking] += walk_g * np.stack([np.sin(step), np.cos(step), np.sin(2 * step)], 1)[walking]
    seen[(at_s >= 3.5) & (at_s < 4.0)] *= dip
    seen[(at_s >= 4.0) & (at_s < 4.12)] += peak_g * np.array([0.6, 0.5, 0.62])
    rebound = (at_s >= 4.12) & (at_s < 4.6)
    seen[rebound] += noise.normal(0, peak_g / 6, (int(rebound.sum()), 3))
    seen += noise.normal(0, 0.01, seen.shape)
    milli = np.rint(seen * 1000).astype(int)
    axes = {f"{axis}_mg": milli[:, index].tolist() for index, axis in enumerate("xyz")}
    return {"sample_rate_hz": RATE_HZ, "range_g": 16, **axes}
