"""The only module of `hub` that reads time; everything else is given a clock or an instant."""

import time
from datetime import UTC, datetime


class SystemClock:
    """This machine's clock, as `alerts.ports.Clock` asks for it."""

    def now(self) -> datetime:
        """The instant, aware and in UTC: what is stored and shown."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds that never jump: for waiting and measuring, meaningless after a restart."""
        return time.monotonic()
