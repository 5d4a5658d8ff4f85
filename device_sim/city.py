"""A whole fleet in one process against a broker: connects it at a bounded rate, lets it live."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from device_sim.agenda import Agenda, follow
from device_sim.backoff import ConnectGate
from device_sim.clock import Clock, new_boot, sleep
from device_sim.connection import Connection, Credentials
from device_sim.display import Shown
from device_sim.fleet import Fleet, FleetDevice, Home
from device_sim.line import Line, Listener
from device_sim.pace import Pace
from device_sim.seeded import fraction
from device_sim.sockets import local_host, room_for
from device_sim.town import Play, Town
from device_sim.trunk import Trunk

PACE_TICK_S = 0.01
SETTLE_TICK_S = 0.5
SETTLES_WITHIN_S = 5.0
"""Ours: for the stragglers among the connections, before a given rate begins."""
DRAIN_WITHIN_S = 2.0
"""Ours: at the end, how long to wait for PUBACKs that are owed."""
GOODBYE_S = 0.2
"""Ours: for the last bytes to leave."""


class FleetState(msgspec.Struct, frozen=True):
    """How many devices are connected, and how far a given rate is behind; written on change."""

    connected: int
    devices: int
    behind: int = 0
    event: str = "fleet"


@dataclass(frozen=True, slots=True)
class Options:
    """How a run meets its broker."""

    rate_per_s: float | None = None
    """Telemetry at this rate in place of the devices' own rhythm."""
    connects_per_s: float = 100.0
    run_for_s: float | None = None
    """None: until it is stopped."""
    trunks: int = 0
    """0: every device has its own connection; else so many carry all of them."""


class City:
    """All devices of a fleet, connected."""

    def __init__(
        self,
        *,
        fleet: Fleet,
        play: Play,
        options: Options,
        clock: Clock,
        show: Callable[[Shown], None],
        tell_state: Callable[[FleetState], None],
        write_truth: Callable[[bytes], None] | None = None,
    ) -> None:
        self._fleet, self._options, self._clock = fleet, options, clock
        self._tell_state = tell_state
        self._agenda = Agenda()
        self._gate = ConnectGate(options.connects_per_s)
        self._connections: dict[str, Connection] = {}
        self._trunks = self._make_trunks()
        if not self._trunks:
            room_for(fleet.device_count)
        self._needed = {h.device_id for h in play.happenings}
        self._town = Town(
            fleet,
            play,
            clock=clock,
            agenda=self._agenda,
            boot=new_boot(),
            open_line=self._open_line,
            show=show,
            write_truth=write_truth,
        )
        self.devices, self.tally = self._town.devices, self._town.tally
        self._told: FleetState | None = None

    async def run(self, stop: asyncio.Event) -> dict[str, object]:
        """Live until `stop` or the end of `run_for_s`; the summary of what happened."""
        rate_per_s = self._options.rate_per_s
        self._town.start(reports=rate_per_s is None)
        for trunk in self._trunks:
            trunk.session.start()
        for connection in self._in_order_of_need():
            connection.start()
        if self._options.run_for_s is not None:
            self._agenda.add(self._town.began_s + self._options.run_for_s, stop.set)
        self._watch_fleet()
        pacing = asyncio.create_task(self._pace(rate_per_s)) if rate_per_s else None
        await follow(self._agenda, self._clock, stop)
        if pacing is not None:
            pacing.cancel()
            await asyncio.gather(pacing, return_exceptions=True)
        await self._drain()
        for connection in self._connections.values():
            connection.close()
        for trunk in self._trunks:
            trunk.session.close()
        await sleep(GOODBYE_S)
        lasted_s = self._clock.monotonic_s() - self._town.began_s
        return self.tally.summary(lasted_s, self._town.began_s)

    def connected_count(self) -> int:
        """Devices that have their line."""
        if self._trunks:
            return sum(device.line.connected for device in self.devices.values())
        return sum(connection.connected for connection in self._connections.values())

    async def _drain(self) -> None:
        """Let the broker answer what is on its way, so that the counts are true."""
        give_up_s = self._clock.monotonic_s() + DRAIN_WITHIN_S
        while self._clock.monotonic_s() < give_up_s:
            waiting = any(c.connected and c.on_its_way for c in self._connections.values())
            if not waiting and not any(trunk.session.on_its_way for trunk in self._trunks):
                return
            await sleep(PACE_TICK_S)

    def _make_trunks(self) -> list[Trunk]:
        shared = self._fleet.broker.shared
        if not self._options.trunks or shared is None:
            return []
        return [
            Trunk(
                self._fleet.broker,
                shared,
                number,
                clock=self._clock,
                agenda=self._agenda,
                gate=self._gate,
                on_refused=self._count_refusal,
                on_deaf=self._count_deaf,
            )
            for number in range(self._options.trunks)
        ]

    def _open_line(self, home: Home, identity: FleetDevice, listener: Listener) -> Line:
        prefix = home.topic_prefix(identity)
        if self._trunks:
            trunk = self._trunks[int(len(self._trunks) * fraction(home.premises_id))]
            return trunk.line(identity.id, prefix, listener)
        broker = self._fleet.broker
        credentials = Credentials(
            host=broker.host,
            port=broker.port,
            client_id=identity.id,
            device_id=identity.id,
            secret=identity.secret,
            topic_prefix=prefix,
            local_host=local_host(broker.host, len(self._connections)),
        )
        connection = Connection(
            credentials,
            listener,
            clock=self._clock,
            agenda=self._agenda,
            gate=self._gate,
            on_refused=self._count_refusal,
            on_deaf=self._count_deaf,
        )
        self._connections[identity.id] = connection
        return connection

    def _count_refusal(self, _reason: str) -> None:
        self.tally.refusals += 1

    def _count_deaf(self) -> None:
        self.tally.deaf += 1

    def _in_order_of_need(self) -> list[Connection]:
        """Whom the scenario needs first connects first."""
        ranked = sorted(self._connections.items(), key=lambda pair: pair[0] not in self._needed)
        return [connection for _, connection in ranked]

    def _watch_fleet(self) -> None:
        state = FleetState(self.connected_count(), len(self.devices), self.tally.behind)
        if state != self._told:
            self._told = state
            self._tell_state(state)
        self._agenda.add(self._clock.monotonic_s() + 1.0, self._watch_fleet)

    async def _pace(self, rate_per_s: float) -> None:
        """Each device in turn says its next report, whether or not the last was answered. Begins
        when all are connected, or should be."""
        devices = list(self.devices.values())
        give_up_s = self._clock.monotonic_s() + SETTLES_WITHIN_S
        give_up_s += len(devices) / self._options.connects_per_s
        while self.connected_count() < len(devices) and self._clock.monotonic_s() < give_up_s:
            await sleep(SETTLE_TICK_S)
        pace = Pace(rate_per_s, self._clock.monotonic_s())
        turn = 0
        while True:
            await sleep(PACE_TICK_S)
            for _ in range(pace.owed(self._clock.monotonic_s())):
                devices[turn].speak_next()
                turn = (turn + 1) % len(devices)
            self.tally.behind = pace.behind
