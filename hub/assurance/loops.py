"""The worker's loops that watch over the hub, put together."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.incident import Incident
from alerts.policy import ChannelName
from alerts.ports import Announcement, Announcer
from hub.assurance.cycles import Cycles
from hub.assurance.dead_man import DeadMan
from hub.assurance.proofs import ProofLoop
from hub.assurance.synthetic import SyntheticPress
from hub.assurance.watch import AssuranceWatch
from hub.clock import SystemClock
from hub.settings import Settings
from hub.store.assurance import PostgresAssurance
from hub.store.audit import seal_state
from hub.store.proofs import ProofLoopStore


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the worker has already."""

    settings: Settings
    clock: SystemClock
    pool: AsyncConnectionPool[Any]
    cycles: Cycles
    announcer: Announcer
    publish: Callable[[str, bytes], object]
    broker_url: str
    database_url: str


class Assurance:
    """Four loops: the watch, the hub's own press, the ping outside, the test messages."""

    def __init__(
        self, around: Surroundings, client: httpx.AsyncClient, channels: frozenset[ChannelName]
    ) -> None:
        """`channels` are those that a provider is configured for."""
        store = PostgresAssurance(around.pool)
        settings, clock = around.settings, around.clock
        self._pool = around.pool
        self._clock = clock
        self._announcer = around.announcer
        self._press = SyntheticPress(
            store,
            clock,
            broker_url=around.broker_url,
            database_url=around.database_url,
            area_id=settings.root_area_id,
            every_s=settings.synthetic_press_every_s,
        )
        self._dead_man = DeadMan(
            client, settings, clock, around.cycles, store.last_press, self._sealed
        )
        self._watch = AssuranceWatch(
            store,
            settings,
            clock,
            around.cycles,
            self._dead_man,
            channels=channels,
            announce=self._announce,
            publish=around.publish,
            press_figures=self._press.figures,
        )
        self._proofs = ProofLoop(ProofLoopStore(around.pool), settings, clock, channels)

    async def run(self) -> None:
        """For ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            group.create_task(self._press.run())
            group.create_task(self._dead_man.run())
            group.create_task(self._proofs.run())

    def heard_ingest(self, said: Mapping[str, Any]) -> None:
        """What ingest says of itself, once a second."""
        self._watch.heard_ingest(said)

    async def _announce(self, incident: Incident, cause: str) -> None:
        await self._announcer.announce(Announcement(incident, cause, {"reason": "assurance"}))

    async def _sealed(self) -> str | None:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            state = await seal_state(cursor, self._clock.now())
        head = state["head"]
        return None if head is None else str(head)
