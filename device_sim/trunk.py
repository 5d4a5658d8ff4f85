"""Many devices over a few connections, for fleets larger than one process may have sockets.

A real device has its own credential and its own connection, and so has a simulated one wherever
possible. A trunk needs a login that may speak for every device and hear every command; the hub sees
no difference, because the device id in the topic decides. What it cannot show: the broker's work
for admission and for last wills. The latter are published here, when the broker would have.
"""

from collections.abc import Callable

from device_sim.agenda import Agenda
from device_sim.backoff import ConnectGate
from device_sim.clock import Clock
from device_sim.connection import OFFLINE, status_topic
from device_sim.fleet import BrokerAddress, SharedLogin
from device_sim.line import Listener
from device_sim.session import KEEPALIVE_S, Login, Session
from schemas import topics
from schemas.topics import Lane

MAX_ON_ITS_WAY = 10_000
"""Unanswered messages of one trunk; beyond it the broker is behind."""
MAX_URGENT_ON_ITS_WAY = 20_000
WILL_AFTER_S = 1.5 * KEEPALIVE_S
"""When a broker gives up on a silent client (MQTT 3.1.1, 3.1.2.10)."""

ALL_COMMANDS = f"{topics.PREFIX}/+/+/+/{Lane.COMMAND}/#"


class Trunk:
    """One connection that carries the lines of many devices."""

    def __init__(
        self,
        broker: BrokerAddress,
        login: SharedLogin,
        number: int,
        *,
        clock: Clock,
        agenda: Agenda,
        gate: ConnectGate,
        on_refused: Callable[[str], None],
        on_deaf: Callable[[], None],
    ) -> None:
        self._clock, self._agenda = clock, agenda
        self._on_refused, self._on_deaf = on_refused, on_deaf
        self._lines: dict[str, TrunkLine] = {}
        introduction = Login(
            broker.host,
            broker.port,
            f"{login.user}-{number}",
            login.user,
            login.secret,
            topic_filter=ALL_COMMANDS,
            clean=True,
        )
        self.session = Session(introduction, self, clock=clock, agenda=agenda, gate=gate)

    def line(self, device_id: str, topic_prefix: str, listener: Listener) -> "TrunkLine":
        """A new device on this trunk."""
        made = TrunkLine(self, topic_prefix, listener, self._clock, self._agenda)
        self._lines[device_id] = made
        return made

    def session_up(self) -> None:
        for line in self._lines.values():
            line.settle()

    def session_down(self) -> None:
        for line in self._lines.values():
            line.settle()

    def session_refused(self, reason: str) -> None:
        self._on_refused(reason)

    def session_deaf(self) -> None:
        self._on_deaf()

    def session_heard(self, topic: str, payload: bytes) -> None:
        parsed = topics.parse(topic)
        if parsed is not None and parsed.lane is Lane.COMMAND:
            line = self._lines.get(parsed.device_id)
            if line is not None:
                line.hear(parsed.kind, payload)


class TrunkLine:
    """Implements `line.Line` for one device of a trunk."""

    __slots__ = (
        "_agenda", "_clock", "_covered", "_epoch", "_listener", "_powered", "_told",
        "_topic_prefix", "_trunk",
    )  # fmt: skip

    def __init__(
        self, trunk: Trunk, topic_prefix: str, listener: Listener, clock: Clock, agenda: Agenda
    ) -> None:
        self._trunk, self._topic_prefix, self._listener = trunk, topic_prefix, listener
        self._clock, self._agenda = clock, agenda
        self._powered = self._covered = True
        self._told = False
        self._epoch = 0

    @property
    def connected(self) -> bool:
        return self._powered and self._covered and self._trunk.session.up

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        session = self._trunk.session
        limit = MAX_URGENT_ON_ITS_WAY if urgent else MAX_ON_ITS_WAY
        if not self.connected or session.on_its_way >= limit:
            return False
        session.publish(topic, payload, on_puback)
        return True

    def hurry(self) -> None:
        self._trunk.session.hurry()

    def redial(self) -> None:
        """For this device alone: down and up again; the others keep the trunk."""
        if self.connected and self._told:
            self._listener.on_lost()
            self._listener.on_connected()

    def power(self, *, on: bool) -> None:
        if self._powered and not on and self.connected:
            self._leave_will()
        self._powered = on
        self.settle()

    def cover(self, *, on: bool) -> None:
        if self._covered and not on and self.connected:
            self._epoch += 1
            epoch = self._epoch
            self._agenda.add(
                self._clock.monotonic_s() + WILL_AFTER_S, lambda: self._will_due(epoch)
            )
        self._covered = on
        self.settle()

    def hear(self, kind: str, payload: bytes) -> None:
        """A command for this device; one that comes while it is away is not kept."""
        if self.connected:
            self._listener.on_command(kind, payload)

    def settle(self) -> None:
        """Tell the device if its line came or went."""
        if self.connected and not self._told:
            self._told = True
            self._epoch += 1
            self._listener.on_connected()
        elif not self.connected and self._told:
            self._told = False
            self._listener.on_lost()

    def _will_due(self, epoch: int) -> None:
        if epoch == self._epoch and not self._covered:
            self._leave_will()

    def _leave_will(self) -> None:
        self._trunk.session.publish(status_topic(self._topic_prefix), OFFLINE, lambda: None)
