"""The courier in the worker: a task for every lane, so that none waits for another."""

import asyncio
import contextlib
from collections.abc import Callable

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from alerts.courier import Courier, Lane

LOOK_EVERY_S = 1.0
"""A retry is met within a second even if the wake-up is lost."""
WAKE_GAP_S = 0.02
"""Ten thousand incidents wake the courier fifty times a second, not ten thousand times."""
PROGRESS_WITHIN_S = 0.25
"""While something is under way: how soon free room is filled, whatever is slow."""
TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout, TimeoutError, OSError)

_log = structlog.get_logger("hub.worker")


class CourierLoop:
    """Runs every lane and the watch over missing receipts, for ever."""

    def __init__(
        self, courier: Courier, wake: asyncio.Event, say_cycle: Callable[[str, int], None]
    ) -> None:
        """`say_cycle` is told after every finished round, with how many were handled."""
        self._courier = courier
        self._wake = wake
        self._say_cycle = say_cycle
        self._doors = {lane.name: asyncio.Event() for lane in courier.lanes}
        self._handled = 0

    async def run(self) -> None:
        """Ends with its task; what was under way is sent again after its lease."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._knock())
                group.create_task(self._look_round())
                for lane in self._courier.lanes:
                    group.create_task(self._lane(lane))
        finally:
            for lane in self._courier.lanes:
                await lane.close()

    async def _knock(self) -> None:
        """Pass a wake-up on to the lanes that have something to do."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                due = await self._courier.lanes_due()
            except TRANSIENT as error:
                _log.warning("cycle_failed", loop="courier", error=type(error).__name__)
                due = []  # every lane looks by itself before long
            for lane in due:
                self._doors[lane.name].set()
            await asyncio.sleep(WAKE_GAP_S)

    async def _look_round(self) -> None:
        """Look for missing receipts; say that it goes round."""
        while True:
            try:
                self._handled += await self._courier.pass_overdue()
            except TRANSIENT as error:
                _log.warning("cycle_failed", loop="courier", error=type(error).__name__)
            else:
                handled, self._handled = self._handled, 0
                self._say_cycle("courier", handled)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _lane(self, lane: Lane) -> None:
        door = self._doors[lane.name]
        while True:
            try:
                claimed = await lane.fill()
                self._handled += claimed
                if not lane.idle:
                    await lane.progress(PROGRESS_WITHIN_S)
                    continue
            except TRANSIENT as error:
                _log.warning("cycle_failed", loop="courier", error=type(error).__name__,
                             channel=lane.name.value)  # fmt: skip
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(lane.look_in_s(LOOK_EVERY_S)):
                    await door.wait()
            door.clear()
