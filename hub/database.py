"""One connection of a lane to the database, made again whenever it is lost.

A frozen server answers nothing and refuses nothing; a call is given up after `GIVE_UP_S` and its
connection thrown away. Whatever was sent may still be committed later, which is why everything
the lanes write is idempotent.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg

Connection = psycopg.AsyncConnection[Any]
T = TypeVar("T")

CONNECT_TIMEOUT_S = 2
"""psycopg takes no less; a local server answers within milliseconds."""
GIVE_UP_S = 30.0
"""Longer than any healthy batch by two orders; a frozen server may come back before."""
FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 1.0
"""A press waits for its receipt behind this."""

TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, OSError)
"""Errors after which the same transaction may succeed on a new connection."""


class Session:
    """A connection on demand; `run` is one transaction, and they run one after the other: two
    tasks inside each other's transaction would be refused by psycopg, like bad content."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()

    async def run(
        self, work: Callable[[Connection], Awaitable[T]], give_up_s: float = GIVE_UP_S
    ) -> T:
        """Do `work` in one transaction. Raises one of TRANSIENT if the database is away (the
        connection is then thrown away), or what `work` raised (rolled back)."""
        async with self._turn:
            connection = await self._connected()
            guard = asyncio.get_running_loop().call_later(give_up_s, _cut, connection)
            try:
                async with connection.transaction():
                    return await work(connection)
            except (*TRANSIENT, asyncio.CancelledError):
                await self.close()
                raise
            finally:
                guard.cancel()

    async def close(self) -> None:
        """Throw the connection away."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _cut(connection)
            with contextlib.suppress(Exception):
                await connection.close()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                prepare_threshold=2,
                connect_timeout=CONNECT_TIMEOUT_S,
            )
        return self._connection


def _cut(connection: Connection) -> None:
    """Shut the socket, so that whoever waits for a frozen server is told at once. Cancelling the
    wait instead would make psycopg ask the frozen server to cancel."""
    with (
        contextlib.suppress(psycopg.Error, OSError),
        socket.socket(fileno=os.dup(connection.pgconn.socket)) as twin,
    ):
        twin.shutdown(socket.SHUT_RDWR)
