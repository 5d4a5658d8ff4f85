"""What the routes of signals and first tests need; implemented by `hub.store.signals`."""

from datetime import datetime
from typing import Protocol

from hub.view import View


class SignalStore(Protocol):
    """Raises DatabaseAway."""

    async def window(self, alarm_id: str) -> View | None:
        """The raw acceleration behind an alarm."""
        ...

    async def presses(self, device_id: str, after: datetime, limit: int) -> list[View]:
        """Presses of a device that arrived after a moment, oldest first."""
        ...
