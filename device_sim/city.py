"""A whole fleet in one process: connects it at a bounded rate, lets it live, plays the story."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from device_sim.agenda import Agenda, follow
from device_sim.backoff import ConnectGate
from device_sim.clock import Clock, new_boot, sleep
from device_sim.connection import Connection, Credentials
from device_sim.device import Device
from device_sim.display import Shown
from device_sim.fleet import Fleet, FleetDevice, Home
from device_sim.household import DayClock, Household
from device_sim.line import Listener
from device_sim.pace import Pace, Template, message_for, template_for
from device_sim.play import perform
from device_sim.story import Happening
from device_sim.surroundings import Surroundings
from device_sim.tally import Tally
from schemas.codec import kind_of
from schemas.topics import Lane

KEEPALIVE_SWEEP_S = 5.0
"""Ours: how often each connection looks whether it owes a ping; a twelfth of the keep-alive."""

PACE_TICK_S = 0.01

DRAIN_WITHIN_S = 2.0
"""Ours: at the end, how long to wait for PUBACKs that are owed."""


class FleetState(msgspec.Struct, frozen=True):
    """How many devices are connected; written when that changed."""

    connected: int
    devices: int
    event: str = "fleet"


@dataclass(frozen=True, slots=True)
class Options:
    """How a run differs from the plain one."""

    seed: str = "1"
    time_factor: float = 1.0
    """The story and the residents' day run this much faster; heartbeats and repeats do not."""
    rate_per_s: float | None = None
    """Telemetry at this rate in place of the devices' own reports."""
    connects_per_s: float = 100.0
    run_for_s: float | None = None
    """None: until it is stopped."""


class City:
    """All devices of a fleet and what happens to them."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        story: list[Happening],
        options: Options,
        clock: Clock,
        show: Callable[[Shown], None],
        tell_state: Callable[[FleetState], None],
    ) -> None:
        self.tally = Tally()
        self._fleet, self._story, self._options, self._clock = fleet, story, options, clock
        self._tell_state = tell_state
        self._agenda = Agenda()
        self._around = Surroundings(clock, self._agenda, self.tally, show, new_boot())
        self._gate = ConnectGate(options.connects_per_s)
        now_s = clock.monotonic_s()
        day_clock = DayClock(clock.now(), now_s, options.time_factor)
        self.households = [Household(home, options.seed, clock, day_clock) for home in fleet.homes]
        self.devices: dict[str, Device] = {}
        self._connections: list[Connection] = []
        for home, household in zip(fleet.homes, self.households, strict=True):
            for identity in home.devices:
                open_line = partial(self._open_line, home, identity)
                device = Device(home, identity, household, self._around, open_line)
                self.devices[identity.id] = device
        self._told: FleetState | None = None

    async def run(self, stop: asyncio.Event) -> dict[str, object]:
        """Live until `stop` or the end of `run_for_s`; the summary of what happened."""
        began_s = self._clock.monotonic_s()
        self._schedule(began_s, stop)
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(c.keep()) for c in self._in_order_of_need()]
            rate_per_s = self._options.rate_per_s
            pacing = [tasks.create_task(self._pace(rate_per_s))] if rate_per_s else []
            await follow(self._agenda, self._clock, stop)
            for task in pacing:
                task.cancel()
            await self._drain()
            await asyncio.gather(*(connection.close() for connection in self._connections))
            for task in keepers:
                task.cancel()
        return self.tally.summary(self._clock.monotonic_s() - began_s)

    async def _drain(self) -> None:
        """Let the broker answer what is on its way, so that the counts are true."""
        give_up_s = self._clock.monotonic_s() + DRAIN_WITHIN_S
        while self._clock.monotonic_s() < give_up_s:
            if not any(c.connected and c.on_its_way for c in self._connections):
                return
            await sleep(PACE_TICK_S)

    def connected_count(self) -> int:
        return sum(connection.connected for connection in self._connections)

    def _schedule(self, began_s: float, stop: asyncio.Event) -> None:
        if self._options.rate_per_s is None:
            for device in self.devices.values():
                device.reporter.start()
        for happening in self._story:
            at_s = began_s + happening.at_s / self._options.time_factor
            self._agenda.add(at_s, partial(self._happen, happening))
        if self._options.run_for_s is not None:
            self._agenda.add(began_s + self._options.run_for_s, stop.set)
        for index, connection in enumerate(self._connections):
            share_s = KEEPALIVE_SWEEP_S * index / len(self._connections)
            self._sweep(connection, began_s + share_s)
        self._watch_fleet()

    def _happen(self, happening: Happening) -> None:
        household = self.households[happening.home_index]
        home = self._fleet.homes[happening.home_index]
        at_home = [self.devices[device.id] for device in home.devices]
        device = None if happening.device_id is None else self.devices[happening.device_id]
        perform(happening.step, household, device, at_home)

    def _sweep(self, connection: Connection, at_s: float) -> None:
        def tick() -> None:
            connection.tick()
            self._sweep(connection, at_s + KEEPALIVE_SWEEP_S)

        self._agenda.add(at_s, tick)

    def _watch_fleet(self) -> None:
        state = FleetState(self.connected_count(), len(self._connections))
        if state != self._told:
            self._told = state
            self._tell_state(state)
        self._agenda.add(self._clock.monotonic_s() + 1.0, self._watch_fleet)

    def _open_line(self, home: Home, identity: FleetDevice, listener: Listener) -> Connection:
        connection = Connection(
            Credentials(
                host=self._fleet.broker.host,
                port=self._fleet.broker.port,
                client_id=identity.id,
                device_id=identity.id,
                secret=identity.secret,
                topic_prefix=home.topic_prefix(identity),
            ),
            listener,
            self._clock,
            self._gate,
            self._count_refusal,
        )
        self._connections.append(connection)
        return connection

    def _count_refusal(self, _reason: str) -> None:
        self.tally.refusals += 1

    def _in_order_of_need(self) -> list[Connection]:
        """Whom the story needs first connects first."""
        needed = {happening.device_id for happening in self._story}
        pairs = zip(self.devices.items(), self._connections, strict=True)
        ranked = sorted(pairs, key=lambda pair: pair[0][0] not in needed)
        return [connection for _, connection in ranked]

    async def _pace(self, rate_per_s: float) -> None:
        """Send at the given rate, each device in turn; without a line its turn goes unsent."""
        senders = self._senders()
        pace = Pace(rate_per_s, self._clock.monotonic_s())
        number = turn = 0
        while True:
            await sleep(PACE_TICK_S)
            observed_ms = int(self._clock.now().timestamp() * 1000)
            for _ in range(pace.owed(self._clock.monotonic_s())):
                device, topic, template = senders[turn]
                turn = (turn + 1) % len(senders)
                number += 1
                device.send_payload(topic, template.fill(number, observed_ms))

    def _senders(self) -> list[tuple[Device, str, Template]]:
        senders = []
        for device in self.devices.values():
            kind = device.identity.kind
            _, message_kind = kind_of(message_for(kind))
            template = template_for(kind, self._around.boot)
            senders.append((device, device.topic(Lane.TELEMETRY, message_kind), template))
        return senders
