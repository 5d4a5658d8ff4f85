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
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from alerts.ladders import URGENT
from alerts.policy import ChannelName, Policy, Step, Target, to_data
from benchmarks.harness import (
    Button,
    Hub,
    cpu_s,
    percentile,
    process_tree,
    rss_mib,
    running_hub,
    say,
)
from benchmarks.ledger import ACK_WAIT_S, Ledger, judge
from benchmarks.storm_desk import Desk, listening
from hub.embedded.process import tie_to_us
from schemas.vocabulary import DeviceKind

INCIDENTS = 10_000
WITHIN_S = 60.0
SMS_PER_S = 200
"""What the vendor takes; a usual limit of Chinese vendors for one account is 100 to 1,000."""
CONNECT_WITHIN_S = 180.0
QUIET_WITHIN_S = 240.0
"""After the last press. With the rest the benchmark ends within ten minutes, whatever happens."""
LOOK_EVERY_S = 2.0
STEP_WAIT_S = 600
"""Of the storm: the first rung is what is measured."""
RESTART_WAIT_S = 10
"""Of the restarts: a rung every ten seconds."""
KILLS = 6
KILL_EVERY_S = 7.0
MEASURED = ("ingest", "worker", "api")
"""Whose memory is counted: the hub's own processes. Broker and database bound their own."""
WORKING = (*MEASURED, "broker", "callout", "database")
"""Whose processor time is told."""


@contextmanager
def loopback_gateway(per_s: int) -> Iterator[str]:
    """The vendor's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sms_gateway",
         "--port", str(port), "--per-s", str(per_s)],
        stdin=subprocess.DEVNULL, preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509
    )  # fmt: skip
    os.environ["CAREBELL_SMS_GATEWAYS"] = "carebell-sms"
    os.environ["GATEWAY_URL"] = f"http://127.0.0.1:{port}/messages"
    os.environ["GATEWAY_SECRET"] = "storm"
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


def policy(wait_s: int) -> Policy:
    """Desk and first contact at once, again and again."""
    step = Step((Target("dispatchers"), Target("family:1", (ChannelName.SMS,))), wait_s)
    return Policy((step,), URGENT.acknowledged_lease_s, URGENT.attended_lease_s, name="storm")


def prepare(hub: Hub, wait_s: int) -> dict[str, str]:
    """A contact with a phone for everybody, and the ladder; the person of each phone."""
    with hub.database() as connection:
        rows = connection.execute("SELECT person_id, area_id FROM person").fetchall()
        phones = {person: f"+86139{number:08}" for number, (person, _) in enumerate(rows)}
        connection.cursor().executemany(
            "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone)"
            " VALUES (%s, 1, %s, 'Mei', 'daughter', %s) ON CONFLICT DO NOTHING",
            [(person, area, phones[person]) for person, area in rows],
        )
        for priority in ("high", "medium"):
            connection.execute(
                "INSERT INTO policy (policy_id, area_id, category, priority, ladder, changed_at,"
                " changed_by) VALUES (%s, %s, 'personal', %s, %s, now(), 'storm')",
                (f"storm-{priority}", hub.settings.root_area_id, priority,
                 json.dumps(to_data(policy(wait_s)))),
            )  # fmt: skip
        return {phone: person for person, phone in phones.items()}


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


async def shake(ledger: Ledger, buttons: list[Button], within_s: float) -> None:
    """Everybody presses once, evenly over the time, in no order of priority."""
    chance = random.Random(1)
    order = list(buttons)
    chance.shuffle(order)
    started_s = time.monotonic()
    for number, button in enumerate(order):
        wait_s = started_s + number * within_s / len(order) - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        action = "emergency" if number % 2 else "help"
        ledger.send(ledger.make(button, action=action))


def opened(hub: Hub) -> dict[str, dict[str, Any]]:
    """Incidents of presses: person, priority, when the hub had the press."""
    with hub.database() as connection:
        rows = connection.execute(
            "SELECT i.incident_id, i.person_id, i.priority, extract(epoch FROM i.opened_at)::float8"
            " FROM incident i WHERE i.kind = 'press'"
        ).fetchall()
    return {row[0]: {"person": row[1], "priority": row[2], "opened_s": row[3]} for row in rows}


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
    found = {"climbed_p50_s": _s(climbs, 0.5), "climbed_p99_s": _s(climbs, 0.99)}
    for channel in ("desk", "sms"):
        sent = [row[2] for row in rows if row[0] == channel]
        found |= {f"{channel}_p50_s": _s(sent, 0.5), f"{channel}_p99_s": _s(sent, 0.99)}
    return found


def worked_s(hub: Hub) -> dict[str, float]:
    """Processor time of each of the hub's processes and its children so far, seconds."""
    found = {}
    for name in WORKING:
        pid = hub.pid_of(name)
        found[name] = cpu_s(process_tree(pid)) if pid else 0.0
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the storm has left to do; counted, for reading it would be work for the machine too."""

    unrecorded: int
    """Presses that are not in the database."""
    unclimbed: int
    """Incidents whose first rung is not climbed yet."""
    unsent: int
    """Rings that wait in the outbox."""

    @property
    def nothing(self) -> bool:
        """It is over."""
        return self == Waiting(0, 0, 0)


def waiting(hub: Hub, count: int) -> Waiting:
    """Of `count` presses."""
    with hub.database() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM alarm WHERE kind = 'press'),"
            " (SELECT count(*) FROM incident WHERE state <> 'resolved' AND step = 0),"
            " (SELECT count(*) FROM notification WHERE state = 'pending' AND kind = 'ring')"
        ).fetchone()
    assert row is not None
    return Waiting(max(0, count - row[0]), row[1], row[2])


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


async def recorded(hub: Hub, count: int, within_s: float) -> None:
    """Until `count` presses are in the database; raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while (await asyncio.to_thread(waiting, hub, count)).unrecorded:  # noqa: ASYNC110 - outside
            await asyncio.sleep(LOOK_EVERY_S / 4)


async def taken_by(gateway: str) -> dict[str, Any]:
    """What the vendor took."""
    async with httpx.AsyncClient(timeout=30.0) as client:
        answer = await client.get(f"{gateway}/taken")
        found: dict[str, Any] = msgspec.json.decode(answer.content)
    return found


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
        "first_send_p50_s": _s(first, 0.5),
        "first_send_p99_s": _s(first, 0.99),
        **{f"{name}_p99_s": _s(values, 0.99) for name, values in sorted(by.items())},
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


def _s(values: list[float], share: float) -> float | None:
    found = percentile(values, share)
    return None if found is None else round(found, 2)


async def measure(count: int, within_s: float, sms_per_s: int, *, keep: bool) -> dict[str, Any]:
    """The storm; what `main` prints."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(count + 1000, 4096), hard), hard))
    with loopback_gateway(sms_per_s) as gateway:
        async with running_hub(keep=keep) as hub:
            buttons = await hub.provision(count, kinds=[DeviceKind.BUTTON])
            people = await asyncio.to_thread(prepare, hub, STEP_WAIT_S)
            ledger, memory = Ledger(buttons), Memory(hub)
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


# ---- kill -9 of the worker --------------------------------------------------------------------


async def restart(count: int, sms_per_s: int, *, keep: bool) -> dict[str, Any]:
    """Kill the worker in the middle of `count` running ladders."""
    with loopback_gateway(sms_per_s) as gateway:
        async with running_hub(keep=keep) as hub:
            buttons = await hub.provision(count, kinds=[DeviceKind.BUTTON])
            people = await asyncio.to_thread(prepare, hub, RESTART_WAIT_S)
            ledger = Ledger(buttons)
            try:
                await ledger.connect(CONNECT_WITHIN_S)
                async with listening(hub) as desk:
                    await shake(ledger, buttons, RESTART_WAIT_S)
                    await recorded(hub, count, QUIET_WITHIN_S)
                    before = len(await asyncio.to_thread(opened, hub))
                    say(f"{before} ladders run; the worker is killed {KILLS} times")
                    alive_s = await _killed_again_and_again(hub)
                    await asyncio.sleep(3 * RESTART_WAIT_S)
                    ladders = await asyncio.to_thread(_ladders, hub)
                taken = await taken_by(gateway)
            finally:
                await ledger.close()
    late = [row["late_s"] for row in ladders.values()]
    silent = [i for i in ladders if desk.last_at_s.get(i, 0.0) < alive_s]
    keys = Counter(key for key, _, _ in taken["taken"])
    told = {people.get(phone) for _, phone, _ in taken["taken"]}
    return {
        "incidents": len(ladders),
        "lost": count - len(ladders) + sum(row["person"] not in told for row in ladders.values()),
        "doubled": _rung_twice(keys, ladders, people, taken),
        "silent_after_restart": len(silent),
        "overdue_p99_s": _s(late, 0.99),
        "longest_gap_p50_s": _s(list(desk.longest_gap_s.values()), 0.5),
        "longest_gap_max_s": _s(list(desk.longest_gap_s.values()), 1.0),
        "kills": KILLS,
        "sms": len(taken["taken"]),
        "same_key_again": sum(times - 1 for times in keys.values()),
    }


async def _killed_again_and_again(hub: Hub) -> float:
    """Since when (`time.time`) the worker lives on."""
    for _ in range(KILLS):
        hub.kill("worker")
        await asyncio.sleep(KILL_EVERY_S)
    while not hub.all_run():  # noqa: ASYNC110 - outside this process
        await asyncio.sleep(0.1)
    return time.time()


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
