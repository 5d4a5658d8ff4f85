"""Press one button for real and wait for the hub's answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from device_sim import play
from device_sim.agenda import Agenda, follow
from device_sim.backoff import ConnectGate
from device_sim.clock import Clock, new_boot, wait_for
from device_sim.connection import Connection, Credentials
from device_sim.device import Device
from device_sim.display import Shown
from device_sim.fleet import FleetDevice, Home, Resident
from device_sim.household import DayClock, Household
from device_sim.line import Listener
from device_sim.press import STAGE_ORDER
from device_sim.surroundings import Surroundings
from device_sim.tally import Tally
from device_sim.truth import Truth
from schemas import topics
from schemas.alarms import PressAction
from schemas.commands import ReceiptStage
from schemas.topics import Lane
from schemas.vocabulary import DeviceKind

CONNECT_FIRST_S = 1.0
"""Ours: a real button was connected before it is pressed; after this it is pressed anyway."""


@dataclass(frozen=True, slots=True)
class PressOrder:
    """Which button to press, and how long to wait for what."""

    home: Home
    identity: FleetDevice
    host: str
    port: int
    client_id: str
    action: PressAction
    wait: ReceiptStage
    timeout_s: float

    @classmethod
    def read(
        cls,
        broker: str,
        device: str,
        secret: str,
        topic_prefix: str,
        *,
        action: PressAction,
        wait: ReceiptStage,
        timeout_s: float,
        language: str,
        client_id: str,
    ) -> Self:
        """Check what was given on the command line. Raises ValueError."""
        host, _, port = broker.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"broker {broker!r}: host:port is wanted")
        topic = topics.parse(topics.up(topic_prefix.rstrip("/"), Lane.ALARM, "press"))
        if topic is None:
            raise ValueError(
                f"topic prefix {topic_prefix!r}: care/v1/area/premises/device is wanted"
            )
        if topic.device_id != device:
            raise ValueError(
                f"topic prefix {topic_prefix!r} belongs to another device than {device!r}"
            )
        identity = FleetDevice(device, DeviceKind.BUTTON, secret)
        person = Resident(id=topic.premises_id, language=language)
        home = Home(topic.area_id, topic.premises_id, person, [identity])
        client_id = client_id or f"{device}-press"
        return cls(home, identity, host.strip("[]"), int(port), client_id, action, wait, timeout_s)


async def press_and_wait(
    order: PressOrder,
    clock: Clock,
    show: Callable[[Shown], None],
    say: Callable[[str], None],
    stop: asyncio.Event,
) -> bool:
    """Press, repeat, show; True when the awaited stage arrived in time.

    The session has its own client id: a device that somebody simulates under the same name stays
    connected. It is persistent while we wait and forgotten at the end.
    """
    agenda = Agenda()
    refusals: set[str] = set()
    lines: list[Connection] = []

    def on_refused(reason: str) -> None:
        if reason not in refusals:
            refusals.add(reason)
            say(f"(the broker refuses: {reason})")

    def open_line(listener: Listener) -> Connection:
        credentials = Credentials(
            order.host,
            order.port,
            order.client_id,
            order.identity.id,
            order.identity.secret,
            order.home.topic_prefix(order.identity),
        )
        lines.append(
            Connection(
                credentials,
                listener,
                clock=clock,
                agenda=agenda,
                gate=ConnectGate(100.0),
                on_refused=on_refused,
                on_deaf=lambda: say("(the broker refuses the subscription: no receipt can come)"),
            )
        )
        return lines[0]

    def watch(shown: Shown) -> None:
        show(shown)
        if reached():
            stop.set()

    def reached() -> bool:
        stage = device.stage_of(message_id)
        return stage is not None and STAGE_ORDER.index(stage) >= STAGE_ORDER.index(order.wait)

    message_id = ""
    truth = Truth(clock.now(), clock.monotonic_s())
    around = Surroundings(clock, agenda, Tally(), watch, truth, new_boot())
    household = Household(order.home, "1", clock, DayClock(clock.now(), clock.monotonic_s(), 1.0))
    device = Device(order.home, order.identity, household, around, open_line)
    line = lines[0]
    line.start()
    agenda.add(clock.monotonic_s() + order.timeout_s, stop.set)
    following = asyncio.create_task(follow(agenda, clock, stop))
    await wait_for(line.first_up, min(CONNECT_FIRST_S, order.timeout_s))
    message_id = play.press(device, order.action)
    await following
    await line.forget(clock, agenda)
    return reached()
