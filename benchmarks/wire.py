"""A device's line to the broker, in as few instructions as it takes.

The measuring side must not be what is measured: a client library would cost more per message than
the hub does. Only what a device needs of MQTT 3.1.1 is here: CONNECT, SUBSCRIBE, PUBLISH at QoS 1
repeated over as many connections as it takes until its PUBACK, and receiving.
"""

import asyncio
import contextlib
import random
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from device_sim.backoff import pause_s

KEEPALIVE_S = 30
CONNECT_WITHIN_S = 12.0
"""The broker asks the callout for at most 10 s; then it refuses and we try again."""
CALLING_CONNECT_WITHIN_S = 4.0
"""With something to say: who asked just before the callout was back would wait in vain."""
FIRST_BACKOFF_S = 0.1
LONGEST_BACKOFF_S = 1.0

_CONNACK, _PUBLISH, _PUBACK = 2, 3, 4
_DUPLICATE = 0x08


@dataclass(frozen=True, slots=True)
class Login:
    """Where and as whom a device connects; its id is client id and user name."""

    host: str
    port: int
    device_id: str
    secret: str


def publish_packet(topic: bytes, payload: bytes, packet_id: int) -> bytearray:
    """A PUBLISH at QoS 1."""
    length = 2 + len(topic) + 2 + len(payload)
    return bytearray(
        b"\x32%b%b%b%b%b"
        % (_length(length), len(topic).to_bytes(2, "big"), topic, packet_id.to_bytes(2, "big"),
           payload)
    )  # fmt: skip


class DeviceLine(asyncio.Protocol):
    """Publishes until PUBACK and reconnects for ever, until `close`."""

    def __init__(
        self,
        login: Login,
        *,
        on_puback: Callable[[int, float], None],
        on_message: Callable[[str, bytes, float], None] | None = None,
        subscribe: str | None = None,
        command_qos: int = 1,
        clean: bool = True,
        patient: bool = False,
    ) -> None:
        """`on_puback` is given the token of the publish and the time; times are `time.monotonic`.
        With `subscribe` messages of that filter come to `on_message`. `patient` reconnects as
        docs/contract.md asks of a device; otherwise as fast as the tests want it."""
        self._login = login
        self._on_puback = on_puback
        self._on_message = on_message
        self._subscribe = subscribe
        self._command_qos = command_qos
        self._clean = clean
        self._patient = patient
        self._chance = random.Random(login.device_id)
        self._outstanding: dict[int, tuple[int, bytearray]] = {}
        self._last_id = 0
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.up = asyncio.Event()
        self.connections = 0

    @property
    def outstanding(self) -> int:
        """Publishes without PUBACK."""
        return len(self._outstanding)

    def start(self) -> None:
        """Begin connecting on the running loop."""
        self._task = asyncio.create_task(self._keep_up())

    async def close(self) -> None:
        """Hang up for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._transport is not None:
            self._transport.write(b"\xe0\x00")
            self._transport.close()

    def publish(self, topic: bytes, payload: bytes, token: int) -> None:
        """Send now if connected, and again after every reconnect until PUBACK."""
        packet_id = self._last_id % 0xFFFF + 1
        while packet_id in self._outstanding:
            packet_id = packet_id % 0xFFFF + 1
        self._last_id = packet_id
        packet = publish_packet(topic, payload, packet_id)
        self._outstanding[packet_id] = (token, packet)
        if self.up.is_set() and self._transport is not None:
            self._transport.write(packet)

    async def _keep_up(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            self._lost.clear()
            with contextlib.suppress(OSError, TimeoutError):
                patience_s = CALLING_CONNECT_WITHIN_S if self._outstanding else CONNECT_WITHIN_S
                async with asyncio.timeout(patience_s):
                    await loop.create_connection(lambda: self, self._login.host, self._login.port)
                    await _first(self.up, self._lost)
                while not self._lost.is_set():
                    failures = 0
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(KEEPALIVE_S / 2):
                            await self._lost.wait()
                    self._write(b"\xc0\x00")
            self.up.clear()
            if self._transport is not None:
                self._transport.abort()
                self._transport = None
            await asyncio.sleep(self._pause_s(failures))
            failures += 1

    def _pause_s(self, failures: int) -> float:
        if self._patient:
            return pause_s(failures, self._chance.random(), calling=bool(self._outstanding))
        return min(FIRST_BACKOFF_S * 2.0 ** min(failures, 16), LONGEST_BACKOFF_S)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer.clear()
        login = self._login
        flags = 0xC2 if self._clean else 0xC0
        body = b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, KEEPALIVE_S)
        for text in (login.device_id, login.device_id, login.secret):
            body += len(text).to_bytes(2, "big") + text.encode()
        transport.write(b"\x10" + _length(len(body)) + body)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is cut; `_keep_up` makes another."""
        del exc
        self.up.clear()
        self._lost.set()

    def data_received(self, data: bytes) -> None:
        """Take whole packets off the front."""
        at_s = time.monotonic()
        buffer = self._buffer
        buffer += data
        start = 0
        while (packet := _packet_at(buffer, start)) is not None:
            begin, end = packet
            self._packet(buffer[start], bytes(buffer[begin:end]), at_s)
            start = end
        del buffer[:start]

    def _packet(self, first: int, body: bytes, at_s: float) -> None:
        kind = first >> 4
        if kind == _PUBACK:
            entry = self._outstanding.pop(int.from_bytes(body[:2], "big"), None)
            if entry is not None:
                self._on_puback(entry[0], at_s)
        elif kind == _PUBLISH:
            self._received(first, body, at_s)
        elif kind == _CONNACK:
            if body[1] != 0:
                self._lost.set()
                return
            self._connected()

    def _connected(self) -> None:
        self.connections += 1
        if self._subscribe is not None:
            topic = self._subscribe.encode()
            body = b"\x00\x01" + len(topic).to_bytes(2, "big") + topic + bytes([self._command_qos])
            self._write(b"\x82" + _length(len(body)) + body)
        for _, packet in self._outstanding.values():
            packet[0] |= _DUPLICATE
            self._write(packet)
        self.up.set()

    def _received(self, first: int, body: bytes, at_s: float) -> None:
        size = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
        if first & 0x06:
            self._write(b"\x40\x02" + rest[:2])
            rest = rest[2:]
        if self._on_message is not None:
            self._on_message(topic, rest, at_s)

    def _write(self, packet: bytes | bytearray) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(packet)


def _length(number: int) -> bytes:
    """MQTT's variable length."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def _packet_at(buffer: bytearray, start: int) -> tuple[int, int] | None:
    """Where the body of the packet at `start` begins and ends; None if it is not all here."""
    length, shift, at = 0, 0, start + 1
    while True:
        if at >= len(buffer):
            return None
        digit = buffer[at]
        at += 1
        length |= (digit & 0x7F) << shift
        if not digit & 0x80:
            break
        shift += 7
    return (at, at + length) if at + length <= len(buffer) else None


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
