"""What both halves of the storm are made of: the vendor, the ladders, the presses, the counting."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from alerts.ladders import URGENT
from alerts.policy import ChannelName, Policy, Step, Target, to_data
from benchmarks.harness import Button, Hub, percentile
from benchmarks.ledger import Ledger
from hub.embedded.process import tie_to_us

CONNECT_WITHIN_S = 180.0
QUIET_WITHIN_S = 240.0
"""After the last press. With the rest the benchmark ends within ten minutes, whatever happens."""
LOOK_EVERY_S = 2.0
COMMAND_QOS = 0
"""As the contract asks of a fleet of this size on one broker (docs/adr/0020)."""


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


def rounded(values: list[float], share: float) -> float | None:
    found = percentile(values, share)
    return None if found is None else round(found, 2)
