"""Tells the database who sits at a desk of this process, for the ladder and for assurance.

A desk counts only while its live feed is open: somebody who is logged in and has closed the page
hears nothing.
"""

import asyncio
import contextlib

import structlog

from hub.api.ports import Clock
from hub.api.ports_assurance import PresenceStore
from hub.api.switchboard import Switchboard
from hub.desk import DatabaseAway

RENEW_EVERY_S = 5.0
LEAVE_WITHIN_S = 2.0

_log = structlog.get_logger("hub.api.presence")


class Presence:
    """The loop of one API process; sooner when a desk comes or goes, or the hub's own press was
    shown."""

    def __init__(
        self, switchboard: Switchboard, store: PresenceStore, clock: Clock, root_area_id: str
    ) -> None:
        self._board = switchboard
        self._store = store
        self._clock = clock
        self._root_area_id = root_area_id
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._run(), name="presence")

    async def stop(self) -> None:
        """End, and take this process's desks away."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(DatabaseAway, TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await self._store.leave(self._board.feed.epoch)

    async def renew(self) -> None:
        """Say it once. Raises DatabaseAway."""
        await self._store.renew(
            self._board.feed.epoch,
            self._root_area_id,
            self._board.desks_present(),
            self._board.synthetic_shown,
            self._clock.now(),
        )

    async def _run(self) -> None:
        while True:
            self._board.desks_changed.clear()
            try:
                await self.renew()
            except DatabaseAway:
                pass  # the ladder waits for the database as well
            except Exception:  # noqa: BLE001 - a supervised loop
                self._board.figures.loop_failures.labels("presence").inc()
                _log.exception("loop_failed", loop="presence")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_EVERY_S):
                    await self._board.desks_changed.wait()
