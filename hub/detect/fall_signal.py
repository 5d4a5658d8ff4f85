"""Brings any wearable's raw acceleration to one canonical signal, so that rate and range cannot
leak into a decision.

Every window is clipped to +-2 g an axis first (the poorest range in use, so that a better sensor
gives no other answer), then read at 20 Hz through one low-pass kernel fixed in seconds (the lowest
rate in use: a 100 Hz and a 20 Hz recording of one movement give the same samples).
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RATE_HZ: Final = 20.0
"""The lowest rate of the wearables we know (UMAFall's SensorTag; Casilari et al. 2017)."""
RANGE_G: Final = 2.0
"""The poorest range we know (SmartFallMM's MetaMotion clips at +-2 g an axis)."""
CUTOFF_HZ: Final = 7.0
"""Low-pass: below the 10 Hz a 20 Hz sensor can carry; body movement lies below 5 Hz (ours)."""
KERNEL_HALF_WIDTH_S: Final = 0.15
"""Where the kernel ends: three samples of the canonical rate to each side (ours)."""
MIN_WINDOW_S: Final = 2.0
"""Less than this round an impact says nothing about before and after (ours)."""
BEFORE_S: Final = 4.0
AFTER_S: Final = 6.0
"""What is looked at round an impact: how the person moved before, whether they move after (ours:
the longest that most recordings hold)."""
BEFORE: Final = int(BEFORE_S * RATE_HZ)
AFTER: Final = int(AFTER_S * RATE_HZ)
WIDTH: Final = BEFORE + AFTER
CANDIDATES: Final = 3
"""Impacts judged in one window; the surest counts (ours: more add false alarms, not falls)."""
APART_S: Final = 1.0
"""Two impacts closer than this are one (ours)."""


def canonical(acceleration_g: Floats, rate_hz: float) -> Floats:
    """The same movement at 20 Hz within +-2 g; shape (n, 3) in, (m, 3) out.

    >>> still = np.tile([0.0, 0.0, 1.0], (100, 1))
    >>> canonical(still, 50.0).shape, bool(np.allclose(canonical(still, 50.0), [0.0, 0.0, 1.0]))
    ((40, 3), True)
    """
    clipped = np.clip(acceleration_g, -RANGE_G, RANGE_G)
    index, weight = _kernel(len(clipped), rate_hz)
    return np.asarray(np.einsum("mk,mkc->mc", weight, clipped[index]))


@lru_cache(maxsize=64)
def _kernel(count: int, rate_hz: float) -> tuple[NDArray[np.int64], Floats]:
    """Which samples make each canonical one, and with what weight; wearables of one model send
    windows of one shape, so it is worth keeping."""
    out_count = max(1, int((count - 1) / rate_hz * RATE_HZ) + 1)
    centre = np.arange(out_count) * (rate_hz / RATE_HZ)
    reach = int(np.ceil(KERNEL_HALF_WIDTH_S * rate_hz))
    index = np.floor(centre).astype(np.int64)[:, None] + np.arange(-reach, reach + 2)
    away_s = (index - centre[:, None]) / rate_hz
    weight = (
        np.sinc(2 * CUTOFF_HZ * away_s)
        * np.cos(np.clip(away_s / KERNEL_HALF_WIDTH_S, -1.0, 1.0) * (np.pi / 2)) ** 2
    )
    weight /= weight.sum(axis=1, keepdims=True)
    return np.clip(index, 0, count - 1), np.asarray(weight)


def impacts(signal: Floats, most: int = CANDIDATES) -> NDArray[np.int64]:
    """Where the signal changes most violently, at least a second apart, strongest first."""
    jerk = np.zeros(len(signal))
    jerk[1:] = ((signal[1:] - signal[:-1]) ** 2).sum(axis=1)
    energy = np.convolve(jerk, _BUMP, mode="same")[: len(jerk)]
    apart = int(APART_S * RATE_HZ)
    found: list[int] = []
    rest = energy.copy()
    for _ in range(most):
        place = int(rest.argmax())
        if rest[place] < 0.0:
            break
        found.append(place)
        rest[max(0, place - apart) : place + apart + 1] = -1.0
    return np.array(found, dtype=np.int64)


_BUMP: Final = np.hanning(11)[1:-1]
"""Half a second: an impact and its rebound are one."""


def windows_round(signal: Floats, places: NDArray[np.int64]) -> Floats:
    """The signal from 4 s before to 6 s after each place; what is missing is mirrored, because
    a constant would look like stillness and the cut of a recording must not decide."""
    count = len(signal)
    index = places[:, None] + np.arange(-BEFORE, AFTER)
    period = max(2 * (count - 1), 1)
    index = np.abs(index) % period
    index = np.where(index >= count, period - index, index)
    return np.asarray(signal[index])
