"""How many telemetry messages a second the hub takes in, all steps on, and what each costs.

Broker, database, hub and load share this machine. The hub, a consumer written by hand and a bare
probe take turns on the same broker and database, three rounds; medians count. The load is steered
so that the broker always has a little in store for its reader and never much more: what is
committed in the window is what can be sustained.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.bare_broker import BareBroker
from benchmarks.city import register_city
from benchmarks.harness import Hub, rss_mib, running_hub, say
from benchmarks.rivals import TABLES, Rival
from benchmarks.stream import Said, Stream
from hub.embedded.database import database_url
from schemas import topics

PEOPLE = 100_000
ROUNDS = 3
SETTLE_S = 12.0
WINDOW_S = 12.0
STEER_EVERY_S = 0.25
LOW_BACKLOG_S, HIGH_BACKLOG_S = 0.15, 0.35
"""Of work at the present rate: below, the reader may be waiting for us; above, we are ahead."""
DRAINED_WITHIN_S = 120.0
DEVICES_EACH = 2.1
"""Devices of a person, on average (benchmarks.city)."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who reads, where its messages and rows go, and the first guess at its rate."""

    name: str
    prefix: str
    table: str
    first_rate: float
    rows_each: bool
    """One row a value, not one a message."""


HUB = Contestant("hub", topics.PREFIX, "observation", 12_000, rows_each=True)
HANDWRITTEN = Contestant("handwritten", "hand/v1", "handwritten", 1_000, rows_each=True)
PROBE = Contestant("probe", "probe/v1", "probe", 25_000, rows_each=False)


@dataclass(slots=True)
class Window:
    """What was committed in one window."""

    per_s: float
    cpu_us: float = 0.0


class Bench:
    """One hub, one broker, the contestants in turn."""

    def __init__(self, hub: Hub, broker: BareBroker, people: int, window_s: float) -> None:
        self._hub = hub
        self._broker = broker
        self._people = people
        self._window_s = window_s
        self._before = 0
        """Rows of earlier rounds."""

    async def run(self, who: Contestant) -> Window:
        """One turn; raises AssertionError if a message that was answered is not stored."""
        self._before = await self._rows(who)
        stream = Stream(self._broker, self._people, who.prefix)
        rival = None
        if who is not HUB:
            rival = Rival(who.name, self._broker.url, database_url(self._hub.settings.data_dir),
                          who.prefix)  # fmt: skip
            await asyncio.sleep(3.0)
        try:
            rate = await self.steer(who, stream, who.first_rate, SETTLE_S)
            at_s, cpu_s, rows = time.monotonic(), self._cpu_s(), await self._rows(who)
            await self.steer(who, stream, rate, self._window_s)
            elapsed_s = time.monotonic() - at_s
            cpu_s, rows = self._cpu_s() - cpu_s, await self._rows(who) - rows
            said = await stream.finish()
            await self.drained(who, said)
        finally:
            stream.end()
            if rival is not None:
                rival.end()
        messages = rows * said.messages / said.rows if who.rows_each else rows
        window = Window(messages / elapsed_s, cpu_s / messages * 1e6)
        say(f"{who.name}: {window.per_s:.0f} messages/s, {window.cpu_us:.1f} us in ingest")
        return window

    async def steer(self, who: Contestant, stream: Stream, rate: float, seconds: float) -> float:
        """Let the load follow the reader for so long; the rate it has come to."""
        until_s = time.monotonic() + seconds
        while time.monotonic() < until_s:
            said = await asyncio.to_thread(stream.set_rate, rate)
            await asyncio.sleep(STEER_EVERY_S)
            waiting_s = await self._backlog(who, said) / rate
            if waiting_s < LOW_BACKLOG_S:
                rate *= 1.05
            elif waiting_s > HIGH_BACKLOG_S:
                rate *= 0.9
        return rate

    async def _backlog(self, who: Contestant, said: Said) -> float:
        """Messages that were published and are not committed."""
        if who is HANDWRITTEN:
            # aiomqtt answers what it has received and not looked at: the broker cannot tell.
            stored = await self._rows(who) - self._before
            return (said.rows - stored) * said.messages / max(said.rows, 1)
        subject = who.prefix.replace("/", ".")
        return await asyncio.to_thread(self._broker.backlog, subject)

    async def drained(self, who: Contestant, said: Said) -> None:
        """Wait until everything is stored. Raises AssertionError if it is not, or more is."""
        expected = said.rows if who.rows_each else said.messages
        assert said.acknowledged == said.messages, f"no PUBACK for some of {said}"
        deadline_s, stored = time.monotonic() + DRAINED_WITHIN_S, 0
        while time.monotonic() < deadline_s:
            stored = await self._rows(who) - self._before
            if stored >= expected:
                break
            await asyncio.sleep(0.5)
        assert stored == expected, f"{who.name}: {expected} values sent, {stored} stored"

    async def _rows(self, who: Contestant) -> int:
        def count() -> int:
            with self._hub.database() as connection:
                row = connection.execute(f"SELECT count(*) FROM {who.table}".encode()).fetchone()
            assert row is not None
            return int(row[0])

        return await asyncio.to_thread(count)

    def _cpu_s(self) -> float:
        """What the ingest process has used so far, both lanes."""
        pid = self._hub.pid_of("ingest")
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def known_city(hub: Hub, people: int) -> None:
    """Register everybody and let ingest start anew, so that it knows them."""
    with hub.database() as connection:
        devices = await asyncio.to_thread(register_city, connection, people)
    say(f"{people} people with {devices} devices are registered")
    hub.kill("ingest")
    await asyncio.sleep(1.0)
    await hub.until_ready()


async def everybody_spoke(hub: Hub, broker: BareBroker, people: int) -> None:
    """Every device has said something, as in a city on any day; all of it is stored."""
    bench = Bench(hub, broker, people, 0.0)
    stream = Stream(broker, people, topics.PREFIX)
    try:
        rate = HUB.first_rate
        said = await asyncio.to_thread(stream.set_rate, rate)
        while said.messages < people * DEVICES_EACH * 2:
            rate = await bench.steer(HUB, stream, rate, 1.0)
            said = await asyncio.to_thread(stream.set_rate, rate)
        await bench.drained(HUB, await stream.finish())
    finally:
        stream.end()
    say(f"every device has spoken: {said.messages} messages")


async def measure(people: int, rounds: int, window_s: float, *, keep: bool) -> dict[str, Any]:
    """All rounds on one hub; what `main` prints."""
    broker = BareBroker()
    broker.serve_hubs()
    windows: dict[str, list[Window]] = {"hub": [], "handwritten": [], "probe": []}
    try:
        async with running_hub(keep=keep) as hub:
            with hub.database() as connection:
                for create in TABLES.values():
                    connection.execute(create.encode())
            await known_city(hub, people)
            await everybody_spoke(hub, broker, people)
            bench = Bench(hub, broker, people, window_s)
            for _ in range(rounds):
                for who in (HUB, HANDWRITTEN, PROBE):
                    windows[who.name].append(await bench.run(who))
            pid = hub.pid_of("ingest")
            rss = rss_mib(pid) if pid else 0.0
    finally:
        broker.stop()
    rates = {
        name: round(statistics.median(w.per_s for w in each)) for name, each in windows.items()
    }
    return {
        "sustained_msgs_per_s": rates["hub"],
        "handwritten_msgs_per_s": rates["handwritten"],
        "probe_msgs_per_s": rates["probe"],
        "cpu_us_per_msg": round(statistics.median(w.cpu_us for w in windows["hub"]), 1),
        "rss_mib": round(rss, 1),
        "people": people,
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round, short windows")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"instead of {PEOPLE}")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    rounds, window_s = (1, 5.0) if given.quick else (ROUNDS, WINDOW_S)
    print(json.dumps(asyncio.run(measure(given.people, rounds, window_s, keep=given.keep))))


if __name__ == "__main__":
    main()
