"""The only module of the simulator that reads the time, sleeps or draws real randomness."""

import asyncio
import secrets
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the devices know of time; tests move one by hand."""

    def now(self) -> datetime:
        """The time of day on the device, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never jump: for deadlines and repeats."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


def new_boot() -> str:
    """A mark that differs in every run; ids that start with it never come again."""
    return secrets.token_hex(4)


async def sleep(seconds: float) -> None:
    """Sleep; a time in the past only yields."""
    await asyncio.sleep(max(0.0, seconds))


async def wait_for(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait until `event` is set, at most `timeout_s`; say whether it was set."""
    if event.is_set():
        return True
    try:
        async with asyncio.timeout(max(0.0, timeout_s)):
            await event.wait()
    except TimeoutError:
        return False
    return True
