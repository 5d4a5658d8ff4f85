"""One MQTT session held up for ever: dials, introduces itself, repeats what nobody confirmed.

No thread, no task while it is connected, one agenda entry for its keep-alive: 15,000 of these fit
into one process (docs/how-to/simulate.md). Publishing is at QoS 1; what is on its way when the line
breaks goes out again on the next one, marked as a duplicate (MQTT 3.1.1, 4.4).
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from device_sim import wire
from device_sim.agenda import Agenda
from device_sim.backoff import STABLE_AFTER_S, ConnectGate, pause_s
from device_sim.clock import Clock
from device_sim.seeded import fraction
from device_sim.wire import PacketKind

KEEPALIVE_S = 60
_PING_AFTER_S = KEEPALIVE_S / 2
"""Ours: a quiet line is tried twice in each keep-alive; unanswered by the second, it is dead."""
DIAL_WITHIN_S = 5.0
"""Ours: time for two lost SYN packets, which TCP sends again after 1 s and 3 s."""
CONNACK_WITHIN_S = 5.0
"""Ours: a broker that accepts TCP and then says nothing is frozen."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom a session connects."""

    host: str
    port: int
    client_id: str
    user: str
    secret: str
    topic_filter: str | None = None
    """Subscribed on every connect; None: it only speaks."""
    will: tuple[str, bytes] | None = None
    clean: bool = False
    """True: the broker forgets it when it goes."""
    local_host: str | None = None
    """The address to dial from; None: whatever the system takes."""


class Owner(Protocol):
    """Whom a session tells what happens to it."""

    def session_up(self) -> None: ...

    def session_down(self) -> None: ...

    def session_refused(self, reason: str) -> None: ...

    def session_deaf(self) -> None:
        """The broker refuses the subscription: we may speak, and hear nothing."""
        ...

    def session_heard(self, topic: str, payload: bytes) -> None: ...


@dataclass(slots=True)
class _OnItsWay:
    topic: str
    payload: bytes
    on_puback: Callable[[], None]


class Session(asyncio.Protocol):
    """Dials whenever it is allowed to (`enable`, `cover`) and has no connection, until `close`."""

    __slots__ = (
        "_agenda", "_clock", "_closing", "_connection", "_covered", "_dialling", "_enabled",
        "_failures", "_gate", "_gated", "_heard_s", "_hurried", "_last_id", "_login",
        "_next_dial_s", "_on_its_way", "_owner", "_said_s", "_splitter", "_transport",
        "_up_since_s", "up",
    )  # fmt: skip

    def __init__(
        self, login: Login, owner: Owner, *, clock: Clock, agenda: Agenda, gate: ConnectGate
    ) -> None:
        self._login, self._owner = login, owner
        self._clock, self._agenda, self._gate = clock, agenda, gate
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._splitter = wire.Splitter()
        self._on_its_way: dict[int, _OnItsWay] = {}
        self._last_id = self._failures = self._connection = 0
        self._next_dial_s: float | None = None
        self._up_since_s = self._heard_s = self._said_s = 0.0
        self._gated = self._hurried = self._closing = False
        self._enabled = self._covered = True
        self.up = False
        """The broker has admitted us and we hear it."""

    # What the owner may do

    @property
    def on_its_way(self) -> int:
        """Messages that wait for their PUBACK."""
        return len(self._on_its_way)

    def start(self) -> None:
        """Connect as soon as the gate lets us."""
        self._plan(self._clock.monotonic_s())

    def publish(self, topic: str, payload: bytes, on_puback: Callable[[], None]) -> None:
        """Send now if connected, and again after every reconnect until PUBACK."""
        packet_id = self._last_id % 0xFFFF + 1
        while packet_id in self._on_its_way:
            packet_id = packet_id % 0xFFFF + 1
        self._last_id = packet_id
        self._on_its_way[packet_id] = _OnItsWay(topic, payload, on_puback)
        if self.up:
            self._write(wire.publish(topic, payload, packet_id))

    def hurry(self) -> None:
        """Dial out of turn."""
        self._hurried = True
        if self._next_dial_s is None:
            return
        now_s = self._clock.monotonic_s()
        soon_s = now_s + (self._pause_s(0, calling=True) if self._failures else 0.0)
        if soon_s < self._next_dial_s:
            self._plan(soon_s)

    def cut(self) -> None:
        """End the connection without a word: for the broker we are simply gone."""
        if self._dialling is not None:
            self._dialling.cancel()
            self._dialling = None
        if self._transport is not None:
            self._transport.abort()
        elif self._next_dial_s is None:
            self._lost()

    def enable(self, *, on: bool) -> None:
        """Without power nothing is dialled; what is connected ends at once, if the radio has a
        network. Without one the broker cannot see it."""
        self._enabled = on
        if on:
            self._resume()
        elif self._covered:
            self.cut()
        self._next_dial_s = self._next_dial_s if on else None

    def cover(self, *, on: bool) -> None:
        """Without a network the connection stays as it is, and nothing passes either way."""
        if on == self._covered:
            return
        self._covered = on
        if on:
            if self._transport is not None:
                self._transport.abort()  # a new network, a new address: the old line is of no use
            else:
                self._resume()
        elif self.up and self._transport is not None:
            if not self._transport.is_closing():
                self._transport.pause_reading()
            self._go_down()

    def close(self) -> None:
        """Say good-bye, so that no last will is sent, and never dial again."""
        self._closing = True
        self._next_dial_s = None
        if self._dialling is not None:
            self._dialling.cancel()
        if self._transport is None:
            return
        if self.up:
            self.up = False  # it is we who leave: nobody is told of a loss
            self._write(wire.DISCONNECT)
            self._transport.close()
        else:
            self._transport.abort()

    # Dialling

    @property
    def _wanted(self) -> bool:
        return self._enabled and self._covered and not self._closing

    def _resume(self) -> None:
        if self._wanted and self._transport is None and self._next_dial_s is None:
            self._plan(self._clock.monotonic_s())

    def _plan(self, at_s: float) -> None:
        self._next_dial_s = at_s
        self._agenda.add(at_s, partial(self._dial_due, at_s))

    def _dial_due(self, planned_s: float) -> None:
        if planned_s != self._next_dial_s or not self._wanted:
            return
        if self._transport is not None or self._dialling is not None:
            self._next_dial_s = None
            return
        now_s = self._clock.monotonic_s()
        if not self._hurried and not self._gated:
            self._gated = True
            at_s = self._gate.reserve(now_s)
            if at_s > now_s:
                self._plan(at_s)
                return
        self._hurried = self._gated = False
        self._next_dial_s = None
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        login = self._login
        local = None if login.local_host is None else (login.local_host, 0)
        try:
            async with asyncio.timeout(DIAL_WITHIN_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self, login.host, login.port, local_addr=local
                )
        except (OSError, TimeoutError):
            if self._transport is None:  # else it came in the last moment, and CONNACK has its own
                self._lost()
        finally:
            self._dialling = None

    def _pause_s(self, failures: int, *, calling: bool) -> float:
        jitter = fraction(self._login.client_id, failures, self._clock.monotonic_s())
        return pause_s(failures, jitter, calling=calling)

    def _lost(self) -> None:
        """No connection any more: plan the next one."""
        now_s = self._clock.monotonic_s()
        held = self._up_since_s and now_s - self._up_since_s >= STABLE_AFTER_S
        self._failures = 0 if held else self._failures + 1
        self._up_since_s = 0.0
        if self._wanted and self._next_dial_s is None:
            self._plan(now_s + self._pause_s(self._failures, calling=self._hurried))

    def _go_down(self) -> None:
        if self.up:
            self.up = False
            self._owner.session_down()

    # The loop's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast("asyncio.Transport", transport)
        self._connection += 1
        self._splitter.forget()
        if not self._wanted:
            self._transport.abort()
            return
        login = self._login
        packet = wire.connect(
            login.client_id,
            login.user,
            login.secret,
            keepalive_s=KEEPALIVE_S,
            clean=login.clean,
            will=login.will,
        )
        self._write(packet)
        self._heard_s = 0.0
        at_s = self._clock.monotonic_s() + CONNACK_WITHIN_S
        self._agenda.add(at_s, partial(self._connack_due, self._connection))

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is cut; another is dialled when it may."""
        del exc
        self._transport = None
        self._go_down()
        if not self._closing:
            self._lost()

    def data_received(self, data: bytes) -> None:
        """Whatever the broker sent."""
        self._heard_s = self._clock.monotonic_s()
        try:
            for kind, flags, body in self._splitter.feed(data):
                self._take(kind, flags, body)
        except wire.WireError:
            self.cut()

    def _take(self, kind: int, flags: int, body: bytes) -> None:
        if kind == PacketKind.PUBACK:
            confirmed = self._on_its_way.pop(int.from_bytes(body[:2], "big"), None)
            if confirmed is not None:
                confirmed.on_puback()
        elif kind == PacketKind.PUBLISH:
            received = wire.read_publish(flags, body)
            if received.packet_id is not None:
                self._write(wire.puback(received.packet_id))
            self._owner.session_heard(received.topic, received.payload)
        elif kind == PacketKind.CONNACK and len(body) == 2:
            self._admitted(body[1])
        elif kind == PacketKind.SUBACK and body.endswith(wire.SUBSCRIPTION_REFUSED):
            self._owner.session_deaf()

    def _admitted(self, code: int) -> None:
        if code:
            self._owner.session_refused(wire.REFUSALS.get(code, f"return code {code}"))
            self.cut()
            return
        self.up = True
        self._up_since_s = self._clock.monotonic_s()
        if self._login.topic_filter is not None:
            self._write(wire.subscribe(0xFFFF, self._login.topic_filter))
        for packet_id, waiting in self._on_its_way.items():
            self._write(wire.publish(waiting.topic, waiting.payload, packet_id, duplicate=True))
        self._agenda.add(self._up_since_s + _PING_AFTER_S, partial(self._beat, self._connection))
        self._owner.session_up()

    def _connack_due(self, connection: int) -> None:
        if connection == self._connection and self._transport is not None and not self._heard_s:
            self.cut()

    def _beat(self, connection: int) -> None:
        """Keep-alive: try a line on which nothing was said for a while."""
        if connection != self._connection or not self.up:
            return
        now_s = self._clock.monotonic_s()
        if now_s - self._heard_s > KEEPALIVE_S:
            self.cut()
            return
        if now_s - min(self._said_s, self._heard_s) >= _PING_AFTER_S:
            self._write(wire.PINGREQ)
        self._agenda.add(now_s + _PING_AFTER_S, partial(self._beat, connection))

    def _write(self, packet: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._said_s = self._clock.monotonic_s()
            self._transport.write(packet)
