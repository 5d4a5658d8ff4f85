"""Raw acceleration of a wrist, as a wristband sends it round an impact: synthetic, but shaped.

A fall has four phases (Noury et al., IRBM 29, 2008): ordinary movement; the critical phase of 0.3
to 0.5 s, in which the body gives way and the felt weight falls well below 1 g; the impact, some
tens of milliseconds of several g with a rebound; and rest on the floor, with gravity along another
axis. What is no fall lacks one of them: sitting down hard has no loss of weight and goes on moving,
a dropped wristband is weightless before it hits and then lies stiller than any wrist. Heights and
times are ours, within what public sets of wrist-worn falls show (UMAFall, Casilari et al. 2017).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import exp, pi, sin, sqrt
from random import Random

RATE_HZ = 50.0
RANGE_G = 16.0
LENGTH_S = 10.0
"""Four seconds before the impact and six after it."""
IMPACT_S = 4.0

Vector = tuple[float, float, float]


class Movement(StrEnum):
    """What the wrist goes through."""

    FALL_FORWARD = "fall_forward"
    FALL_BACKWARD = "fall_backward"
    FALL_SIDEWAYS = "fall_sideways"
    WALK = "walk"
    SIT_DOWN = "sit_down"
    LIE_DOWN = "lie_down"
    CLAP = "clap"
    STUMBLE = "stumble"
    DROPPED = "dropped"
    """Nobody wears it: it falls from a table."""
    QUAKE = "quake"


FALLS = (Movement.FALL_FORWARD, Movement.FALL_BACKWARD, Movement.FALL_SIDEWAYS)
EVERYDAY = tuple(movement for movement in Movement if movement not in FALLS)


@dataclass(frozen=True, slots=True)
class Window:
    """Three axes of equal length, in milli-g."""

    x_mg: list[int]
    y_mg: list[int]
    z_mg: list[int]
    impact_g: float
    """The largest magnitude in it."""


Signal = Callable[[float], Vector]
"""Acceleration in g at a time in seconds since the window began."""


def window(movement: Movement, seed: str) -> Window:
    """Ten seconds round the movement; the same seed gives the same samples."""
    rng = Random(f"{seed}/{movement}")  # noqa: S311 - a signal, no secret
    signal = _SIGNALS[movement](rng)
    noise_g = 0.006  # of the MEMS sensors in wristbands: 100-300 ug/sqrt(Hz) over 25 Hz, and skin
    rows = [
        [axis + rng.gauss(0.0, noise_g) for axis in signal(index / RATE_HZ)]
        for index in range(int(LENGTH_S * RATE_HZ))
    ]
    clipped = [[max(-RANGE_G, min(RANGE_G, axis)) for axis in row] for row in rows]
    x_mg, y_mg, z_mg = ([round(1000 * row[axis]) for row in clipped] for axis in range(3))
    largest = max(sqrt(sum(axis * axis for axis in row)) for row in clipped)
    return Window(x_mg, y_mg, z_mg, round(largest, 2))


def _fall(rng: Random, lying: Vector) -> Signal:
    standing = _tilted(rng, (0.15, -0.95, 0.25))
    lying = _tilted(rng, lying)
    gives_way_s = rng.uniform(0.35, 0.55)
    least_weight = rng.uniform(0.2, 0.5)
    peak_g = rng.uniform(3.0, 7.5)
    hit = _tilted(rng, (0.3, -0.6, 0.7))
    gait = _gait(rng, rng.uniform(0.0, 0.25))
    stirs = rng.uniform(0.0, 0.06)
    rattle_hz = rng.uniform(7.0, 11.0)

    def signal(t: float) -> Vector:
        since_s = t - IMPACT_S
        turned = _smooth((since_s + gives_way_s) / (gives_way_s + 0.3))
        gravity = _between(standing, lying, turned)
        if since_s < -gives_way_s:
            return _sum(gravity, gait(t))
        if since_s < 0.0:
            depth = sin(pi * (since_s + gives_way_s) / gives_way_s)
            reaching = 0.35 * sin(2 * pi * 2.2 * (since_s + gives_way_s))
            return _sum(
                _times(gravity, 1.0 - (1.0 - least_weight) * depth), _times(hit, reaching * 0.6)
            )
        ring = peak_g * exp(-since_s / 0.07) * abs(sin(2 * pi * rattle_hz * since_s + 1.2))
        settle = 0.5 * exp(-since_s / 0.5) * sin(2 * pi * 3.0 * since_s)
        stir = stirs * sin(2 * pi * 0.4 * since_s)
        return _sum(gravity, _times(hit, ring + settle), (stir, -stir, 0.5 * stir))

    return signal


def _walk(rng: Random) -> Signal:
    hanging, gait = _tilted(rng, (0.15, -0.95, 0.25)), _gait(rng, rng.uniform(0.2, 0.4))
    return lambda t: _sum(hanging, gait(t))


def _sit_down(rng: Random) -> Signal:
    before, after = _tilted(rng, (0.15, -0.95, 0.25)), _tilted(rng, (0.5, -0.3, 0.8))
    thump_g = rng.uniform(0.5, 1.3)

    def signal(t: float) -> Vector:
        since_s = t - IMPACT_S
        gravity = _between(before, after, _smooth((since_s + 1.2) / 1.6))
        thump = thump_g * exp(-since_s / 0.06) * sin(2 * pi * 8 * since_s) if since_s > 0 else 0.0
        fidget = 0.05 * sin(2 * pi * 0.9 * t) + 0.03 * sin(2 * pi * 1.7 * t)
        return _sum(gravity, (0.0, thump, fidget))

    return signal


def _lie_down(rng: Random) -> Signal:
    before, after = _tilted(rng, (0.4, -0.5, 0.75)), _tilted(rng, (0.9, 0.2, 0.35))

    def signal(t: float) -> Vector:
        turned = _smooth((t - IMPACT_S + 1.8) / 3.2)
        busy = 0.12 * sin(pi * min(1.0, max(0.0, turned))) * sin(2 * pi * 1.3 * t)
        return _sum(_between(before, after, turned), (busy, -busy, busy))

    return signal


def _clap(rng: Random) -> Signal:
    held, beats_hz, force_g = (
        _tilted(rng, (0.6, -0.4, 0.7)),
        rng.uniform(2.2, 3.2),
        rng.uniform(2, 4),
    )

    def signal(t: float) -> Vector:
        if abs(t - IMPACT_S) > 2.0:
            return held
        beat = (t * beats_hz) % 1.0
        swing = 0.5 * sin(2 * pi * beats_hz * t)
        hit = force_g * exp(-beat / 0.05) if beat < 0.3 else 0.0
        return _sum(held, (swing + hit, 0.2 * swing, 0.0))

    return signal


def _stumble(rng: Random) -> Signal:
    hanging, gait = _tilted(rng, (0.15, -0.95, 0.25)), _gait(rng, rng.uniform(0.25, 0.4))
    jolt_g = rng.uniform(0.9, 1.7)

    def signal(t: float) -> Vector:
        since_s = t - IMPACT_S
        caught = jolt_g * exp(-abs(since_s) / 0.15) * sin(2 * pi * 3.5 * since_s)
        flail = 0.5 * exp(-((since_s - 0.5) ** 2) / 0.2) * sin(2 * pi * 1.8 * since_s)
        return _sum(hanging, gait(t), (flail, caught, flail))

    return signal


def _dropped(rng: Random) -> Signal:
    before, after = (0.0, 0.0, 1.0), _tilted(rng, (0.0, 1.0, 0.05))
    falls_s = rng.uniform(0.36, 0.42)  # 65 to 85 cm, a table
    peak_g, tumble_hz = rng.uniform(9.0, 15.0), rng.uniform(1.0, 2.0)

    def signal(t: float) -> Vector:
        since_s = t - IMPACT_S
        if since_s < -falls_s:
            return before
        if since_s < 0.0:
            spin = 0.04 * sin(2 * pi * tumble_hz * since_s)
            return (spin, -spin, 0.03)
        bounce = peak_g * exp(-since_s / 0.03) + 3.0 * exp(-(((since_s - 0.3) / 0.02) ** 2))
        return _sum(after, (0.3 * bounce, 0.5 * bounce, -0.8 * bounce))

    return signal


def _quake(rng: Random) -> Signal:
    held, hz, strength_g = (
        _tilted(rng, (0.5, -0.3, 0.8)),
        rng.uniform(1.5, 4.0),
        rng.uniform(0.15, 0.4),
    )

    def signal(t: float) -> Vector:
        swell = strength_g * _smooth(t / 2.0)
        return _sum(
            held,
            (swell * sin(2 * pi * hz * t), swell * sin(2 * pi * 1.31 * hz * t + 1.0),
             0.5 * swell * sin(2 * pi * 0.83 * hz * t + 2.0)),
        )  # fmt: skip

    return signal


_SIGNALS: dict[Movement, Callable[[Random], Signal]] = {
    Movement.FALL_FORWARD: lambda rng: _fall(rng, (0.85, 0.15, -0.5)),
    Movement.FALL_BACKWARD: lambda rng: _fall(rng, (0.7, 0.3, 0.65)),
    Movement.FALL_SIDEWAYS: lambda rng: _fall(rng, (-0.55, 0.75, 0.35)),
    Movement.WALK: _walk,
    Movement.SIT_DOWN: _sit_down,
    Movement.LIE_DOWN: _lie_down,
    Movement.CLAP: _clap,
    Movement.STUMBLE: _stumble,
    Movement.DROPPED: _dropped,
    Movement.QUAKE: _quake,
}


def _gait(rng: Random, swing_g: float) -> Signal:
    """The swing of the arm and the beat of the step, 1.4 to 1.9 steps a second."""
    steps_hz, phase = rng.uniform(1.4, 1.9), rng.uniform(0.0, 2 * pi)

    def signal(t: float) -> Vector:
        arm = swing_g * sin(pi * steps_hz * t + phase)
        step = 0.6 * swing_g * sin(2 * pi * steps_hz * t + phase)
        return (arm, step, 0.4 * arm)

    return signal


def _tilted(rng: Random, direction: Vector) -> Vector:
    """Nearly that way up: no two people wear a wristband alike."""
    x, y, z = (axis + rng.gauss(0.0, 0.12) for axis in direction)
    return _unit((x, y, z))


def _between(one: Vector, other: Vector, share: float) -> Vector:
    blend = min(1.0, max(0.0, share))
    x, y, z = (a + (b - a) * blend for a, b in zip(one, other, strict=True))
    return _unit((x, y, z))


def _unit(vector: Vector) -> Vector:
    length = sqrt(sum(axis * axis for axis in vector)) or 1.0
    return (vector[0] / length, vector[1] / length, vector[2] / length)


def _times(vector: Vector, factor: float) -> Vector:
    return (vector[0] * factor, vector[1] * factor, vector[2] * factor)


def _sum(*vectors: Vector) -> Vector:
    return (sum(v[0] for v in vectors), sum(v[1] for v in vectors), sum(v[2] for v in vectors))


def _smooth(share: float) -> float:
    within = min(1.0, max(0.0, share))
    return within * within * (3.0 - 2.0 * within)
