"""A robot calls the home, asks, and listens: for 1, for 2, or for nothing.

The whole way: the call goes out to a gateway over HTTP, its call-backs come in at the API, and what
follows runs through the alarm lane, the ladder and the courier, on one clock that is moved by hand.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest

from alerts.gateways import Gateways
from alerts.home_call import DIALS_FOR_S, CallKind
from alerts.people import Account
from hub.callback_key import callback_url
from hub.desk import Entry
from hub.gateway_files import read_vendors
from hub.home_calls import HomeCalls, NotCallable
from hub.sources.mqtt import Delivery
from hub.store.home_calls import PostgresHomeCalls
from hub.store.reach import Reach
from tests.acceptance.town import Row, Town, running_town
from tests.falls import SURE, window
from tests.integration.api_hub import CALLBACK_KEY, MemoryBus, api_hub
from tests.providers import SECRET, Call, Gateway, Phone, running_providers
from tests.scenes import LIN, ROOT

HOME_NUMBER = "+8613800000009"
LIN_ACCOUNT = Account(LIN.account_id, LIN.name, "dispatcher", ROOT, "en")


class IntoTown(MemoryBus):
    """What the API hands to the broker is delivered to ingest."""

    town: Town

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        await super().publish(topic, payload, qos=qos)
        ticket = (9, len(self.published))
        message = Delivery(topic, payload, ticket, qos, duplicate=False, retained=False)
        await self.town.hears(message)


@dataclass
class Robot:
    """A town with a voice gateway, and the telephone of Anna's home."""

    town: Town
    calls: HomeCalls
    gateway: Gateway
    home: Phone
    numbers: "count[int]"

    async def asks(self) -> Call:
        """A dispatcher lets the robot call; what rings at the home."""
        incident = await self.town.incident()
        call_id = f"call-{next(self.numbers)}"
        entry = Entry(self.town.clock.now(), ROOT, LIN_ACCOUNT, "call_home", {"id": call_id},
                      incident["incident_id"])  # fmt: skip
        await self.calls.place(CallKind.CHECK_IN, incident["incident_id"], call_id, entry)
        return self.home.calls[-1]

    async def recorded(self) -> list[Row]:
        """What the incident's log says of calls."""
        return await self.town.rows(
            "SELECT at, actor_name, detail->>'result' AS result, detail->>'note' AS note,"
            " detail->>'how' AS how FROM audit_log WHERE action = 'call' ORDER BY entry_id"
        )


@pytest.fixture
async def robot(database_url: str, tmp_path: Path) -> AsyncIterator[Robot]:
    async with (
        running_providers() as providers,
        httpx.AsyncClient() as client,
        running_town(database_url) as town,
    ):
        await town.change(
            "UPDATE device SET voice_number = %s WHERE person_id = 'anna'", HOME_NUMBER
        )
        known = {"GATEWAY_URL": providers.gateway.url, "GATEWAY_SECRET": SECRET}
        vendors = read_vendors("carebell-voice", "voice", known)
        bus, origin = IntoTown(), list[str]()
        bus.town = town
        voice = Gateways(
            client, vendors, town.clock,
            lambda vendor: callback_url(origin[0], CALLBACK_KEY, vendor.name), lambda: "0" * 32,
        )  # fmt: skip
        async with api_hub(
            database_url, tmp_path, recording=False, voice=voice, clock=town.clock, bus=bus,
            vendors={vendor.name: vendor for vendor in vendors},
        ) as hub:  # fmt: skip
            await hub.parts.switchboard.loaded.wait()
            origin.append(hub.url)
            channels = hub.parts.dependencies.channels
            assert channels is not None
            calls = channels.calls
            assert isinstance(calls, HomeCalls)
            home = providers.gateway.phone(HOME_NUMBER)
            yield Robot(town, calls, providers.gateway, home, count(1))


async def test_one_answers_the_question_and_nobody_is_woken(robot: Robot) -> None:
    """Her wristband lies on the table: she answers by telephone what it asks."""
    town = robot.town
    await town.moves("band-1", "1", window(SURE))
    assert (await town.incident())["state"] == "checking"
    call = await robot.asks()
    assert "Are you well" in call.spoken
    await town.later(seconds=15)
    assert await call.presses("1") == 200
    (incident,) = await town.incidents("true")
    assert (incident["state"], incident["outcome"]) == ("resolved", "withdrawn")
    (told,) = await robot.recorded()
    assert (told["result"], told["note"], told["how"], told["actor_name"]) == (
        "answered", "check_in: well", "voice", "Lin",
    )  # fmt: skip
    await town.later(hours=1)
    assert town.rings() == []


async def test_one_does_not_close_what_was_pressed(robot: Robot) -> None:
    """Only a human resolves: the answer stands on the incident, and the desk goes on ringing."""
    town = robot.town
    await town.press("button-1", "1")
    await (await robot.asks()).presses("1")
    assert (await town.incident())["state"] == "raised"
    assert ("alarm", "cancel_noted") in await town.log()
    rings = len(town.rings())
    await town.later(minutes=5)
    assert len(town.rings()) > rings


async def test_two_calls_for_help_at_once(robot: Robot) -> None:
    town = robot.town
    await town.moves("band-1", "1", window(SURE))
    call = await robot.asks()
    await town.later(seconds=5)
    await call.presses("2")
    incident = await town.incident()
    assert (incident["state"], incident["priority"], incident["alarm_count"]) == (
        "raised", "high", 2,
    )  # fmt: skip
    assert town.rings() == [town.clock.now()], "nobody waits for the end of the question"
    assert [row["note"] for row in await robot.recorded()] == ["check_in: help"]
    assert await call.presses("2") == 200, "the gateway says it again"
    assert (await town.incident())["alarm_count"] == 2


async def test_nothing_said_is_no_reply_and_the_question_runs_out(robot: Robot) -> None:
    town = robot.town
    await town.moves("band-1", "1", window(SURE))
    call = await robot.asks()
    await town.later(seconds=20)
    await call.silent()
    assert [row["result"] for row in await robot.recorded()] == ["no_reply"]
    assert (await town.incident())["state"] == "checking", "silence is not an answer"
    await town.later(seconds=10)
    assert (await town.incident())["state"] == "raised"
    assert town.rings() == [town.clock.now()]


async def test_a_gateway_that_says_nothing_more_is_no_reply_once(robot: Robot) -> None:
    town = robot.town
    await town.press("button-1", "1")
    call = await robot.asks()
    await town.later(seconds=DIALS_FOR_S - 1)
    assert await robot.calls.end_overdue() == 0
    await town.later(seconds=1)
    assert await robot.calls.end_overdue() == 1
    assert await robot.calls.end_overdue() == 0
    (told,) = await robot.recorded()
    assert (told["result"], told["note"], told["at"]) == (
        "no_reply", "check_in: no_reply", town.clock.now(),
    )  # fmt: skip
    await call.presses("2")
    assert [row["note"] for row in await robot.recorded()][1:] == ["check_in: help"], "better late"
    assert (await town.incident())["alarm_count"] == 2


async def test_a_call_that_does_not_go_out_holds_up_nothing(robot: Robot) -> None:
    town = robot.town
    await town.press("button-1", "1")
    robot.gateway.fails(500)
    with pytest.raises(NotCallable, match="HTTP 500"):
        await robot.asks()
    (call,) = await town.rows("SELECT state, result FROM home_call")
    assert call == {"state": "ended", "result": "failed"}
    assert await robot.recorded() == [], "nothing is known of the home"
    rings = len(town.rings())
    await town.later(minutes=5)
    assert len(town.rings()) > rings
    assert (await town.incident())["owner_id"] is None


async def test_what_the_hub_could_not_take_is_ended_by_the_next_process(
    robot: Robot, database_url: str
) -> None:
    """The API is killed while a call is under way; another one finds it."""
    town = robot.town
    await town.press("button-1", "1")
    await robot.asks()
    await town.later(seconds=DIALS_FOR_S)
    reach = Reach(database_url, town.clock)
    await reach.open()
    try:
        bus = IntoTown()
        bus.town, bus.connected = town, True
        robot.calls = HomeCalls(PostgresHomeCalls(reach), None, bus, town.clock, "C", "1", "en")
        watching = asyncio.create_task(robot.calls.watch())
        async with asyncio.timeout(10):
            while not await robot.recorded():  # noqa: ASYNC110 - it tells nobody but the incident
                await asyncio.sleep(0.01)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    finally:
        await reach.close()
    assert [row["result"] for row in await robot.recorded()] == ["no_reply"]
