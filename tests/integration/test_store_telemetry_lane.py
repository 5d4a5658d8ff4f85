"""The telemetry lane over a real database: stored once, answered once, and nothing forgotten."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn, cast

import psycopg
import pytest
from psycopg.rows import dict_row

from alerts.outage import SINGLES_WAIT_S
from hub.circumstances import Circumstances
from hub.database import Session
from hub.detect.belonging import SHARDS, shard_of
from hub.detect.detector import Detector
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Runner
from hub.detect.silence import SilenceDetector
from hub.digest import Witness
from hub.observation import ALIVE, Observation
from hub.quarantine import Kept
from hub.recovery import recover
from hub.register import Register
from hub.retry import enveloped
from hub.sources.mqtt import Delivery, MqttConnection, Ticket
from hub.store.cases import Recorded
from hub.store.checkpoints import load_shards
from hub.store.desk import PostgresDesk
from hub.store.reach import Reach
from hub.telemetry_lane import CAUGHT_UP_S, TelemetryLane
from schemas.ids import DeviceId
from schemas.vocabulary import MEASURE_BY_KEY
from tests.scenes import ROOT, START, HandClock, delivery, register, settle_in, topic

OWNER = "city"
FIRMWARE = MEASURE_BY_KEY["firmware"].code
Row = dict[str, Any]


@dataclass(slots=True)
class Line:
    """The broker's connection, as far as the lane uses it."""

    acknowledged: list[Ticket] = field(default_factory=list)
    saturated: bool = False

    def ack_all(self, tickets: Iterable[Ticket]) -> None:
        self.acknowledged.extend(tickets)


@dataclass(slots=True)
class Hub:
    """One life of the lane; `lives` starts another on the same database."""

    url: str
    clock: HandClock
    lane: TelemetryLane
    runner: Runner
    line: Line
    adopted: list[Recorded]
    register: Register
    mids: list[int] = field(default_factory=lambda: [0])

    def say(self, device: str, kind: str = "status", **fields: Any) -> Delivery:
        self.mids[0] += 1
        message = delivery(device, kind, lane="telemetry", mid=self.mids[0], **fields)
        self.lane.on_message(message)
        return message

    async def committed(self) -> None:
        """Everything said so far is in the database."""
        async with asyncio.timeout(10):
            while self.lane._waiting:  # noqa: ASYNC110 - the lane tells nobody
                await asyncio.sleep(0.002)

    async def quiet(self, seconds: float) -> None:
        """Time passes, and the lane looks at its deadlines, as with every batch."""
        await self.committed()
        self.clock.pass_time(seconds)
        self.say("button-2", battery_percent=80, observed_at=self._now())
        await self.committed()

    def _now(self) -> str:
        return self.clock.now().isoformat()

    async def rows(self, query: str) -> list[Row]:
        async with await psycopg.AsyncConnection.connect(self.url, row_factory=dict_row) as found:
            return await (await found.execute(query.encode())).fetchall()

    async def silent(self) -> None:
        """Long enough for a wristband to be missed, and for the wait for its neighbours."""
        await self.quiet(CAUGHT_UP_S + 181)
        await self.quiet(SINGLES_WAIT_S + 1)

    def states(self) -> dict[str, dict[str, Any]]:
        return {d.name: dict(self.runner.table(d.name)) for d in TELEMETRY_DETECTORS}


@asynccontextmanager
async def lives(
    url: str, clock: HandClock, detectors: Sequence[Detector[Any]] = TELEMETRY_DETECTORS
) -> AsyncIterator[Hub]:
    """Start, recover, run; ended as by kill -9 (nothing is saved at the end)."""
    known, adopted = register(), list[Recorded]()
    circumstances = Circumstances(known, list)
    runner = Runner(detectors, circumstances, clock.now())
    session, line = Session(url), Line()
    lane = TelemetryLane(
        known,
        runner,
        circumstances,
        clock,
        session,
        owner=OWNER,
        root_area_id=ROOT,
        batch_limit=100,
        linger_s=0.01,
        adopt=adopted.append,
        witness=Witness(frozenset, lambda observation: None),
    )
    lane.connection = cast(MqttConnection, line)
    await session.run(lambda connection: recover(connection, runner, known, OWNER))
    runner.rescheduled(clock.now())
    task = asyncio.create_task(lane.run())
    try:
        yield Hub(url, clock, lane, runner, line, adopted, known)
        if task.done():
            task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await session.close()


@pytest.fixture
async def clock(database_url: str) -> HandClock:
    settle_in(database_url)
    return HandClock()


@pytest.fixture
async def hub(database_url: str, clock: HandClock) -> AsyncIterator[Hub]:
    async with lives(database_url, clock) as running:
        yield running


async def test_each_message_is_stored_once_and_answered_each_time(hub: Hub) -> None:
    sample = {"measure": "heart_rate_per_min", "value": 72}
    fields = {"samples": [sample], "observed_at": START.isoformat()}
    hub.say("band-1", "vitals", **fields)
    hub.say("band-1", "vitals", **fields)
    await hub.committed()
    hub.say("band-1", "vitals", **fields)
    await hub.committed()
    (row,) = await hub.rows("SELECT device_id, person_id, value, quality FROM observation")
    assert row == {"device_id": "band-1", "person_id": "anna", "value": 72.0, "quality": 0}
    assert sorted(hub.line.acknowledged) == [(1, 1), (1, 2), (1, 3)]


async def test_a_row_that_the_database_refuses_goes_to_quarantine_alone(
    hub: Hub, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE observation ADD CHECK (value <> 66)")
    for value in (65, 66, 67):
        hub.say("band-1", battery_percent=value, observed_at=START.isoformat())
    await hub.committed()
    stored = await hub.rows("SELECT value FROM observation WHERE measure = 20 ORDER BY 1")
    assert [row["value"] for row in stored] == [65, 67]
    (kept,) = await hub.rows("SELECT lane, device_id, reason, payload FROM quarantine")
    assert (kept["lane"], kept["device_id"]) == ("telemetry", "band-1")
    assert kept["reason"].startswith("the database refuses it")
    assert json.loads(kept["payload"])["battery_percent"] == 66
    assert len(hub.line.acknowledged) == 3, "it would come again for ever"


@pytest.mark.parametrize(
    ("device", "kind", "payload", "reason"),
    [
        ("band-1", "status", b"\xff", "JSON"),
        ("band-1", "gossip", b"{}", "unknown telemetry kind"),
        ("stranger-1", "status", b"{}", "not in the register"),
    ],
)
async def test_what_cannot_be_read_is_kept_with_the_reason(
    hub: Hub, device: str, kind: str, payload: bytes, reason: str
) -> None:
    hub.lane.on_message(delivery(device, kind, lane="telemetry", payload=payload, mid=5))
    hub.say("band-1", observed_at=START.isoformat())
    await hub.committed()
    (kept,) = await hub.rows("SELECT reason, payload FROM quarantine")
    assert reason in kept["reason"]
    assert bytes(kept["payload"]) == payload
    assert len(await hub.rows("SELECT 1 FROM observation")) == 1


def retried(received_at: datetime, mid: int, *, duplicate: bool = False) -> Delivery:
    """A reading without id and time out of quarantine, as the broker delivers it."""
    payload = b'{"samples":[{"measure":"heart_rate_per_min","value":72}]}'
    where = topic("band-1", "vitals", "telemetry")
    subject, envelope = enveloped(Kept(1, "telemetry", where, payload, received_at))
    return Delivery(subject, envelope, (1, mid), 1, duplicate, retained=False)


async def test_what_is_retried_is_stored_once_though_nothing_names_it(
    database_url: str, clock: HandClock
) -> None:
    """Killed between commit and PUBACK, so the broker hands the retry over again; the same reading
    of another time is another one."""
    earlier = START - timedelta(hours=3)
    async with lives(database_url, clock) as hub:
        hub.lane.on_message(retried(earlier, 1))
        hub.lane.on_message(retried(earlier + timedelta(seconds=60), 2))
        await hub.committed()
        assert len(await hub.rows("SELECT 1 FROM observation")) == 2
    clock.pass_time(60)
    async with lives(database_url, clock) as hub:
        hub.say("button-1", observed_at=START.isoformat())
        await hub.committed()
        for mid, seconds in ((3, 0), (4, 60)):
            again = retried(earlier + timedelta(seconds=seconds), mid, duplicate=True)
            hub.lane.on_message(again)
        await hub.committed()
        assert len(await hub.rows("SELECT 1 FROM observation WHERE device_id = 'band-1'")) == 2
        assert {(1, 3), (1, 4)} <= set(hub.line.acknowledged)


class Clumsy(SilenceDetector):
    """A detector with a mistake in it."""

    name = "clumsy"
    measures = frozenset({"heart_rate_per_min"})

    def observe(self, state: object, observation: object, context: object) -> NoReturn:
        raise ZeroDivisionError


async def test_a_mistake_of_ours_costs_one_message(database_url: str, clock: HandClock) -> None:
    async with lives(database_url, clock, (*TELEMETRY_DETECTORS, Clumsy())) as hub:
        hub.say("band-1", "vitals", samples=[{"measure": "heart_rate_per_min", "value": 72}])
        hub.say("button-1", observed_at=START.isoformat())
        await hub.committed()
        (kept,) = await hub.rows("SELECT reason FROM quarantine")
        assert kept["reason"] == "the hub failed: ZeroDivisionError"
        assert len(await hub.rows("SELECT 1 FROM observation")) == 1
        assert len(hub.line.acknowledged) == 2


async def test_a_silent_band_is_one_incident_that_ends_when_it_is_heard(hub: Hub) -> None:
    hub.say("band-1", observed_at=START.isoformat())
    await hub.silent()
    (incident,) = await hub.rows("SELECT state, kind, subject_id FROM incident")
    assert incident == {"state": "raised", "kind": "device_silent", "subject_id": "band-1"}
    hub.say("band-1", observed_at=hub._now())
    await hub.committed()
    (incident,) = await hub.rows("SELECT state, outcome FROM incident")
    assert incident == {"state": "resolved", "outcome": "cleared"}
    assert [recorded.cause for recorded in hub.adopted] == ["raised", "resolved"]


async def test_the_last_will_is_no_sign_of_life(hub: Hub) -> None:
    """It comes from the broker, long after the device was heard."""
    hub.say("band-1", observed_at=START.isoformat())
    await hub.silent()
    hub.say("band-1", state="offline")
    await hub.committed()
    (incident,) = await hub.rows("SELECT state FROM incident")
    assert incident["state"] == "raised"
    assert hub.states()["silence"]["band-1"].reported


async def test_a_press_is_a_sign_of_life(hub: Hub) -> None:
    hub.say("band-1", observed_at=START.isoformat())
    await hub.quiet(CAUGHT_UP_S + 100)
    band = hub.register.devices[DeviceId("band-1")]
    hub.lane.heard(Observation(band, ALIVE, hub.clock.now(), None))
    await hub.quiet(100)
    await hub.quiet(SINGLES_WAIT_S + 1)
    assert await hub.rows("SELECT 1 FROM incident") == []


async def test_a_silence_found_before_the_kill_ends_after_it(
    database_url: str, clock: HandClock
) -> None:
    """The device speaks again only to the next process, which must know that it was missed."""
    async with lives(database_url, clock) as hub:
        hub.say("band-1", observed_at=START.isoformat())
        await hub.silent()
        assert len(await hub.rows("SELECT 1 FROM incident WHERE state = 'raised'")) == 1
    clock.pass_time(10)
    async with lives(database_url, clock) as hub:
        hub.say("band-1", observed_at=hub._now())
        await hub.committed()
        (incident,) = await hub.rows("SELECT outcome FROM incident")
        assert incident["outcome"] == "cleared"


async def test_a_silence_is_not_reported_again_by_the_next_process(
    database_url: str, clock: HandClock
) -> None:
    async with lives(database_url, clock) as hub:
        hub.say("band-1", observed_at=START.isoformat())
        await hub.silent()
    for _ in range(2):
        async with lives(database_url, clock) as hub:
            await hub.quiet(CAUGHT_UP_S + 600)
            assert hub.adopted == []
    (incident,) = await hub.rows("SELECT alarm_count FROM incident")
    assert incident["alarm_count"] == 1


@pytest.mark.parametrize("batches", [1, 3, 6])
async def test_the_next_process_knows_what_the_last_one_knew(
    database_url: str, clock: HandClock, batches: int
) -> None:
    """Killed after any number of batches and checkpoints: the same states, so the same findings."""
    devices = ("band-1", "button-1", "button-2", "smoke-3")
    async with lives(database_url, clock) as hub:
        for number in range(batches):
            for device in devices[: 1 + number % len(devices)]:
                hub.say(device, observed_at=hub._now())
            await hub.committed()
            clock.pass_time(2)
        await asyncio.sleep(0.02)
        before = hub.states()
    async with lives(database_url, clock) as hub:
        assert hub.states() == before


async def test_shards_that_were_never_written_are_replayed_from_the_start(
    database_url: str, clock: HandClock
) -> None:
    """A hub that ran for some seconds has written some shards; what the others missed is older
    than any watermark."""
    async with lives(database_url, clock) as hub:
        hub.say("band-1", observed_at=hub._now())
        await hub.committed()
        for _ in range(shard_of(DeviceId("band-1")) - 1):
            await hub.quiet(1.0)
        before = hub.states()
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        written = {shard for shard, _, _ in await load_shards(connection, OWNER)}
        await connection.execute("DELETE FROM detector_shard WHERE watermark < 3")
    assert 0 < len(written) < SHARDS
    assert shard_of(DeviceId("band-1")) not in written
    async with lives(database_url, clock) as hub:
        assert hub.states() == before


async def test_a_frozen_lane_is_not_a_silent_city(hub: Hub) -> None:
    hub.say("band-1", observed_at=START.isoformat())
    await hub.committed()
    hub.lane._fell_behind()
    hub.clock.pass_time(timedelta(hours=1).total_seconds())
    hub.lane._fell_behind()
    await hub.quiet(CAUGHT_UP_S)
    await hub.quiet(SINGLES_WAIT_S + 1)
    assert await hub.rows("SELECT 1 FROM incident") == []


async def test_a_firmware_is_kept_when_it_is_news(database_url: str, clock: HandClock) -> None:
    """A device says it with every heartbeat: a row when it changes, and one a day."""

    async def kept(hub: Hub) -> list[str]:
        query = f"SELECT state FROM observation WHERE measure = {FIRMWARE} ORDER BY received_at"
        return [row["state"] for row in await hub.rows(query)]

    async with lives(database_url, clock) as hub:
        for version in ("2.4.1", "2.4.1", None, "2.4.1"):
            hub.say("band-1", battery_percent=80, firmware=version)
            clock.pass_time(60)
        await hub.committed()
        assert await kept(hub) == ["2.4.1"]
        hub.say("band-1", battery_percent=80, firmware="2.5.0")
        await hub.committed()
        assert await kept(hub) == ["2.4.1", "2.5.0"]
        clock.pass_time(86_400)
        hub.say("band-1", battery_percent=80, firmware="2.5.0")
        await hub.committed()
        assert await kept(hub) == ["2.4.1", "2.5.0", "2.5.0"]
    reach = Reach(database_url, clock)
    await reach.open()
    try:
        desk = PostgresDesk(reach)
        (shown,) = await desk.devices(None, "", "", 9, clock.now(), device_id="band-1")
    finally:
        await reach.close()
    assert shown["firmware"] == "2.5.0"
