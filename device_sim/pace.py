"""Load at an exact rate that waits for no answer and admits where it could not keep up."""

MAX_BEHIND_S = 0.2
"""After a stall of this process at most this much is made up for: a burst is no steady rate."""


class Pace:
    """How many messages are owed now, at `per_s` messages a second."""

    def __init__(self, per_s: float, now_s: float) -> None:
        self._per_s = per_s
        self._allowance_s = max(MAX_BEHIND_S, 2.0 / per_s)
        self._paid_until_s = now_s
        self._missed = 0.0

    @property
    def behind(self) -> int:
        """Messages that were due and will never be made, because this process came too late."""
        return int(self._missed)

    def owed(self, now_s: float) -> int:
        """Whole messages to send now; what a stall longer than `MAX_BEHIND_S` missed is counted."""
        oldest_s = now_s - self._allowance_s
        if self._paid_until_s < oldest_s:
            self._missed += (oldest_s - self._paid_until_s) * self._per_s
            self._paid_until_s = oldest_s
        count = int((now_s - self._paid_until_s) * self._per_s)
        self._paid_until_s += count / self._per_s
        return count
