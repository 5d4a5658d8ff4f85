"""When a device that lost its connection tries again, and how fast a whole fleet may."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
"""Ours: a power cut of a city ends for 10,000 devices at once; patience delays a press."""

LONGEST_PAUSE_WHILE_CALLING_S = 2.0
"""Ours: somebody waits; the radio's battery does not matter now."""

STABLE_AFTER_S = 5.0
"""Ours: a connection that held this long was a good one: start from the beginning."""


def pause_s(failures: int, jitter: float, *, calling: bool) -> float:
    """How long to wait after this many failures in a row; `jitter` in [0, 1) spreads the fleet.

    >>> pause_s(0, 0.5, calling=False), pause_s(9, 0.5, calling=False)
    (0.375, 11.25)
    """
    longest_s = LONGEST_PAUSE_WHILE_CALLING_S if calling else LONGEST_PAUSE_S
    pause = min(longest_s, FIRST_PAUSE_S * 2.0 ** min(failures, 16))
    return pause * (0.5 + 0.5 * jitter)


class ConnectGate:
    """Lets at most so many devices a second begin to connect."""

    def __init__(self, per_s: float) -> None:
        self._pause_s = 1.0 / per_s
        self._next_s = float("-inf")

    def reserve(self, now_s: float) -> float:
        """The moment at which the caller may connect; each call takes one place."""
        self._next_s = max(now_s, self._next_s + self._pause_s)
        return self._next_s
