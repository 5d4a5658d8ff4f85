"""A whole hub whose database stands still, or is ended again and again, while people press.

The desk rings; what a dispatcher does is kept and recorded afterwards; what nobody takes reaches
the fallback contact from memory; and afterwards nobody is called who need not come.
"""

import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from alerts.fallback import Times, offset_s
from alerts.ladders import URGENT
from benchmarks.feed import Feed
from benchmarks.frozen_database import frozen
from benchmarks.harness import Button, Hub
from benchmarks.ledger import Ledger, Press, judge
from schemas.commands import ReceiptStage
from schemas.vocabulary import DeviceKind
from tests.integration.embedded import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

FIRST_CALL_S = offset_s(URGENT, 1, Times(30, 60))
SECOND_CALL_S = offset_s(URGENT, 2, Times(30, 60))
AWAY_S = FIRST_CALL_S + 8
KILL_EVERY_S = 0.02


@dataclass(slots=True)
class Hotline:
    """The second hotline: a web server that writes down what it is posted."""

    calls: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length: ")[1].split("\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                self.calls.append((time.monotonic(), body))
                writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    def of(self, incident_id: str) -> list[tuple[float, str]]:
        """When it was told what of an incident."""
        return [(at, b["kind"]) for at, b in self.calls if b["incident_id"] == incident_id]


@dataclass(frozen=True, slots=True)
class House:
    """A whole hub, its buttons, a dispatcher's desk, and a second hotline."""

    hub: Hub
    ledger: Ledger
    feed: Feed
    hotline: Hotline
    buttons: list[Button]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    hotline = Hotline()
    server = await asyncio.start_server(hotline.serve, "127.0.0.1", 0)
    folder = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    hub = Hub(folder)
    with pytest.MonkeyPatch.context() as patch:
        port = server.sockets[0].getsockname()[1]
        patch.setenv("CAREBELL_WEBHOOK_URL", f"http://127.0.0.1:{port}/hook")
        try:
            await hub.start()
            buttons = await hub.provision(6, kinds=[DeviceKind.BUTTON])
            ledger, feed = Ledger(buttons), Feed(hub)
            await ledger.connect()
            await feed.start()
            await eventually(lambda: desk_is_manned(hub))  # or the ladder passes it by
            yield House(hub, ledger, feed, hotline, buttons)
            await feed.stop()
            await ledger.close()
        finally:
            hub.stop()
            server.close()
            shutil.rmtree(folder, ignore_errors=True)


async def desk_is_manned(hub: Hub) -> bool:
    with hub.database() as connection:
        return connection.execute("SELECT FROM desk_presence LIMIT 1").fetchone() is not None


@asynccontextmanager
async def ended(hub: Hub) -> AsyncIterator[None]:
    """The database dies, and dies again whenever the supervisor starts it, before it is ready."""

    async def reap() -> None:
        while True:
            await asyncio.to_thread(hub.kill_postmaster)
            await asyncio.sleep(KILL_EVERY_S)

    reaping = asyncio.create_task(reap())
    try:
        yield
    finally:
        reaping.cancel()
        await asyncio.gather(reaping, return_exceptions=True)


Outage = Callable[[Hub], AbstractAsyncContextManager[Any]]


@pytest.mark.parametrize(("outage", "first"), [(frozen, 0), (ended, 3)], ids=["frozen", "ended"])
async def test_the_desk_rings_and_afterwards_nobody_is_called_in_vain(
    house: House, outage: Outage, first: int
) -> None:
    ledger, feed, hotline = house.ledger, house.feed, house.hotline
    before, mine, nobodys = house.buttons[first : first + 3]
    early = ledger.press(before)
    async with feed.client() as desk:
        await told(early, ReceiptStage.RECEIVED)
        async with outage(house.hub):
            pressed_s = time.monotonic()
            taken, left = ledger.press(mine), ledger.press(nobodys)
            await shown(feed, taken, left)
            await told(taken, ReceiptStage.HEARD)
            address = await address_of(desk, taken)
            answer = await desk.post(f"{address}/acknowledge", json={"expected_arrival_s": 600})
            assert answer.status_code == 202, answer.text
            assert answer.json()["pending_action"] == "acknowledge"
            earlier = await address_of(desk, early)
            assert (await desk.post(f"{earlier}/acknowledge", json={})).status_code == 202
            await asyncio.sleep(max(0.0, pressed_s + AWAY_S - time.monotonic()))
        left_id = await id_of(desk, left)
        taken_id, early_id = await id_of(desk, taken), await id_of(desk, early)
        (called_s, kind), *_ = hotline.of(left_id)
        assert kind == "ring"
        assert FIRST_CALL_S - 1 <= called_s - pressed_s <= FIRST_CALL_S + 5
        await told(taken, ReceiptStage.COMING)
        await told(left, ReceiptStage.RECEIVED)
        recorded = (await desk.get(address)).json()
        assert (recorded["state"], recorded["provisional"]) == ("acknowledged", False)

        async def written() -> bool:
            return rows(house.hub, left_id) != []

        await eventually(written, 20.0)
        assert set(rows(house.hub, left_id)) == {"sent"}
        next_s = called_s + SECOND_CALL_S - FIRST_CALL_S
        await asyncio.sleep(max(0.0, min(12.0, next_s - 2 - time.monotonic())))
        again = [at for at, what in hotline.of(left_id) if what == "ring" and at > called_s]
        assert not again or again[0] >= next_s - 1, "not needlessly once more"
        assert hotline.of(taken_id) == hotline.of(early_id) == [], "somebody has these"
        closed = await desk.post(f"/api/v1/incidents/{left_id}/resolve", json={"outcome": "test"})
        assert closed.status_code == 200, closed.text

        async def over() -> bool:
            return hotline.of(left_id)[-1][1] == "over"

        await eventually(over, 20.0)
    assert await ledger.all_answered(30.0)
    verdict = judge(house.hub, ledger)
    verdict.tell()
    assert not verdict.lost
    assert not verdict.doubled


async def told(press: Press, stage: ReceiptStage) -> None:
    async def now() -> bool:
        return stage in press.told_at_s

    await eventually(now, 60.0)


async def shown(feed: Feed, *presses: Press) -> None:
    async def now() -> bool:
        return all(press.key in feed.shown_at_s for press in presses)

    await eventually(now, 10.0)


async def id_of(desk: Any, press: Press) -> str:
    return (await address_of(desk, press)).rpartition("/")[2]


async def address_of(desk: Any, press: Press) -> str:
    listed = (await desk.get("/api/v1/incidents", params={"limit": 200})).json()["items"]
    (incident,) = [i for i in listed if i["alarms"][-1]["device_id"] == press.button.id]
    return f"/api/v1/incidents/{incident['id']}"


def rows(hub: Hub, incident_id: str) -> list[str]:
    """States of the calls from memory as they were recorded."""
    with hub.database() as connection:
        found = connection.execute(
            "SELECT state FROM notification"
            " WHERE incident_id = %s AND reason = 'from_memory' AND kind = 'ring'",
            (incident_id,),
        ).fetchall()
    return [state for (state,) in found]
