"""When which state is to be looked at: a wheel of seconds.

A city has half a million deadlines, nearly all of which only move later. Putting one down and
taking it up again costs the same however many there are, and one that was moved is known by its
second alone: nothing is searched for.
"""

import heapq
from array import array
from collections.abc import Sequence
from math import ceil

_ROWS = 32
"""Bits of a row's number in an entry; the place is above."""
_ROW = (1 << _ROWS) - 1


class Deadlines:
    """At most one a place and row; what is put down again replaces what was.

    >>> wheel = Deadlines([array("q", [0, 0])])
    >>> wheel.put(0, 1, 7.2)
    >>> wheel.take(7.9, most=5), wheel.take(8.0, most=5)
    ([], [(8, 0, 1)])
    """

    def __init__(self, at: "Sequence[array[int]]") -> None:
        """`at` says by place and row in which second it is looked at; 0: never. Whoever adds a row
        adds a zero; whoever writes a zero takes the deadline away."""
        self._at = at
        self._seconds: list[int] = []
        """A heap of those in which anything is due."""
        self._entries: dict[int, list[int]] = {}

    def __len__(self) -> int:
        """How many entries there are, those included that were moved since."""
        return sum(map(len, self._entries.values()))

    def put(self, place: int, row: int, due_s: float) -> None:
        """Look at it then (seconds since 1970), up to a second late."""
        second = max(ceil(due_s), 1)
        column = self._at[place]
        if column[row] == second:
            return
        column[row] = second
        entries = self._entries.get(second)
        if entries is None:
            self._entries[second] = entries = []
            heapq.heappush(self._seconds, second)
        entries.append(place << _ROWS | row)

    def put_new(self, place: int, rows: Sequence[int], due_s: float) -> None:
        """The same for all those of the rows that are not put down yet."""
        second, column = max(ceil(due_s), 1), self._at[place]
        new = [row for row in rows if not column[row]]
        for row in new:
            column[row] = second
        if not new:
            return
        if second not in self._entries:
            self._entries[second] = []
            heapq.heappush(self._seconds, second)
        above = place << _ROWS
        self._entries[second] += [above | row for row in new]

    def take(self, until_s: float, most: int) -> list[tuple[int, int, int]]:
        """Second, place and row of what is due up to then, the earliest first; it is not put down
        any more."""
        taken: list[tuple[int, int, int]] = []
        seconds, at = self._seconds, self._at
        while most > 0 and seconds and seconds[0] <= until_s:
            second = seconds[0]
            entries = self._entries[second]
            some = entries[:most]
            most -= len(some)
            for entry in some:
                place, row = entry >> _ROWS, entry & _ROW
                if at[place][row] == second:
                    at[place][row] = 0
                    taken.append((second, place, row))
            if len(some) < len(entries):
                del entries[: len(some)]
            else:
                heapq.heappop(seconds)
                del self._entries[second]
        return taken
