"""A short kill and a short freeze of the whole hub; `benchmarks` has the long ones."""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from benchmarks.feed import Feed
from benchmarks.frozen_database import frozen
from benchmarks.harness import Hub, say
from benchmarks.kill import PARTS, kill_while_pressed
from benchmarks.ledger import Ledger, Press, judge
from schemas.commands import ReceiptStage
from tests.integration.embedded import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

HOMES = 12
KILLS = len(PARTS) + 1
FROZEN_S = 6.0
PRESS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class House:
    """A whole hub, its buttons and a dispatcher's desk."""

    hub: Hub
    ledger: Ledger
    feed: Feed

    def shown(self, press: Press) -> bool:
        return press.key in self.feed.shown_at_s

    def sound(self) -> None:
        """Every press that was answered is one alarm in one incident."""
        verdict = judge(self.hub, self.ledger)
        verdict.tell()
        assert not verdict.lost
        assert not verdict.doubled
        assert not verdict.strange
        assert verdict.acknowledged == len(self.ledger.presses)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """One hub for all tests here: starting it is a good part of their time."""
    folder = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    hub = Hub(folder)
    try:
        await hub.start()
        devices = await hub.provision(HOMES)
        ledger = Ledger([device for device in devices if device.kind == "button"])
        feed = Feed(hub)
        await ledger.connect()
        await feed.start()
        yield House(hub, ledger, feed)
        await feed.stop()
        await ledger.close()
    finally:
        hub.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def all_hold(what: Any, presses: list[Press], within_s: float = 20.0) -> None:
    async def now() -> bool:
        return all(what(press) for press in presses)

    await eventually(now, within_s)


def told(stage: ReceiptStage) -> Any:
    return lambda press: stage in press.told_at_s


async def test_presses_ring_while_the_database_is_frozen(house: House) -> None:
    """They ring and are heard, a dispatcher takes one, and afterwards all of it is recorded."""
    ledger = house.ledger
    mine, *others = ledger.buttons
    async with house.feed.client() as desk:
        async with frozen(house.hub):
            thaw_at_s = time.monotonic() + FROZEN_S
            presses = [ledger.press(mine)]
            for button in others * 2:
                await asyncio.sleep(PRESS_EVERY_S)
                presses.append(ledger.press(button))
            await all_hold(house.shown, presses)
            await all_hold(told(ReceiptStage.HEARD), presses)
            address = await incident_of(desk, presses[0])
            taken = await desk.post(f"{address}/acknowledge", json={})
            assert taken.status_code == httpx.codes.ACCEPTED, taken.text
            assert taken.json()["pending_action"] == "acknowledge"
            assert not any(ReceiptStage.RECEIVED in press.told_at_s for press in presses)
            await asyncio.sleep(max(0.0, thaw_at_s - time.monotonic()))
        await all_hold(told(ReceiptStage.RECEIVED), presses, 60.0)
        await all_hold(told(ReceiptStage.COMING), presses[:1], 60.0)
        recorded = (await desk.get(address)).json()
    assert recorded["state"] == "acknowledged"
    assert (recorded["provisional"], recorded["pending_action"]) == (False, None)
    assert await ledger.all_answered(30.0)
    house.sound()
    with house.hub.database() as connection:
        rows = connection.execute("SELECT state FROM incident WHERE owner_id IS NOT NULL")
        assert rows.fetchall() == [("acknowledged",)]


async def incident_of(desk: httpx.AsyncClient, press: Press) -> str:
    listed = (await desk.get("/api/v1/incidents", params={"limit": 200})).json()["items"]
    (incident,) = [i for i in listed if i["alarms"][-1]["device_id"] == press.button.id]
    return f"/api/v1/incidents/{incident['id']}"


async def test_every_part_can_be_killed_while_people_press(house: House) -> None:
    """Nothing lost, nothing doubled; presses twice, late, out of order and without an id too."""
    seed = int.from_bytes(os.urandom(4), "big")
    say(f"seed {seed}")
    done, verdict = await kill_while_pressed(house.hub, house.ledger, house.feed, KILLS, seed)
    verdict.tell()
    assert set(done.kills) == set(PARTS)
    assert not verdict.lost
    assert not verdict.doubled
    assert not verdict.strange
    assert verdict.acknowledged == len(house.ledger.presses)
