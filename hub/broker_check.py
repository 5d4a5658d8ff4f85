"""Does the broker somebody operates lose messages? Said by the name of the setting.

Two sources: its configuration file, where it can be read (`broker_config`), and what can be tried
from outside, with a session of our own and messages nobody else reads. While the hub runs, ingest
also watches the broker's counter of dropped messages. The embedded broker is configured by us.
"""

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from alerts.errors import SendFailed
from hub.broker_line import BrokerLine
from hub.settings import Settings
from hub.sources.mqtt import Delivery, MqttConnection

PROBE_CLIENT = f"carebell-probe-{os.getpid()}"
PROBE_TOPIC = f"desk/probe/{os.getpid()}"
"""Below `desk/`, which no device may read or write; each process its own, owners start together."""
PROBE_MESSAGES = 1_500
"""More than Mosquitto's (1,000), EMQX's (1,000) and their relatives' usual limits."""
PROBE_BYTES = 128
LARGE_BYTES = 40 * 1024
"""A raw window round an impact is 20 KiB; twice that must pass."""
CONNECT_WITHIN_S = 5.0
THROWN_OUT_S = 0.5
"""A broker that has let one line in has hung up on the other."""
QUIET_S = 1.5
"""Nothing more comes after this long."""
WANTED_IN_FLIGHT = 100
"""Ours: with 20, Mosquitto's default, a commit takes 20 messages, and a backlog a hundred times as
long."""
DROPPED_TOPIC = "$SYS/broker/publish/messages/dropped"
"""Mosquitto: messages dropped for want of room, since its start."""

_log = structlog.get_logger("hub.broker_check")


@dataclass(frozen=True, slots=True)
class Complaint:
    """A setting by which messages get lost."""

    setting: str
    problem: str
    advice: str

    def __str__(self) -> str:
        """One line for a human."""
        return f"{self.setting}: {self.problem}. {self.advice}."


async def examine(settings: Settings, broker_url: str | None = None) -> list[Complaint]:
    """What is wrong with the operated broker; empty for the embedded one. Takes a few seconds."""
    if not settings.broker_url:
        return []
    complaints = read_configuration(settings.broker_config) if settings.broker_config else []
    try:
        complaints += await _probe(broker_url or settings.broker_url)
    except (TimeoutError, SendFailed) as error:
        problem = f"the broker could not be tried: {str(error) or 'no answer'}"
        complaints.append(Complaint("broker_url", problem, "Is it running, is the password right"))
    named: dict[str, Complaint] = {}
    for complaint in complaints:
        named.setdefault(complaint.setting, complaint)
    return list(named.values())


def read_configuration(path: str) -> list[Complaint]:
    """What a Mosquitto configuration file loses; later lines win, `include_dir` is followed."""
    try:
        values = _values(Path(path))
    except OSError as error:
        return [Complaint("broker_config", f"{path}: {error.strerror}", "Correct the path")]
    return [
        Complaint(name, problem, advice)
        for name, default, wrong, problem, advice in _RULES
        if wrong(values.get(name, default))
    ]


def _values(path: Path) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in path.read_text(errors="replace").splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "include_dir":
            for part in sorted(Path(value.strip()).glob("*.conf")):
                values |= _values(part)
        elif name and not name.startswith("#"):
            values[name] = value.strip()
    return values


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d+", text) else 0


_ONE_NAME = ("the hub's lines have one user name and throw each other out", "Leave it out")
_UNASKED = (
    (
        "a certificate lets in whom the register does not, a revoked device or any before the "
        "hub's sessions exist, whose messages are lost"
    ),
    "Leave it out",
)
_RULES = (
    ("max_queued_messages", "1000", lambda v: _number(v) > 0,
     "messages for a hub that is away are dropped beyond this many", "Set it to 0"),
    ("max_queued_bytes", "0", lambda v: _number(v) > 0,
     "messages for a hub that is away are dropped beyond this many bytes", "Set it to 0"),
    ("persistence", "false", lambda v: v != "true",
     "a restart of the broker forgets the hub's sessions and all they hold", "Set it to true"),
    ("autosave_interval", "1800", lambda v: _number(v) == 0 or _number(v) > 60,
     "a crash loses what came since the last write to disk", "Set it to 1"),
    ("persistent_client_expiration", "", bool,
     "the hub's sessions are deleted when it is away for longer", "Leave it out"),
    ("memory_limit", "", lambda v: _number(v) > 0,
     "messages are dropped when memory reaches it", "Leave it out"),
    ("message_size_limit", "0", lambda v: 0 < _number(v) < LARGE_BYTES,
     "larger messages are dropped, though the device gets its PUBACK", "Set it to 65536"),
    ("max_packet_size", "0", lambda v: 0 < _number(v) < LARGE_BYTES,
     "whoever sends a larger message is thrown out", "Leave it out"),
    ("max_qos", "2", lambda v: v == "0",
     "whoever sends at QoS 1, every device does, is thrown out", "Leave it out"),
    ("use_identity_as_username", "false", lambda v: v == "true", *_UNASKED),
    ("use_subject_as_username", "false", lambda v: v == "true", *_UNASKED),
    ("use_username_as_clientid", "false", lambda v: v == "true", *_ONE_NAME),
    ("max_inflight_messages", "20", lambda v: 0 < _number(v) < WANTED_IN_FLIGHT,
     "the hub is handed only this many before it commits, which is slow", "Set it to 8192"),
)  # fmt: skip
"""Name, Mosquitto's default, what is wrong, why, what to do (mosquitto.conf(5), 2.0.11)."""


async def _probe(url: str) -> list[Complaint]:
    """A session of ours, away while messages come for it."""
    started = BrokerLine.parse(url)
    _log.info("broker_tried", host=started.host, messages=PROBE_MESSAGES)
    first = _Probe(url, clean=True)
    await first.open()  # what an earlier probe left over goes
    alone = await _throws_out(url, first)
    await first.close()
    if alone:
        return [Complaint("use_username_as_clientid", *_ONE_NAME)]
    away = _Probe(url)
    await away.open()
    await away.close()
    await _publish(url)
    back = _Probe(url, answers=False)
    try:
        await back.open()
        await back.until_quiet()
        in_flight = back.received
        back.answer_all()
        await back.until_quiet()
        return _judged(back, in_flight)
    finally:
        await back.close()
        last = _Probe(url, clean=True)
        await last.open()
        await last.close()


async def _throws_out(url: str, first: "_Probe") -> bool:
    """Whether a line of the hub ends another, though their client ids differ."""
    async with _sender(url, "other"):
        await asyncio.sleep(THROWN_OUT_S)
        return first.openings > 1 or not first.connected


def _judged(back: "_Probe", in_flight: int) -> list[Complaint]:
    complaints = []
    if not back.present:
        problem = "a session that was away for seconds was forgotten"
        advice = "Mosquitto: persistence; EMQX: mqtt.session_expiry_interval"
        complaints.append(Complaint("persistence", problem, advice))
    elif back.received < PROBE_MESSAGES:
        problem = f"of {PROBE_MESSAGES} messages for a session that was away {back.received} came"
        advice = "Set it to 0 (EMQX: mqtt.max_mqueue_len = infinity)"
        complaints.append(Complaint("max_queued_messages", problem, advice))
    if back.present and not back.large:
        problem = f"a message of {LARGE_BYTES} bytes was dropped, with PUBACK"
        advice = "Set it to 65536 (EMQX: mqtt.max_packet_size)"
        complaints.append(Complaint("message_size_limit", problem, advice))
    if back.present and in_flight < WANTED_IN_FLIGHT:
        problem = f"the hub is handed {in_flight} messages before it commits, which is slow"
        advice = "Set it to 8192 (EMQX: mqtt.max_inflight)"
        complaints.append(Complaint("max_inflight_messages", problem, advice))
    return complaints


async def _publish(url: str) -> None:
    # The large one first: it must not be the one for which there is no room. On a line of its own,
    # since a broker that does not take it may hang up; then it is missing in the end, and is named.
    async with _sender(url, "large") as sender:
        with contextlib.suppress(SendFailed):
            await sender.publish(PROBE_TOPIC, b"L" * LARGE_BYTES, qos=1)
    async with _sender(url, "sender") as sender:
        for start in range(0, PROBE_MESSAGES, 100):
            wanted = min(100, PROBE_MESSAGES - start)
            await asyncio.gather(
                *(sender.publish(PROBE_TOPIC, b"p" * PROBE_BYTES, qos=1) for _ in range(wanted))
            )


@contextlib.asynccontextmanager
async def _sender(url: str, name: str) -> AsyncIterator[MqttConnection]:
    line = MqttConnection(
        url, f"{PROBE_CLIENT}-{name}", clean=True, subscriptions={}, on_message=lambda _: None
    )
    await line.start()
    try:
        await _until_connected(line)
        yield line
    finally:
        await line.stop()


async def _until_connected(line: MqttConnection) -> None:
    async with asyncio.timeout(CONNECT_WITHIN_S):
        while not line.connected:  # noqa: ASYNC110 - the connection has no event of its own
            await asyncio.sleep(0.02)


class _Probe:
    """A persistent session that counts what it is given."""

    def __init__(self, url: str, *, clean: bool = False, answers: bool = True) -> None:
        self.received = 0
        self.large = False
        self.present = False
        self.openings = 0
        self._answers = answers
        self._waiting: list[tuple[int, int]] = []
        self._opened = asyncio.Event()
        self._heard = asyncio.Event()
        self._line = MqttConnection(
            url, PROBE_CLIENT, clean=clean, subscriptions={PROBE_TOPIC: 1},
            on_message=self._take, on_connected=self._connected,
        )  # fmt: skip

    async def open(self) -> None:
        await self._line.start()
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await self._opened.wait()

    @property
    def connected(self) -> bool:
        return self._line.connected

    async def close(self) -> None:
        await self._line.stop()

    async def until_quiet(self) -> None:
        while True:
            self._heard.clear()
            try:
                async with asyncio.timeout(QUIET_S):
                    await self._heard.wait()
            except TimeoutError:
                return

    def answer_all(self) -> None:
        self._answers = True
        for ticket in self._waiting:
            self._line.ack(ticket)
        self._waiting.clear()

    def _connected(self, present: bool) -> None:
        self.present = present
        self.openings += 1
        self._opened.set()

    def _take(self, delivery: Delivery) -> None:
        if len(delivery.payload) == LARGE_BYTES:
            self.large = True
        elif not delivery.duplicate:
            self.received += 1
        self._heard.set()
        if self._answers:
            self._line.ack(delivery.ticket)
        else:
            self._waiting.append(delivery.ticket)
