"""Telemetry that waits for the line: store and forward in bounded memory.

Alarms never wait here: they have their own repeat rule (`press`) and go first on every connection.
What is stored keeps its `observed_at`. When the memory is full the oldest goes: what a person's
body did just now matters more than what it did three hours ago.
"""

from collections import deque

import msgspec

from schemas.telemetry import MAX_SAMPLES, Sample, TelemetryMessage, Vitals

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
        """The oldest; if it carries vital signs, in one message with all others that fit (the
        contract allows 256 samples), each sample with its own time."""
        first = self.take()
        if not isinstance(first, Vitals) or first.observed_at is None:
            return first
        last, samples = first, _dated(first)
        rest: deque[TelemetryMessage] = deque()
        for message in self._waiting or ():
            if (
                isinstance(message, Vitals)
                and message.observed_at is not None
                and len(samples) + len(message.samples) <= MAX_SAMPLES
            ):
                last = message
                samples += _dated(message)
            else:
                rest.append(message)
        if last is first:
            return first
        self._waiting = rest or None
        return msgspec.structs.replace(last, samples=samples)


def _dated(message: Vitals) -> list[Sample]:
    return [msgspec.structs.replace(s, observed_at=message.observed_at) for s in message.samples]
