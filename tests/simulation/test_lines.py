"""The lines of simulated devices at a real broker: lost coverage, redelivery, trunks, refusals."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from device_sim.city import City, Options
from device_sim.clock import SystemClock
from device_sim.delivery import DeliveryTraits
from device_sim.fleet import Fleet, SharedLogin
from device_sim.play import press
from device_sim.sockets import TooManyDevices, local_host, room_for
from device_sim.town import Play
from device_sim.traits import TraitRow
from schemas.alarms import PressAction
from schemas.commands import ReceiptStage
from tests.simulation.neighbourhood import (
    BROKERS,
    HUB,
    Answerer,
    Broker,
    answering,
    eventually,
    fleet_of,
    nats,
)


@pytest.fixture(params=BROKERS)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    started = BROKERS[request.param](tmp_path)
    await started.start()
    yield started
    started.kill()


@asynccontextmanager
async def city_of(
    fleet: Fleet, play: Play | None = None, options: Options | None = None
) -> AsyncIterator[City]:
    """A city whose devices are all connected; in the end its summary has been taken."""
    city = City(
        fleet=fleet,
        play=play or Play(),
        options=options or Options(connects_per_s=1000.0, run_for_s=100.0),
        clock=SystemClock(),
        show=lambda _: None,
        tell_state=lambda _: None,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(city.run(stop))
    try:
        await eventually(lambda: city.connected_count() == len(city.devices))
        yield city
    finally:
        stop.set()
        await asyncio.wait_for(running, 20)


def kinds_of(desk: Answerer, device_id: str) -> list[str]:
    return [h.topic.split("/")[6] for h in desk.telemetry if f"/{device_id}/" in h.topic]


async def test_a_device_without_coverage_stores_and_its_press_comes_first(broker: Broker) -> None:
    async with (
        answering(broker, ReceiptStage.RECEIVED) as desk,
        city_of(fleet_of(broker)) as city,
    ):
        band, neighbour = city.devices["band-0"], city.devices["band-1"]
        await eventually(lambda: "status" in kinds_of(desk, "band-0"))
        band.cover(on=False)
        before = len(kinds_of(desk, "band-0"))
        for _ in range(6):
            band.speak_next()
        message_id = press(band, PressAction.EMERGENCY)
        neighbour.speak_next()
        await eventually(lambda: len(kinds_of(desk, "band-1")) >= 2)
        assert len(kinds_of(desk, "band-0")) == before, "nothing passes"
        assert not desk.alarms
        told = [h for h in desk.telemetry if json.loads(h.payload).get("state") == "offline"]
        assert told == [], "and the broker has not noticed"
        band.cover(on=True)
        await eventually(lambda: len(kinds_of(desk, "band-0")) >= before + 6)
        assert desk.alarms[0].message_id == message_id
        await eventually(lambda: band.stage_of(message_id) is ReceiptStage.RECEIVED)


async def test_what_was_on_its_way_is_delivered_again_and_marked(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    seen: list[tuple[str, bool]] = []
    hub = mqtt.Client(CallbackAPIVersion.VERSION2, "looks", protocol=mqtt.MQTTv311)
    hub.username_pw_set(*HUB)
    hub.on_message = lambda _c, _u, m: seen.append((m.topic, m.dup))
    hub.connect("127.0.0.1", broker.port)
    hub.subscribe("care/v1/+/+/+/telemetry/#", qos=1)
    hub.loop_start()
    try:
        async with city_of(fleet_of(broker, homes=1)) as city:
            bed = city.devices["bed-0"]
            broker.freeze()
            sent = city.tally.telemetry_sent
            for _ in range(5):
                bed.speak_next()
            assert city.tally.telemetry_sent > sent
            bed.line.redial()
            broker.thaw()
            await eventually(lambda: city.tally.telemetry_pubacked == city.tally.telemetry_sent)
            assert bed.line.connected
            assert city.tally.losses == 1
    finally:
        hub.loop_stop()
        broker.kill()
    assert len([topic for topic, _ in seen if "/bed-0/" in topic]) >= 5


async def test_the_redelivering_trait_loses_no_message(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    try:
        async with answering(broker) as desk:
            rows = [TraitRow(delivery=DeliveryTraits(redelivered=0.3))]
            async with city_of(fleet_of(broker), Play(traits=rows)) as city:
                for _ in range(10):
                    for device in city.devices.values():
                        device.speak_next()
                    await asyncio.sleep(0.05)
                tally = city.tally
                await eventually(lambda: tally.losses > 3)
                await eventually(lambda: tally.telemetry_sent == tally.telemetry_pubacked, 30)

                def heard() -> int:
                    said = (h for h in desk.telemetry if b"offline" not in h.payload)
                    return len({(h.topic, h.payload) for h in said})

                await eventually(lambda: heard() == tally.telemetry_sent)
    finally:
        broker.kill()


async def test_a_trunk_carries_many_devices_and_speaks_their_last_wills(broker: Broker) -> None:
    fleet = fleet_of(broker)
    shared = msgspec.structs.replace(fleet.broker, shared=SharedLogin(*HUB))
    carried = msgspec.structs.replace(fleet, broker=shared)
    options = Options(run_for_s=100.0, trunks=2)
    async with (
        answering(broker, ReceiptStage.RECEIVED) as desk,
        city_of(carried, options=options) as city,
    ):
        message_id = press(city.devices["button-1"], PressAction.EMERGENCY)
        button = city.devices["button-1"]
        await eventually(lambda: button.stage_of(message_id) is ReceiptStage.RECEIVED)
        city.devices["bed-0"].power(on=False)
        await eventually(lambda: any(b"offline" in h.payload for h in desk.telemetry))
        gone = [h.topic.split("/")[4] for h in desk.telemetry if b"offline" in h.payload]
        assert gone == ["bed-0"]
        assert city.connected_count() == 5
        city.devices["bed-0"].power(on=True)
        assert city.connected_count() == 6


async def test_wrong_secrets_are_counted_and_tried_again(tmp_path: Path) -> None:
    broker = nats(tmp_path)
    await broker.start()
    fleet = fleet_of(broker, homes=1)
    home = fleet.homes[0]
    strangers = [msgspec.structs.replace(device, secret="guessed") for device in home.devices]
    wrong = msgspec.structs.replace(fleet, homes=[msgspec.structs.replace(home, devices=strangers)])
    city = City(
        fleet=wrong, play=Play(), options=Options(run_for_s=2.5), clock=SystemClock(),
        show=lambda _: None, tell_state=lambda _: None,
    )  # fmt: skip
    try:
        summary = await city.run(asyncio.Event())
        assert summary["connects"] == 0
        assert isinstance(summary["refusals"], int)
        assert summary["refusals"] >= 6
    finally:
        broker.kill()


def test_more_devices_than_sockets_is_said_before_the_first_connects() -> None:
    with pytest.raises(TooManyDevices, match="--trunks"):
        room_for(50_000_000)
    assert local_host("127.0.0.1", 19_999) is None
    assert local_host("127.0.0.1", 45_000) == "127.0.0.3"
    assert local_host("broker.example", 45_000) is None
