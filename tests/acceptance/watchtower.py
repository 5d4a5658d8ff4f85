"""The hub's watch over itself over a real database, on a hand-moved clock.

Real: the rows, the rules, the outbox, the courier, and the gateway's HTTP server on loopback.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from alerts.channels.desk import DeskChannel
from alerts.channels.sms import SmsChannel
from alerts.courier import Courier
from alerts.incident import Incident
from alerts.policy import ChannelName
from alerts.ports import Channel
from alerts.watches import PATIENCE_S
from hub.assurance.cycles import Cycles
from hub.assurance.dead_man import DeadMan
from hub.assurance.proofs import ProofLoop
from hub.assurance.synthetic import SyntheticPress
from hub.assurance.watch import LISTS_EVERY_S, AssuranceWatch
from hub.desk import AtDesk
from hub.quarantine import Operator
from hub.settings import Settings
from hub.store.address_book import Elsewhere, PostgresDirectory
from hub.store.assurance import PostgresAssurance
from hub.store.brief import PostgresWords, Speaker
from hub.store.outbox import PostgresOutbox
from hub.store.presence import PostgresPresence
from hub.store.proofs import PostgresProofs, ProofLoopStore
from hub.store.reach import Reach
from hub.store.rota import PostgresRota
from tests.integration.test_channels import gateways
from tests.providers import Gateway
from tests.scenes import ROOT, START, HandClock, settle_in

Row = dict[str, Any]
ZONE = ZoneInfo("Asia/Shanghai")
BOSS = Operator("account", "boss", "Boss", None)
STAFF = (("mei", "dispatcher"), ("lin", "dispatcher"), ("boss", "supervisor"))


@dataclass(slots=True)
class Bus:
    """Takes every message and remembers it."""

    clock: HandClock
    said: list[tuple[str, Row]] = field(default_factory=list)

    def take(self, topic: str, payload: bytes) -> bool:
        self.said.append((topic, msgspec.json.decode(payload)))
        return True

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        self.take(topic, payload)


@dataclass(slots=True)
class Watchtower:
    """What a story may do, and what it may ask."""

    url: str
    clock: HandClock
    bus: Bus
    cycles: Cycles
    watch: AssuranceWatch
    press: SyntheticPress
    dead_man: DeadMan
    proofs: ProofLoop
    courier: Courier
    rota: PostgresRota
    presence: PostgresPresence
    asked: PostgresProofs
    reach: Reach
    loops: set[str]
    """Loops that go round; a story may stop one."""
    ingest: bool = True
    seated: dict[str, tuple[AtDesk, ...]] = field(default_factory=dict)
    """By API process, who sits at its desks."""
    announced: list[tuple[datetime, str, str]] = field(default_factory=list)
    """When, which kind, and what happened to it."""

    async def sits(self, *accounts: str, feed: str = "api-1", area: str = ROOT) -> None:
        """These and no others have their desk open, at this API process."""
        self.seated[feed] = tuple(AtDesk(one, area, "dispatcher") for one in accounts)
        await self._renew()

    async def killed(self, feed: str = "api-1") -> None:
        """The process is gone and says nothing."""
        del self.seated[feed]

    async def later(self, step_s: float = 15.0, **span: float) -> None:
        """Time passes; everything that lives speaks, and the watch looks every 15 s."""
        until = self.clock.now() + timedelta(**span)
        while self.clock.now() < until:
            rest_s = (until - self.clock.now()).total_seconds()
            self.clock.pass_time(min(step_s, rest_s))
            await self.look()

    async def look(self) -> None:
        """One look of the watch, and one of the loop of test messages."""
        if self.ingest:
            self.watch.heard_ingest({"type": "ingest", "oldest_unacknowledged_s": 0.0})
        for loop in self.loops:
            self.cycles.finished(loop)
        await self._renew()
        await self.watch.run_once()
        await self.proofs.run_once()

    async def sends(self) -> None:
        """The courier empties the outbox."""
        async with asyncio.timeout(10):
            while await self.courier.run_once():
                pass

    def local(self, day: str, time: str = "00:00") -> datetime:
        """A local time of the town."""
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZONE)

    async def rows(self, query: str, *values: Any) -> list[Row]:
        async with await psycopg.AsyncConnection.connect(
            self.url, row_factory=dict_row, autocommit=True
        ) as found:
            cursor = await found.execute(query.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def open(self) -> dict[str, Row]:
        """Open incidents by kind."""
        rows = await self.rows("SELECT * FROM incident WHERE state <> 'resolved'")
        return {row["kind"]: row for row in rows}

    async def text(self, kind: str) -> str:
        """What the desk is told of an open incident."""
        incident = (await self.open())[kind]
        (row,) = await self.rows(
            "SELECT text FROM alarm WHERE incident_id = %s ORDER BY received_at DESC LIMIT 1",
            incident["incident_id"],
        )
        return str(row["text"])

    async def _renew(self) -> None:
        for feed, desks in self.seated.items():
            await self.presence.renew(feed, ROOT, desks, None, self.clock.now())


def town_settings(folder: Path, **changes: Any) -> Settings:
    """Of a hub whose own press is off unless a story wants it."""
    given: dict[str, Any] = {"data_dir": folder, "synthetic_press_every_s": 0, "language": "en"}
    return Settings(**(given | changes))


@asynccontextmanager
async def running_watchtower(
    url: str, folder: Path, gateway: Gateway, **settings: Any
) -> AsyncIterator[Watchtower]:
    """Everything wired as `hub.assurance.loops` wires it."""
    settle_in(url)
    clock = HandClock(START)
    chosen = town_settings(folder, **settings)
    with psycopg.connect(url) as connection:
        for name, role in STAFF:
            connection.execute(
                "INSERT INTO account (account_id, area_id, username, name, password_hash, role,"
                " language) VALUES (%s, %s, %s, %s, 'x', %s, 'en')",
                (name, ROOT, name, name.title(), role),
            )
    bus = Bus(clock)
    cycles = Cycles(clock, bus.take, PATIENCE_S)
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        url, min_size=1, max_size=6, open=False, kwargs={"autocommit": True}
    )
    reach = Reach(url, clock)
    async with pool, httpx.AsyncClient(timeout=2) as client:
        await reach.open()
        store = PostgresAssurance(pool)
        sms = SmsChannel(gateways(client, "sms", gateway.url, folder=folder, clock=clock))
        channels: dict[ChannelName, Channel] = {
            ChannelName.DESK: DeskChannel(bus), ChannelName.SMS: sms,
        }  # fmt: skip
        press = SyntheticPress(
            store, clock, broker_url="mqtt://127.0.0.1:1", database_url=url, area_id=ROOT,
            every_s=chosen.synthetic_press_every_s, pause=_moving(clock),
        )  # fmt: skip
        dead_man = DeadMan(client, chosen, clock, cycles, store.last_press, _no_seal)
        words = PostgresWords(
            pool, Speaker("Carebell", "12349", "Asia/Shanghai", "osm", frozenset(channels)), clock
        )
        told: list[tuple[datetime, str, str]] = []

        async def announce(incident: Incident, cause: str) -> None:
            told.append((clock.now(), incident.kind, cause))

        watch = AssuranceWatch(
            store, chosen, clock, cycles, dead_man, channels=frozenset(channels),
            announce=announce, publish=bus.take, press_figures=press.figures,
        )  # fmt: skip
        yield Watchtower(
            url, clock, bus, cycles, watch, press, dead_man,
            ProofLoop(ProofLoopStore(pool), chosen, clock, frozenset(channels)),
            Courier(PostgresOutbox(pool), channels,
                    PostgresDirectory(pool, Elsewhere("en", {})), words, clock),
            PostgresRota(reach), PostgresPresence(reach), PostgresProofs(reach), reach,
            set(PATIENCE_S), announced=told,
        )  # fmt: skip
        await reach.close()


def _moving(clock: HandClock) -> Any:
    async def pause(seconds: float) -> None:
        clock.pass_time(seconds)
        await asyncio.sleep(0)

    return pause


async def _no_seal() -> str | None:
    return "7:abc"


__all__ = ["BOSS", "LISTS_EVERY_S", "Watchtower", "running_watchtower", "town_settings"]
