"""When each loop of the workers last finished a cycle: told to everybody, heard from everybody."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from hub.view import iso
from schemas import topics

SAID_EVERY_S = 1.0


class Clock(Protocol):
    """Time as a port."""

    def now(self) -> Any: ...

    def monotonic_s(self) -> float: ...


class Cycles:
    """One for a worker process. A loop of another worker counts as well: what matters is that
    somebody does the work."""

    def __init__(
        self, clock: Clock, publish: Callable[[str, bytes], object], expected: Iterable[str]
    ) -> None:
        """`expected`: loops that must run here; one that never finishes counts from now."""
        self._clock = clock
        self._publish = publish
        now_s = clock.monotonic_s()
        self._at_s = dict.fromkeys(expected, now_s)
        self._said_s: dict[str, float] = {}

    def finished(self, loop: str, handled: int = 0) -> None:
        """A whole cycle."""
        now_s = self._clock.monotonic_s()
        self._at_s[loop] = now_s
        if handled or now_s - self._said_s.get(loop, float("-inf")) >= SAID_EVERY_S:
            self._said_s[loop] = now_s
            said = {
                "type": "cycle",
                "loop": loop,
                "at": iso(self._clock.now()),
                "handled": handled,
                "ages": {name: round(age_s, 1) for name, age_s in self.ages_s().items()},
            }
            self._publish(topics.DESK_STATS, msgspec.json.encode(said))

    def heard(self, body: Mapping[str, Any]) -> None:
        """What a worker said, this one or another. Of a loop that has done nothing yet the age is
        its process's, and the younger one counts."""
        ages = body.get("ages")
        if not isinstance(ages, dict):
            return
        now_s = self._clock.monotonic_s()
        for loop, age_s in ages.items():
            if isinstance(age_s, int | float):
                at_s = now_s - max(0.0, age_s)
                self._at_s[loop] = max(at_s, self._at_s.get(loop, float("-inf")))

    def ages_s(self) -> dict[str, float]:
        """Seconds since each loop's last cycle."""
        now_s = self._clock.monotonic_s()
        return {loop: now_s - at_s for loop, at_s in self._at_s.items()}
