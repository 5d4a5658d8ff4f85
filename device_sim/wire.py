"""MQTT 3.1.1 as far as a device needs it: packets to bytes and back, without a socket.

A client library keeps threads, queues and locks for each client; a city of devices in one process
can afford none of them (docs/adr/0019). Section numbers are those of the OASIS standard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

MAX_PACKET_BYTES = 128 * 1024
"""Ours: twice the contract's largest payload; a broker that sends more has lost its way."""

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"

_DUPLICATE = 0x08
_QOS_1 = 0x02
_QOS_BITS = 0x06
_LENGTH_BYTES_MAX = 4  # 2.2.3


class PacketKind(IntEnum):
    """What the broker may send us (2.2.1)."""

    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBACK = 9
    PINGRESP = 13


REFUSALS = {
    1: "unacceptable protocol version",
    2: "identifier rejected",
    3: "server unavailable",
    4: "bad user name or password",
    5: "not authorised",
}
"""Return codes of CONNACK (3.2.2.3)."""


SUBSCRIPTION_REFUSED = b"\x80"
"""Return code of SUBACK (3.9.3)."""


class WireError(Exception):
    """The broker sent something that is not MQTT 3.1.1."""


@dataclass(frozen=True, slots=True)
class Received:
    """A PUBLISH that came to us; `packet_id` None: it wants no PUBACK."""

    topic: str
    payload: bytes
    packet_id: int | None


def connect(
    client_id: str,
    user: str,
    secret: str,
    *,
    keepalive_s: int,
    clean: bool,
    will: tuple[str, bytes] | None = None,
) -> bytes:
    """CONNECT (3.1) with user name and password; `will` is topic and payload, at QoS 1."""
    flags = 0xC0 | (0x02 if clean else 0x00)
    body = [_text(client_id)]
    if will is not None:
        flags |= 0x04 | 0x08  # a will, at QoS 1
        topic, payload = will
        body += [_text(topic), len(payload).to_bytes(2, "big"), payload]
    body += [_text(user), _text(secret)]
    head = b"\x00\x04MQTT\x04" + bytes([flags]) + keepalive_s.to_bytes(2, "big")
    return _packet(0x10, head + b"".join(body))


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    """SUBSCRIBE (3.8) at QoS 1."""
    return _packet(0x82, packet_id.to_bytes(2, "big") + _text(topic_filter) + b"\x01")


def publish(topic: str, payload: bytes, packet_id: int, *, duplicate: bool = False) -> bytes:
    """PUBLISH (3.3) at QoS 1; `duplicate` marks that it was sent before (3.3.1.1).

    >>> publish("a/b", b"{}", 7).hex()
    '32090003612f6200077b7d'
    """
    first = 0x30 | _QOS_1 | (_DUPLICATE if duplicate else 0)
    return _packet(first, _text(topic) + packet_id.to_bytes(2, "big") + payload)


def puback(packet_id: int) -> bytes:
    """PUBACK (3.4)."""
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def read_publish(flags: int, body: bytes) -> Received:
    """Read a PUBLISH. Raises `WireError`."""
    end = 2 + int.from_bytes(body[:2], "big")
    try:
        topic = body[2:end].decode()
    except UnicodeDecodeError:
        raise WireError("a topic that is no text") from None
    if not flags & _QOS_BITS:
        return Received(topic, body[end:], None)
    if len(body) < end + 2:
        raise WireError("a PUBLISH that ends early")
    return Received(topic, body[end + 2 :], int.from_bytes(body[end : end + 2], "big"))


class Splitter:
    """Cuts what the socket gave into packets; keeps the rest for the next time."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, arrived: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Kind, flags and body of every packet that is complete. Raises `WireError`."""
        buffer = self._rest + arrived if self._rest else arrived
        start = 0
        try:
            while (found := _body_at(buffer, start)) is not None:
                begin, end = found
                first = buffer[start]
                start = end
                yield first >> 4, first & 0x0F, buffer[begin:end]
        finally:
            self._rest = buffer[start:]

    def forget(self) -> None:
        """A new connection begins."""
        self._rest = b""


def _text(value: str) -> bytes:
    encoded = value.encode()
    return len(encoded).to_bytes(2, "big") + encoded


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length(len(body)) + body


def _length(number: int) -> bytes:
    """The variable length (2.2.3)."""
    encoded = bytearray()
    while True:
        number, digit = divmod(number, 128)
        encoded.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(encoded)


def _body_at(buffer: bytes, start: int) -> tuple[int, int] | None:
    """Where the body of the packet at `start` begins and ends; None: not all of it is here."""
    length = 0
    for place in range(_LENGTH_BYTES_MAX):
        at = start + 1 + place
        if at >= len(buffer):
            return None
        length |= (buffer[at] & 0x7F) << (7 * place)
        if not buffer[at] & 0x80:
            if length > MAX_PACKET_BYTES:
                raise WireError(f"a packet of {length} bytes")
            return (at + 1, at + 1 + length) if at + 1 + length <= len(buffer) else None
    raise WireError("a length of more than four bytes")
