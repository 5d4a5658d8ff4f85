"""The loop that keeps the facts behind the figures; runs in the worker, one worker at a time."""

import asyncio
from datetime import datetime
from typing import Protocol

import structlog

from hub.database import TRANSIENT, Session
from hub.store import incident_facts

_log = structlog.get_logger(__name__)

EVERY_S = 30.0
"""Reports say as of when they are; nobody reads them by the second."""
PAUSE_S = 0.05
"""Between bites, so that a first look at years of incidents leaves the disk to ingest."""


class Clock(Protocol):
    """Time as a port."""

    def now(self) -> datetime: ...


class FactKeeping:
    """Looks what changed, and brings its facts up to date."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                await self.catch_up()
            except TRANSIENT as error:
                _log.warning("facts_wait", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
                _log.exception("facts_failed")
            await asyncio.sleep(EVERY_S)

    async def catch_up(self) -> int:
        """Everything that is committed now; how many incidents were looked at.

        The next look begins where this one began only when all of it is done: a run that was ended
        does it again.
        """
        now = self._clock.now()
        found = await self._session.run(lambda c: incident_facts.look(c, now))
        if found is None:
            return 0
        ids, state = found
        for start in range(0, len(ids), incident_facts.AT_ONCE):
            some = ids[start : start + incident_facts.AT_ONCE]
            await self._session.run(lambda c, s=some: incident_facts.refresh(c, s))  # type: ignore[misc]
            await asyncio.sleep(PAUSE_S)
        await self._session.run(lambda c: incident_facts.advance(c, state, now))
        return len(ids)
