"""A whole hub in operation: what its logs say, what a retry does, what it shows, how it ends."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import psycopg
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.harness import Button, Hub
from hub.embedded.secrets import load_secrets
from hub.figures.table import BY_NAME
from tests.integration.embedded import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

MARKS = {
    "name": "MarkedWangXiuying", "phone": "13800009911", "address": "77 Marked Lake Road",
    "notes": "markedpacemaker", "latitude": "31.298771", "text": "markedinthebathroom",
    "password": "marked-wrong-password", "id": "marked-press-id", "key": "markedkeysafe4711",
}  # fmt: skip
"""Nobody else writes these: what of them is found in a log got there from a person."""


@dataclass(frozen=True, slots=True)
class House:
    """A running hub and one of its buttons."""

    hub: Hub
    button: Button

    @property
    def data(self) -> str:
        return str(self.hub.settings.data_dir)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.hub.database() as connection:
            return connection.execute(query.encode()).fetchall()

    async def publish(self, topic: str, payload: str) -> None:
        login = self.button.login
        async with aiomqtt.Client(
            login.host, login.port, username=login.device_id, password=login.secret,
            identifier=login.device_id, timeout=5,
        ) as client:  # fmt: skip
            await client.publish(topic, payload, qos=1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    folder = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    hub = Hub(folder)
    try:
        await hub.start()
        button, *_ = [d for d in await hub.provision(1) if d.kind == "button"]
        with hub.database() as connection:
            connection.execute(
                "UPDATE person SET name = %s, phone = %s, medical_notes = %s",
                (MARKS["name"], MARKS["phone"], MARKS["notes"]),
            )
            connection.execute(
                "UPDATE premises SET address = %s, access_notes = %s, latitude = %s",
                (MARKS["address"], MARKS["key"], float(MARKS["latitude"])),
            )
        yield House(hub, button)
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def carebell(*arguments: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "carebell", *arguments],
        capture_output=True, text=True, timeout=60, check=False,
        env=os.environ | {"CAREBELL_LANGUAGE": "en"},
    )  # fmt: skip


async def test_a_press_of_a_device_nobody_knew_rings_for_its_person_after_a_retry(
    house: House,
) -> None:
    with house.hub.database() as connection:
        connection.execute("UPDATE device SET revoked = true WHERE false")
        row = connection.execute(
            "SELECT area_id, premises_id, person_id, kind, label, secret_sha256 FROM device"
            " WHERE device_id = %s", (house.button.id,),
        ).fetchone()  # fmt: skip
    assert row is not None
    area_id, premises_id, person_id = row[:3]
    unknown = f"care/v1/{area_id}/{premises_id}/unknown-1/alarm/press"
    await as_hub(house, unknown, '{"action":"emergency","message_id":"1"}')

    async def kept() -> bool:
        return bool(house.rows("SELECT 1 FROM quarantine WHERE device_id = 'unknown-1'"))

    await eventually(kept)
    assert house.rows("SELECT subject_kind FROM incident") == [("device",)], "it rang all the same"
    with house.hub.database() as connection:
        connection.execute(
            "INSERT INTO device (device_id, area_id, premises_id, person_id, kind, secret_sha256)"
            " VALUES ('unknown-1', %s, %s, %s, 'button', 'x')",
            (area_id, premises_id, person_id),
        )
    await asyncio.sleep(3)
    ((number,),) = house.rows("SELECT quarantine_id FROM quarantine")
    for _ in range(2):
        sent = await carebell("quarantine", "retry", str(number), "--data", house.data)
        assert sent.returncode == 0, sent.stderr

    async def rung() -> bool:
        return bool(house.rows("SELECT 1 FROM incident WHERE subject_kind = 'person'"))

    await eventually(rung)
    await asyncio.sleep(1)
    ((alarms, flags, received, first),) = house.rows(
        "SELECT count(*), min(flags::text), min(a.received_at), min(q.received_at) FROM alarm a,"
        " quarantine q WHERE a.subject_kind = 'person'"
    )
    assert alarms == 1, "a second retry changes nothing"
    assert "late" in flags
    assert received == first, "it tells when the person pressed"
    assert house.rows("SELECT state, retries FROM quarantine") == [("retried", 2)]
    # What still cannot be read waits again, and does not ring a second time.
    await as_hub(house, f"{house.button.prefix}/alarm/press", "no JSON at all")
    await eventually(lambda: holds(house, "SELECT 1 FROM quarantine WHERE state = 'waiting'"))
    before = house.rows("SELECT count(*), sum(alarm_count) FROM incident")
    ((broken,),) = house.rows("SELECT quarantine_id FROM quarantine WHERE state = 'waiting'")
    await carebell("quarantine", "retry", str(broken), "--data", house.data)
    await eventually(
        lambda: holds(house, "SELECT 1 FROM quarantine WHERE retries = 1 AND state = 'waiting'")
    )
    assert house.rows("SELECT count(*), sum(alarm_count) FROM incident") == before


async def holds(house: House, query: str) -> bool:
    return bool(house.rows(query))


async def as_hub(house: House, topic: str, payload: str) -> None:
    """As the button, where the topic is its own; else with a broker that let it through."""
    if topic.startswith(house.button.prefix):
        await house.publish(topic, payload)
        return
    from hub import retry
    from hub.clock import SystemClock
    from hub.embedded.broker import broker_url
    from hub.quarantine import Kept
    from hub.sources.mqtt import MqttConnection

    up = asyncio.Event()
    line = MqttConnection(
        broker_url(house.hub.settings.data_dir, "hub-ingest"), "test-line", clean=True,
        subscriptions={}, on_message=lambda _: None, on_connected=lambda _: up.set(),
    )  # fmt: skip
    await line.start()
    await asyncio.wait_for(up.wait(), 5)
    await retry.send(line, Kept(0, "alarm", topic, payload.encode(), SystemClock().now()))
    await line.stop()


async def test_a_running_hub_shows_every_part_of_itself(house: House) -> None:
    await house.publish(f"{house.button.prefix}/alarm/press", '{"action":"emergency"}')

    unset = ("retention", "oldest_due", "backup", "dead_man")
    quiet = {n for n in BY_NAME if any(word in n for word in unset)}

    async def missing() -> set[str]:
        async with httpx.AsyncClient() as client:
            text = (await client.get(f"{house.hub.url}/metrics")).text
        families = {f.name for f in text_string_to_metric_families(text)}
        assert families <= BY_NAME.keys()
        return BY_NAME.keys() - quiet - families

    async def shown() -> bool:
        return not await missing()

    with contextlib.suppress(TimeoutError):
        await eventually(shown, 40)
    assert await missing() == set()


async def test_the_doctor_finds_a_running_hub_well(house: House) -> None:
    seen = await carebell("doctor", "--all", "--data", house.data, "--language", "en")
    for well in ("A press would ring now", "Ladder and courier go round", "ingest runs",
                 "No ladder is overdue", "Both persistent sessions"):  # fmt: skip
        assert well in seen.stdout, seen.stdout
    assert "itself failed" not in seen.stdout


async def test_nothing_of_a_person_is_in_any_log(house: House) -> None:
    """Through the real processes, also where the database quotes rows in its errors."""
    hub = house.hub
    with hub.database() as connection:
        connection.execute(
            f"ALTER TABLE alarm ADD CONSTRAINT poison CHECK (message_id <> '{MARKS['id']}'"
            f" AND text NOT LIKE '%{MARKS['text']}%') NOT VALID".encode()
        )
        connection.execute(
            f"ALTER TABLE person ADD CONSTRAINT poison CHECK (medical_notes <> '{MARKS['notes']}')"
            " NOT VALID".encode()
        )
    press = (
        f'{{"action":"emergency","message_id":"{MARKS["id"]}","note":"{MARKS["text"]}",'
        f'"position":{{"latitude":{MARKS["latitude"]},"longitude":121.4,"datum":"WGS-84"}}}}'
    )
    await house.publish(f"{house.button.prefix}/alarm/press", press)
    await house.publish(f"{house.button.prefix}/telemetry/vitals", f'{{"x":"{MARKS["text"]}"')
    administrator = hub.administrator()
    async with httpx.AsyncClient(base_url=hub.url, timeout=10) as desk:
        wrong = {"username": MARKS["name"], "password": MARKS["password"]}
        assert (await desk.post("/api/v1/session", json=wrong)).status_code in (401, 422, 429)
        assert (await desk.post("/api/v1/session", json=administrator)).status_code == 200
        for body in (
            {"id": "marked-1", "premises_id": "nowhere", "name": MARKS["name"]},
            {"id": 7, "name": [MARKS["name"]], "phone": MARKS["phone"]},
            {"id": "marked-2", "premises_id": house.rows("SELECT premises_id FROM premises")[0][0],
             "name": MARKS["name"], "phone": MARKS["phone"], "medical_notes": MARKS["notes"]},
        ):  # fmt: skip
            await desk.post("/api/v1/people", json=body)
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "carebell", "device", "add", MARKS["name"], "--kind", "button",
         "--premises", MARKS["phone"], "--data", house.data],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    hub.kill("ingest")
    await asyncio.sleep(4)
    folder = Path(house.data)
    logs = [*sorted((folder / "log").iterdir()), folder.parent / "up.log"]
    text = "\n".join(path.read_text(errors="replace") for path in logs)
    assert "alarm_refused" in text, "the poison was met"
    assert len(logs) >= 7
    secrets = load_secrets(hub.folder)
    wanted = MARKS | secrets.broker_passwords | {
        "seed": secrets.issuer_seed, "administrator": secrets.administrator_password,
        "device": house.button.login.secret,
    }  # fmt: skip
    leaked = {
        what: [p.name for p in logs if value in p.read_text(errors="replace")]
        for what, value in wanted.items()
        if value in text
    }
    assert not leaked


async def test_it_ends_quickly_and_leaves_nothing_behind(house: House) -> None:
    began_s = time.monotonic()
    found = [house.hub.pid_of(name) for name in ("database", "broker", "ingest", "worker", "api")]
    await asyncio.to_thread(house.hub.stop)
    took_s = time.monotonic() - began_s
    assert took_s < 12, f"{took_s:.1f} s"
    for pid in filter(None, found):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(psycopg.OperationalError):
        house.hub.database()
