"""What is measured round an impact: numbers that do not depend on how the sensor is turned.

Every feature is built from lengths and angles of the canonical signal (fall_signal), never from
one axis alone: a wristband may sit on either arm and either way round.
"""

from typing import Final

import numpy as np

from hub.detect.fall_signal import BEFORE, RATE_HZ, WIDTH, Floats

_SMALL: Final = 1e-6


def _at(second: float) -> int:
    """Index of a time relative to the impact, seconds."""
    return BEFORE + round(second * RATE_HZ)


def _part(values: Floats, start_s: float, end_s: float) -> Floats:
    return values[:, _at(start_s) : _at(end_s)]


def _mean_filter(values: Floats, width: int) -> Floats:
    """Moving mean along axis 1, edges held; odd width."""
    half = width // 2
    pad = [(0, 0)] * values.ndim
    pad[1] = (half + 1, half)
    total = np.cumsum(np.pad(values, pad, mode="edge"), axis=1)
    return (total[:, width:] - total[:, :-width]) / width


def _direction(vectors: Floats) -> Floats:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + _SMALL)


def _angle_deg(one: Floats, other: Floats) -> Floats:
    cosine = np.einsum("...c,...c->...", _direction(one), _direction(other))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


PARTS: Final = (
    (-4.0, -2.0), (-2.0, -1.0), (-1.0, -0.4), (-0.4, 0.4), (0.4, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 6.0),
)


def features(windows: Floats) -> Floats:
    """One row of features a window; shape (k, WIDTH, 3) in."""
    length = np.linalg.norm(windows, axis=2)
    step = np.zeros_like(windows)
    step[:, 1:] = windows[:, 1:] - windows[:, :-1]
    jerk = np.linalg.norm(step, axis=2) * RATE_HZ
    slow = _mean_filter(windows, 21)
    quick = np.linalg.norm(windows - slow, axis=2)
    level = _direction(slow)
    before = windows[:, _at(-3) : _at(-0.8)].mean(axis=1)
    after = windows[:, _at(1.2) : _at(3.5)].mean(axis=1)
    up = _direction(before)
    vertical = np.einsum("ktc,kc->kt", windows, up)
    across = np.sqrt(np.maximum((windows**2).sum(axis=2) - vertical**2, 0.0))
    columns: list[Floats] = []
    for start_s, end_s in PARTS:
        m, q, j = (_part(v, start_s, end_s) for v in (length, quick, jerk))
        v, a = _part(vertical, start_s, end_s), _part(across, start_s, end_s)
        lv = level[:, _at(start_s) : _at(end_s)]
        columns += [
            m.max(axis=1), m.min(axis=1), m.std(axis=1), np.abs(m - 1.0).mean(axis=1),
            np.sqrt((q**2).mean(axis=1)), np.log(np.sqrt((j**2).mean(axis=1)) + 0.05), np.log(np.median(j, axis=1) + 0.05),
            j.max(axis=1),
            v.mean(axis=1), v.min(axis=1), v.max(axis=1), a.mean(axis=1), a.max(axis=1), 
            _angle_deg(lv[:, 0], lv[:, -1]),
            _angle_deg(lv, before[:, None]).mean(axis=1),
            _angle_deg(lv, after[:, None]).mean(axis=1),
        ]
    # angles
    for b, a_ in ((( -1.5, -0.5), (0.7, 1.7)), ((-3, -1), (1, 3)), ((-4, -2), (2, 4)), ((-1.5,-.5),(3,6)), ((1,2.5),(3,6)), ((-4,-2.5),(-1.5,-.5))):
        columns.append(_angle_deg(windows[:, _at(b[0]):_at(b[1])].mean(axis=1), windows[:, _at(a_[0]):_at(a_[1])].mean(axis=1)))
    # dip before, from -1.2 to 0.1
    dip = _part(length, -1.2, 0.15)
    columns += [np.maximum(0.9 - dip, 0).sum(axis=1) / RATE_HZ, (dip < 0.7).sum(axis=1) / RATE_HZ, _mean_filter(dip, 5).min(axis=1), dip.argmin(axis=1) / RATE_HZ]
    vdip = _part(vertical, -1.2, 0.15)
    columns += [np.maximum(1 - vdip, 0).sum(axis=1) / RATE_HZ, _mean_filter(vdip, 5).min(axis=1)]
    # impact shape
    near = _part(length, -0.6, 0.6)
    for q in (50, 75, 90):
        columns.append(np.percentile(near, q, axis=1))
    clipped = (np.abs(windows) > 1.8).any(axis=2)
    columns += [_part(clipped, -1, 1).sum(axis=1) / RATE_HZ, (near > 1.5).sum(axis=1) / RATE_HZ, _mean_filter(near, 5).max(axis=1)]
    net = np.cumsum(windows[:, _at(-1.5):_at(1.5)] - before[:, None], axis=1) / RATE_HZ
    nv = np.linalg.norm(net, axis=2)
    columns += [nv.max(axis=1), nv[:, 30], nv[:, 20], np.einsum("ktc,kc->kt", net, up).min(axis=1), np.einsum("ktc,kc->kt", net, up).max(axis=1)]
    # activity course
    power = _mean_filter(jerk**2, 9)
    top = power[:, _at(-.5):_at(.5)].max(axis=1)
    rel = power / (top[:, None] + _SMALL)
    columns += [
        np.log(top + .01),
        np.log(_part(rel, -4, -1).max(axis=1) + 1e-3), np.log(_part(rel, 1, 3.5).max(axis=1) + 1e-3), np.log(_part(rel, 3.5, 6).max(axis=1) + 1e-3),
        np.log(_part(rel, -4, -1).mean(axis=1) + 1e-3), np.log(_part(rel, 1, 3.5).mean(axis=1) + 1e-3), np.log(_part(rel, 3.5, 6).mean(axis=1) + 1e-3),
        (rel > .3).sum(axis=1) / RATE_HZ, (rel > .1).sum(axis=1) / RATE_HZ, (_part(rel,-2,2) > .3).sum(axis=1) / RATE_HZ,
    ]
    ratio = np.log((_part(power, 1, 4).mean(axis=1) + .01) / (_part(power, -3, -1).mean(axis=1) + .01))
    columns.append(ratio)
    # stillness: quietest second after, time till quiet
    noise = _mean_filter(quick**2, 15)
    tail = np.sqrt(_part(noise, 0.5, 6))
    columns += [tail.min(axis=1), np.sqrt(_part(noise, .5, 3)).min(axis=1), np.sqrt(_part(noise, -3.5, -.5)).min(axis=1)]
    quiet = tail < 0.06
    columns.append(np.where(quiet.any(axis=1), quiet.argmax(axis=1), tail.shape[1]) / RATE_HZ)
    columns.append(quiet.mean(axis=1))
    # rhythm
    for lo, hi in ((-4, 0.0), (-2.5, 2.5), (1, 5)):
        x = _part(length, lo, hi)
        x = x - x.mean(axis=1, keepdims=True)
        n = x.shape[1]
        spec = np.abs(np.fft.rfft(x, 2 * n, axis=1)) ** 2
        ac = np.fft.irfft(spec, axis=1)[:, :n] / (np.arange(n, 0, -1))
        ac = ac / (ac[:, :1] + 1e-4)
        columns.append(ac[:, 6:40].max(axis=1)) 
        f = np.arange(spec.shape[1]) * RATE_HZ / (2 * n)
        tot = spec[:, f > .3].sum(axis=1) + 1e-3
        for b0, b1 in ((.3, 1), (1, 2), (2, 3.5), (3.5, 8)):
            columns.append(spec[:, (f >= b0) & (f < b1)].sum(axis=1) / tot)
    # course in quarter seconds around and half seconds beyond
    for chan in (np.log(_mean_filter(jerk, 9) + .1),):
        columns += list(chan[:, ::10].T)
    for chan in (_mean_filter(length, 5), _mean_filter(vertical, 5)):
        columns += list(chan[:, _at(-1.5):_at(1.55):4].T)
    return np.stack(columns, axis=1)
