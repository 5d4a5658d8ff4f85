"""A database and the one loop on which a state machine runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests.scenes import settle_in

T = TypeVar("T")

CLEAN = (
    "ALTER TABLE audit_log DISABLE TRIGGER audit_log_never_emptied;"
    "TRUNCATE notification, finding, alarm, incident, alarm_occurrence, desk_action, audit_log"
    " RESTART IDENTITY CASCADE;"
    "ALTER TABLE audit_log ENABLE TRIGGER audit_log_never_emptied"
)


@dataclass(slots=True)
class Ground:
    """A database and the one loop on which everything runs."""

    url: str
    runner: asyncio.Runner
    pool: AsyncConnectionPool[Any]

    def run(self, work: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
        """`work` in one transaction."""

        async def in_transaction() -> T:
            async with self.pool.connection() as connection, connection.transaction():
                return await work(connection)

        return self.runner.run(in_transaction())

    def rows(self, query: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a query, outside of any transaction."""

        async def ask() -> list[dict[str, Any]]:
            async with (
                self.pool.connection() as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                await cursor.execute(query.encode(), parameters)
                return await cursor.fetchall() if cursor.description else []

        return self.runner.run(ask())


@contextmanager
def ground(url: str) -> Iterator[Ground]:
    """A pool on a loop of its own."""
    settle_in(url)
    with asyncio.Runner() as runner:
        pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            url, min_size=1, max_size=2, open=False, kwargs={"autocommit": True}
        )
        runner.run(pool.open(wait=True))
        try:
            yield Ground(url, runner, pool)
        finally:
            runner.run(pool.close())
