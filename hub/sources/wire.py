"""The socket between paho and the broker, where what comes by the thousand is taken off at once.

paho reads a packet in five calls and handles it in some fifty: 20 microseconds each, two thirds of
what a telemetry message may cost. So this stands in paho's place at the socket: PUBLISH packets
are cut out of large chunks and never reach paho, PUBACKs are written many at a time; all else (the
session, subscriptions, keepalive, own publishes) is paho's as ever.
"""

import socket
import ssl
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from paho.mqtt.client import Client

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike

CHUNK_BYTES = 64 * 1024
"""Read at once: some 300 messages, a millisecond of work before the loop looks after others."""

_PUBLISH, _PUBACK = 0x30, 0x40
_KIND, _DUPLICATE, _QOS, _RETAIN = 0xF0, 0x08, 0x06, 0x01
_QOS_1 = 0x02

_puback = Struct(">HH").pack

TakeMessage = Callable[[bytes, bytes, int, int, bool, bool], None]
"""Topic, payload, packet id, QoS, duplicate, retained."""


class BrokenPacket(Exception):
    """The broker sent something that is no packet of MQTT 3.1.1."""


class Wire:
    """A connected socket; for paho it looks like one (`SocketLike`)."""

    def __init__(self, sock: socket.socket, take: TakeMessage, others: Callable[[], None]) -> None:
        """`take` is given each message; `others` is called when there is a packet for paho."""
        self._socket = sock
        self._take = take
        self._others = others
        self._unread = bytearray()
        self._wanted = 2
        self._for_paho = bytearray()
        self._to_send = bytearray()
        self._ended = False

    @property
    def encrypted(self) -> bool:
        """Whether bytes may wait in the TLS layer, where no readiness event tells of them."""
        return isinstance(self._socket, ssl.SSLSocket)

    def recv(self, buffer_size: int) -> bytes:
        """For paho: bytes of packets that are not messages."""
        taken = bytes(self._for_paho[:buffer_size])
        if not taken and not self._ended:
            raise BlockingIOError
        del self._for_paho[:buffer_size]
        return taken

    def send(self, buffer: bytes | bytearray) -> int:
        """For paho: taken whole; sent by `flush`."""
        self._to_send += buffer
        return len(buffer)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """The socket's descriptor; -1 when it is closed."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """As a socket's."""
        self._socket.setblocking(flag)

    def acknowledge(self, packet_ids: list[int]) -> None:
        """PUBACKs for messages at QoS 1; sent by `flush`."""
        self._to_send += b"".join([_puback(_PUBACK << 8 | 2, number) for number in packet_ids])

    def flush(self) -> bool:
        """Send what there is to send; whether some of it must wait. Raises OSError."""
        while self._to_send:
            try:
                sent = self._socket.send(self._to_send)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return True
            del self._to_send[:sent]
        return False

    def read(self) -> bool:
        """Take one chunk off the socket and hand on what is in it; whether there was anything.
        Raises OSError or BrokenPacket; after the broker has hung up, paho is told."""
        try:
            chunk = self._socket.recv(CHUNK_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if not chunk:
            self._ended = True
            self._others()
            return False
        if not self._unread:
            rest = self._cut(chunk)
        else:
            self._unread += chunk
            if len(self._unread) < self._wanted:
                return True
            rest = self._cut(bytes(self._unread))
        self._unread = bytearray(rest)
        return True

    def _cut(self, data: bytes) -> bytes:
        """Hand on every whole packet; what is left of the last one."""
        start, end = 0, len(data)
        take = self._take
        self._wanted = 2
        while end - start >= 2:
            first, length, body = data[start], data[start + 1], start + 2
            if length & 0x80:
                more = data[start + 2] if end - start > 2 else 0x80
                if more < 0x80:  # two bytes: what nearly every message takes
                    length, body = length & 0x7F | more << 7, start + 3
                elif (found := _long_length(data, start)) is not None:
                    length, body = found
                else:
                    break
            stop = body + length
            if stop > end:
                self._wanted = stop - start
                break
            if first & _KIND != _PUBLISH:
                self._for_paho += data[start:stop]
                self._others()
            else:
                at = body + 2 + (data[body] << 8 | data[body + 1]) if length >= 2 else stop + 1
                qos = first & _QOS
                payload = at + 2 if qos else at
                if payload > stop or qos > _QOS_1:
                    raise BrokenPacket
                packet_id = data[at] << 8 | data[at + 1] if qos else 0
                take(
                    data[body + 2 : at],
                    data[payload:stop],
                    packet_id,
                    qos >> 1,
                    bool(first & _DUPLICATE),
                    bool(first & _RETAIN),
                )
            start = stop
        return data[start:]


class WiredClient(Client):
    """paho's client on a wire of ours."""

    wire_up: Callable[[socket.socket], Wire]

    def encrypt(self, context: ssl.SSLContext | None) -> None:
        """How the next connection is encrypted; None: not. (paho's own may be said once only.)"""
        self._ssl, self._ssl_context = context is not None, context
        self._tls_insecure = context is not None and not context.check_hostname

    def _create_socket(self) -> "SocketLike":
        return self.wire_up(super()._create_socket())  # type: ignore[arg-type]


def _long_length(data: bytes, start: int) -> tuple[int, int] | None:
    """A remaining length of several bytes, and where the body begins; None: not all here yet."""
    length = 0
    for index in range(4):
        at = start + 1 + index
        if at >= len(data):
            return None
        length |= (data[at] & 0x7F) << 7 * index
        if not data[at] & 0x80:
            return length, at + 1
    raise BrokenPacket
