"""Keeps history in order beside the ladder: aggregates, partitions, what must move, what must go.

Runs in the worker process; of several workers one does it at a time. Every step is a short
transaction that may be killed anywhere. Nothing here is needed for an alarm to ring.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

import psycopg
import structlog

from hub.database import TRANSIENT, Connection, Session
from hub.settings import Settings
from hub.store import aggregates, aside, retention
from hub.store.aggregates import Progress, Window
from hub.store.aside import Place
from hub.store.audit_seal import cut_some, seal_some
from hub.store.observations import PARTITION_DAYS_AHEAD, ensure_partitions

_log = structlog.get_logger(__name__)

TIDY_EVERY_S = 3600.0
"""Partitions are made days ahead, retention counts in days."""
SETTLE_EVERY_S = 1.0
STEP_GIVE_UP_S = 300.0
"""A step takes seconds; behind this the server is frozen."""
PAUSE_S = 0.05
"""Between steps, so that a long catching-up leaves the disk to ingest."""

T = TypeVar("T")


class Clock(Protocol):
    """Time as a port."""

    def now(self) -> datetime: ...

    def monotonic_s(self) -> float: ...


class HistoryUpkeep:
    """The loop, and its two halves for whoever wants them once."""

    def __init__(
        self,
        settings: Settings,
        session: Session,
        clock: Clock,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called after every finished round."""
        self._told = told
        self._settings = settings
        self._session = session
        self._clock = clock
        self._batches = aggregates.FIRST_BATCHES

    async def run(self) -> None:
        """For ever. What is past its time goes after it was counted, and nothing that fails keeps
        the aggregates from going on."""
        tidied_s = float("-inf")
        while True:
            begun_s = self._clock.monotonic_s()
            due = begun_s - tidied_s >= TIDY_EVERY_S
            well = await self._well(self.make_room) if due else True
            counted = await self._well(self.aggregate)
            well = well and counted
            if due and counted:
                well = await self._well(self.let_go) and well
            if well:
                tidied_s = begun_s if due else tidied_s
                self._told()
            await asyncio.sleep(self._settings.aggregate_every_s)

    async def _well(self, part: Callable[[], Awaitable[object]]) -> bool:
        """Do a part of the round; whether it went well."""
        try:
            await part()
        except TRANSIENT as error:
            _log.warning("history_upkeep_failed", part=part.__name__, error=type(error).__name__)
        except Exception:  # noqa: BLE001 - the ladder in this process must not end with it
            _log.exception("history_upkeep_refused", part=part.__name__)
        else:
            return True
        return False

    async def aggregate(self) -> int:
        """Bring the aggregates up to what is committed now; how many rows were added."""
        window = self._window()
        await self._alone(lambda c: aggregates.ensure_buckets(c, window))
        newest, at = await self._session.run(aggregates.newest_batch)
        while not await self._session.run(lambda c: aggregates.settled(c, at)):  # noqa: ASYNC110 - what we wait for lies in the database
            await asyncio.sleep(SETTLE_EVERY_S)
        added = 0
        while True:
            step = await self._alone(lambda c: self._step(c, window, newest, at))
            if step is None:
                break
            added += step
            await asyncio.sleep(PAUSE_S)
        return added

    async def _step(
        self, connection: Connection, window: Window, newest: int, at: datetime
    ) -> int | None:
        """One span of batches; None: caught up."""
        since = await aggregates.progress(connection)
        if since.batch_id >= newest:
            await aggregates.caught_up(connection, at)
            return None
        until = min(newest, since.batch_id + self._batches)
        rows = await aggregates.aggregate(connection, window, since, until)
        if since.positions_gone_until is not None:
            await retention.forget_late_positions(
                connection, since.positions_gone_until, since.batch_id, until
            )
        self._batches = aggregates.next_step(self._batches, rows)
        return rows

    async def make_room(self) -> None:
        """Partitions ahead, and rows to where they belong."""
        now = self._clock.now()
        keep_days = self._settings.keep_observations_days
        await self._alone(lambda c: ensure_partitions(c, now.date()))
        since, until = aside.span_of(now, keep_days, PARTITION_DAYS_AHEAD)
        name = await self._alone(lambda c: aside.set_default_aside(c, since, until, now))
        if name is not None:
            _log.info("default_partition_set_aside", table=name)
        await self._move(since, until)

    async def let_go(self) -> None:
        """What is past its time away."""
        now = self._clock.now()
        native = await self._session.run(aside.is_native)
        cut = now - timedelta(days=self._settings.keep_observations_days)
        dropped = await self._alone(
            lambda c: retention.drop_old_observations(c, cut, native=native)
        )
        window = self._window()
        buckets = await self._alone(lambda c: retention.drop_old_buckets(c, window))
        if dropped or buckets:
            _log.info("history_dropped", days=dropped, buckets=buckets)
        await self._forget_positions(now, native=native)
        await self._forget(now, native=native)
        await self._cut_audit(now)

    async def _move(self, since: datetime, until: datetime) -> None:
        place: Place | None = None
        while True:
            place = await self._alone(
                lambda c, p=place: aside.move_some(c, p, since.date(), until.date())  # type: ignore[misc]
            )
            if place is None:
                return
            await asyncio.sleep(PAUSE_S)

    async def _forget_positions(self, now: datetime, *, native: bool) -> None:
        keep = min(self._settings.keep_positions_days, self._settings.keep_observations_days)
        last = aside.midnight(now - timedelta(days=keep))
        state: Progress = await self._session.run(aggregates.progress)
        oldest = aside.midnight(now - timedelta(days=self._settings.keep_observations_days))
        day = max(state.positions_gone_until or oldest, oldest)
        while day + timedelta(days=1) <= last:
            place: Place | None = None
            while True:
                place = await self._alone(
                    lambda c, d=day, p=place: retention.forget_positions(c, d, p, native=native)  # type: ignore[misc]
                )
                if place is None:
                    break
                await asyncio.sleep(PAUSE_S)
            day += timedelta(days=1)

    async def _forget(self, now: datetime, *, native: bool) -> None:
        keep_days = {r.setting: getattr(self._settings, r.setting) for r in retention.RULES}
        for rule in retention.RULES:
            before = retention.before(rule, keep_days, now)
            if before is None:
                continue
            gone = 0
            try:
                while True:
                    bite = await self._alone(
                        lambda c, r=rule, b=before: retention.forget_some(  # type: ignore[misc]
                            c, r, b, now, native=native
                        )
                    )
                    gone += bite or 0
                    if (bite or 0) < retention.BITE_ROWS:
                        break
                    await asyncio.sleep(PAUSE_S)
            except psycopg.IntegrityError as error:
                # Something newer refers to it. The other rules must not wait for that.
                _log.error("retention_refused", rule=rule.query, error=type(error).__name__)
            if gone:
                _log.info("retention", rule=rule.query, rows=gone)

    async def _cut_audit(self, now: datetime) -> None:
        """The log goes by whole sealed blocks, and the log says so."""
        keep_days = {retention.AUDIT.setting: self._settings.keep_audit_days}
        before = retention.before(retention.AUDIT, keep_days, now)
        if before is None:
            return
        while True:
            made = await self._session.run(lambda c: seal_some(c, now))
            if not made or not made.more:
                break
            await asyncio.sleep(PAUSE_S)
        gone = 0
        area_id = self._settings.root_area_id
        while bite := await self._alone(lambda c: cut_some(c, before, now, area_id)):
            gone += bite
            await asyncio.sleep(PAUSE_S)
        if gone:
            _log.info("retention", rule=retention.AUDIT.query, rows=gone)

    def _window(self) -> Window:
        return Window.at(
            self._clock.now(), self._settings.keep_hourly_days, self._settings.keep_daily_days
        )

    async def _alone(self, work: Callable[[Connection], Awaitable[T]]) -> T | None:
        """In one transaction, unless another worker is at it: None."""

        async def claimed(connection: psycopg.AsyncConnection[Any]) -> T | None:
            return await work(connection) if await aggregates.claim(connection) else None

        return await self._session.run(claimed, STEP_GIVE_UP_S)
