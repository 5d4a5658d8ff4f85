"""One real press over a real broker: receipts are shown, outages cost time but never the press."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from device_sim.city import City, Options
from device_sim.clock import SystemClock
from device_sim.display import Screen, Shown
from device_sim.play import press
from device_sim.town import Play
from schemas.alarms import PressAction
from schemas.commands import ReceiptStage
from tests.simulation.neighbourhood import (
    BROKERS,
    Answerer,
    Broker,
    answering,
    eventually,
    fleet_file,
    fleet_of,
    nats,
)

ALL = (ReceiptStage.HEARD, ReceiptStage.RECEIVED, ReceiptStage.COMING)


class Town:
    """A city that runs inside the test."""

    def __init__(self, broker: Broker) -> None:
        self.shown: list[Shown] = []
        self.stop = asyncio.Event()
        self.city = City(
            fleet=fleet_of(broker),
            play=Play(),
            options=Options(connects_per_s=1000.0, run_for_s=100.0),
            clock=SystemClock(),
            show=self.shown.append,
            tell_state=lambda _: None,
        )

    def texts(self, device_id: str) -> list[Screen]:
        return [shown.screen for shown in self.shown if shown.device_id == device_id]

    def press(self, device_id: str) -> str:
        return press(self.city.devices[device_id], PressAction.EMERGENCY)


@asynccontextmanager
async def town_on(broker: Broker) -> AsyncIterator[Town]:
    town = Town(broker)
    running = asyncio.create_task(town.city.run(town.stop))
    try:
        await eventually(lambda: town.city.connected_count() == len(town.city.devices))
        yield town
    finally:
        town.stop.set()
        await asyncio.wait_for(running, 20)


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    started = BROKERS[request.param](tmp_path)
    await started.start()
    yield started
    started.kill()


async def test_receipts_are_shown_in_order(broker: Broker) -> None:
    async with answering(broker, *ALL) as desk, town_on(broker) as town:
        message_id = town.press("band-0")
        await eventually(lambda: Screen.COMING in town.texts("band-0"))
        assert town.texts("band-0") == [
            Screen.CALLING, Screen.HEARD, Screen.RECEIVED, Screen.COMING,
        ]  # fmt: skip
        assert [heard.message_id for heard in desk.alarms] == [message_id]
        assert town.shown[-1].text == "Wang Li is coming"
        assert town.texts("button-0") == []


async def test_a_repeat_stops_at_received(broker: Broker) -> None:
    async with answering(broker, ReceiptStage.HEARD) as desk, town_on(broker) as town:
        message_id = town.press("button-1")
        await eventually(lambda: len(desk.alarms) >= 2)
        assert {heard.message_id for heard in desk.alarms} == {message_id}
        assert len({heard.payload for heard in desk.alarms}) == 1
        await desk.answer(desk.alarms[0], ReceiptStage.RECEIVED)
        await eventually(lambda: town.texts("button-1")[-1] is Screen.RECEIVED)
        repeats = len(desk.alarms)
        await asyncio.sleep(4.5)  # the next repeat would have come 4 s after the second
        assert len(desk.alarms) == repeats


async def test_a_broker_killed_in_mid_press_delays_but_does_not_lose_it(broker: Broker) -> None:
    async with town_on(broker) as town:
        async with answering(broker):  # a desk that hears and says nothing
            message_id = town.press("button-0")
            await asyncio.sleep(0.3)
            broker.kill()
            await eventually(lambda: town.texts("button-0")[-1] is Screen.NO_CONNECTION)
        other_id = town.press("band-1")  # pressed while there is no broker at all
        await asyncio.sleep(1.0)
        assert town.texts("band-1") == [Screen.NO_CONNECTION]
        await broker.start()
        async with answering(broker, *ALL) as desk:
            await eventually(lambda: town.texts("button-0")[-1] is Screen.COMING)
            await eventually(lambda: town.texts("band-1")[-1] is Screen.COMING)
            assert {heard.message_id for heard in desk.alarms} == {message_id, other_id}


async def test_a_frozen_broker_is_no_connection(broker: Broker) -> None:
    async with answering(broker, *ALL) as desk, town_on(broker) as town:
        broker.freeze()
        message_id = town.press("button-0")
        await eventually(lambda: town.texts("button-0")[-1] is Screen.NO_CONNECTION)
        broker.thaw()
        await eventually(lambda: town.texts("button-0")[-1] is Screen.COMING)
        assert {heard.message_id for heard in desk.alarms} == {message_id}


async def test_a_device_without_power_leaves_its_last_will_and_misses_no_receipt(
    broker: Broker,
) -> None:
    async with answering(broker, ReceiptStage.RECEIVED) as desk, town_on(broker) as town:
        town.press("band-0")
        await eventually(lambda: town.texts("band-0")[-1] is Screen.RECEIVED)
        town.city.devices["band-0"].power(on=False)
        await eventually(lambda: _offline(desk, "band-0"))
        await desk.answer(desk.alarms[0], ReceiptStage.COMING)
        await asyncio.sleep(1.0)
        assert town.texts("band-0")[-1] is Screen.RECEIVED
        town.city.devices["band-0"].power(on=True)
        await eventually(lambda: town.texts("band-0")[-1] is Screen.COMING)
        assert not _offline(desk, "band-1")


def _offline(desk: Answerer, device_id: str) -> bool:
    return any(
        f"/{device_id}/telemetry/status" in heard.topic
        and json.loads(heard.payload).get("state") == "offline"
        for heard in desk.telemetry
    )


async def test_a_scenario_happens(tmp_path: Path) -> None:
    # A room in which nobody's own day has them at any hour: the move is always news.
    scenario = tmp_path / "cellar.toml"
    demo = (files("device_sim") / "scenarios" / "demo.toml").read_text(encoding="utf-8")
    scenario.write_text(demo.replace('"bathroom"', '"cellar"'), encoding="utf-8")
    broker = nats(tmp_path)
    await broker.start()
    try:
        async with answering(broker, *ALL) as desk:
            code, lines = await command(
                "--fleet", str(fleet_file(tmp_path, broker.port)), "--json",
                "--scenario", str(scenario), "--time-factor", "10", "--for", "6",
            )  # fmt: skip
            summary = lines[-1]
            assert code == 0
            emergencies = [h for h in desk.alarms if b"action" not in h.payload]
            assert [h.topic.split("/")[4] for h in emergencies] == ["band-0", "button-1"]
            assert summary["presses"] == summary["received"] == 2
            assert summary["acknowledged"] == summary["sent"] > 0
            rooms = [json.loads(h.payload).get("room") for h in desk.telemetry]
            assert "cellar" in rooms
            shown = [line["screen"] for line in lines if line["event"] == "shown"]
            assert shown[:4] == ["calling", "heard", "received", "coming"]
    finally:
        broker.kill()


async def test_a_rate_is_kept_and_counted(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    try:
        async with answering(broker) as desk:
            arguments = ["--fleet", str(fleet_file(tmp_path, broker.port)), "--quiet"]
            code, lines = await command(*arguments, "--rate", "200", "--for", "3")
            assert code == 0
            assert len(lines) == 1
            assert 300 <= lines[0]["sent"] <= 600 + 6  # it begins once all are connected
            assert lines[0]["behind"] == 0
            assert lines[0]["sent"] == lines[0]["acknowledged"]
            await eventually(lambda: len(desk.telemetry) >= lines[0]["sent"])
            senders = {heard.topic.split("/")[4] for heard in desk.telemetry}
            assert len(senders) == 6
            assert len({heard.payload for heard in desk.telemetry}) >= lines[0]["sent"]
    finally:
        broker.kill()


async def test_sigterm_ends_a_run_with_its_summary(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    try:
        process = await spawn("--fleet", str(fleet_file(tmp_path, broker.port)), "--json")
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 20)
        process.send_signal(signal.SIGTERM)
        rest, _ = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0
        assert json.loads(rest.splitlines()[-1])["event"] == "summary"
    finally:
        broker.kill()


async def test_the_press_command(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    arguments = ["press", "--broker", f"127.0.0.1:{broker.port}", "--device", "button-0"]
    prefix = ["--topic-prefix", "care/v1/city/home-0/button-0"]
    try:
        async with answering(broker, *ALL) as desk:
            right = [*arguments, *prefix, "--secret", "s-button-0", "--json"]
            code, lines = await command(*right, "--wait", "coming", "--timeout", "20")
            assert code == 0
            assert [line["screen"] for line in lines] == ["calling", "heard", "received", "coming"]
            desk.stages = []
            code, lines = await command(*right, "--action", "help", "--timeout", "1.5")
            assert code == 1
            assert [line["screen"] for line in lines] == ["calling"]
            pressed = len(desk.alarms)
            wrong = [*arguments, *prefix, "--secret", "guessed", "--json", "--timeout", "2"]
            code, lines = await command(*wrong)
            assert code == 1
            assert [line["screen"] for line in lines] == ["no_connection"]
            assert len(desk.alarms) == pressed
        elsewhere = ["--topic-prefix", "care/v1/city/home-0/button-1", "--secret", "x"]
        assert (await command(*arguments, *elsewhere))[0] == 2
    finally:
        broker.kill()


async def spawn(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "device_sim", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def command(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the simulator's command line to its end; its exit code and JSON lines."""
    process = await spawn(*arguments)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, [json.loads(line) for line in output.splitlines()]
