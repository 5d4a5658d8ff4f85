"""The loop that seals the audit log; runs in the worker, of several workers one at a time."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from hub.audit_chain import Head
from hub.database import TRANSIENT, Session
from hub.store.audit_seal import seal_some

_log = structlog.get_logger(__name__)

PAUSE_S = 0.02
"""Between blocks while it catches up: the escalator runs on the same loop."""


class Clock(Protocol):
    """Time as a port."""

    def now(self) -> datetime: ...

    def monotonic_s(self) -> float: ...


class AuditSealing:
    """Seals what was committed, and writes the head into the log of the process now and then."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        *,
        every_s: float,
        head_every_s: float,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called after every finished round."""
        self._round_told = told
        self._session = session
        self._clock = clock
        self._every_s = every_s
        self._head_every_s = head_every_s
        self._told_s = float("-inf")

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                head = await self.seal()
                self._round_told()
                if head is not None:
                    self._tell(head)
            except TRANSIENT as error:
                _log.warning("sealing_waits", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
                _log.exception("sealing_failed")
            await asyncio.sleep(self._every_s)

    async def seal(self) -> Head | None:
        """Everything that is committed now; the new head, None if nothing was."""
        head = None
        while True:
            made = await self._session.run(lambda c: seal_some(c, self._clock.now()))
            if made is None:
                return head
            head = made.head
            if not made.more:
                return head
            await asyncio.sleep(PAUSE_S)

    def _tell(self, head: Head) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._told_s >= self._head_every_s:
            self._told_s = now_s
            _log.info("audit_head", count=head.number, head=head.hash.hex())
