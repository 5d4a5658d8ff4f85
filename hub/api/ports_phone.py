"""How a phone's page reaches the broker; implemented by `hub.phone_door`."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from hub.errors import HubError


class NotAdmitted(HubError):
    """The broker does not let this device in: a wrong secret, revoked, or the hub is not ready."""


@dataclass(frozen=True, slots=True)
class PhoneLogin:
    """A phone is a device: its id and secret are those of its MQTT credential."""

    device_id: str
    secret: str = field(repr=False)


class PhoneLine(Protocol):
    """One phone's connection to the broker, as itself."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns once the broker has it (PUBACK). Raises alerts.errors.SendFailed."""
        ...

    def commands(self) -> AsyncIterator[tuple[str, bytes]]:
        """What the hub tells this phone, as kind and payload; ends when the line does."""
        ...


class PhoneDoor(Protocol):
    """Where phones come in."""

    def line(self, login: PhoneLogin, *, listens: bool) -> AbstractAsyncContextManager[PhoneLine]:
        """Entering raises NotAdmitted, or alerts.errors.SendFailed while the broker is away."""
        ...

    def close(self) -> None:
        """End every line: the hub stops."""
        ...
