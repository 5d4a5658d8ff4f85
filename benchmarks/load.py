"""Telemetry at a steady rate, from a process of its own so that nothing else is measured slower.

`python -m benchmarks.load` reads the devices from the first line of its input and a rate (messages
a second) from every further one. At the end of its input it waits for the last PUBACKs and writes
the key of every message that was answered, so that each can be looked for in the database.
"""

import array
import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from benchmarks.harness import Button, say
from benchmarks.wire import DeviceLine, Login
from hub.embedded.process import tie_to_us
from schemas.identity import message_key

MEASURES = ("heart_rate_per_min", "respiratory_rate_per_min")
"""What a care bed measures: one message, two rows."""
TICK_S = 0.02
LAST_PUBACKS_WITHIN_S = 60.0
OUTSTANDING_MAX = 20_000
"""The broker answers in milliseconds; beyond this we are the ones who are late."""

_SAMPLES = ",".join(f'{{"measure":"{measure}","value":%d}}' for measure in MEASURES)
_PAYLOAD = '{"samples":[' + _SAMPLES + '],"message_id":"%d","observed_at":%d}'


class Source(msgspec.Struct, frozen=True):
    """A device that sends telemetry."""

    host: str
    port: int
    device_id: str
    secret: str
    topic: str


class Report(msgspec.Struct, frozen=True):
    """What the generator says in the end."""

    published: int
    acknowledged: int
    behind: int
    """Messages that were due and never sent, because we were late or too much was unanswered."""


class _Generator:
    def __init__(self, sources: list[Source]) -> None:
        self._topics = [source.topic for source in sources]
        self._lines = [
            DeviceLine(
                Login(source.host, source.port, source.device_id, source.secret),
                on_puback=self._answered,
            )
            for source in sources
        ]
        self._keys = array.array("q")
        self._answered_flags = bytearray()
        self._acknowledged = 0
        self._behind = 0
        self.rate = 0.0

    async def run(self, until: asyncio.Event, keys: Path) -> Report:
        for number, line in enumerate(self._lines):
            line.start()
            if number % 10 == 9:
                await asyncio.sleep(0.05)
        await self._publish_until(until)
        deadline_s = time.monotonic() + LAST_PUBACKS_WITHIN_S
        while self._acknowledged < len(self._keys) and time.monotonic() < deadline_s:  # noqa: ASYNC110 - outside this process
            await asyncio.sleep(0.05)
        flags = self._answered_flags
        kept = array.array("q", (k for k, flag in zip(self._keys, flags, strict=True) if flag))
        await asyncio.to_thread(keys.write_bytes, kept.tobytes())
        for line in self._lines:
            await line.close()
        return Report(len(self._keys), self._acknowledged, self._behind)

    async def _publish_until(self, until: asyncio.Event) -> None:
        last_s = time.monotonic()
        owed = 0.0
        while not until.is_set():
            await asyncio.sleep(TICK_S)
            now_s = time.monotonic()
            owed += min(now_s - last_s, 1.0) * self.rate
            last_s = now_s
            count = int(owed)
            owed -= count
            if len(self._keys) - self._acknowledged + count > OUTSTANDING_MAX:
                self._behind += count
                continue
            for _ in range(count):
                self._publish()

    def _publish(self) -> None:
        token = len(self._keys)
        index = token % len(self._lines)
        topic = self._topics[index]
        payload = (
            _PAYLOAD % (60 + token % 40, 12 + token % 8, token, time.time_ns() // 1_000_000)
        ).encode()
        self._keys.append(message_key(topic, payload))
        self._answered_flags.append(0)
        self._lines[index].publish(topic.encode(), payload, token)

    def _answered(self, token: int, at_s: float) -> None:
        del at_s
        if not self._answered_flags[token]:
            self._answered_flags[token] = 1
            self._acknowledged += 1


class Load:
    """The generator as a child of the measuring process."""

    def __init__(self, devices: list[Button], keys: Path) -> None:
        """`keys` is where the answered messages' keys will be."""
        self._keys = keys
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.load", str(keys)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0,
            preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509 - before any thread of ours
        )  # fmt: skip
        sources = [
            Source(d.login.host, d.login.port, d.id, d.login.secret, d.vitals_topic.decode())
            for d in devices
        ]
        self._say(sources)

    def set_rate(self, per_s: float) -> None:
        """From now on."""
        self._say(per_s)

    async def finish(self) -> tuple[Report, list[int]]:
        """Stop, wait for the last PUBACKs; the report and the key of every answered message."""
        said, _ = await asyncio.to_thread(
            self._process.communicate, timeout=LAST_PUBACKS_WITHIN_S + 30
        )
        kept = array.array("q")
        kept.frombytes(self._keys.read_bytes())
        return msgspec.json.decode(said, type=Report), kept.tolist()

    def end(self) -> None:
        """At once, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)

    def _say(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(what) + b"\n")
        self._process.stdin.flush()


async def _main(keys: Path) -> None:
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    sources = msgspec.json.decode(await reader.readline(), type=list[Source])
    generator = _Generator(sources)
    stop = asyncio.Event()
    running = asyncio.create_task(generator.run(stop, keys))
    while line := await reader.readline():
        generator.rate = msgspec.json.decode(line, type=float)
        say(f"telemetry: {generator.rate:.0f} messages/s from {len(sources)} devices")
    stop.set()
    report = await running
    os.write(1, msgspec.json.encode(report))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
