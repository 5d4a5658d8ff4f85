"""What is due next, for every device of the process in one heap: a task each would not scale."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from device_sim.clock import Clock, wait_for

LONGEST_NAP_S = 1.0
"""Ours: even with nothing to do, look up this often."""

CALLS_A_TURN = 200
"""Ours: about 20 ms of reports; then the sockets are read, however late the rest is."""


class Agenda:
    """Calls in order of their due time; never reads a clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.on_earlier: Callable[[], None] | None = None
        """Called when something is due before all that was known: whoever sleeps must wake."""

    def add(self, due_s: float, call: Callable[[], None]) -> None:
        """Have `call` made at `due_s` of the monotonic clock."""
        earlier = not self._heap or due_s < self._heap[0][0]
        heapq.heappush(self._heap, (due_s, next(self._order), call))
        if earlier and self.on_earlier is not None:
            self.on_earlier()

    def run_due(self, now_s: float, most: int | None = None) -> float | None:
        """Make every call that is due, at most so many; return when the next one is, None if there
        is none."""
        made = 0
        while self._heap and self._heap[0][0] <= now_s and made != most:
            _, _, call = heapq.heappop(self._heap)
            call()
            made += 1
        return self._heap[0][0] if self._heap else None


async def follow(agenda: Agenda, clock: Clock, stop: asyncio.Event) -> None:
    """Make the calls of `agenda` when they are due, until `stop`."""
    wake = asyncio.Event()
    agenda.on_earlier = wake.set
    stopping = asyncio.create_task(stop.wait())
    stopping.add_done_callback(lambda _: wake.set())
    while not stop.is_set():
        wake.clear()
        next_s = agenda.run_due(clock.monotonic_s(), CALLS_A_TURN)
        nap_s = LONGEST_NAP_S if next_s is None else next_s - clock.monotonic_s()
        await wait_for(wake, min(nap_s, LONGEST_NAP_S))
    stopping.cancel()
