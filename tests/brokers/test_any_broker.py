"""The same promises on the embedded broker and on Debian's Mosquitto: nothing gets lost."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from hub.sources.mqtt import Delivery, MqttConnection
from schemas.topics import ALARM_FILTER
from tests.brokers.hubs import BROKERS, Line, Rig, rig, until
from tests.integration.embedded import own_folder

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(params=sorted(BROKERS))
async def hub(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Rig]:
    """A broker of each make, with everything but ingest."""
    with own_folder() as folder:
        async with rig(request.param, database_url, folder) as made:
            yield made


async def connected(hub: Rig, count: int) -> list[Line]:
    """Devices that are in, after ingest was there for the first time."""
    buttons = hub.homes(count)
    await hub.broker.knows(hub.settings, hub.database_url)
    lines = [Line(button) for button in buttons]
    for line in lines:
        async with asyncio.timeout(30):
            await line.line.up.wait()
    return lines


async def test_a_press_rings_and_the_person_hears_back(hub: Rig) -> None:
    hub.ingest()
    (line,) = await connected(hub, 1)
    line.press(1)
    await until(lambda: "received" in line.stages(1))
    line.report(2)
    await until(lambda: hub.observed() == 1)
    assert hub.alarms() == [(line.button.id, "m1", "city")]
    await line.close()


async def test_a_revoked_device_is_cut_off_and_does_not_come_back(hub: Rig) -> None:
    """From the row to the closed line: register, snapshot or files, callout, broker."""
    hub.ingest()
    line, other = await connected(hub, 2)
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "UPDATE device SET revoked = true WHERE device_id = %s", (line.button.id,)
        )
    await hub.broker.knows(hub.settings, hub.database_url)
    await until(lambda: not line.line.up.is_set())
    before = line.line.connections
    other.press(1)
    await until(lambda: "received" in other.stages(1))
    assert (line.line.connections, other.line.connections) == (before, 1)
    for each in (line, other):
        await each.close()


async def test_what_came_while_the_hub_was_dead_is_taken_in(hub: Rig) -> None:
    """Complaint 15. More than the hub is ever handed at once, killed with -9 half way through it
    too."""
    ingest = hub.ingest()
    lines = await connected(hub, 3)
    hub.kill(ingest)
    for line in lines:
        line.press(1)
        for number in range(100, 4100):
            line.report(number)
    await until(lambda: all(len(line.answered) == 4001 for line in lines), 60.0)
    await hub.broker.kill()
    ingest = hub.ingest()
    await until(lambda: hub.observed() > 500, 60.0)
    hub.kill(ingest)
    hub.ingest()
    await until(lambda: hub.observed() == 12_000, 60.0)
    assert [alarm[:2] for alarm in hub.alarms()] == [(line.button.id, "m1") for line in lines]
    await asyncio.gather(*(line.press_until_received(1) for line in lines))
    assert len(hub.alarms()) == len(lines), "a repeat is no new press"
    for line in lines:
        await line.close()


async def test_nobody_is_lost_while_broker_and_hub_die_in_turns(hub: Rig) -> None:
    ingest = hub.ingest()
    lines = await connected(hub, 4)
    for number, line in enumerate(lines):
        for shot in range(5):
            line.press(10 * number + shot)
    hub.kill(ingest)
    await hub.broker.kill()
    ingest = hub.ingest()
    for number, line in enumerate(lines):
        for shot in range(5, 8):
            line.press(10 * number + shot)
    await hub.broker.kill()
    expected = {
        (line.button.id, f"m{10 * number + shot}")
        for number, line in enumerate(lines)
        for shot in range(8)
    }
    await until(lambda: {alarm[:2] for alarm in hub.alarms()} == expected, 60.0)
    assert len(hub.alarms()) == len(expected), "none twice"
    for line in lines:
        await line.close()


async def test_a_last_will_is_heard(hub: Rig) -> None:
    hub.ingest()
    (line,) = await connected(hub, 1)
    await line.close()
    login = line.button.login
    process = await asyncio.create_subprocess_exec(
        "mosquitto_sub", "-h", login.host, "-p", str(login.port), "-i", login.device_id,
        "-u", login.device_id, "-P", login.secret, "-t", line.button.command_filter, "-q", "1",
        "--will-topic", f"{line.button.prefix}/telemetry/status", "--will-qos", "1",
        "--will-payload", '{"link":"offline"}',
    )  # fmt: skip
    await asyncio.sleep(0.5)
    process.kill()
    await process.wait()
    await until(lambda: hub.observed() == 1)


async def test_we_stop_reading_at_our_own_bound(hub: Rig) -> None:
    """Neither broker's bound is ours: Mosquitto 2.0.11 knows none for MQTT 3.1.1."""
    ingest = hub.ingest()
    (line,) = await connected(hub, 1)
    hub.kill(ingest)
    for number in range(500):
        line.line.publish(line.button.press_topic, b"%04d" % number + b"x" * 4000, number)
    await until(lambda: len(line.answered) == 500)
    got: list[Delivery] = []
    bounded = MqttConnection(
        hub.broker.hub_url, "carebell-alarm", clean=False, subscriptions={ALARM_FILTER: 1},
        on_message=got.append, max_unacknowledged=50,
    )  # fmt: skip
    await bounded.start()
    await until(lambda: len(got) >= 50)
    await asyncio.sleep(0.5)
    held = len(got)
    seen: set[bytes] = set()
    while len(seen) < 500:
        for delivery in got[:]:
            seen.add(delivery.payload)
            bounded.ack(delivery.ticket)
        await asyncio.sleep(0.01)
    await bounded.stop()
    assert held < 50 + 32, "what one read of the socket has on top, and never all of it"
    await line.close()
