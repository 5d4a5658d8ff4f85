"""Presses while the database stands still (SIGSTOP) under telemetry, and afterwards.

A press must ring at the desk as fast as ever, memory must not grow with the stall, and nothing may
be lost or doubled in the end: neither presses nor telemetry. Worst over the stalls:

- short and long: the database stands still for 2 s and 60 s.
- hub killed: ingest and API are killed with -9 in the middle of a stall.
- all killed: the supervisor is killed with -9 in the middle; everything but the frozen database
  goes with it, and `carebell up` is started again.

A press made while the hub was dead cannot ring before the hub is back. Those are counted apart
(`press_while_dead_to_desk_p99_ms`, from the instant the hub is back, which is when a new feed says
that ingest and broker are well); all others are in `press_to_desk_p99_ms`.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.feed import Feed
from benchmarks.harness import Hub, percentile, process_tree, rss_mib, running_hub, say
from benchmarks.ledger import (
    Ledger,
    Press,
    drained,
    judge,
    judge_telemetry,
    telemetry_drained,
)
from benchmarks.load import MEASURES, Load

HOMES = 100
TELEMETRY_PER_S = 1000.0
PRESS_EVERY_S = 0.1
WARM_UP_S = 10.0
AFTER_S = 5.0
"""Presses go on for this long after the database moves again."""
CAUGHT_UP_WITHIN_S = 300.0
LOOK_AT_MEMORY_EVERY_S = 0.2
TOLD_SLOWEST = 12
MEASURED = ("ingest", "api", "worker")
"""Whose memory counts; the broker keeps the backlog on disk and is reported beside it."""

Kill = Callable[[Hub], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Stall:
    """One row of the table of stalls."""

    name: str
    frozen_s: float
    kill: Kill | None = None


async def kill_hub(hub: Hub) -> None:
    """Ingest and API at once."""
    for name in ("ingest", "api"):
        say(f"kill {name} ({hub.kill(name)})")


async def kill_everything(hub: Hub) -> None:
    """The supervisor, and by that all of its children; then start again."""
    say(f"kill supervisor ({hub.kill('supervisor')})")
    hub.launch()


STALLS = (
    Stall("short", 2.0),
    Stall("long", 60.0),
    Stall("hub_killed", 60.0, kill_hub),
    Stall("all_killed", 60.0, kill_everything),
)


@dataclass(slots=True)
class Memory:
    """Resident memory of the hub's processes, before and at worst."""

    before_mib: dict[str, float] = field(default_factory=dict)
    most_mib: dict[str, float] = field(default_factory=dict)

    def look(self, hub: Hub) -> None:
        """Keep the highest."""
        for name in (*MEASURED, "broker"):
            pid = hub.pid_of(name)
            if pid is not None:
                now_mib = rss_mib(pid)
                self.before_mib.setdefault(name, now_mib)
                self.most_mib[name] = max(self.most_mib.get(name, 0.0), now_mib)

    def growth_mib(self) -> dict[str, float]:
        """By process; a new process is compared with the one before the stall."""
        return {
            name: round(self.most_mib[name] - before, 1) for name, before in self.before_mib.items()
        }


@asynccontextmanager
async def frozen(hub: Hub) -> AsyncIterator[list[int]]:
    """The database stands still, whatever happens inside; the stopped processes by id."""
    postmaster = hub.pid_of("database")
    assert postmaster is not None
    stopped: list[int] = []
    try:
        for pid in process_tree(postmaster):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        say(f"{len(stopped)} database processes stopped")
        yield stopped
    finally:
        for pid in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        say("database goes on")


class Bench:
    """One hub, one load, one stall after the other."""

    def __init__(self, hub: Hub, feed: Feed, ledger: Ledger) -> None:
        """All of them run already."""
        self._hub = hub
        self._feed = feed
        self._ledger = ledger
        self._memory = Memory()
        self._dead_from_s = self._back_at_s = 0.0
        self._frozen_at_s = 0.0

    async def run(self, stall: Stall) -> dict[str, Any]:
        """Freeze, press, thaw, drain; the figures."""
        say(f"stall {stall.name}: {stall.frozen_s:.0f} s")
        self._memory, self._dead_from_s, self._back_at_s = Memory(), 0.0, 0.0
        first = len(self._ledger.presses)
        looking = asyncio.create_task(self._look_for_ever())
        pressing = asyncio.create_task(self._press_for_ever())
        try:
            await asyncio.sleep(2)
            async with frozen(self._hub):
                self._frozen_at_s = time.monotonic()
                if stall.kill is None:
                    await asyncio.sleep(stall.frozen_s)
                else:
                    await asyncio.sleep(stall.frozen_s / 2)
                    await self._kill(stall.kill)
                    await asyncio.sleep(stall.frozen_s / 2)
            await asyncio.sleep(AFTER_S)
        finally:
            pressing.cancel()
            await asyncio.gather(pressing, return_exceptions=True)
        answered = await self._ledger.all_answered(30.0)
        drained_s = await drained(self._hub, self._ledger)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        presses = self._ledger.presses[first:]
        self._tell_slowest(presses)
        return self._figures(presses) | {"drained_s": round(drained_s, 1), "answered": answered}

    async def _kill(self, kill: Kill) -> None:
        self._dead_from_s = time.monotonic()
        await kill(self._hub)
        while not self._back():  # noqa: ASYNC110 - outside this process
            await asyncio.sleep(0.01)
        self._back_at_s = time.monotonic()
        say(f"the hub is back after {self._back_at_s - self._dead_from_s:.1f} s")

    def _back(self) -> bool:
        feed = self._feed
        well = feed.stats.get("ingest") == "ok" and feed.stats.get("broker") == "ok"
        return feed.connected.is_set() and feed.stats_at_s > self._dead_from_s + 0.5 and well

    async def _press_for_ever(self) -> None:
        next_s = time.monotonic()
        for button in itertools.cycle(self._ledger.buttons):
            self._ledger.press(button)
            next_s += PRESS_EVERY_S
            await asyncio.sleep(max(0.0, next_s - time.monotonic()))

    async def _look_for_ever(self) -> None:
        while True:
            self._memory.look(self._hub)
            await asyncio.sleep(LOOK_AT_MEMORY_EVERY_S)

    def _tell_slowest(self, presses: list[Press]) -> None:
        """When in the stall the slow ones were, for whoever has to find out why."""
        waits = [
            (
                (self._feed.shown_at_s[p.key] - p.pressed_at_s) * 1000,
                p.pressed_at_s,
                self._feed.inside_s[p.key] * 1000,
                ((p.acknowledged_at_s or p.pressed_at_s) - p.pressed_at_s) * 1000,
            )
            for p in presses
            if p.key in self._feed.shown_at_s
            and not self._dead_from_s - 0.001 <= p.pressed_at_s < self._back_at_s
        ]
        told = [
            f"{wait_ms:.0f} ms (PUBACK after {puback_ms:.0f}, {inside_ms:.0f} from ingest on) "
            f"at {at_s - self._frozen_at_s:+.1f} s"
            for wait_ms, at_s, inside_ms, puback_ms in sorted(waits, reverse=True)[:TOLD_SLOWEST]
        ]
        say("slowest: " + ", ".join(told))

    def _figures(self, presses: list[Press]) -> dict[str, Any]:
        alive, dead, unseen = [], [], 0
        for press in presses:
            shown_s = self._feed.shown_at_s.get(press.key)
            if self._dead_from_s - 0.001 <= press.pressed_at_s < self._back_at_s:
                if shown_s is not None:
                    dead.append((max(shown_s, self._back_at_s) - self._back_at_s) * 1000)
            elif shown_s is not None:
                alive.append((shown_s - press.pressed_at_s) * 1000)
            unseen += shown_s is None
        growth = self._memory.growth_mib()
        figures = {
            "presses": len(presses),
            "press_to_desk_p50_ms": _rounded(percentile(alive, 0.5)),
            "press_to_desk_p99_ms": _rounded(percentile(alive, 0.99)),
            "press_to_desk_most_ms": _rounded(max(alive, default=None)),
            "never_shown": unseen,
            "rss_growth_mib": growth,
            "hub_rss_growth_mib": round(sum(growth.get(name, 0.0) for name in MEASURED), 1),
        }
        if self._dead_from_s:
            figures |= {
                "hub_away_s": round(self._back_at_s - self._dead_from_s, 1),
                "presses_while_dead": len(dead),
                "press_while_dead_to_desk_p99_ms": _rounded(percentile(dead, 0.99)),
            }
        return figures


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


async def measure(stalls: tuple[Stall, ...], rate_per_s: float, *, keep: bool) -> dict[str, Any]:
    """All stalls on one hub; what `main` prints."""
    details: dict[str, dict[str, Any]] = {}
    async with running_hub(keep=keep) as hub:
        devices = await hub.provision(HOMES)
        ledger = Ledger([device for device in devices if device.kind == "button"])
        feed = Feed(hub)
        load = Load(
            [device for device in devices if device.kind == "care_bed"],
            hub.settings.data_dir.parent / "telemetry-keys",
        )
        try:
            await ledger.connect()
            await feed.start()
            load.set_rate(rate_per_s)
            await asyncio.sleep(WARM_UP_S)
            bench = Bench(hub, feed, ledger)
            for stall in stalls:
                details[stall.name] = await bench.run(stall)
                say(json.dumps(details[stall.name]))
            report, keys = await load.finish()
        finally:
            load.end()
        await drained(hub, ledger)
        caught_up_s = await telemetry_drained(hub, len(keys), len(MEASURES), CAUGHT_UP_WITHIN_S)
        alarms = judge(hub, ledger)
        telemetry = judge_telemetry(hub, keys, len(MEASURES))
        await feed.stop()
        await ledger.close()
    alarms.tell()
    telemetry.tell()
    return {
        "press_to_desk_p99_ms": max(d["press_to_desk_p99_ms"] for d in details.values()),
        "lost": len(alarms.lost) + len(telemetry.lost),
        "doubled": len(alarms.doubled) + len(telemetry.doubled),
        "rss_growth_mib": max(d["hub_rss_growth_mib"] for d in details.values()),
        "acknowledged_presses": alarms.acknowledged,
        "acknowledged_telemetry": telemetry.acknowledged,
        "telemetry_per_s": rate_per_s,
        "caught_up_s": round(caught_up_s, 1),
        "telemetry_behind": report.behind,
        "strange": len(alarms.strange),
        "other_alarms": alarms.others,
        "stalls": details,
    }


def main() -> None:
    """Print the JSON object; fail if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="stalls of 8 s instead of 60 s")
    parser.add_argument("--only", choices=[stall.name for stall in STALLS], action="append")
    parser.add_argument("--rate", type=float, default=TELEMETRY_PER_S, help="messages/s")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    stalls = tuple(
        Stall(s.name, min(s.frozen_s, 8.0) if given.quick else s.frozen_s, s.kill)
        for s in STALLS
        if not given.only or s.name in given.only
    )
    result = asyncio.run(measure(stalls, given.rate, keep=given.keep))
    print(json.dumps(result))
    sys.exit(bool(result["lost"] or result["doubled"]))


if __name__ == "__main__":
    main()
