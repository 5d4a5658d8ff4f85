"""Ten thousand devices silent at once are one incident: through the lane, in a real database."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.circumstances import Circumstances
from hub.database import Session
from hub.detect.runner import Runner
from hub.detect.silence import SilenceDetector
from hub.digest import Witness
from hub.recovery import recover
from hub.register import Register
from hub.sources.mqtt import Delivery, MqttConnection, Ticket
from hub.store.cases import Recorded
from hub.store.outages import open_outages
from hub.telemetry_lane import TelemetryLane
from tests.scenes import ROOT, HandClock

STREETS, COMMUNITIES, HOMES = 4, 5, 250
PER_HOME = 2
CITY = STREETS * COMMUNITIES * HOMES * PER_HOME
HEARTBEAT_S, BATCHES_A_STEP = 60, 12
"""Heartbeat of a wristband; the lane makes at least one batch a second."""


def town() -> Register:
    """A city of four streets with five communities each, and one street that stays well."""
    known = Register()
    known.put("area", {"area_id": ROOT, "parent_id": None, "name": "city"})
    known.put("area", {"area_id": "harbour", "parent_id": ROOT, "name": "harbour"})
    known.put("area", {"area_id": "well", "parent_id": ROOT, "name": "well"})
    for street in range(STREETS):
        known.put("area", {"area_id": f"street-{street}", "parent_id": "harbour", "name": "street"})
        for community in range(COMMUNITIES):
            area = f"c-{street}-{community}"
            known.put("area", {"area_id": area, "parent_id": f"street-{street}", "name": "c"})
            for home in range(HOMES):
                settle(known, area, f"{area}-{home}")
    for home in range(100):
        settle(known, "well", f"well-{home}")
    return known


def settle(known: Register, area: str, home: str) -> None:
    place = {"address": home, "access_notes": None, "latitude": None, "longitude": None}
    row = {"premises_id": home, "area_id": area, "phone": None, "time_zone": "Asia/Shanghai"}
    known.put("premises", place | row)
    for number in range(PER_HOME):
        device = {"device_id": f"{home}-{number}", "area_id": area, "premises_id": home}
        rest = {"kind": "wristband", "label": "", "secret_sha256": "00", "revoked": False}
        known.put("device", device | rest | {"person_id": None})


@dataclass(slots=True)
class Line:
    """The broker's connection, as far as the lane uses it."""

    saturated: bool = False

    def ack_all(self, tickets: Iterable[Ticket]) -> None:
        """Nobody looks."""


@dataclass(slots=True)
class Hub:
    """One life of the lane."""

    url: str
    clock: HandClock
    known: Register
    lane: TelemetryLane
    recorded: list[Recorded]
    mids: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def devices(self, prefix: str) -> list[str]:
        return [i for i in self.known.devices if i.startswith(prefix)]

    async def say(self, devices: Iterable[str]) -> None:
        """They send their heartbeat, and it is committed."""
        for device_id in devices:
            device = self.known.devices[device_id]  # type: ignore[index]
            topic = f"care/v1/{device.area_id}/{device.premises_id}/{device_id}/telemetry/status"
            payload = json.dumps({"observed_at": self.clock.now().isoformat()}).encode()
            mid = next(self.mids)
            self.lane.on_message(Delivery(topic, payload, (1, mid), 1, False, retained=False))
        async with asyncio.timeout(60):
            while self.lane._waiting:  # noqa: ASYNC110 - the lane tells nobody
                await asyncio.sleep(0.002)

    async def pass_time(self, seconds: int, step_s: int = 10) -> None:
        """The well street goes on speaking, a sixth of it every ten seconds."""
        well = self.devices("well")
        for number in range(seconds // step_s):
            self.clock.pass_time(step_s)
            await self.say(well[number % 6 :: 6])
            for _ in range(BATCHES_A_STEP):
                await self.say(well[:1])

    def rows(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode()).fetchall()

    def incidents(self) -> list[tuple[str, str, str]]:
        found = self.rows("SELECT subject_kind, subject_id, state FROM incident")
        return sorted((r["subject_kind"], r["subject_id"], r["state"]) for r in found)

    def silent(self) -> int:
        (row,) = self.rows("SELECT count(*) FROM area_outage_device WHERE back_at IS NULL")
        return int(row["count"])


@asynccontextmanager
async def lives(url: str, clock: HandClock, known: Register) -> AsyncIterator[Hub]:
    """Start, recover, run; ended as by kill -9."""
    recorded: list[Recorded] = []
    circumstances = Circumstances(known, list)
    runner = Runner([SilenceDetector()], circumstances, clock.now())
    session = Session(url)
    lane = TelemetryLane(
        known, runner, circumstances, clock, session, owner="city", root_area_id=ROOT,
        batch_limit=2_000, linger_s=0.001, adopt=recorded.append,
        witness=Witness(frozenset, lambda observation: None),
    )  # fmt: skip
    lane.connection = cast(MqttConnection, Line())
    await session.run(lambda connection: recover(connection, runner, known, "city"))
    runner.rescheduled(clock.now())
    outages = await session.run(lambda connection: open_outages(connection, None))
    lane.outages.restore(outages, clock.now())
    task = asyncio.create_task(lane.run())
    try:
        yield Hub(url, clock, known, lane, recorded)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await session.close()


@pytest.mark.slow
async def test_a_silent_part_of_town_is_one_incident(database_url: str) -> None:
    clock, known = HandClock(), town()
    lost = ("area", "harbour", "raised")
    async with lives(database_url, clock, known) as hub:
        harbour = hub.devices("c-")
        assert len(harbour) == CITY == 10_000
        for sixth in range(6):  # their heartbeats are spread over the minute, as in life
            await hub.say(harbour[sixth::6])
            await hub.pass_time(10)
        fell_silent_at = clock.now()
        await hub.pass_time(2 * HEARTBEAT_S - 10)
        assert hub.incidents() == []
        while not hub.incidents():
            assert clock.now() <= fell_silent_at + timedelta(seconds=3 * HEARTBEAT_S)
            await hub.pass_time(10)
        assert hub.incidents() == [lost]
        (alarm,) = hub.rows("SELECT text, evidence FROM alarm")
        assert alarm["text"].startswith("10000 of 10000 devices are silent since")
        await hub.pass_time(150)
        assert hub.incidents() == [lost]
        assert hub.silent() == CITY
        (told,) = hub.rows("SELECT count(*) FROM notification")
        assert told["count"] <= 3
    async with lives(database_url, clock, known) as hub:
        await hub.pass_time(300)
        assert hub.incidents() == [lost], "a restart tells nothing again"
        await hub.say(harbour[: CITY // 2])
        await hub.pass_time(10)
        assert hub.silent() == CITY // 2, "the list shrinks"
        stragglers = 5
        await hub.say(harbour[: CITY - stragglers])
        await hub.pass_time(100)
        assert hub.incidents() == [lost], "the last ones get their time"
        await hub.say(harbour[: CITY - stragglers])
        await hub.pass_time(60)
        singles = [("device", i, "raised") for i in harbour[-stragglers:]]
        assert hub.incidents() == sorted([("area", "harbour", "resolved"), *singles])
        (how,) = hub.rows("SELECT outcome FROM incident WHERE subject_kind = 'area'")
        assert how["outcome"] == "cleared"


async def test_three_silent_homes_are_told_one_by_one(database_url: str) -> None:
    clock, known = HandClock(), town()
    async with lives(database_url, clock, known) as hub:
        community = hub.devices("c-0-0-")
        await hub.say(community)
        for _ in range(12):
            await hub.pass_time(20)
            await hub.say(community[6:])
        assert hub.incidents() == [("device", i, "raised") for i in sorted(community[:6])]
        await hub.say(community)
        await hub.pass_time(20)
        assert {state for _, _, state in hub.incidents()} == {"resolved"}
