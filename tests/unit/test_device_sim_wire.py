"""MQTT 3.1.1 as simulated devices speak it: against an independent reading of the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim import wire
from device_sim.wire import PacketKind

TOPICS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-/", min_size=1, max_size=80)


def test_connect_is_what_the_standard_says() -> None:
    packet = wire.connect("dev", "dev", "pw", keepalive_s=60, clean=False, will=("a/b", b'{"s":1}'))
    assert packet[0] == 0x10
    assert packet[1] == len(packet) - 2
    assert packet[2:9] == b"\x00\x04MQTT\x04"
    # user name, password, will at QoS 1, no retain, a persistent session (3.1.2.3)
    assert packet[9] == 0b1100_1100
    assert packet[10:12] == (60).to_bytes(2, "big")
    assert packet[12:] == b"\x00\x03dev\x00\x03a/b\x00\x07" + b'{"s":1}' + b"\x00\x03dev\x00\x02pw"
    clean = wire.connect("dev", "dev", "pw", keepalive_s=60, clean=True)
    assert clean[9] == 0b1100_0010


@given(TOPICS, st.binary(max_size=300), st.integers(1, 0xFFFF), st.booleans())
def test_what_is_published_reads_back(
    topic: str, payload: bytes, packet_id: int, duplicate: bool
) -> None:
    packet = wire.publish(topic, payload, packet_id, duplicate=duplicate)
    ((kind, flags, body),) = wire.Splitter().feed(packet)
    assert kind == PacketKind.PUBLISH
    assert bool(flags & 0x08) is duplicate
    assert wire.read_publish(flags, body) == wire.Received(topic, payload, packet_id)


@given(st.lists(st.binary(max_size=400), max_size=8), st.lists(st.integers(1, 50), max_size=60))
def test_packets_survive_any_cutting(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(wire.publish("t", payload, 1) for payload in payloads)
    splitter, found, start = wire.Splitter(), [], 0
    for size in [*cuts, len(stream)]:
        for _, flags, body in splitter.feed(stream[start : start + size]):
            found.append(wire.read_publish(flags, body).payload)
        start += size
    assert found == payloads


@pytest.mark.parametrize("rubbish", [b"\x30\xff\xff\xff\xff\x01", b"\x30\xff\xff\x7f"])
def test_rubbish_is_refused_and_not_waited_for(rubbish: bytes) -> None:
    with pytest.raises(wire.WireError):
        list(wire.Splitter().feed(rubbish))
    with pytest.raises(wire.WireError):
        wire.read_publish(0x02, b"\x00\x01t\x00")
    with pytest.raises(wire.WireError):
        wire.read_publish(0x00, b"\x00\x01\xff")
