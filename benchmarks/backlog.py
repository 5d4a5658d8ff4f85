"""An outage is over: telemetry waits in the broker, and somebody presses.

Ingest is stopped (SIGSTOP) while a city's messages arrive, then goes on. Measured from there: until
the last of them is in the table, and meanwhile every fresh press until it shows on the desk.
"""

import argparse
import asyncio
import json
import os
import signal
import time
from typing import Any

from benchmarks.bare_broker import BareBroker
from benchmarks.feed import Feed
from benchmarks.harness import Button, Hub, percentile, running_hub, say
from benchmarks.ingest import everybody_spoke, known_city
from benchmarks.ledger import Ledger, Press
from benchmarks.stream import Stream
from benchmarks.wire import Login
from hub.embedded.database import database_url
from hub.provision import provision_homes
from schemas import topics
from schemas.vocabulary import DeviceKind

MESSAGES = 60_000
PEOPLE = 20_000
BUTTONS = 20
PRESS_EVERY_S = 0.05
PRESSES = 100
"""At least, also where the backlog is gone before."""
RATE_PER_S = 25_000
LOOK_EVERY_S = 0.2
DRAINED_WITHIN_S = 120.0
SHOWN_WITHIN_S = 15.0


def buttons_of(hub: Hub, broker: BareBroker) -> list[Button]:
    """Registered buttons that connect to the bare broker."""
    made = provision_homes(
        database_url(hub.settings.data_dir), hub.settings, BUTTONS, prefix="press",
        kinds=(DeviceKind.BUTTON,),
    )  # fmt: skip
    return [
        Button(
            Login("127.0.0.1", broker.port, device["id"], device["secret"]),
            topics.device_prefix(home["area_id"], home["premises_id"], device["id"]),
            device["kind"],
        )
        for home in made.homes
        for device in home["devices"]
    ]


class Backlog:
    """One hub whose ingest is held back for a while."""

    def __init__(self, hub: Hub, broker: BareBroker, ledger: Ledger, feed: Feed) -> None:
        self._hub = hub
        self._broker = broker
        self._ledger = ledger
        self._feed = feed
        self._stored_at_s = 0.0

    async def run(self, people: int, messages: int) -> dict[str, Any]:
        """The figures of one outage."""
        pid = self._hub.pid_of("ingest")
        assert pid is not None
        stream = Stream(self._broker, people, topics.PREFIX)
        before = await asyncio.to_thread(self._rows)
        os.kill(pid, signal.SIGSTOP)
        try:
            said = await asyncio.to_thread(stream.set_rate, RATE_PER_S)
            while said.messages < messages:
                await asyncio.sleep(0.05)
                said = await asyncio.to_thread(stream.set_rate, RATE_PER_S)
            said = await stream.finish()
        finally:
            stream.end()
            os.kill(pid, signal.SIGCONT)
        resumed_s = time.monotonic()
        say(f"{said.messages} messages with {said.rows} values wait")
        looking = asyncio.create_task(self._until_stored(before + said.rows))
        presses: list[Press] = []
        while not looking.done() or len(presses) < PRESSES:
            buttons = self._ledger.buttons
            presses.append(self._ledger.press(buttons[len(presses) % len(buttons)]))
            await asyncio.sleep(PRESS_EVERY_S)
        await looking
        for _ in range(round(SHOWN_WITHIN_S / 0.1)):
            if all(press.key in self._feed.shown_at_s for press in presses):
                break
            await asyncio.sleep(0.1)
        shown = self._feed.shown_at_s
        took = [shown[p.key] - p.pressed_at_s if p.key in shown else float("inf") for p in presses]
        during = [
            each
            for press, each in zip(presses, took, strict=True)
            if press.pressed_at_s <= self._stored_at_s
        ]
        return {
            "messages": said.messages,
            "stored_s": round(self._stored_at_s - resumed_s, 2),
            "press_to_desk_p99_ms": round((percentile(during, 0.99) or 0.0) * 1000, 1),
            "presses": len(during),
        }

    async def _until_stored(self, expected: int) -> None:
        deadline_s = time.monotonic() + DRAINED_WITHIN_S
        stored = 0
        while time.monotonic() < deadline_s:
            stored = await asyncio.to_thread(self._rows)
            if stored >= expected:
                break
            await asyncio.sleep(LOOK_EVERY_S)
        self._stored_at_s = time.monotonic()
        assert stored == expected, f"{expected} values sent, {stored} stored"

    def _rows(self) -> int:
        with self._hub.database() as connection:
            row = connection.execute("SELECT count(*) FROM observation").fetchone()
        assert row is not None
        return int(row[0])


async def measure(people: int, messages: int, *, keep: bool) -> dict[str, Any]:
    """What `main` prints."""
    broker = BareBroker()
    broker.serve_hubs()
    try:
        async with running_hub(keep=keep) as hub:
            buttons = await asyncio.to_thread(buttons_of, hub, broker)
            await known_city(hub, people)
            await everybody_spoke(hub, broker, people)
            ledger, feed = Ledger(buttons), Feed(hub)
            try:
                await ledger.connect()
                await feed.start()
                return await Backlog(hub, broker, ledger, feed).run(people, messages)
            finally:
                await feed.stop()
                await ledger.close()
    finally:
        broker.stop()


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of it")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    share = 5 if given.quick else 1
    print(json.dumps(asyncio.run(measure(PEOPLE // share, MESSAGES // share, keep=given.keep))))


if __name__ == "__main__":
    main()
