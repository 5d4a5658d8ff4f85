"""A dispatcher's desk in a storm, as a process of its own: ten thousand simulated devices in one
process with it would be what makes it late.

Reads where the hub is from the first line of standard input, listens to the feed until the second,
and prints what it heard, and when, as JSON.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from benchmarks.feed import Feed
from benchmarks.harness import Hub
from hub.embedded.process import tie_to_us

READY = b"ready\n"
READY_WITHIN_S = 30.0
LIMIT = 256 * 1024 * 1024
"""Bytes of the last word: four numbers for each of a city's incidents."""


@dataclass(slots=True)
class Desk:
    """What a dispatcher's page hears, by incident; `time.time`."""

    shown_at_s: dict[str, float] = field(default_factory=dict)
    """When it stood in the list, announced by the alarm lane before anything is recorded."""
    rung_at_s: dict[str, float] = field(default_factory=dict)
    """Its first ring."""
    last_at_s: dict[str, float] = field(default_factory=dict)
    """Its last ring."""
    longest_gap_s: dict[str, float] = field(default_factory=dict)
    """Between two rings."""
    rings: Counter[str] = field(default_factory=Counter)
    cuts: int = 0

    def watch(self, name: str, body: dict[str, Any]) -> None:
        """An event of the feed."""
        now_s = time.time()
        if name == "incident":
            self.shown_at_s.setdefault(body["incident"]["id"], now_s)
        elif name == "ring":
            incident_id = body["incident_id"]
            self.rung_at_s.setdefault(incident_id, now_s)
            if (last_s := self.last_at_s.get(incident_id)) is not None:
                gap_s = max(now_s - last_s, self.longest_gap_s.get(incident_id, 0.0))
                self.longest_gap_s[incident_id] = gap_s
            self.last_at_s[incident_id] = now_s
            self.rings[incident_id] += 1


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A hub that another process started."""

    url: str
    account: dict[str, str]

    def administrator(self) -> dict[str, str]:
        """What to log in with."""
        return self.account


@asynccontextmanager
async def listening(hub: Hub) -> AsyncIterator[Desk]:
    """A desk on the line; what it heard is there afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.storm_desk", limit=LIMIT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        preexec_fn=tie_to_us(signal.SIGKILL),
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    desk = Desk()
    try:
        process.stdin.write(json.dumps([hub.url, hub.administrator()]).encode() + b"\n")
        async with asyncio.timeout(READY_WITHIN_S):
            if await process.stdout.readline() != READY:
                raise ConnectionError("the desk hears nothing")
        yield desk
        process.stdin.write(b"\n")
        heard = msgspec.json.decode(await process.stdout.readline())
        for name, value in heard.items():
            setattr(desk, name, Counter(value) if name == "rings" else value)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def listen() -> None:
    """The process."""
    url, account = json.loads(await asyncio.to_thread(sys.stdin.readline))
    desk = Desk()
    feed = Feed(Elsewhere(url, account))
    feed.watch = desk.watch
    await feed.start()
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    await feed.stop()
    desk.cuts = feed.cuts
    sys.stdout.buffer.write(msgspec.json.encode(desk) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(listen())
