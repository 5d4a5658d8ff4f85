"""Presses while every part of the hub is killed with -9 at random instants, and killed again.

Nothing may be lost and nothing doubled: every press with a PUBACK is exactly one alarm in exactly
one incident, also where presses come twice, in another order, a day late or without an id, and
while a dispatcher resolves incidents under their hands.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from benchmarks.feed import Feed
from benchmarks.harness import CHILDREN, Hub, running_hub, say
from benchmarks.ledger import Ledger, Press, Verdict, drained, judge

PARTS = (*CHILDREN, "supervisor")
HOMES = 40
PRESS_EVERY_S = 0.04
DUPLICATED = 0.15
"""Share of presses that are published twice, at once or later."""
HELD_BACK = 0.10
"""Share that others overtake."""
DAY_OLD = 0.10
WITHOUT_ID = 0.10
HOLD_MOST_S = 3.0
BETWEEN_S = (0.3, 3.0)
RECOVER_WITHIN_S = 20.0
ANSWERED_WITHIN_S = 90.0
DISPATCHER_EVERY_S = 0.7


@dataclass(slots=True)
class Round:
    """What happened while it went on."""

    kills: Counter[str] = field(default_factory=Counter)
    resolved: set[str] = field(default_factory=set)
    """Incidents a dispatcher was told are resolved."""
    pressed_for_s: float = 0.0
    drained_s: float = 0.0


async def press_for_ever(ledger: Ledger, buttons: list[Any], rng: random.Random) -> None:
    """Presses of every sort, at random buttons."""
    repeats: set[asyncio.Task[None]] = set()
    while True:
        await asyncio.sleep(PRESS_EVERY_S)
        press = ledger.make(
            rng.choice(buttons),
            with_id=rng.random() >= WITHOUT_ID,
            late=rng.random() < DAY_OLD,
            action="help" if rng.random() < 0.2 else "emergency",
        )
        if rng.random() < HELD_BACK:
            _later(repeats, ledger, press, rng.uniform(0, HOLD_MOST_S))
        else:
            ledger.send(press)
        if rng.random() < DUPLICATED:
            _later(repeats, ledger, press, rng.choice((0.0, rng.uniform(0, HOLD_MOST_S))))


def _later(tasks: set[asyncio.Task[None]], ledger: Ledger, press: Press, after_s: float) -> None:
    async def send() -> None:
        await asyncio.sleep(after_s)
        ledger.send(press)

    task = asyncio.create_task(send())
    tasks.add(task)
    task.add_done_callback(tasks.discard)


async def kill_at_random(hub: Hub, count: int, rng: random.Random, round_: Round) -> None:
    """Every part in turn, in random order; sometimes while another one is still coming back."""
    deck: list[str] = []
    while round_.kills.total() < count:
        await asyncio.sleep(rng.uniform(*BETWEEN_S))
        if rng.random() < 0.5:
            await _recovered(hub)
        if not deck:
            deck = rng.sample(PARTS, len(PARTS))
        part = deck.pop()
        pid = hub.kill(part)
        if pid is None:
            deck.insert(0, part)
            continue
        round_.kills[part] += 1
        say(f"kill {round_.kills.total()}/{count}: {part} ({pid})")
        if part == "supervisor":
            await asyncio.sleep(rng.uniform(0, 1))
            hub.launch()


async def _recovered(hub: Hub) -> None:
    deadline_s = time.monotonic() + RECOVER_WITHIN_S
    while not hub.all_run() and time.monotonic() < deadline_s:  # noqa: ASYNC110 - outside this process
        await asyncio.sleep(0.1)


async def dispatch_for_ever(feed: Feed, rng: random.Random, round_: Round) -> None:
    """Acknowledge and resolve what is open, so that presses also meet incidents that end."""
    async with feed.client() as client:
        while True:
            await asyncio.sleep(DISPATCHER_EVERY_S)
            with contextlib.suppress(httpx.HTTPError, KeyError, IndexError, ValueError):
                listed = await client.get("/api/v1/incidents", params={"state": "open"})
                incident_id = rng.choice(listed.json()["items"])["id"]
                address = f"/api/v1/incidents/{incident_id}"
                await client.post(f"{address}/acknowledge", json={})
                answer = await client.post(f"{address}/resolve", json={"outcome": "test"})
                if answer.status_code == httpx.codes.OK:
                    round_.resolved.add(answer.json()["id"])


async def kill_while_pressed(
    hub: Hub, ledger: Ledger, feed: Feed, kills: int, seed: int
) -> tuple[Round, Verdict]:
    """Presses and a dispatcher all the while; the verdict once everything has come to rest."""
    round_ = Round()
    going = [
        asyncio.create_task(press_for_ever(ledger, ledger.buttons, random.Random(seed + 1))),
        asyncio.create_task(dispatch_for_ever(feed, random.Random(seed + 2), round_)),
    ]
    started_s = time.monotonic()
    try:
        await kill_at_random(hub, kills, random.Random(seed), round_)
        await asyncio.sleep(HOLD_MOST_S)
    finally:
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
    round_.pressed_for_s = time.monotonic() - started_s
    await hub.until_ready()
    if not await ledger.all_answered(ANSWERED_WITHIN_S):
        say(f"{ledger.unanswered()} presses never got their PUBACK")
    round_.drained_s = await drained(hub, ledger)
    verdict = judge(hub, ledger)
    _judge_resolved(hub, round_, verdict)
    return round_, verdict


async def measure(kills: int, seed: int, *, keep: bool) -> dict[str, Any]:
    """One run; what `main` prints."""
    say(f"seed {seed}")
    async with running_hub(keep=keep) as hub:
        devices = await hub.provision(HOMES)
        ledger = Ledger([device for device in devices if device.kind == "button"])
        feed = Feed(hub)
        await ledger.connect()
        await feed.start()
        round_, verdict = await kill_while_pressed(hub, ledger, feed, kills, seed)
        await feed.stop()
        await ledger.close()
    verdict.tell()
    return {
        "kills": round_.kills.total(),
        "acknowledged_presses": verdict.acknowledged,
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "seed": seed,
        "kills_by_part": dict(sorted(round_.kills.items())),
        "presses": len(ledger.presses),
        "publishes": sum(press.sent for press in ledger.presses),
        "duration_s": round(round_.pressed_for_s, 1),
        "drained_s": round(round_.drained_s, 1),
        "resolved_by_dispatcher": len(round_.resolved),
        "strange": len(verdict.strange),
        "shown_on_feed": sum(press.key in feed.shown_at_s for press in ledger.presses),
        "other_alarms": verdict.others,
    }


def _judge_resolved(hub: Hub, round_: Round, verdict: Verdict) -> None:
    """What a dispatcher was told is resolved must be so."""
    with hub.database() as connection:
        rows = connection.execute("SELECT incident_id FROM incident WHERE state = 'resolved'")
        resolved = {row[0] for row in rows.fetchall()}
    for incident_id in sorted(round_.resolved - resolved):
        verdict.lost.append(f"incident {incident_id} was answered as resolved and is open")


def main() -> None:
    """Print the JSON object; fail if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=35)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--quick", action="store_true", help="8 kills, to see that it works")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    kills = 8 if given.quick else given.kills
    result = asyncio.run(measure(kills, given.seed, keep=given.keep))
    print(json.dumps(result))
    sys.exit(bool(result["lost"] or result["doubled"]))


if __name__ == "__main__":
    main()
