"""One MQTT 3.1.1 connection on the running asyncio loop, with PUBACK under our control.

paho does the protocol, hub.sources.wire the messages and PUBACKs; this adapter gives both the
loop's readiness callbacks, reconnects for ever, stops reading while too much is unanswered, and
turns PUBACKs of own publishes into awaitables. aiomqtt has no public manual PUBACK, which is why
it is not used here.
"""

import asyncio
import contextlib
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import structlog
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from alerts.errors import SendFailed
from hub.broker_line import BrokerLine
from hub.errors import StartError
from hub.sources.wire import BrokenPacket, Wire, WiredClient

KEEPALIVE_S = 60
"""A dead broker on the other side of a cut line is noticed within two of these."""
FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 2.0
"""Short: while the hub is away, nobody hears a press."""
PUBLISH_TIMEOUT_S = 5.0
"""A broker that does not take a publish for this long counts as away."""

_log = structlog.get_logger(__name__)


Ticket = tuple[int, int]
"""What to answer a delivery with: the connection's number and the packet id. Packet ids start anew
with each connection, and answering a new message with an old id would lose it."""


class Delivery(msgspec.Struct, gc=False):
    """A message as the broker delivered it; answer it with `MqttConnection.ack(ticket)`.

    Not frozen, which would cost as much as reading it off the wire; nobody changes it.
    """

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
        self._line = line = BrokerLine.parse(url)
        self._subscriptions = dict(subscriptions)
        self._on_message = on_message
        self._on_connected = on_connected
        self._max_unacknowledged = max_unacknowledged
        self._client = WiredClient(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, manual_ack=True
        )
        self._client.username_pw_set(line.username, line.password)
        self._client.encrypt(line.tls())  # now, so that a file that is missing is said at once
        self._client.max_inflight_messages_set(0)
        self._client.max_queued_messages_set(0)
        self._client.on_connect = self._connected_now
        self._client.wire_up = self._wire_up
        self._client.on_publish = self._published
        self._client.on_disconnect = self._disconnected
        self._client.on_socket_register_write = self._wants_write
        self._client.on_socket_close = self._closing
        self._client.on_subscribe = self._subscribed
        self.client_id = client_id
        self.connected = False
        self._unanswered: set[int] = set()
        self._generation = 0
        self._reading = False
        self._connecting = False
        self._writer_on = False
        self._flush_due = False
        self._wire: Wire | None = None
        self._lost = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._subscribe_mids: set[int] = set()
        self._unreachable = ""

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
        self._flush()
        self._drop_socket()

    @property
    def unacknowledged(self) -> int:
        """Deliveries at QoS 1 that were not answered yet."""
        return len(self._unanswered)

    @property
    def saturated(self) -> bool:
        """Whether the broker waits for our answers before it sends more."""
        return len(self._unanswered) >= self._max_unacknowledged * 3 // 4

    def ack(self, ticket: Ticket) -> None:
        """Answer a delivery; ignored if its connection is gone (it will come again)."""
        self.ack_all((ticket,))

    def ack_all(self, tickets: Iterable[Ticket]) -> None:
        """Answer deliveries, in one write."""
        if not self.connected or self._wire is None:
            return
        current = self._generation
        mids = [mid for generation, mid in tickets if generation == current and mid]
        self._unanswered.difference_update(mids)
        self._wire.acknowledge(mids)
        self._flush_soon()
        self._resume()

    def resubscribe(self, subscriptions: Mapping[str, int]) -> None:
        """From now on these filters; what is new is asked for at once, what is not wanted any more
        is given up."""
        gone = [name for name in self._subscriptions if name not in subscriptions]
        new = [item for item in subscriptions.items() if item[0] not in self._subscriptions]
        self._subscriptions = dict(subscriptions)
        if self.connected and new:
            self._client.subscribe(new)
        if self.connected and gone:
            self._client.unsubscribe(gone)

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
        self._client.connect_async(self._line.host, self._line.port, KEEPALIVE_S)
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
            await asyncio.to_thread(self._dial)
        except (OSError, StartError) as error:
            self._tell_unreachable(error)
            return False
        finally:
            self._connecting = False
        self._unreachable = ""
        if self._wire is None or self._wire.fileno() < 0:
            return False
        self._reading = True
        self._loop.add_reader(self._wire.fileno(), self._readable)
        self._flush()
        return True

    def _dial(self) -> None:
        """Certificates are read anew: they are renewed while a hub runs, and the embedded broker
        draws the hub's own again."""
        self._client.encrypt(self._line.tls())
        self._client.reconnect()

    def _tell_unreachable(self, error: Exception) -> None:
        """Once for each reason: it is tried again every other second."""
        reason = in_words(error)
        if reason != self._unreachable:
            self._unreachable = reason
            _log.warning("mqtt_unreachable", client_id=self.client_id,
                         error=type(error).__name__, reason=reason)  # fmt: skip

    def _wire_up(self, sock: socket.socket) -> Wire:
        """paho has connected (on a thread of its own)."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wire = Wire(sock, self._take, self._others)
        return self._wire

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
        wire = self._wire
        if wire is None:
            return
        try:
            while wire.read() and wire.encrypted and self._reading and wire is self._wire:
                pass
        except (OSError, BrokenPacket) as error:
            _log.warning("mqtt_broken", client_id=self.client_id, error=type(error).__name__,
                         reason=in_words(error))  # fmt: skip
            self._lose()

    def _others(self) -> None:
        """A packet that is none of ours."""
        if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._lose()

    def _take(
        self,
        topic: bytes,
        payload: bytes,
        mid: int,
        qos: int,
        duplicate: bool,
        retained: bool,
    ) -> None:
        if qos:
            self._unanswered.add(mid)
            if len(self._unanswered) >= self._max_unacknowledged:
                self._pause()
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            name = ""
        ticket = (self._generation, mid)
        self._on_message(Delivery(name, payload, ticket, qos, duplicate, retained))

    def _wants_write(self, _client: Client, _userdata: Any, _sock: Any) -> None:
        self._flush_soon()

    def _flush_soon(self) -> None:
        """At the end of this turn of the loop, together with whatever else is written in it."""
        if not self._connecting and not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        wire = self._wire
        if wire is None or wire.fileno() < 0:
            return
        self._client.loop_write()
        try:
            waits = wire.flush()
        except OSError:
            self._lose()
            return
        if waits and not self._writer_on:
            self._writer_on = True
            self._loop.add_writer(wire.fileno(), self._flush)
        elif not waits and self._writer_on:
            self._writer_on = False
            self._loop.remove_writer(wire.fileno())

    def _connected_now(
        self, _client: Client, _userdata: Any, flags: Any, reason: Any, _properties: Any
    ) -> None:
        if reason.is_failure:
            _log.warning("mqtt_refused", client_id=self.client_id, reason=str(reason).lower())
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

    def _published(
        self, _client: Client, _userdata: Any, mid: int, _reason: Any, _properties: Any
    ) -> None:
        waiter = self._waiting.get(mid)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _closing(self, _client: Client, _userdata: Any, sock: Any) -> None:
        """paho closes the socket next: the loop must forget it first."""
        if sock.fileno() >= 0 and not self._connecting:
            self._loop.remove_reader(sock.fileno())
            self._loop.remove_writer(sock.fileno())
        self._writer_on = False

    def _disconnected(self, *_: Any) -> None:
        self._lose()

    def _pause(self) -> None:
        """Backpressure: the broker's TCP window and its own bound hold the rest."""
        if self._reading and self._wire is not None:
            self._reading = False
            self._loop.remove_reader(self._wire.fileno())

    def _resume(self) -> None:
        if (
            not self._reading
            and self._wire is not None
            and len(self._unanswered) <= self._max_unacknowledged * 3 // 4
        ):
            self._reading = True
            self._loop.add_reader(self._wire.fileno(), self._readable)

    def _lose(self) -> None:
        self.connected = False
        self._lost.set()

    def _drop_socket(self) -> None:
        self.connected = False
        wire, self._wire = self._wire, None
        if wire is not None and wire.fileno() >= 0:
            self._loop.remove_reader(wire.fileno())
            self._loop.remove_writer(wire.fileno())
        self._writer_on = self._reading = False
        with contextlib.suppress(OSError):
            if wire is not None:
                wire.close()


def in_words(error: Exception) -> str:
    """Why a line could not be had, in lower case, as the log takes it: it says nobody's name.

    >>> in_words(ConnectionRefusedError(111, "Connection refused"))
    'connection refused'
    """
    match error:
        case ssl.SSLCertVerificationError():
            said = f"certificate verify failed: {error.verify_message}"
        case ssl.SSLError():
            said = getattr(error, "reason", None) or "no encrypted line"
        case StartError():
            said = "a certificate, authority or key of ours cannot be read"
        case _:
            said = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return re.sub(r"[^a-z0-9 ,;:'()-]+", " ", said.lower())[:150]
