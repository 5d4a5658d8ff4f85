"""kill -9 of ingest in a city of 100,000: how soon is it whole again, and does it repeat itself?

Every device has spoken, so the detectors have their states; some batteries are empty, so findings
are open. Ready means: a fresh telemetry message is in the table and a fresh press on the desk.
Afterwards the same devices say the same again, and nothing may be found or raised a second time of
the same person, home, device or area. What is found for the first time is told, not counted: a city
that says no more is silent some minutes later.
"""

import argparse
import asyncio
import json
import os
import signal
import time
from collections import Counter
from typing import Any

import psycopg

from benchmarks.backlog import buttons_of
from benchmarks.bare_broker import BareBroker
from benchmarks.feed import Feed
from benchmarks.harness import Button, Hub, running_hub, say
from benchmarks.ingest import known_city
from benchmarks.ledger import Ledger
from benchmarks.stream import Said, Stream
from benchmarks.wire import DeviceLine, Login
from schemas import topics

PEOPLE = 100_000
RATE_PER_S = 12_000
TURNS = 2
"""Messages of every device before the kill."""
EMPTY_BATTERIES = 100
READY_WITHIN_S = 120.0
A_SECOND_S = 1.1
"""Of two percentages within one second the first counts; the city has only just stopped talking."""
LOOK_EVERY_S = 0.05
SPEAKS_AGAIN_S = 5.0
ROUND_S = 70.0
"""A round of checkpoints, and a little."""


Found = Counter[tuple[str, str, str]]
"""How often by table, kind and subject."""


class Restart:
    """One hub whose ingest is killed once."""

    def __init__(self, hub: Hub, broker: BareBroker, ledger: Ledger, feed: Feed) -> None:
        self._hub = hub
        self._broker = broker
        self._ledger = ledger
        self._feed = feed
        self._line = DeviceLine(
            Login("127.0.0.1", broker.port, "restart-voice", ""), on_puback=lambda *_: None
        )
        self._spoken = 0

    async def run(self, people: int, round_s: float) -> dict[str, Any]:
        """The figures of one kill."""
        self._line.start()
        await self._line.up.wait()
        before = await asyncio.to_thread(self._values, "observation")
        said = await self._everybody_speaks(people)
        await self._stored(before + said.rows)
        await asyncio.sleep(A_SECOND_S)
        self._complain()
        await self._stored(before + said.rows + EMPTY_BATTERIES * 3)
        say("every device has spoken; a round of checkpoints")
        await asyncio.sleep(round_s)
        found = await asyncio.to_thread(self._found)
        say(f"{dict(_by_kind(found))}; kill -9")
        pid = self._hub.pid_of("ingest")
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        killed_s = time.monotonic()
        ready_s = await self._ready(killed_s)
        presses = len(self._ledger.presses)
        self._complain()
        await asyncio.sleep(SPEAKS_AGAIN_S)
        again = await asyncio.to_thread(self._found)
        empty = sum(count for (table, kind, _), count in found.items()
                    if (table, kind) == ("alarm", "battery_empty"))  # fmt: skip
        assert empty >= EMPTY_BATTERIES, "nothing was found that could be repeated"
        since = again - found
        if since:
            say(f"since the kill: {dict(_by_kind(since))}")
        await self._line.close()
        return {
            "people": people,
            "ready_s": round(ready_s, 2),
            "repeated": sum(n for what, n in since.items() if what in found or n > 1),
            "findings_open": empty,
            "presses": presses,
        }

    async def _everybody_speaks(self, people: int) -> Said:
        stream = Stream(self._broker, people, topics.PREFIX)
        try:
            said = await asyncio.to_thread(stream.set_rate, RATE_PER_S)
            while said.messages < people * TURNS * 2:
                await asyncio.sleep(0.5)
                said = await asyncio.to_thread(stream.set_rate, RATE_PER_S)
            return await stream.finish()
        finally:
            stream.end()

    def _complain(self) -> None:
        """The same wristbands say the same, at another time."""
        for number in range(EMPTY_BATTERIES):
            prefix = topics.device_prefix("city", f"home-{number}", f"band-{number}")
            self._say(prefix, {"battery_percent": 3, "signal_dbm": -70})

    def _say(self, prefix: str, content: dict[str, Any]) -> int:
        """Returns when it was observed, milliseconds since 1970."""
        self._spoken += 1
        topic = topics.up(prefix, topics.Lane.TELEMETRY, "status")
        now_ms = time.time_ns() // 1_000_000
        message = content | {"message_id": f"voice-{self._spoken}", "observed_at": now_ms}
        self._line.publish(topic.encode(), json.dumps(message).encode(), self._spoken)
        return now_ms

    async def _ready(self, killed_s: float) -> float:
        """Until a message said now is stored, and a press made now is on the desk."""
        button: Button = self._ledger.buttons[0]
        press = self._ledger.press(button)
        prefix = topics.device_prefix("city", "home-0", "band-0")
        said_ms = self._say(prefix, {"battery_percent": 3, "signal_dbm": -70})
        with self._hub.database() as connection:
            while time.monotonic() - killed_s < READY_WITHIN_S:
                stored = await asyncio.to_thread(_is_stored, connection, "band-0", said_ms)
                if stored and press.key in self._feed.shown_at_s:
                    return time.monotonic() - killed_s
                await asyncio.sleep(LOOK_EVERY_S)
        raise TimeoutError("ingest is not back")

    async def _stored(self, expected: int) -> None:
        while await asyncio.to_thread(self._values, "observation") < expected:  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.5)

    def _values(self, table: str) -> int:
        with self._hub.database() as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def _found(self) -> Found:
        """Alarms that detectors raised, and incidents opened for them. A press is none of them, nor
        what the hub says of itself: that it was away is true, and new."""
        found: Found = Counter()
        with self._hub.database() as connection:
            for table in ("alarm", "incident"):
                rows = connection.execute(
                    "SELECT kind, subject_kind || ' ' || subject_id, count(*)"
                    f" FROM {table} WHERE kind <> 'press' AND subject_kind <> 'hub'"
                    " GROUP BY 1, 2".encode()
                ).fetchall()
                found.update({(table, kind, subject): count for kind, subject, count in rows})
        return found


def _by_kind(found: Found) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for (table, kind, _), count in found.items():
        kinds[f"{table} {kind}"] += count
    return kinds


def _is_stored(connection: psycopg.Connection[Any], device_id: str, observed_ms: int) -> bool:
    row = connection.execute(
        "SELECT FROM observation WHERE device_id = %s AND observed_at = to_timestamp(%s / 1000.0)"
        " LIMIT 1",
        (device_id, observed_ms),
    ).fetchone()
    return row is not None


async def measure(people: int, round_s: float, *, keep: bool) -> dict[str, Any]:
    """What `main` prints."""
    broker = BareBroker()
    broker.serve_hubs()
    try:
        async with running_hub(keep=keep) as hub:
            buttons = await asyncio.to_thread(buttons_of, hub, broker)
            await known_city(hub, people)
            ledger, feed = Ledger(buttons), Feed(hub)
            try:
                await ledger.connect()
                await feed.start()
                return await Restart(hub, broker, ledger, feed).run(people, round_s)
            finally:
                await feed.stop()
                await ledger.close()
    finally:
        broker.stop()


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the people")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"instead of {PEOPLE}")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    people, round_s = (given.people // 10, 10.0) if given.quick else (given.people, ROUND_S)
    print(json.dumps(asyncio.run(measure(people, round_s, keep=given.keep))))


if __name__ == "__main__":
    main()
