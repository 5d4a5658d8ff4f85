"""How often somebody may try a password. Pure: time is an argument, memory is bounded."""

from collections import OrderedDict, deque
from collections.abc import Sequence

WRONG_TRIES = 5
"""Ours: a human who mistypes more often needs a colleague, not another try."""
WINDOW_S = 300.0
KEYS_REMEMBERED = 10_000
"""Names and addresses; the one not tried for longest is forgotten first."""


class Throttle:
    """Counts wrong tries by key; a key is a username or an address."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, keys: Sequence[str], now_s: float) -> float:
        """How long until the next try is allowed; 0 means now."""
        return max((self._wait_s(key, now_s) for key in keys), default=0.0)

    def count(self, keys: Sequence[str], now_s: float) -> None:
        """A try begins: it counts as wrong until `forgive`, so that many at once gain nothing."""
        for key in keys:
            tries = self._tries.setdefault(key, deque(maxlen=WRONG_TRIES))
            tries.append(now_s)
            self._tries.move_to_end(key)
            if len(self._tries) > KEYS_REMEMBERED:
                self._tries.popitem(last=False)

    def forgive(self, keys: Sequence[str]) -> None:
        """The latest try was right after all."""
        for key in keys:
            tries = self._tries.get(key)
            if tries:
                tries.pop()
            if not tries:
                self._tries.pop(key, None)

    def _wait_s(self, key: str, now_s: float) -> float:
        tries = self._tries.get(key)
        if tries is None or len(tries) < WRONG_TRIES:
            return 0.0
        return max(0.0, tries[0] + WINDOW_S - now_s)
