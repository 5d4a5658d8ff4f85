"""The storm's other half: kill -9 of the worker in the middle of a thousand running ladders, again
and again. Every rung must be rung, at its time or at once, and nobody twice under two keys.
"""

import asyncio
import time
from collections import Counter, defaultdict
from typing import Any

from benchmarks.harness import Hub, running_hub, say
from benchmarks.ledger import Ledger
from benchmarks.storm_desk import listening
from benchmarks.storm_parts import (
    COMMAND_QOS,
    CONNECT_WITHIN_S,
    QUIET_WITHIN_S,
    loopback_gateway,
    opened,
    prepare,
    recorded,
    rounded,
    shake,
    taken_by,
)
from schemas.vocabulary import DeviceKind

WAIT_S = 10
"""A rung every ten seconds."""
KILLS = 6
KILL_EVERY_S = 7.0
"""After it rang again: less than a rung, so that the next kill meets what the last one left."""
AT_ONCE_S = 5.0
"""Ours: a rung that was due while nobody was there rings within this on a busy machine."""
BACK_WITHIN_S = 60.0
"""From a kill to the next ring: the supervisor waits up to 10 s before it starts what dies at once
again and again."""


async def restart(count: int, sms_per_s: int, *, keep: bool) -> dict[str, Any]:
    """Kill the worker in the middle of `count` running ladders."""
    with loopback_gateway(sms_per_s) as gateway:
        async with running_hub(keep=keep) as hub:
            buttons = await hub.provision(count, kinds=[DeviceKind.BUTTON])
            people = await asyncio.to_thread(prepare, hub, WAIT_S)
            ledger = Ledger(buttons, COMMAND_QOS)
            try:
                await ledger.connect(CONNECT_WITHIN_S)
                async with listening(hub) as desk:
                    await shake(ledger, buttons, WAIT_S)
                    await recorded(hub, count, QUIET_WITHIN_S)
                    before = len(await asyncio.to_thread(opened, hub))
                    say(f"{before} ladders run; the worker is killed {KILLS} times")
                    alive_s, away_s = await _killed_again_and_again(hub)
                    await asyncio.sleep(3 * WAIT_S)
                    ladders = await asyncio.to_thread(_ladders, hub)
                taken = await taken_by(gateway)
            finally:
                await ledger.close()
    overdue_s = [row["late_s"] for row in ladders.values()]
    silent = [i for i in ladders if desk.last_at_s.get(i, 0.0) < alive_s]
    gaps_s = list(desk.longest_gap_s.values())
    late = [each for each in gaps_s if each > WAIT_S + max(away_s) + AT_ONCE_S]
    keys = Counter(key for key, _, _ in taken["taken"])
    told = {people.get(phone) for _, phone, _ in taken["taken"]}
    return {
        "incidents": len(ladders),
        "lost": count
        - len(ladders)
        + len(silent)
        + sum(row["person"] not in told for row in ladders.values()),
        "doubled": _rung_twice(keys, ladders, people, taken),
        "silent_after_restart": len(silent),
        "late": len(late),
        "overdue_p99_s": rounded(overdue_s, 0.99),
        "gap_wanted_s": WAIT_S,
        "gap_p50_s": rounded(gaps_s, 0.5),
        "gap_p99_s": rounded(gaps_s, 0.99),
        "gap_max_s": rounded(gaps_s, 1.0),
        "away_max_s": round(max(away_s), 2),
        "kills": KILLS,
        "sms": len(taken["taken"]),
        "same_key_again": sum(times - 1 for times in keys.values()),
    }


async def _killed_again_and_again(hub: Hub) -> tuple[float, list[float]]:
    """Since when (`time.time`) the worker lives on, and how long it rang nobody after each kill.
    Raises TimeoutError."""
    away_s = []
    for _ in range(KILLS):
        hub.kill("worker")
        killed_s = time.time()
        async with asyncio.timeout(BACK_WITHIN_S):
            while not await asyncio.to_thread(_rang_since, hub, killed_s):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        away_s.append(time.time() - killed_s)
        await asyncio.sleep(KILL_EVERY_S)
    return time.time() - KILL_EVERY_S, away_s


def _rang_since(hub: Hub, at_s: float) -> bool:
    """Whether a desk was rung by a rung of after then."""
    with hub.database() as connection:
        row = connection.execute(
            "SELECT EXISTS (SELECT FROM notification WHERE channel = 'desk'"
            " AND settled_at > to_timestamp(%s))", (at_s,),
        ).fetchone()  # fmt: skip
    assert row is not None
    return bool(row[0])


def _ladders(hub: Hub) -> dict[str, dict[str, Any]]:
    """Open ladders; `late_s`: how long the next rung is overdue just now."""
    with hub.database() as connection:
        rows = connection.execute(
            "SELECT incident_id, person_id, repeats, greatest(0,"
            " extract(epoch FROM now() - next_deadline_at))::float8 FROM incident"
            " WHERE state <> 'resolved' AND kind = 'press'"
        ).fetchall()
    return {row[0]: {"person": row[1], "rungs": row[2] + 1, "late_s": row[3]} for row in rows}


def _rung_twice(
    keys: Counter[str], ladders: dict[str, dict[str, Any]], people: dict[str, str],
    taken: dict[str, Any],
) -> int:  # fmt: skip
    """People who were sent more messages with different keys than their ladder has rungs."""
    by_person: dict[str | None, set[str]] = defaultdict(set)
    for key, phone, _ in taken["taken"]:
        by_person[people.get(phone)].add(key)
    assert set(keys) == set().union(*by_person.values())
    rungs = {row["person"]: row["rungs"] for row in ladders.values()}
    return sum(len(found) > rungs.get(person, 0) for person, found in by_person.items())
