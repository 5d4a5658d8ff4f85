"""Who the embedded broker lets in, when, and what they can do: real nats-server, real callout."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.reasoncodes import ReasonCode

from hub.settings import Settings
from tests.integration.embedded import (
    answering,
    device,
    eventually,
    hub_client,
    is_admitted,
    make_both_sessions,
    make_session,
    messages,
    running,
    settings_in,
    silence,
    write_register,
)


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Settings]:
    """A broker with its callout, before the hub was ever there."""
    settings = settings_in(tmp_path / "hub")
    async with running(settings, "broker"), answering(settings):
        write_register(settings)
        yield settings


@pytest.fixture
async def opened(closed: Settings) -> Settings:
    """The same after the hub made its two sessions."""
    await make_both_sessions(closed)
    await eventually(lambda: is_admitted(closed, "button-1"))
    return closed


async def test_no_device_comes_in_before_both_hub_sessions_exist(closed: Settings) -> None:
    assert not await is_admitted(closed, "button-1")
    await make_session(closed, "carebell-alarm", "care/v1/+/+/+/alarm/+")
    with pytest.raises(TimeoutError):
        await eventually(lambda: is_admitted(closed, "button-1"), within_s=1.0)
    await make_session(closed, "carebell-telemetry", "care/v1/+/+/+/telemetry/+")
    await eventually(lambda: is_admitted(closed, "button-1"))


async def test_a_press_while_the_hub_is_away_waits_for_it(opened: Settings) -> None:
    async with device(opened, "button-1") as button:
        await button.publish("care/v1/city/home-1/button-1/alarm/press", "{}", qos=1)
    async with hub_client(opened, "hub-ingest", "carebell-alarm") as hub:
        assert await messages(hub, 1) == ["{}"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("button-1", {"password": "wrong"}),
        ("button-1", {"password": ""}),
        ("button-9", {"password": "secret-1"}),
        ("gone-1", {}),
        ("hub-ingest", {"password": "wrong"}),
        ("sys", {"password": "wrong"}),
        ("button-1", {"identifier": "button-2"}),
        ("button-1", {"identifier": "carebell-alarm"}),
    ],
)
async def test_who_is_refused(opened: Settings, name: str, options: dict[str, object]) -> None:
    assert not await is_admitted(opened, name, **options)
    assert await is_admitted(opened, "button-1")


async def test_another_devices_topic_has_no_effect(opened: Settings) -> None:
    async with (
        hub_client(opened, "hub-ingest", "carebell-alarm") as hub,
        device(opened, "button-1") as button,
    ):
        await button.publish("care/v1/city/home-1/button-2/alarm/press", "forged", qos=1)
        await button.publish("care/v1/city/home-1/button-1/command/receipt", "forged", qos=1)
        await button.publish("desk/action", "forged", qos=1)
        assert await silence(hub)
        await button.publish("care/v1/city/home-1/button-1/alarm/press", "own", qos=1)
        assert await messages(hub, 1) == ["own"]


async def test_a_moved_device_still_rings_from_its_old_premises(opened: Settings) -> None:
    async with (
        hub_client(opened, "hub-ingest", "carebell-alarm") as hub,
        device(opened, "button-1") as button,
    ):
        await button.publish("care/v1/elsewhere/home-9/button-1/alarm/press", "moved", qos=1)
        assert await messages(hub, 1) == ["moved"]


async def test_a_device_reads_its_own_commands_and_nobody_elses(opened: Settings) -> None:
    async with (
        hub_client(opened, "hub-worker", "carebell-worker") as worker,
        device(opened, "button-1") as button,
    ):
        await _subscribe(button, "care/v1/city/home-1/button-1/command/#")
        for foreign in ("care/v1/city/home-1/button-2/command/#", "care/#", "#", "desk/#"):
            with pytest.raises(aiomqtt.MqttError):
                await _subscribe(button, foreign)
        await worker.publish("care/v1/city/home-1/button-2/command/receipt", "not yours", qos=1)
        await worker.publish("care/v1/city/home-1/button-1/command/receipt", "heard", qos=1)
        assert await messages(button, 1) == ["heard"]


async def test_an_oversized_message_is_refused_and_the_hub_lives_on(opened: Settings) -> None:
    async with hub_client(opened, "hub-ingest", "carebell-alarm") as hub:
        with pytest.raises(aiomqtt.MqttError):
            async with device(opened, "button-1") as button:
                await button.publish(
                    "care/v1/city/home-1/button-1/alarm/press", b"x" * 70_000, qos=1
                )
        async with device(opened, "button-1") as button:
            await button.publish("care/v1/city/home-1/button-1/alarm/press", "{}", qos=1)
        assert await messages(hub, 1) == ["{}"]


async def test_desk_topics_are_for_the_hub_processes(opened: Settings) -> None:
    async with (
        hub_client(opened, "hub-ingest", "carebell-alarm") as ingest,
        hub_client(opened, "hub-api", "carebell-api") as api,
        hub_client(opened, "hub-worker", "carebell-worker") as worker,
    ):
        await ingest.subscribe("desk/action", qos=1)
        await api.subscribe("desk/announce", qos=0)
        await worker.publish("desk/announce", "from worker", qos=0)
        await ingest.publish("desk/announce", "from ingest", qos=0)
        assert sorted(await messages(api, 2)) == ["from ingest", "from worker"]
        await worker.publish("desk/action", "forged", qos=1)
        await api.publish("desk/action", "acknowledge", qos=1)
        assert await messages(ingest, 1) == ["acknowledge"]


async def _subscribe(client: aiomqtt.Client, topic: str) -> None:
    """Raise where the broker answers with failure, which aiomqtt merely returns."""
    (answer,) = await client.subscribe(topic, qos=1)
    assert isinstance(answer, ReasonCode)
    if answer.is_failure:
        raise aiomqtt.MqttError(topic)


async def test_devices_come_back_after_the_broker_was_killed(tmp_path: Path) -> None:
    settings = settings_in(tmp_path / "hub")
    async with running(settings, "broker", "callout") as supervisor:
        write_register(settings)
        await make_both_sessions(settings)
        await eventually(lambda: is_admitted(settings, "button-1"))
        async with device(settings, "button-1") as button:
            await button.publish("care/v1/city/home-1/button-1/alarm/press", "{}", qos=1)
        killed = supervisor.children["broker"].pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await eventually(lambda: is_admitted(settings, "button-1"))
        assert supervisor.children["broker"].restarts == 1
        assert supervisor.children["callout"].restarts == 0
        async with hub_client(settings, "hub-ingest", "carebell-alarm") as hub:
            assert await messages(hub, 1) == ["{}"], "answered with PUBACK, so kept"
