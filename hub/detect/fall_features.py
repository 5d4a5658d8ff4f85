"""What is measured round an impact: numbers that do not depend on how the sensor is turned.

Every feature is built from lengths and angles of the canonical signal (`fall_signal`), never from
one axis alone: a wristband may sit on either arm and either way round. Nothing here knows the
rate, the range, the length of the recording or where in it the impact lay.
"""

from typing import Final

import numpy as np

from hub.detect.fall_signal import BEFORE, RATE_HZ, WIDTH, Floats

_SMALL: Final = 1e-6

PART_STARTS_S: Final = (-4.0, -2.0, -1.0, -0.4, 0.4, 1.0, 2.0, 4.0)
"""The parts every course is summed up over: before, start of the fall, impact, rebound, after."""
STILL_G: Final = 0.06
"""Movement (root of the mean square over 0.75 s, slow part removed) of somebody who lies still;
ours: a wrist at rest shows 0.01 to 0.04 g, the quietest household task 0.08 g."""


def _at(second: float) -> int:
    """Index of a time relative to the impact."""
    return BEFORE + round(second * RATE_HZ)


_PARTS: Final = np.array([_at(start) for start in PART_STARTS_S])
_PART_LENGTHS: Final = np.diff(np.append(_PARTS, WIDTH)).astype(np.float64)
_QUARTERS: Final = np.arange(_at(-1.5), _at(1.55), 4)
_HALVES: Final = np.arange(0, WIDTH, 10)


def _smooth(values: Floats, width: int) -> Floats:
    """Moving mean along axis 1, edges held; odd width."""
    half = width // 2
    first = np.repeat(values[:, :1], half + 1, axis=1)
    last = np.repeat(values[:, -1:], half, axis=1)
    total = np.cumsum(np.concatenate([first, values, last], axis=1), axis=1)
    return np.asarray((total[:, width:] - total[:, :-width]) / width)


def _length(vectors: Floats) -> Floats:
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", vectors, vectors)))


def angle_deg(one: Floats, other: Floats) -> Floats:
    """The angle between vectors along the last axis, degrees."""
    scale = _length(one) * _length(other) + _SMALL
    cosine = np.einsum("...c,...c->...", one, other) / scale
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _mean_of(windows: Floats, start_s: float, end_s: float) -> Floats:
    return np.asarray(windows[:, _at(start_s) : _at(end_s)].mean(axis=1))


def _turns(windows: Floats) -> list[Floats]:
    """How far the sensor turned against gravity between quiet stretches."""
    far, near = _mean_of(windows, -4, -2), _mean_of(windows, -1.5, -0.5)
    middle, soon = _mean_of(windows, -3, -1), _mean_of(windows, 0.7, 1.7)
    then, later = _mean_of(windows, 1, 3), _mean_of(windows, 3, 6)
    ones = np.stack([near, middle, far, near, soon, far])
    others = np.stack([soon, then, then, later, later, near])
    return list(angle_deg(ones, others))


def _parts(courses: Floats) -> list[Floats]:
    """Highest, lowest, mean and spread of every course (k, c, t) in every part."""
    flat = (len(courses), -1)
    mean = np.add.reduceat(courses, _PARTS, axis=2) / _PART_LENGTHS
    square = np.add.reduceat(courses**2, _PARTS, axis=2) / _PART_LENGTHS
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    high = np.maximum.reduceat(courses, _PARTS, axis=2)
    low = np.minimum.reduceat(courses, _PARTS, axis=2)
    return [table.reshape(flat) for table in (mean, spread, high, low)]


def _dip(length: Floats, vertical: Floats) -> list[Floats]:
    """Weightlessness in the second before the impact."""
    here = slice(_at(-1.2), _at(0.15))
    fall, upright = length[:, here], vertical[:, here]
    return [
        np.maximum(0.9 - fall, 0.0).sum(axis=1) / RATE_HZ,
        (fall < 0.7).sum(axis=1) / RATE_HZ,
        _smooth(fall, 5).min(axis=1),
        fall.argmin(axis=1) / RATE_HZ,
        np.maximum(1.0 - upright, 0.0).sum(axis=1) / RATE_HZ,
        _smooth(upright, 5).min(axis=1),
    ]


def _blow(windows: Floats, length: Floats, before: Floats, up: Floats) -> list[Floats]:
    """Width and weight of the impact; velocity gained (integral of what is not gravity)."""
    near = length[:, _at(-0.6) : _at(0.6)]
    ranked = np.sort(near, axis=1)
    velocity = np.cumsum(windows[:, _at(-1.5) : _at(1.5)] - before[:, None], axis=1) / RATE_HZ
    speed, sinking = _length(velocity), np.einsum("ktc,kc->kt", velocity, up)
    high = (np.abs(windows[:, _at(-1) : _at(1)]) > 1.8).any(axis=2)
    return [
        ranked[:, 12],
        ranked[:, 18],
        ranked[:, 21],
        high.sum(axis=1) / RATE_HZ,
        (near > 1.5).sum(axis=1) / RATE_HZ,
        _smooth(near, 5).max(axis=1),
        speed.max(axis=1),
        speed[:, 20],
        speed[:, 30],
        sinking.min(axis=1),
        sinking.max(axis=1),
    ]


def _effort(power: Floats) -> list[Floats]:
    """How the effort before and after compares with the impact itself."""
    top = power[:, _at(-0.5) : _at(0.5)].max(axis=1)
    share = power / (top[:, None] + _SMALL)
    wide = ((-4.0, -1.0), (1.0, 3.5), (3.5, 6.0))
    stretches = [share[:, _at(start) : _at(end)] for start, end in wide]
    return [
        np.log(top + 0.01),
        *[np.log(stretch.max(axis=1) + 1e-3) for stretch in stretches],
        *[np.log(stretch.mean(axis=1) + 1e-3) for stretch in stretches],
        (share > 0.3).sum(axis=1) / RATE_HZ,
        (share > 0.1).sum(axis=1) / RATE_HZ,
        (share[:, _at(-2) : _at(2)] > 0.3).sum(axis=1) / RATE_HZ,
    ]


def _rest(movement: Floats) -> list[Floats]:
    """How quiet it becomes, how soon, for how long."""
    tail = movement[:, _at(0.5) :]
    quiet = tail < STILL_G
    first = np.where(quiet.any(axis=1), quiet.argmax(axis=1), tail.shape[1])
    return [
        tail.min(axis=1),
        tail[:, : _at(3) - _at(0.5)].min(axis=1),
        movement[:, _at(-3.5) : _at(-0.5)].min(axis=1),
        first / RATE_HZ,
        quiet.mean(axis=1),
    ]


_SPECTRUM_STARTS: Final = (_at(-4), _at(-2), _at(1))
_SPECTRUM_WIDTH: Final = 80
"""Four seconds before, round and after."""
_BAND_STARTS: Final = np.array([2, 8, 16, 28, 64])
"""0.25, 1, 2, 3.5 and 8 Hz in eighths of a hertz: posture, walking, running, shaking."""


def _rhythm(length: Floats) -> list[Floats]:
    """Steps and claps repeat themselves, a fall does not."""
    count = len(length)
    course = np.concatenate(
        [length[:, start : start + _SPECTRUM_WIDTH] for start in _SPECTRUM_STARTS]
    )
    course = course - course.mean(axis=1, keepdims=True)
    power = np.abs(np.fft.rfft(course, 2 * _SPECTRUM_WIDTH, axis=1)) ** 2
    likeness = np.fft.irfft(power, axis=1)[:, :40] / np.arange(80, 40, -1)
    repeats = (likeness / (likeness[:, :1] + 1e-4))[:, 6:].max(axis=1)
    bands = np.add.reduceat(power, _BAND_STARTS, axis=1)[:, :-1]
    bands /= bands.sum(axis=1, keepdims=True) + 1e-3
    table = np.concatenate([repeats[:, None], bands], axis=1)
    return [table[number * count : (number + 1) * count] for number in range(3)]


def features(windows: Floats) -> Floats:
    """One row of features a window; shape (k, WIDTH, 3) in.

    >>> features(np.tile([0.0, 0.0, 1.0], (2, WIDTH, 1))).shape[0]
    2
    """
    length = _length(windows)
    step = np.zeros_like(windows)
    step[:, 1:] = windows[:, 1:] - windows[:, :-1]
    jerk = _length(step) * RATE_HZ
    slow = _smooth(windows, 21)
    quick = _length(windows - slow)
    before, after = _mean_of(windows, -3, -0.8), _mean_of(windows, 1.2, 3.5)
    up = before / (_length(before)[:, None] + _SMALL)
    vertical = np.einsum("ktc,kc->kt", windows, up)
    across = np.sqrt(np.maximum(length**2 - vertical**2, 0.0))
    effort = np.log(_smooth(jerk, 9) + 0.1)
    courses = np.stack(
        [
            length,
            np.abs(length - 1.0),
            quick,
            np.log(jerk + 0.1),
            vertical,
            across,
            *angle_deg(slow, np.stack([before, after])[:, :, None]),
        ],
        axis=1,
    )
    tables = [
        *_parts(courses),
        *_turns(windows),
        *_dip(length, vertical),
        *_blow(windows, length, before, up),
        *_effort(_smooth(jerk**2, 9)),
        *_rest(np.sqrt(np.maximum(_smooth(quick**2, 15), 0.0))),
        *_rhythm(length),
        effort[:, _HALVES],
        _smooth(length, 5)[:, _QUARTERS],
        _smooth(vertical, 5)[:, _QUARTERS],
    ]
    return np.concatenate([t if t.ndim == 2 else t[:, None] for t in tables], axis=1)
