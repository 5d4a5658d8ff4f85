"""Other sensors that might have recorded the same movement.

Training sees every trial through several sensors, so that rate, range, phase, gain and the cut of
a recording carry no class.
"""

import numpy as np

from hub.detect.fall_signal import MIN_WINDOW_S, Floats

RATES_HZ = (20.0, 25.0, 31.0, 50.0, 100.0)
RANGES_G = (2.0, 4.0, 8.0, 16.0)
GAIN_SPREAD = 0.04
"""Ours: consumer accelerometers are within 4 %."""
PACE_SPREAD = 0.1
"""Ours: clocks of wearables and the nominal rates of the sets are off by up to this share."""
MOST_CUT_S = 3.0
"""SmartFallMM's trials are cut by hand: the end of any trial may be missing."""
KEEP_S = 5.0


def seen_by_another(
    acceleration_g: Floats, rate_hz: float, random: np.random.Generator
) -> tuple[Floats, float]:
    """The trial as another sensor, turned another way, would have recorded it."""
    seen = acceleration_g @ _rotation(random).T
    seen = seen * random.normal(1.0, GAIN_SPREAD / 2, size=3)
    seen = _cut(seen, rate_hz, random)
    new_rate = float(random.choice(RATES_HZ))
    if new_rate < rate_hz:
        seen, rate_hz = _resample(seen, rate_hz, new_rate, random), new_rate
    limit = float(random.choice(RANGES_G))
    pace = float(np.exp(random.normal(0.0, PACE_SPREAD / 2)))
    return np.clip(seen, -limit, limit), rate_hz * pace


def _rotation(random: np.random.Generator) -> Floats:
    """Any rotation, evenly."""
    matrix, upper = np.linalg.qr(random.normal(size=(3, 3)))
    return np.asarray(matrix * np.sign(np.diag(upper)))


def _cut(seen: Floats, rate_hz: float, random: np.random.Generator) -> Floats:
    duration_s = len(seen) / rate_hz
    spare_s = min(MOST_CUT_S, max(0.0, duration_s - max(KEEP_S, MIN_WINDOW_S)))
    start, end = random.uniform(0.0, spare_s / 2, size=2)
    return seen[int(start * rate_hz) : len(seen) - int(end * rate_hz)]


def _resample(
    seen: Floats, rate_hz: float, new_rate_hz: float, random: np.random.Generator
) -> Floats:
    """A lower rate at a random phase; half the sensors average, half only pick."""
    if random.random() < 0.5:
        width = max(1, round(rate_hz / new_rate_hz))
        kernel = np.ones(width) / width
        seen = np.stack([np.convolve(axis, kernel, mode="same") for axis in seen.T], axis=1)
    at = np.arange(random.uniform(0, rate_hz / new_rate_hz), len(seen) - 1, rate_hz / new_rate_hz)
    index = np.arange(len(seen))
    return np.stack([np.interp(at, index, axis) for axis in seen.T], axis=1)
