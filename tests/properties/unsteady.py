"""What the outside does to the hub: connections that die at any statement, providers with moods.

A connection dies before a statement is sent, or after it was carried out and before its answer
came; BEGIN and COMMIT are statements too. So every gap between two statements is met, and every
lost answer.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar, cast

import psycopg
from psycopg.abc import PQGen
from psycopg.pq.abc import PGresult
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.address import Directory
from alerts.courier import Courier
from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Channel, Clock, Sent
from hub.courier_loop import TRANSIENT
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.deliveries import PostgresDeliveries
from hub.store.escalation import PostgresEscalation
from hub.store.outbox import PostgresOutbox
from hub.store.reach import Cursor, Reach
from hub.wording import WordsWhereNeeded

T = TypeVar("T")
Pool = AsyncConnectionPool[Any]


@dataclass(slots=True)
class Fate:
    """What becomes of the connections of one hub."""

    after: int | None = None
    """So many statements are carried out; at the next one its connection dies. None: at none."""
    carried_out: bool = False
    """Whether that one is carried out all the same, and only its answer is lost."""
    away: bool = False
    """Nothing is carried out at all."""
    commits: int = 0
    dead: list[int] = field(default_factory=list)
    """Server processes whose connections died."""

    @contextmanager
    def statement(self, connection: psycopg.AsyncConnection[Any]) -> Iterator[None]:
        """One statement."""
        dies = self.after == 0 or self.away
        if self.after is not None and not dies:
            self.after -= 1
        if dies and (self.away or not self.carried_out):
            self._die(connection)
        yield
        if dies:
            self._die(connection)

    def _die(self, connection: psycopg.AsyncConnection[Any]) -> None:
        if not self.away:
            self.after = None
        with suppress(psycopg.Error):
            self.dead.append(connection.pgconn.backend_pid)
        connection.pgconn.finish()
        raise psycopg.OperationalError("the connection is dead")


class MortalCursor(psycopg.AsyncCursor[Any]):
    """Its statements are counted."""

    async def execute(self, *args: Any, **options: Any) -> Any:
        with MortalConnection.fate.statement(self.connection):
            return await super().execute(*args, **options)

    async def executemany(self, *args: Any, **options: Any) -> None:
        with MortalConnection.fate.statement(self.connection):
            await super().executemany(*args, **options)


class MortalConnection(psycopg.AsyncConnection[Any]):
    """A connection as the hub has them, with a fate."""

    fate: ClassVar[Fate] = Fate()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.cursor_factory = MortalCursor

    def _exec_command(self, command: Any, *args: Any) -> PQGen[PGresult | None]:
        if command not in (b"BEGIN", b"COMMIT"):
            return (yield from super()._exec_command(command, *args))
        with self.fate.statement(self):
            result = yield from super()._exec_command(command, *args)
            self.fate.commits += command == b"COMMIT"
        return result


@asynccontextmanager
async def mortal_pool(url: str) -> AsyncIterator[Pool]:
    """A pool of such connections."""
    pool: Pool = AsyncConnectionPool(
        url, connection_class=MortalConnection, min_size=1, max_size=4, open=False,
        kwargs={"autocommit": True},
    )  # fmt: skip
    async with pool:
        await pool.wait()
        yield pool


class Mood(StrEnum):
    """What a provider does with whatever it is given."""

    TAKES = "takes"
    FAILS = "fails"
    REFUSES = "refuses"
    BUSY = "busy"
    """Takes no more for some seconds."""
    FULL = "full"
    """Takes no more for a long time."""
    HANGS = "hangs"
    STUMBLES = "stumbles"
    """A mistake of ours in what is sent to it: the row is poison."""


@dataclass(slots=True)
class Provider:
    """One channel."""

    name: ChannelName
    clock: Clock
    receipt_within_s: int | None = None
    mood: Mood = Mood.TAKES
    taken: list[tuple[datetime, int, int]] = field(default_factory=list)
    """When, which notification, in which round of it."""

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        del message, address
        match self.mood:
            case Mood.FAILS:
                raise SendFailed("503")
            case Mood.REFUSES:
                raise SendRefused("no such number")
            case Mood.BUSY:
                raise RateLimited(5.0, "429")
            case Mood.FULL:
                raise RateLimited(5000.0, "429")
            case Mood.HANGS:
                raise TimeoutError
            case Mood.STUMBLES:
                raise KeyError(notification.id)
        self.taken.append((self.clock.now(), notification.id, notification.round))
        return Sent("taken", f"{self.name}-{notification.id}", self.receipt_within_s)


class Straight:
    """The desk's side of the database without its patience."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def run(self, work: Callable[[Cursor], Awaitable[T]]) -> T:
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            return await work(cursor)


class Teller:
    """The process that climbs ladders and sends; `born_again` forgets all that it had in memory."""

    REACHABLE = frozenset(ChannelName) - {ChannelName.APPRISE, ChannelName.EMAIL}
    ELSEWHERE = Elsewhere(
        "zh-CN", {FALLBACK_CONTACT: {ChannelName.WEBHOOK: ("https://b.example",)}}
    )

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self.pool, self.clock = pool, clock
        receipts = {ChannelName.SMS: 30, ChannelName.VOICE: 60}
        self.providers = {
            name: Provider(name, clock, receipts.get(name)) for name in sorted(self.REACHABLE)
        }
        self.deliveries = PostgresDeliveries(cast(Reach, Straight(pool)))
        self._start()

    def _start(self) -> None:
        self.escalation = PostgresEscalation(self.pool, self.REACHABLE)
        directory: Directory = PostgresDirectory(self.pool, self.ELSEWHERE)
        channels: dict[ChannelName, Channel] = dict(self.providers)
        self.courier = Courier(
            PostgresOutbox(self.pool), channels, directory, WordsWhereNeeded(None), self.clock
        )

    async def born_again(self) -> None:
        """Killed, and started anew."""
        for lane in self.courier.lanes:
            await lane.close()
        self._start()

    async def carry(self) -> bool:
        """One cycle of the courier, each lane by itself as in the worker; whether all of it went
        well."""
        well = True
        for lane in self.courier.lanes:
            try:
                await lane.run_once()
            except TRANSIENT:
                well = False
        try:
            await self.courier.pass_overdue()
        except TRANSIENT:
            well = False
        return well

    def taken(self, since: datetime) -> set[int]:
        """What providers took."""
        return {
            number
            for provider in self.providers.values()
            for at, number, _ in provider.taken
            if at >= since
        }

    def rounds_taken(self) -> set[tuple[int, int]]:
        """Every notification that was taken ever, with the round of it."""
        found = [provider.taken for provider in self.providers.values()]
        return {(number, round_) for taken in found for _, number, round_ in taken}


async def buried(url: str, fate: Fate) -> None:
    """The server has noticed every death: it holds no lock for the dead any more."""
    if not fate.dead:
        return
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        while True:
            cursor = await connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE pid = ANY(%s)", (fate.dead,)
            )
            if not await cursor.fetchall():
                break
            await asyncio.sleep(0.001)
    fate.dead.clear()
