"""A device's MQTT connection: paho on the asyncio loop, without a thread or a task per message.

MQTT 3.1.1, user name = device id, password = secret, last will `offline`, a persistent session so
that a receipt sent while the line was down arrives when it is back. paho keeps what is on its way
over a reconnect and sends it again, marked as a duplicate.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from device_sim.backoff import STABLE_AFTER_S, ConnectGate, pause_s
from device_sim.clock import Clock, sleep, wait_for
from device_sim.dial import DialledClient, dial
from device_sim.line import Listener
from device_sim.seeded import fraction
from schemas import topics
from schemas.codec import encode
from schemas.telemetry import LinkState, Status
from schemas.topics import Lane

CONNACK_WITHIN_S = 5.0
"""Ours: a broker that accepts TCP and then says nothing is frozen."""
KEEPALIVE_S = 60
MAX_TELEMETRY_ON_ITS_WAY = 20
"""Unanswered messages of one device; a broker that is behind is not given more telemetry."""
MAX_ON_ITS_WAY = 64
"""The same with alarms."""
GOODBYE_WITHIN_S = 1.0


class _Refused(Exception):
    """The broker answered, and said no; the message is its reason."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """How this device finds its broker and proves who it is."""

    host: str
    port: int
    client_id: str
    device_id: str
    secret: str
    topic_prefix: str


class Connection:
    """Implements `line.Line`; `keep` holds it up until `close`."""

    def __init__(
        self,
        credentials: Credentials,
        listener: Listener,
        clock: Clock,
        gate: ConnectGate,
        on_refused: Callable[[str], None],
    ) -> None:
        self._credentials, self._listener = credentials, listener
        self._clock, self._gate, self._on_refused = clock, gate, on_refused
        self._loop = asyncio.get_running_loop()
        self._on_puback: dict[int, Callable[[], None]] = {}
        self._connack: asyncio.Future[None] | None = None
        self._up = False
        self._told_up = False
        self._closing = False
        self._powered = asyncio.Event()
        self._powered.set()
        self._hurried = asyncio.Event()
        self._lost = asyncio.Event()
        self.first_up = asyncio.Event()
        """Set once the line was up for the first time."""
        self._write_registered = False
        self._client = self._make_client()

    # What the device may do

    @property
    def connected(self) -> bool:
        return self._up

    @property
    def on_its_way(self) -> int:
        """Messages that wait for their PUBACK."""
        return len(self._on_puback)

    def publish(
        self, topic: str, payload: bytes, on_puback: Callable[[], None], *, urgent: bool
    ) -> bool:
        limit = MAX_ON_ITS_WAY if urgent else MAX_TELEMETRY_ON_ITS_WAY
        if not self._up or len(self._on_puback) >= limit:
            return False
        sent = self._client.publish(topic, payload, qos=1)
        if sent.rc not in (mqtt.MQTT_ERR_SUCCESS, mqtt.MQTT_ERR_NO_CONN):
            return False
        self._on_puback[sent.mid] = on_puback
        self._write_rest()
        return True

    def hurry(self) -> None:
        self._hurried.set()

    def redial(self) -> None:
        self.hurry()
        self._cut()

    def power(self, *, on: bool) -> None:
        if on:
            self._powered.set()
        else:
            self._powered.clear()
            self._cut()

    # Staying connected

    async def keep(self) -> None:
        """Connect, and connect again whenever the line is lost, until `close`."""
        failures = 0
        while not self._closing:
            await self._powered.wait()
            if not self._hurried.is_set():
                now_s = self._clock.monotonic_s()
                await wait_for(self._hurried, self._gate.reserve(now_s) - now_s)
            self._hurried.clear()
            try:
                await self._connect()
            except _Refused as refusal:
                failures += 1
                self._cut()
                self._on_refused(str(refusal))
            except (OSError, TimeoutError):
                failures += 1
                self._cut()
            else:
                up_since_s = self._clock.monotonic_s()
                await self._lost.wait()
                stable = self._clock.monotonic_s() - up_since_s >= STABLE_AFTER_S
                failures = 0 if stable else failures + 1
            if not self._closing:
                await self._pause(failures)

    def tick(self) -> None:
        """Keep-alive; call it every few seconds."""
        if self._up:
            self._client.loop_misc()
            self._write_rest()

    async def close(self, *, forget: bool = False) -> None:
        """Say good-bye, so that no last will is sent; `forget` leaves no session at the broker."""
        self._closing = True
        self._powered.set()
        self._hurried.set()
        if self._up:
            self._told_up = False  # it is the device that leaves: no loss to tell it of
            self._client.disconnect()
            self._write_rest()
            await wait_for(self._lost, GOODBYE_WITHIN_S)
        self._cut()
        self._lost.set()
        if forget:
            await self._forget_session()

    async def _pause(self, failures: int) -> None:
        jitter = fraction(self._credentials.client_id, failures, self._clock.monotonic_s())
        if self._hurried.is_set():
            await sleep(pause_s(failures, jitter, calling=True))
        elif await wait_for(self._hurried, pause_s(failures, jitter, calling=False)):
            await sleep(pause_s(0, jitter, calling=True))

    async def _connect(self) -> None:
        self._lost.clear()
        self._client.dialled = await dial(self._credentials.host, self._credentials.port)
        self._connack = self._loop.create_future()
        self._client.reconnect()
        self._write_rest()
        async with asyncio.timeout(CONNACK_WITHIN_S):
            await self._connack

    def _cut(self) -> None:
        """End the TCP connection without a word: for the broker the device is simply gone."""
        self._up = False
        self._client.hang_up()

    async def _forget_session(self) -> None:
        """A clean session under the same name makes the broker drop the persistent one."""
        self._client = self._make_client(clean_session=True)
        with contextlib.suppress(OSError, TimeoutError, _Refused):
            await self._connect()
            self._client.disconnect()
            self._write_rest()
            await wait_for(self._lost, GOODBYE_WITHIN_S)
        self._cut()

    # paho's side

    def _make_client(self, *, clean_session: bool = False) -> DialledClient:
        known = self._credentials
        client = DialledClient(
            CallbackAPIVersion.VERSION2, known.client_id, clean_session, protocol=mqtt.MQTTv311
        )
        client.username_pw_set(known.device_id, known.secret)
        if not clean_session:
            topic = topics.up(known.topic_prefix, Lane.TELEMETRY, "status")
            client.will_set(topic, encode(Status(state=LinkState.OFFLINE)), qos=1)
        client.max_inflight_messages_set(MAX_ON_ITS_WAY)
        client.max_queued_messages_set(MAX_ON_ITS_WAY)
        client.connect_async(known.host, known.port, KEEPALIVE_S)
        client.on_connect = partial(self._on_connect, subscribe=not clean_session)
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        return client

    def _on_connect(
        self, client: mqtt.Client, _u: Any, _f: Any, code: ReasonCode, _p: Any, *, subscribe: bool
    ) -> None:
        if self._connack is None or self._connack.done():
            return
        if code.is_failure:
            self._connack.set_exception(_Refused(str(code)))
            return
        if subscribe:
            client.subscribe(topics.command_filter(self._credentials.topic_prefix), qos=1)
            self._told_up = True
            self._loop.call_soon(self._listener.on_connected)
        self._up = True
        self.first_up.set()
        self._connack.set_result(None)

    def _on_disconnect(self, *_: Any) -> None:
        self._up = False
        if self._connack is not None and not self._connack.done():
            self._connack.set_exception(ConnectionError("the broker hung up"))
        self._lost.set()
        if self._told_up:
            self._told_up = False
            self._loop.call_soon(self._listener.on_lost)

    def _on_message(self, _c: mqtt.Client, _u: Any, message: mqtt.MQTTMessage) -> None:
        topic = topics.parse(message.topic)
        if topic is not None and topic.lane is Lane.COMMAND:
            self._loop.call_soon(self._listener.on_command, topic.kind, bytes(message.payload))

    def _on_publish(self, _c: mqtt.Client, _u: Any, mid: int, *_: Any) -> None:
        on_puback = self._on_puback.pop(mid, None)
        if on_puback is not None:
            on_puback()

    def _on_socket_open(self, _c: mqtt.Client, _u: Any, opened: Any) -> None:
        self._loop.add_reader(opened, self._read)

    def _on_socket_close(self, _c: mqtt.Client, _u: Any, closed: Any) -> None:
        self._loop.remove_reader(closed)
        self._loop.remove_writer(closed)
        self._write_registered = False

    def _read(self) -> None:
        self._client.loop_read()
        self._write_rest()

    def _write(self) -> None:
        self._client.loop_write()
        self._write_rest()

    def _write_rest(self) -> None:
        """paho writes at once what the socket takes; the rest waits until it can be written."""
        open_socket = self._client.socket()
        if open_socket is None:
            return
        wanted = self._client.want_write()
        if wanted and not self._write_registered:
            self._loop.add_writer(open_socket, self._write)
        elif not wanted and self._write_registered:
            self._loop.remove_writer(open_socket)
        self._write_registered = wanted
