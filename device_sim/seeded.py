"""Randomness that is a pure function of its seed and place: the same run again, from anywhere."""

from hashlib import blake2b

_SCALE = float(2**64)


def fraction(*parts: object) -> float:
    """A number in [0, 1) that depends on `parts` and nothing else.

    >>> fraction("a", 1) == fraction("a", 1) != fraction("a", 2)
    True
    """
    digest = blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / _SCALE


def between(low: float, high: float, *parts: object) -> float:
    """A number in [low, high) that depends on `parts`."""
    return low + (high - low) * fraction(*parts)


def drift(period: float, at: float, *parts: object) -> float:
    """A smooth walk in [-1, 1]: lattice values `period` apart, blended by a cubic."""
    place, within = divmod(at / period, 1.0)
    blend = within * within * (3.0 - 2.0 * within)
    before, after = between(-1.0, 1.0, place, *parts), between(-1.0, 1.0, place + 1.0, *parts)
    return before + (after - before) * blend
