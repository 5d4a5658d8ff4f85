"""A device's own MQTT connection: its own credential, its own last will, its own session.

User name = device id, password = secret; a persistent session, so that a receipt sent while the
line was down arrives when it is back.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from device_sim.agenda import Agenda
from device_sim.backoff import ConnectGate
from device_sim.clock import Clock, sleep
from device_sim.line import Listener
from device_sim.session import Login, Session
from schemas import topics
from schemas.codec import encode
from schemas.telemetry import LinkState, Status
from schemas.topics import Lane

MAX_TELEMETRY_ON_ITS_WAY = 20
"""Unanswered messages of one device; a broker that is behind is not given more telemetry."""
MAX_ON_ITS_WAY = 64
"""The same with alarms."""
GOODBYE_WITHIN_S = 1.0

OFFLINE = encode(Status(state=LinkState.OFFLINE))
"""The last will of every device."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How this device finds its broker and proves who it is."""

    host: str
    port: int
    client_id: str
    device_id: str
    secret: str
    topic_prefix: str
    local_host: str | None = None

    def login(self) -> Login:
        """Its session's introduction."""
        return Login(
            self.host,
            self.port,
            self.client_id,
            self.device_id,
            self.secret,
            topic_filter=topics.command_filter(self.topic_prefix),
            will=(status_topic(self.topic_prefix), OFFLINE),
            local_host=self.local_host,
        )


def status_topic(topic_prefix: str) -> str:
    """Where the last will of the device with this prefix appears."""
    return topics.up(topic_prefix, Lane.TELEMETRY, "status")


class Connection:
    """Implements `line.Line` over a session of its own."""

    __slots__ = ("_credentials", "_listener", "_on_deaf", "_on_refused", "_session", "first_up")

    def __init__(
        self,
        credentials: Credentials,
        listener: Listener,
        *,
        clock: Clock,
        agenda: Agenda,
        gate: ConnectGate,
        on_refused: Callable[[str], None],
        on_deaf: Callable[[], None],
    ) -> None:
        self._credentials, self._listener = credentials, listener
        self._on_refused, self._on_deaf = on_refused, on_deaf
        self._session = Session(credentials.login(), self, clock=clock, agenda=agenda, gate=gate)
        self.first_up = asyncio.Event()
        """Set once the line was up for the first time."""

    @property
    def connected(self) -> bool:
        return self._session.up

    @property
    def on_its_way(self) -> int:
        """Messages that wait for their PUBACK."""
        return self._session.on_its_way

    def start(self) -> None:
        """Begin to connect."""
        self._session.start()

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        limit = MAX_ON_ITS_WAY if urgent else MAX_TELEMETRY_ON_ITS_WAY
        if not self._session.up or self._session.on_its_way >= limit:
            return False
        self._session.publish(topic, payload, on_puback)
        return True

    def hurry(self) -> None:
        self._session.hurry()

    def redial(self) -> None:
        self._session.hurry()
        self._session.cut()

    def power(self, *, on: bool) -> None:
        self._session.enable(on=on)

    def cover(self, *, on: bool) -> None:
        self._session.cover(on=on)

    def close(self) -> None:
        """Say good-bye, so that no last will is sent."""
        self._session.close()

    async def forget(self, clock: Clock, agenda: Agenda) -> None:
        """Close, and have the broker drop the persistent session: a clean one under the same name
        takes its place for a moment."""
        self.close()
        await sleep(0)
        leaving = _Leaving()
        login = replace(self._credentials.login(), clean=True, will=None, topic_filter=None)
        session = Session(login, leaving, clock=clock, agenda=agenda, gate=ConnectGate(100.0))
        session.start()
        give_up_s = clock.monotonic_s() + GOODBYE_WITHIN_S
        while not leaving.done and clock.monotonic_s() < give_up_s:
            agenda.run_due(clock.monotonic_s())
            await sleep(0.01)
        session.close()
        await sleep(0.01)

    # The session's side

    def session_up(self) -> None:
        self.first_up.set()
        self._listener.on_connected()

    def session_down(self) -> None:
        self._listener.on_lost()

    def session_refused(self, reason: str) -> None:
        self._on_refused(reason)

    def session_deaf(self) -> None:
        self._on_deaf()

    def session_heard(self, topic: str, payload: bytes) -> None:
        parsed = topics.parse(topic)
        if parsed is not None and parsed.lane is Lane.COMMAND:
            self._listener.on_command(parsed.kind, payload)


class _Leaving:
    """Owns the clean session that only says good-bye."""

    def __init__(self) -> None:
        self.done = False

    def session_up(self) -> None:
        self.done = True

    def session_down(self) -> None:
        self.done = True

    def session_refused(self, reason: str) -> None:
        del reason
        self.done = True

    def session_deaf(self) -> None:
        """It subscribes to nothing."""

    def session_heard(self, topic: str, payload: bytes) -> None:
        """A receipt for a session that is being forgotten."""
