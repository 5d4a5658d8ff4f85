"""A city's telemetry at a wished rate, from a process of its own, on a few connections.

`python -m benchmarks.stream HOST PORT PEOPLE PREFIX` reads a rate (messages a second) from every
line of its input, and answers with how many messages it has published and how many observations
they hold; at the end of its input once more, after the last PUBACK.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from typing import cast

import msgspec

from benchmarks.bare_broker import PASSWORD, USER, BareBroker
from benchmarks.city import Speech
from hub.embedded.process import tie_to_us

TICK_S = 0.02
LINES = 2
OUTSTANDING_MAX = 30_000
"""PUBACKs we wait for on one connection; packet ids end at 65,535."""
LAST_PUBACKS_WITHIN_S = 60.0


class Said(msgspec.Struct, frozen=True):
    """What was published."""

    messages: int
    rows: int
    acknowledged: int


class _Line(asyncio.Protocol):
    """One connection that only publishes at QoS 1 and counts PUBACKs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._packet_id = 0
        self._sent = 0
        self.acknowledged = 0
        self._spare = 0
        self.up = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        self._transport = cast("asyncio.Transport", transport)
        body = b"\0\4MQTT\4\xc2\0\0"
        for text in (self._name, USER, PASSWORD):
            body += len(text).to_bytes(2, "big") + text.encode()
        self._transport.write(bytes((0x10, len(body))) + body)

    def data_received(self, data: bytes) -> None:
        """CONNACK first, then nothing but PUBACKs; four bytes each."""
        whole, self._spare = divmod(self._spare + len(data), 4)
        if not self.up.is_set():
            self.up.set()
            whole -= 1
        self.acknowledged += whole

    @property
    def outstanding(self) -> int:
        """Publishes without PUBACK."""
        return self._sent - self.acknowledged

    def publish(self, messages: list[tuple[bytes, bytes]]) -> None:
        """All of them in one write."""
        parts: list[bytes] = []
        number = self._packet_id
        for topic, payload in messages:
            number = number % 0xFFFF + 1
            length = 4 + len(topic) + len(payload)
            head = bytes((0x32, length)) if length < 128 else _two_byte_head(length)
            parts += (
                head, len(topic).to_bytes(2, "big"), topic, number.to_bytes(2, "big"), payload,
            )  # fmt: skip
        self._packet_id = number
        self._sent += len(messages)
        self._transport.write(b"".join(parts))

    def close(self) -> None:
        """Hang up."""
        self._transport.write(b"\xe0\0")
        self._transport.close()


def _two_byte_head(length: int) -> bytes:
    return bytes((0x32, length & 0x7F | 0x80, length >> 7))


class Stream:
    """The generator as a child of the measuring process."""

    def __init__(self, broker: BareBroker, people: int, prefix: str) -> None:
        """Nothing is sent before a rate is set."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.stream", "127.0.0.1", str(broker.port), str(people),
             prefix],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
            preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509 - before any thread of ours
        )  # fmt: skip

    def set_rate(self, per_s: float) -> Said:
        """From now on; what was published up to now."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(per_s) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Said)

    async def finish(self) -> Said:
        """Stop, wait for the last PUBACKs."""
        said, _ = await asyncio.to_thread(
            self._process.communicate, timeout=LAST_PUBACKS_WITHIN_S + 30
        )
        return msgspec.json.decode(said, type=Said)

    def end(self) -> None:
        """At once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


class _Speaker:
    """Publishes what is due, twenty milliseconds' worth at a time."""

    def __init__(self, speech: Speech, lines: list[_Line]) -> None:
        self.speech = speech
        self._lines = lines
        self.rate = 0.0
        self.published = 0

    async def run(self, stop: asyncio.Event) -> None:
        last_s, owed = time.monotonic(), 0.0
        while not stop.is_set():
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            owed += min(now_s - last_s, 0.2) * self.rate
            last_s = now_s
            now_ms = time.time_ns() // 1_000_000
            share, owed = int(owed) // len(self._lines), owed % len(self._lines)
            for line in self._lines:
                if share and line.outstanding + share < OUTSTANDING_MAX:
                    line.publish([self.speech.next(now_ms) for _ in range(share)])
                    self.published += share

    @property
    def acknowledged(self) -> int:
        return sum(line.acknowledged for line in self._lines)

    def tell(self) -> None:
        said = Said(self.published, self.speech.rows, self.acknowledged)
        os.write(1, msgspec.json.encode(said) + b"\n")


async def _main(host: str, port: int, people: int, prefix: str) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    lines = [_Line(f"stream-{prefix.replace('/', '-')}-{n}-{os.getpid()}") for n in range(LINES)]
    for line in lines:
        await loop.create_connection(lambda line=line: line, host, port)  # type: ignore[misc]
        await line.up.wait()
    speaker = _Speaker(Speech(people, prefix), lines)
    stop = asyncio.Event()
    running = asyncio.create_task(speaker.run(stop))
    while wished := await reader.readline():
        speaker.rate = msgspec.json.decode(wished, type=float)
        speaker.tell()
    stop.set()
    await running
    deadline_s = time.monotonic() + LAST_PUBACKS_WITHIN_S
    while speaker.acknowledged < speaker.published and time.monotonic() < deadline_s:  # noqa: ASYNC110 - outside this process
        await asyncio.sleep(0.05)
    for line in lines:
        line.close()
    speaker.tell()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
