"""The desks on the line: one bounded queue each."""

import asyncio

from alerts.people import Account

QUEUE_LIMIT = 1000
"""Events a desk may fall behind; then it is cut off and resumes from the feed's memory."""
LISTENERS_LIMIT = 1000
"""Desks on one process: ten times a large hotline."""
GUESTS_LIMIT = 500
"""Of these, families and responders: however many there are, desks find a place."""


class Listener:
    """One connection of one desk. Never waits: whoever cannot keep up is cut."""

    def __init__(
        self, account: Account, session_sha256: str, opening: bytes, *, desk: bool = True
    ) -> None:
        self.account = account
        self.desk = desk
        """Whether it sees a whole area; everybody else is shown their own only."""
        self.session_sha256 = session_sha256
        self.cut_because: str | None = None
        self.cut_off = asyncio.Event()
        self._frames: list[bytes] = [opening]
        self._wake = asyncio.Event()
        self._wake.set()

    def offer(self, frame: bytes) -> None:
        """Queue one event."""
        if len(self._frames) >= QUEUE_LIMIT:
            self.cut("slow")
            return
        self._frames.append(frame)
        self._wake.set()

    def cut(self, why: str) -> None:
        """End the connection; the desk comes back by itself where it may."""
        if self.cut_because is None:
            self.cut_because = why
            self._frames.clear()
            self.cut_off.set()

    async def next_bytes(self) -> bytes:
        """Everything that waits, as soon as something does."""
        await self._wake.wait()
        self._wake.clear()
        frames, self._frames = self._frames, []
        return b"".join(frames)
