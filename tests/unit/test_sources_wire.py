"""Between paho and the broker: messages are cut out of any chunks, everything else is paho's."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sources.wire import BrokenPacket, Wire

Message = tuple[bytes, bytes, int, int, bool, bool]


class Ends:
    """A wire with somebody at the broker's end."""

    def __init__(self) -> None:
        self.broker, ours = socket.socketpair()
        ours.setblocking(False)
        self.taken: list[Message] = []
        self.for_paho = bytearray()
        self.wire = Wire(ours, lambda *message: self.taken.append(message), self._others)

    def _others(self) -> None:
        while True:
            try:
                piece = self.wire.recv(3)
            except BlockingIOError:
                return
            if not piece:
                self.for_paho += b"<end>"
                return
            self.for_paho += piece

    def close(self) -> None:
        self.broker.close()
        self.wire.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    both = Ends()
    yield both
    both.close()


def packet(first: int, body: bytes) -> bytes:
    length, encoded = len(body), bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes((first,)) + bytes(encoded) + body


def publish(message: Message) -> bytes:
    topic, payload, packet_id, qos, duplicate, retained = message
    first = 0x30 | qos << 1 | duplicate << 3 | retained
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(first, len(topic).to_bytes(2, "big") + topic + number + payload)


MESSAGES = st.builds(
    lambda topic, payload, number, qos, dup, kept: (
        topic, payload, number if qos else 0, qos, dup, kept,
    ),
    st.binary(max_size=40), st.binary(max_size=200), st.integers(1, 65_535), st.integers(0, 1),
    st.booleans(), st.booleans(),
)  # fmt: skip


@given(
    messages=st.lists(st.one_of(MESSAGES, st.just(None)), max_size=8),
    sizes=st.lists(st.integers(1, 150), min_size=1, max_size=8),
)
def test_every_message_is_taken_once_whatever_the_chunks(
    messages: list[Message | None], sizes: list[int]
) -> None:
    both = Ends()
    pong = packet(0xD0, b"")
    sent = b"".join(pong if message is None else publish(message) for message in messages)
    turn = 0
    while sent:
        size = sizes[turn % len(sizes)]
        turn += 1
        both.broker.sendall(sent[:size])
        sent = sent[size:]
        both.wire.read()
    both.close()
    assert both.taken == [message for message in messages if message is not None]
    assert bytes(both.for_paho) == pong * messages.count(None)


def test_a_long_message_comes_in_many_chunks(ends: Ends) -> None:
    message = (b"t", b"x" * 300_000, 9, 1, False, False)
    sent = publish(message)
    while sent:
        part, sent = sent[:50_000], sent[50_000:]
        ends.broker.sendall(part)
        while ends.wire.read():
            pass
    assert ends.taken == [message]


@pytest.mark.parametrize(
    "packets",
    [
        packet(0x32, b"\0\x09short"), packet(0x30, b"\0"), packet(0x34, b"\0\1t\0\1"),
        b"\x30" + b"\xff" * 5,
    ],
    ids=["topic beyond the packet", "no topic", "QoS 2", "length of five bytes"],
)  # fmt: skip
def test_what_is_no_packet_ends_the_connection(ends: Ends, packets: bytes) -> None:
    ends.broker.sendall(packets)
    with pytest.raises(BrokenPacket):
        ends.wire.read()


def test_pubacks_and_paho_share_the_line_in_order(ends: Ends) -> None:
    ends.wire.send(b"subscribe")
    ends.wire.acknowledge([1, 770])
    assert ends.wire.flush() is False
    assert ends.broker.recv(100) == b"subscribe" + b"\x40\2\0\1" + b"\x40\2\3\2"


def test_a_slow_broker_gets_the_rest_later(ends: Ends) -> None:
    ends.wire.send(b"x" * 5_000_000)
    assert ends.wire.flush() is True
    received = 0
    while received < 5_000_000:
        received += len(ends.broker.recv(1 << 20))
        ends.wire.flush()
    assert ends.wire.flush() is False


def test_paho_is_told_when_the_broker_hangs_up(ends: Ends) -> None:
    ends.broker.close()
    ends.wire.read()
    assert ends.for_paho == b"<end>"
