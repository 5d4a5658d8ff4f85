"""Questions that many ask at the same time, as one query.

In an earthquake a thousand messages a minute each want their recipient, what the person agreed to
and what may be said. Whoever asks waits for the query before theirs to end, together with everybody
else who asks meanwhile. Nothing is kept: an answer is never older than its question.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, LiteralString, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

AWAY = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
"""What a database raises that does not answer."""
AT_ONCE = 256
"""Keys in one query: a few milliseconds of work."""

Row = dict[str, Any]
Pool = AsyncConnectionPool[Any]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Gathered(Generic[K, V]):
    """One kind of question. Belongs to the event loop in which it is asked."""

    def __init__(self, load: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        """`load` answers many keys; one it leaves out has no answer."""
        self._load = load
        self._waiting: dict[K, asyncio.Future[V | None]] = {}
        self._work: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V | None:
        """The answer, None if there is none. Raises what `load` raises."""
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._answer())
        # Shielded: another may wait for the same answer.
        return await asyncio.shield(future)

    async def _answer(self) -> None:
        """Until nobody waits."""
        while self._waiting:
            keys = list(self._waiting)[:AT_ONCE]
            futures = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await self._load(keys)
            except AWAY as error:
                for future in futures.values():
                    _fail(future, error)
            except Exception as error:  # noqa: BLE001 - one broken key must not fail the others
                for key, future in futures.items():
                    if len(keys) > 1:
                        await self._answer_one(key, future)
                    else:
                        _fail(future, error)
            else:
                for key, future in futures.items():
                    future.set_result(found.get(key))

    async def _answer_one(self, key: K, future: asyncio.Future[V | None]) -> None:
        try:
            future.set_result((await self._load([key])).get(key))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
            _fail(future, error)


async def rows(pool: Pool, query: LiteralString, values: Row) -> list[Row]:
    """What a query finds, on a connection of its own."""
    async with pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, values)
        found: list[Row] = await cursor.fetchall()
        return found


async def by_key(
    pool: Pool, query: LiteralString, keys: Sequence[str], column: str
) -> dict[str, Row]:
    """One row for each of the keys (`ids` in the query) that has one."""
    return {row[column]: row for row in await rows(pool, query, {"ids": list(keys)})}


async def all_by_key(
    pool: Pool, query: LiteralString, keys: Sequence[str], column: str
) -> dict[str, list[Row]]:
    """Every row of each of the keys."""
    found: dict[str, list[Row]] = {}
    for row in await rows(pool, query, {"ids": list(keys)}):
        found.setdefault(row[column], []).append(row)
    return found


def _fail(future: asyncio.Future[V | None], error: Exception) -> None:
    future.set_exception(error)
    future.exception()  # whoever asked may have gone
