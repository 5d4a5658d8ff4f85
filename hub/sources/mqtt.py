"""One MQTT 3.1.1 connection on the running asyncio loop, with PUBACK under our control.

paho does the protocol; this adapter gives it the loop's readiness callbacks, reconnects for ever,
stops reading while too much is unanswered, and turns PUBACKs of own publishes into awaitables.
aiomqtt has no public manual PUBACK, which is why it is not used here.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from alerts.errors import SendFailed

KEEPALIVE_S = 60
"""A dead broker on the other side of a cut line is noticed within two of these."""
FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 2.0
"""Short: while the hub is away, nobody hears a press."""
READS_PER_WAKE = 64
"""Packets taken per readiness event before the loop looks after others."""
PUBLISH_TIMEOUT_S = 5.0
"""A broker that does not take a publish for this long counts as away."""

_log = structlog.get_logger(__name__)


Ticket = tuple[int, int]
"""What to answer a delivery with: the connection's number and the packet id. Packet ids start anew
with each connection, and answering a new message with an old id would lose it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the broker delivered it; answer it with `MqttConnection.ack(ticket)`."""

    topic: str
    payload: bytes
    ticket: Ticket
    qos: int
    duplicate: bool
    retained: bool


class MqttConnection:
    """A connection that is kept up until `stop`."""

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        clean: bool,
        subscriptions: Mapping[str, int],
        on_message: Callable[[Delivery], None],
        on_connected: Callable[[bool], None] | None = None,
        max_unacknowledged: int = 65_535,
    ) -> None:
        """`url` is mqtt://user:password@host:port; `on_connected` is given `session_present`."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 1883
        self._subscriptions = dict(subscriptions)
        self._on_message = on_message
        self._on_connected = on_connected
        self._max_unacknowledged = max_unacknowledged
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, manual_ack=True
        )
        self._client.username_pw_set(unquote(parts.username or ""), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.max_inflight_messages_set(0)
        self._client.max_queued_messages_set(0)
        self._client.on_connect = self._connected_now
        self._client.on_message = self._message
        self._client.on_publish = self._published
        self._client.on_disconnect = self._disconnected
        self._client.on_socket_register_write = self._wants_write
        self._client.on_socket_unregister_write = self._wants_no_write
        self._client.on_socket_close = self._closing
        self._client.on_subscribe = self._subscribed
        self.client_id = client_id
        self.connected = False
        self._unanswered: set[int] = set()
        self._generation = 0
        self._reading = False
        self._connecting = False
        self._writer_on = False
        self._socket: socket.socket | None = None
        self._lost = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._subscribe_mids: set[int] = set()

    async def start(self) -> None:
        """Begin connecting on the running loop; returns at once."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self.client_id}")

    async def stop(self) -> None:
        """Disconnect in good order (no last will) and stop reconnecting."""
        if self._task is None:
            return
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._client.disconnect()
        self._client.loop_write()
        self._drop_socket()

    @property
    def unacknowledged(self) -> int:
        """Deliveries at QoS 1 that were not answered yet."""
        return len(self._unanswered)

    def ack(self, ticket: Ticket) -> None:
        """Answer a delivery; ignored if its connection is gone (it will come again)."""
        generation, mid = ticket
        if generation != self._generation or not self.connected or not mid:
            return
        self._unanswered.discard(mid)
        self._client.ack(mid, 1)
        self._resume()

    def publish_nowait(self, topic: str, payload: bytes, qos: int = 0) -> bool:
        """Hand a message to the socket; False if there is no connection (it is not kept)."""
        if not self.connected:
            return False
        info = self._client.publish(topic, payload, qos)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """Publish; at QoS 1 returns once the broker has it. Raises SendFailed."""
        if not self.connected:
            raise SendFailed("the broker is away")
        info = self._client.publish(topic, payload, qos)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise SendFailed(f"the broker did not take it ({info.rc.name})")
        if qos == 0:
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting[info.mid] = waiter
        try:
            async with asyncio.timeout(PUBLISH_TIMEOUT_S):
                await waiter
        except TimeoutError:
            raise SendFailed("no PUBACK in time") from None
        finally:
            self._waiting.pop(info.mid, None)

    async def _run(self) -> None:
        backoff = FIRST_BACKOFF_S
        self._client.connect_async(self._host, self._port, KEEPALIVE_S)
        while True:
            self._lost.clear()
            if await self._connect():
                if await self._serve():
                    backoff = FIRST_BACKOFF_S
                self._drop_socket()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_S)

    async def _connect(self) -> bool:
        self._connecting = True
        try:
            await asyncio.to_thread(self._client.reconnect)
        except OSError:
            return False
        finally:
            self._connecting = False
        self._socket = cast("socket.socket | None", self._client.socket())
        if self._socket is None:
            return False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reading = True
        self._loop.add_reader(self._socket, self._readable)
        self._client.loop_write()
        if self._client.want_write():
            self._wants_write(self._client, None, self._socket)
        return True

    async def _serve(self) -> bool:
        """Until the connection is lost; whether it was ever up."""
        was_up = False
        while not self._lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._lost.wait()
            was_up = was_up or self.connected
            if self._reading:
                self._client.loop_misc()
        return was_up

    def _readable(self) -> None:
        for _ in range(READS_PER_WAKE):
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._lose()
                return
            if not self._reading or not self._more_to_read():
                return

    def _more_to_read(self) -> bool:
        if self._socket is None:
            return False
        if isinstance(self._socket, ssl.SSLSocket):
            return self._socket.pending() > 0
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _writable(self) -> None:
        if self._client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose()

    def _wants_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        if not self._connecting and not self._writer_on and self._socket is not None:
            self._writer_on = True
            self._loop.add_writer(sock, self._writable)

    def _wants_no_write(self, _client: Client, _userdata: Any, sock: Any) -> None:
        if self._writer_on:
            self._writer_on = False
            self._loop.remove_writer(sock)

    def _connected_now(
        self, _client: Client, _userdata: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("mqtt_refused", client_id=self.client_id, reason=str(reason))
            self._lose()
            return
        self.connected = True
        self._generation += 1
        self._unanswered.clear()
        self._present = bool(flags.session_present)
        if self._subscriptions:
            _, mid = self._client.subscribe(list(self._subscriptions.items()))
            self._subscribe_mids = {mid} if mid is not None else set()
        elif self._on_connected is not None:
            self._on_connected(self._present)

    def _subscribed(
        self, _client: Client, _userdata: Any, mid: int, reasons: Any, _properties: Any
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            _log.error("mqtt_subscription_refused", client_id=self.client_id)
            self._lose()
            return
        if mid in self._subscribe_mids and self._on_connected is not None:
            self._on_connected(self._present)

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        if message.qos == 1:
            self._unanswered.add(message.mid)
            if len(self._unanswered) >= self._max_unacknowledged:
                self._pause()
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._on_message(
            Delivery(
                topic,
                bytes(message.payload),
                (self._generation, message.mid),
                message.qos,
                message.dup,
                message.retain,
            )
        )

    def _published(
        self, _client: Client, _userdata: Any, mid: int, _reason: Any, _properties: Any
    ) -> None:
        waiter = self._waiting.get(mid)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _closing(self, _client: Client, _userdata: Any, sock: Any) -> None:
        """paho closes the socket next: the loop must forget it first."""
        if sock.fileno() >= 0 and not self._connecting:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        self._writer_on = False

    def _disconnected(self, *_: Any) -> None:
        self._lose()

    def _pause(self) -> None:
        """Backpressure: the broker's TCP window and its own bound hold the rest."""
        if self._reading and self._socket is not None:
            self._reading = False
            self._loop.remove_reader(self._socket)

    def _resume(self) -> None:
        if (
            not self._reading
            and self._socket is not None
            and len(self._unanswered) <= self._max_unacknowledged * 3 // 4
        ):
            self._reading = True
            self._loop.add_reader(self._socket, self._readable)

    def _lose(self) -> None:
        self.connected = False
        self._lost.set()

    def _drop_socket(self) -> None:
        self.connected = False
        sock, self._socket = self._socket, None
        if sock is not None and sock.fileno() >= 0:
            self._loop.remove_reader(sock)
            self._loop.remove_writer(sock)
        self._writer_on = self._reading = False
        with contextlib.suppress(OSError):
            if sock is not None:
                sock.close()
