"""An earthquake: 10,000 people press within one minute, and somebody must be told about each.

A whole hub with real devices on the broker, a short-message gateway with a rate limit, and a desk
that listens. Half of the presses are emergencies, half calls for help; the ladder tells the desks
and the person's first contact at once. Ends by itself and prints JSON.

`--restart` is the other half of it: with the ladders running the worker is killed with -9, again
and again; every rung must be rung, at its time or at once, and nobody twice under two keys.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import sys
import time
from collections import defaultdict
from typing import Any

from benchmarks.harness import Hub, cpu_s, process_tree, rss_mib, running_hub, say
from benchmarks.ledger import ACK_WAIT_S, Ledger, judge
from benchmarks.storm_desk import Desk, listening
from benchmarks.storm_parts import (
    COMMAND_QOS,
    CONNECT_WITHIN_S,
    LOOK_EVERY_S,
    QUIET_WITHIN_S,
    loopback_gateway,
    opened,
    prepare,
    rounded,
    shake,
    taken_by,
    waiting,
)
from benchmarks.storm_restart import restart
from schemas.vocabulary import DeviceKind

INCIDENTS = 10_000
WITHIN_S = 60.0
SMS_PER_S = 200
"""What the vendor takes; a usual limit of Chinese vendors for one account is 100 to 1,000."""
STEP_WAIT_S = 600
"""The first rung is what is measured."""
MEASURED = ("ingest", "worker", "api")
"""Whose memory is counted: the hub's own processes. Broker and database bound their own."""
WORKING = (*MEASURED, "broker", "callout", "database")
"""Whose processor time is told."""


class Memory:
    """The largest resident size of the hub's processes together, and of each."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.most: dict[str, float] = {}
        self.together = 0.0

    async def watch(self) -> None:
        """For ever."""
        while True:
            found = {}
            for name in MEASURED:
                pid = self._hub.pid_of(name)
                found[name] = rss_mib(pid) if pid else 0.0
                self.most[name] = max(self.most.get(name, 0.0), found[name])
            self.together = max(self.together, sum(found.values()))
            await asyncio.sleep(0.5)


def stages(hub: Hub) -> dict[str, float | None]:
    """Where the time goes, seconds: from received to committed as an incident's first rung, and
    from there until the provider said so."""
    with hub.database() as connection:
        rows = connection.execute(
            "SELECT n.channel, extract(epoch FROM n.created_at - i.opened_at)::float8,"
            " extract(epoch FROM n.sent_at - n.created_at)::float8"
            " FROM notification n JOIN incident i USING (incident_id)"
            " WHERE i.kind = 'press' AND n.kind = 'ring' AND n.sent_at IS NOT NULL"
        ).fetchall()
    climbs = [row[1] for row in rows if row[0] == "desk"]
    found = {"climbed_p50_s": rounded(climbs, 0.5), "climbed_p99_s": rounded(climbs, 0.99)}
    for channel in ("desk", "sms"):
        sent = [row[2] for row in rows if row[0] == channel]
        found |= {f"{channel}_p50_s": rounded(sent, 0.5), f"{channel}_p99_s": rounded(sent, 0.99)}
    return found


def worked_s(hub: Hub) -> dict[str, float]:
    """Processor time of each of the hub's processes and its children so far, seconds."""
    found = {}
    for name in WORKING:
        pid = hub.pid_of(name)
        found[name] = cpu_s(process_tree(pid)) if pid else 0.0
    return found


async def quiet(hub: Hub, count: int, within_s: float) -> float:
    """Until every first notice of `count` presses has gone, and then until a redelivery would have
    come; how long the first took."""
    started_s = time.monotonic()
    while time.monotonic() - started_s < within_s:
        left = await asyncio.to_thread(waiting, hub, count)
        if left.nothing:
            break
        say(f"{left.unrecorded} presses, {left.unclimbed} ladders, {left.unsent} notices wait")
        await asyncio.sleep(LOOK_EVERY_S)
    took_s = time.monotonic() - started_s
    await asyncio.sleep(ACK_WAIT_S + 2)
    return took_s


def figures(
    incidents: dict[str, dict[str, Any]], desk: Desk, taken: dict[str, Any],
    people: dict[str, str], press_s: dict[str, float],
) -> dict[str, Any]:  # fmt: skip
    """Press to first send, by channel and priority; and who was told twice."""
    sms_at_s: dict[str, float] = {}
    keys: dict[str, set[str]] = defaultdict(set)
    for key, phone, at_s in taken["taken"]:
        person = people.get(phone, "")
        sms_at_s.setdefault(person, at_s)
        keys[person].add(key)
    first: list[float] = []
    by: dict[str, list[float]] = defaultdict(list)
    sms_order: list[tuple[float, str]] = []
    untold, unheard = 0, 0
    for incident_id, incident in incidents.items():
        pressed_s = press_s.get(incident["person"], incident["opened_s"])
        told = [at for at in (desk.rung_at_s.get(incident_id), sms_at_s.get(incident["person"]))
                if at is not None]  # fmt: skip
        if not told or incident["person"] not in sms_at_s:
            untold += 1
        unheard += incident_id not in desk.rung_at_s
        by["received"].append(max(0.0, incident["opened_s"] - pressed_s))
        if (rung := desk.rung_at_s.get(incident_id)) is not None:
            by[f"desk_{incident['priority']}"].append(max(0.0, rung - pressed_s))
        if (shown := desk.shown_at_s.get(incident_id)) is not None:
            by[f"shown_{incident['priority']}"].append(max(0.0, shown - pressed_s))
        if told:
            first.append(max(0.0, min(told) - pressed_s))
            by[f"first_{incident['priority']}"].append(first[-1])
        if (at := sms_at_s.get(incident["person"])) is not None:
            by[f"sms_{incident['priority']}"].append(max(0.0, at - pressed_s))
            sms_order.append((at, incident["priority"]))
    return {
        "first_send_p50_s": rounded(first, 0.5),
        "first_send_p99_s": rounded(first, 0.99),
        **{f"{name}_p99_s": rounded(values, 0.99) for name, values in sorted(by.items())},
        "sms_urgent_first_share": urgent_first(sms_order, incidents, press_s),
        "sms": len(taken["taken"]),
        "sms_limited": taken["limited"],
        "untold": untold,
        "not_rung_at_this_desk": unheard,
        "desk_cuts": desk.cuts,
        "told_twice": sum(len(found) > 1 for found in keys.values()),
        "same_key_again": len(taken["taken"]) - sum(len(found) for found in keys.values()),
    }


def urgent_first(
    order: list[tuple[float, str]], incidents: dict[str, dict[str, Any]], press_s: dict[str, float]
) -> float | None:
    """Of the messages sent about calls for help, the share before which no emergency waited that
    had been recorded for two seconds; 1.0 is perfect. None: nothing was sent."""
    pressed = sorted(
        press_s.get(i["person"], i["opened_s"])
        for i in incidents.values()
        if i["priority"] == "high"
    )
    sent_high = sorted(at for at, priority in order if priority == "high")
    lower = [at for at, priority in order if priority != "high"]
    if not lower:
        return None
    fair = 0
    for at in lower:
        due = _count(pressed, at - 2.0)
        fair += _count(sent_high, at) >= due
    return round(fair / len(lower), 4)


def _count(ordered: list[float], until: float) -> int:
    low, high = 0, len(ordered)
    while low < high:
        middle = (low + high) // 2
        if ordered[middle] <= until:
            low = middle + 1
        else:
            high = middle
    return low


async def measure(count: int, within_s: float, sms_per_s: int, *, keep: bool) -> dict[str, Any]:
    """The storm; what `main` prints."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(count + 1000, 4096), hard), hard))
    with loopback_gateway(sms_per_s) as gateway:
        async with running_hub(keep=keep) as hub:
            buttons = await hub.provision(count, kinds=[DeviceKind.BUTTON])
            people = await asyncio.to_thread(prepare, hub, STEP_WAIT_S)
            ledger, memory = Ledger(buttons, COMMAND_QOS), Memory(hub)
            watching = asyncio.create_task(memory.watch())
            try:
                await ledger.connect(CONNECT_WITHIN_S)
                async with listening(hub) as desk:
                    say(f"{count} devices are in; the earth shakes")
                    before_s = worked_s(hub)
                    await shake(ledger, buttons, within_s)
                    shaken_s = time.time()
                    say("it is over; the hub goes on")
                    quiet_s = await quiet(hub, count, QUIET_WITHIN_S)
                work_s = {name: spent - before_s[name] for name, spent in worked_s(hub).items()}
                taken = await taken_by(gateway)
                where = await asyncio.to_thread(stages, hub)
                verdict = judge(hub, ledger)
                verdict.tell()
                incidents = await asyncio.to_thread(opened, hub)
                press_s = _pressed(hub, ledger)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                await ledger.close()
    found = figures(incidents, desk, taken, people, press_s)
    last_sms_s = max((at for _, _, at in taken["taken"]), default=shaken_s) - shaken_s
    return {
        "incidents": len(incidents),
        "lost": max(len(verdict.lost), count - len(incidents)) + found.pop("untold"),
        "doubled": len(verdict.doubled) + found.pop("told_twice"),
        "first_send_p50_s": found.pop("first_send_p50_s"),
        "first_send_p99_s": found.pop("first_send_p99_s"),
        "rss_mib": round(memory.together, 1),
        **found,
        "stages": where,
        "cpu_ms_an_incident": {
            name: round(spent / len(incidents) * 1e3, 2) for name, spent in work_s.items()
        },
        "sms_per_s_limit": sms_per_s,
        "last_sms_after_s": round(last_sms_s, 1),
        "acknowledged_presses": verdict.acknowledged,
        "quiet_s": round(quiet_s, 1),
        "rss_mib_by_process": {name: round(value, 1) for name, value in memory.most.items()},
        "within_s": within_s,
    }


def _pressed(hub: Hub, ledger: Ledger) -> dict[str, float]:
    """When each person pressed (`time.time`)."""
    with hub.database() as connection:
        owners: dict[str, str] = dict(
            connection.execute("SELECT device_id, person_id FROM device").fetchall()
        )
    offset_s = time.time() - time.monotonic()
    return {owners[p.button.id]: p.pressed_at_s + offset_s for p in ledger.presses}


def main() -> None:
    """Print the JSON object; fail if anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=None)
    parser.add_argument("--within", type=float, default=WITHIN_S, help="seconds")
    parser.add_argument("--sms-per-s", type=int, default=SMS_PER_S, help="the vendor's limit")
    parser.add_argument("--quick", action="store_true", help="1,000 incidents in six seconds")
    parser.add_argument("--restart", action="store_true", help="kill the worker instead")
    parser.add_argument("--keep", action="store_true", help="keep the hub's folder")
    given = parser.parse_args()
    if given.restart:
        work = restart(given.incidents or 1000, given.sms_per_s, keep=given.keep)
    elif given.quick:
        work = measure(given.incidents or 1000, 6.0, given.sms_per_s, keep=given.keep)
    else:
        work = measure(given.incidents or INCIDENTS, given.within, given.sms_per_s, keep=given.keep)
    with contextlib.suppress(KeyboardInterrupt):
        result = asyncio.run(work)
        print(json.dumps(result))
        sys.exit(bool(result["lost"] or result["doubled"]))


if __name__ == "__main__":
    main()
