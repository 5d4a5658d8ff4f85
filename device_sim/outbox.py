"""Telemetry that waits for the line: store and forward in bounded memory.

Alarms never wait here: they have their own repeat rule (`press`) and go first on every connection.
What is stored keeps its `observed_at`. When the memory is full the oldest goes: what a person's
body did just now matters more than what it did three hours ago.
"""

from collections import deque

import msgspec

from schemas.telemetry import MAX_SAMPLES, TelemetryMessage, Vitals

DEFAULT_LIMIT = 240
"""Messages; ours: four hours of minute values, what one message may carry in the contract."""


class Outbox:
    """First in, first out; says how many it had to drop."""

    __slots__ = ("_limit", "_waiting", "dropped")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._waiting: deque[TelemetryMessage] | None = None
        self.dropped = 0

    def __len__(self) -> int:
        return 0 if self._waiting is None else len(self._waiting)

    def put(self, message: TelemetryMessage) -> None:
        """Keep it; the oldest goes where there is no room."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        if len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.dropped += 1

    def put_back(self, message: TelemetryMessage) -> None:
        """It was taken and could not be sent: it is the oldest again."""
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.appendleft(message)

    def take(self) -> TelemetryMessage | None:
        """The oldest; None: nothing waits."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        if not self._waiting:
            self._waiting = None
        return message

    def take_together(self) -> TelemetryMessage | None:
        """The oldest, and if it carries vital signs all that follow it, as one message whose
        samples each keep their own time (the contract allows 256)."""
        first = self.take()
        if not isinstance(first, Vitals) or first.observed_at is None:
            return first
        samples = [msgspec.structs.replace(s, observed_at=first.observed_at) for s in first.samples]
        last = first
        while self._waiting and isinstance(following := self._waiting[0], Vitals):
            if following.observed_at is None or len(samples) + len(following.samples) > MAX_SAMPLES:
                break
            self.take()
            last = following
            samples += [
                msgspec.structs.replace(s, observed_at=following.observed_at)
                for s in following.samples
            ]
        if last is first:
            return first
        return msgspec.structs.replace(last, samples=samples)
