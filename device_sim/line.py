"""The line between a device and its broker, as the device sees it: both directions as protocols."""

from collections.abc import Callable
from typing import Protocol


class Line(Protocol):
    """What a device can do with its connection."""

    @property
    def connected(self) -> bool: ...

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        """Send at QoS 1; False: not sent, there is no connection or too much is on its way."""
        ...

    def hurry(self) -> None:
        """Somebody is calling: connect now, out of turn."""
        ...

    def redial(self) -> None:
        """The broker does not answer: drop this connection and make another. What waits for its
        PUBACK is sent again on the next one, marked as a duplicate."""
        ...

    def power(self, *, on: bool) -> None:
        """The device loses its power (no good-bye: the last will speaks) or has it back."""
        ...

    def cover(self, *, on: bool) -> None:
        """The radio loses its network (the broker only notices when the keep-alive runs out) or
        has it back."""
        ...


class Listener(Protocol):
    """What a connection tells its device."""

    def on_connected(self) -> None: ...

    def on_lost(self) -> None: ...

    def on_command(self, kind: str, payload: bytes) -> None: ...
