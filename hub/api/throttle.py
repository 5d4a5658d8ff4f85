"""How often somebody may try a password. Pure: time is an argument, memory is bounded.

Tries count against the pair of name and address, the address and the name, each with a limit of its
own. A browser in which the account has logged in before counts for itself alone: whoever tries
wrong passwords on purpose can shut out strangers, but never the dispatcher at their own desk.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import NamedTuple

WRONG_TRIES = 5
"""Of one name from one address. Ours: a human who mistypes more often needs a colleague, not
another try."""
ADDRESS_TRIES = 20
"""From one address, whatever the names: a whole office may sit behind it."""
NAME_TRIES = 50
"""Of one name from all addresses, where somebody has many addresses: 100,000 guesses a week."""
WINDOW_S = 300.0
KEYS_REMEMBERED = 10_000
"""The one not tried for longest is forgotten first."""


class Key(NamedTuple):
    """What tries are counted against."""

    text: str
    tries: int = WRONG_TRIES


def keys(username: str, address: str, browser: str | None) -> tuple[Key, ...]:
    """Against what a try counts; `browser` is one the account is known in."""
    if browser is not None:
        return (Key(f"browser {browser}"),)
    name = username.casefold()
    return (
        Key(f"pair {address} {name}"),
        Key(f"address {address}", ADDRESS_TRIES),
        Key(f"name {name}", NAME_TRIES),
    )


class Throttle:
    """Counts wrong tries by key."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, keys: Sequence[Key], now_s: float) -> float:
        """How long until the next try is allowed; 0 means now."""
        return max((self._wait_s(key, now_s) for key in keys), default=0.0)

    def count(self, keys: Sequence[Key], now_s: float) -> None:
        """A try begins: it counts as wrong until `forgive`, so that many at once gain nothing."""
        for key in keys:
            tries = self._tries.setdefault(key.text, deque(maxlen=key.tries))
            tries.append(now_s)
            self._tries.move_to_end(key.text)
            if len(self._tries) > KEYS_REMEMBERED:
                self._tries.popitem(last=False)

    def forgive(self, keys: Sequence[Key]) -> None:
        """The latest try was right after all."""
        for key in keys:
            tries = self._tries.get(key.text)
            if tries:
                tries.pop()
            if not tries:
                self._tries.pop(key.text, None)

    def _wait_s(self, key: Key, now_s: float) -> float:
        tries = self._tries.get(key.text)
        if tries is None or len(tries) < key.tries:
            return 0.0
        return max(0.0, tries[0] + WINDOW_S - now_s)
