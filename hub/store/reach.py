"""The database from the desk's side: it answers within two seconds, or it counts as away.

A server that is stopped (SIGSTOP, a dead disk) neither answers nor hangs up, and psycopg waits up
to ten seconds more when such a wait is cancelled. So the connection of a call that takes too long
is cut, which rolls it back; while the database is away calls fail at once, and one probe at a time
finds out when it is back.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import psycopg
import structlog
from psycopg.errors import LockNotAvailable, QueryCanceled
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, TooManyRequests

from hub.desk import DatabaseAway, DatabaseState

Cursor = psycopg.AsyncCursor[dict[str, Any]]
Answer = TypeVar("Answer")

PATIENCE_S = 2.0
"""Ours: a database that is silent for 2 s is away."""
STATEMENT_TIMEOUT_MS = 1800
"""Below our patience: a server that lives says itself that one statement took too long."""
SLOW_FROM_S = 0.5
"""Ours: the desk's queries take milliseconds."""
MAX_CONNECTIONS = 8
"""The embedded database has 60 for all processes; a desk's queries are short."""
MAX_WAITING = 64
"""Requests that wait for a connection; more means that waiting helps nobody."""
RECONNECT_TIMEOUT_S = 2.0
"""The pool doubles its pauses between attempts; giving up early makes the next call start anew."""

_log = structlog.get_logger("hub.store.reach")


class MonotonicClock(Protocol):
    """Measures; `hub.clock.SystemClock` is one."""

    def monotonic_s(self) -> float:
        """Seconds that never jump."""
        ...


class _Abandoned(Exception):
    """Nobody waits for this call any more; its transaction must not take effect."""


@dataclass(slots=True)
class _Call:
    abandoned: bool = False
    begun: bool = False
    """The transaction has begun: from here on nothing is done twice."""
    connection: psycopg.AsyncConnection[Any] | None = None

    @property
    def connection_lost(self) -> bool:
        """Whether it had a connection that is dead now."""
        return self.connection is not None and self.connection.closed

    def abandon(self) -> None:
        """Shut the socket, so that whoever waits for a frozen server is told at once."""
        self.abandoned = True
        if self.connection is None:
            return
        with (
            contextlib.suppress(psycopg.Error, OSError),
            socket.socket(fileno=os.dup(self.connection.pgconn.socket)) as twin,
        ):
            twin.shutdown(socket.SHUT_RDWR)


class Reach:
    """A small pool whose callers never wait longer than `patience_s`."""

    def __init__(
        self, database_url: str, clock: MonotonicClock, *, patience_s: float = PATIENCE_S
    ) -> None:
        self._clock = clock
        self._patience_s = patience_s
        self._away = False
        self._took_s = 0.0
        self._probe: asyncio.Task[Any] | None = None
        self._calls: dict[asyncio.Task[Any], _Call] = {}
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
            database_url,
            kwargs={"connect_timeout": int(patience_s), "application_name": "carebell-api"},
            min_size=1,
            max_size=MAX_CONNECTIONS,
            max_waiting=MAX_WAITING,
            timeout=patience_s,
            reconnect_timeout=RECONNECT_TIMEOUT_S,
            configure=_configure,
            open=False,
        )

    @property
    def state(self) -> DatabaseState:
        """As the latest call found it."""
        if self._away:
            return "away"
        return "slow" if self._took_s > SLOW_FROM_S else "ok"

    async def open(self) -> None:
        """Begin; returns at once, also where the database is away."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """End; what still runs is cut off."""
        for call in self._calls.values():
            call.abandon()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self._pool.close(timeout=1.0)

    async def run(
        self, work: Callable[[Cursor], Awaitable[Answer]], *, probe: bool = False
    ) -> Answer:
        """Do `work` in one transaction. Raises DatabaseAway; then nothing was done, unless the
        server took the COMMIT and only its answer was lost.

        `probe` tries even while the database counts as away.
        """
        if self._away and not (probe and (self._probe is None or self._probe.done())):
            raise DatabaseAway
        call = _Call()
        task = asyncio.create_task(self._carry_out(work, call))
        self._calls[task] = call
        task.add_done_callback(self._finished)
        if probe:
            self._probe = task
        try:
            await asyncio.wait({task}, timeout=self._patience_s)
        finally:
            if not task.done():
                call.abandon()
        if call.abandoned:
            self._turn(away=True, why="no answer in time")
            raise DatabaseAway
        try:
            return task.result()
        except (QueryCanceled, LockNotAvailable, TooManyRequests) as error:
            raise DatabaseAway(type(error).__name__) from error
        except (psycopg.OperationalError, psycopg.InterfaceError, PoolClosed) as error:
            self._turn(away=True, why=type(error).__name__)
            raise DatabaseAway from error

    async def _carry_out(self, work: Callable[[Cursor], Awaitable[Answer]], call: _Call) -> Answer:
        started_s = self._clock.monotonic_s()
        answer = await self._on_a_living_connection(work, call)
        self._took_s = self._clock.monotonic_s() - started_s
        self._turn(away=False, why="answered")
        return answer

    async def _on_a_living_connection(
        self, work: Callable[[Cursor], Awaitable[Answer]], call: _Call
    ) -> Answer:
        """Connections that a restart of the server left dead are passed over: BEGIN fails there."""
        while True:
            try:
                return await self._in_transaction(work, call)
            except psycopg.OperationalError:
                if call.begun or call.abandoned or not call.connection_lost:
                    raise

    async def _in_transaction(
        self, work: Callable[[Cursor], Awaitable[Answer]], call: _Call
    ) -> Answer:
        call.connection = None
        async with self._pool.connection() as connection:
            call.connection = connection
            async with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
                call.begun = True
                answer = await work(cursor)
                if call.abandoned:
                    raise _Abandoned
        return answer

    def _finished(self, task: asyncio.Task[Any]) -> None:
        del self._calls[task]
        if not task.cancelled():
            task.exception()  # an abandoned call's error concerns nobody any more

    def _turn(self, *, away: bool, why: str) -> None:
        if away is self._away:
            return
        self._away = away
        _log.warning("database_away" if away else "database_back", why=why)


async def _configure(connection: psycopg.AsyncConnection[Any]) -> None:
    await connection.set_autocommit(True)
    await connection.execute(
        f"SET statement_timeout = {STATEMENT_TIMEOUT_MS}; SET lock_timeout = {STATEMENT_TIMEOUT_MS}"
    )
