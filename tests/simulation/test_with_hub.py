"""`carebell simulate --homes` against a whole hub: what happened is what the hub recorded."""

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio

from benchmarks.harness import Hub
from hub.embedded.database import database_url

pytestmark = pytest.mark.e2e

SCENARIO = """
title = "A few minutes in half a minute"
devices = ["wristband", "button", "care_bed", "hazard_sensor"]
connects_per_s = 200

[[trait]]
of = "button"
numbering = "counter"
clock = { absent = true }

[[step]]
at = "6s"
home = 0
device = "button"
action = "press"

[[step]]
at = "7s"
home = 1
device = "wristband"
action = "coverage_lost"
lasts = "9s"

[[step]]
at = "9s"
home = 1
device = "wristband"
action = "press"

[[step]]
at = "10s"
home = 2
device = "hazard_sensor"
action = "hazard"
hazard = "gas"

[[step]]
at = "11s"
home = 3
device = "button"
action = "reboot"

[[step]]
at = "12s"
home = 3
device = "wristband"
action = "press"
"""


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    folder = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    hub = Hub(folder)
    try:
        await hub.start()
        yield hub
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_the_hub_records_what_really_happened(hub: Hub, tmp_path: Path) -> None:
    scenario, truth = tmp_path / "few.toml", tmp_path / "truth.jsonl"
    scenario.write_text(SCENARIO, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "carebell", "simulate", "--homes", "5",
        "--data", str(hub.settings.data_dir), "--scenario", str(scenario),
        "--truth", str(truth), "--for", "28", "--quiet",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 100)
    assert process.returncode == 0
    summary = json.loads(output)
    assert (summary["deaf"], summary["behind"], summary["dropped"]) == (0, 0, 0)
    assert summary["refusals"] == 0, "they come once the broker lets them in"
    assert summary["presses"] == summary["received"] == 4
    assert all("received_after_s" in press for press in summary["last_presses"])

    events = [json.loads(line) for line in truth.read_text().splitlines()]
    helped = {event["device_id"] for event in events if event.get("needs_help")}
    with psycopg.connect(database_url(hub.settings.data_dir)) as connection:
        rung = {row[0] for row in connection.execute("SELECT DISTINCT device_id FROM alarm")}
    assert rung >= helped
    assert len(helped) == 4
