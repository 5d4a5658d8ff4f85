"""The desk while the database is frozen or gone: open incidents go on, the rest says so quickly."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from alerts.incident import opened_by
from hub.view import Cards, View, incident_view
from tests.integration.api_hub import (
    PASSWORD,
    ApiHub,
    Line,
    api_hub,
    listening,
    press,
    seed,
    until,
    write_desk_snapshot,
)
from tests.integration.desk_database import DatabaseServer, running_database

INCIDENTS = "/api/v1/incidents"
QUICKLY_S = 2.5


@pytest.fixture(scope="module")
def server() -> Iterator[DatabaseServer]:
    """A server of our own: others must not freeze with it."""
    with running_database() as running:
        yield running


@pytest.fixture
async def hub(server: DatabaseServer, tmp_path: Path) -> AsyncIterator[ApiHub]:
    url = server.fresh()
    seed(url)
    async with api_hub(url, tmp_path) as running:
        await running.parts.switchboard.loaded.wait()
        running.bus.beat()
        yield running


@contextmanager
def frozen(server: DatabaseServer) -> Iterator[None]:
    server.signal_all(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal_all(signal.SIGCONT)


def provisional() -> View:
    alarm = press("button-2")
    return incident_view(opened_by(alarm, alarm.received_at), Cards(), [alarm], provisional=True)


async def timed(request: Awaitable[httpx.Response]) -> httpx.Response:
    started = time.monotonic()
    answer = await request
    assert time.monotonic() - started < QUICKLY_S
    return answer


async def eventually_ok(hub: ApiHub) -> None:
    board, store = hub.parts.switchboard, hub.parts.store
    await until(lambda: store.state == "ok" and board.loaded_from == "database")


async def at_once(line: Line, hub: ApiHub) -> None:
    """An announcement shows within milliseconds, whatever the database does."""
    view = provisional()
    started = time.perf_counter()
    hub.ingest.announce("raised", view)
    while (await line.next("incident")).body["incident"]["id"] != view["id"]:
        pass
    assert time.perf_counter() - started < 0.05


async def test_a_frozen_database_delays_no_press_and_no_look(
    hub: ApiHub, server: DatabaseServer
) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        with frozen(server):
            for _ in range(12):
                await at_once(line, hub)
                hub.bus.beat()  # ingest is well all the time, however slow this machine is
                await asyncio.sleep(0.25)
            answer = await timed(desk.get(INCIDENTS))
            assert len(answer.json()["items"]) == 13
            answer = await timed(desk.get(f"{INCIDENTS}/{opened['id']}"))
            assert answer.status_code == 200
            assert answer.json()["timeline_available"] is False
            for path in ("/api/v1/devices", f"{INCIDENTS}?state=resolved", f"{INCIDENTS}/x"):
                answer = await timed(desk.get(path))
                assert answer.status_code == 503, path
                assert answer.headers["retry-after"]
            assert (await timed(desk.get("/api/v1/session"))).status_code == 200
            answer = await timed(desk.get("/api/v1/health/ready"))
            assert answer.status_code == 200
            assert answer.json()["checks"]["database"] == "away, running on memory"
            assert (await line.next("stats")).body["database"] in ("away", "slow")
        await eventually_ok(hub)
        assert (await desk.get("/api/v1/devices")).status_code == 200
        await until(lambda: hub.rows("SELECT 1 FROM audit_log WHERE action = 'look'"), 5)


async def test_an_action_during_a_freeze_is_kept(hub: ApiHub, server: DatabaseServer) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk:
        with frozen(server):
            answer = await desk.post(f"{INCIDENTS}/{opened['id']}/acknowledge")
            assert answer.status_code == 202
            assert answer.json()["pending_action"] == "acknowledge"
        feed = hub.parts.switchboard.feed
        await until(lambda: feed.held[opened["id"]].view["state"] == "acknowledged")


async def test_logging_in_and_out_during_a_freeze(hub: ApiHub, server: DatabaseServer) -> None:
    write_desk_snapshot(hub.data_dir, {"boss": "t" * 43})
    async with hub.desk("mei") as leaving, hub.client() as client:
        with frozen(server):
            body = {"username": "east-desk", "password": PASSWORD}
            assert (await client.post("/api/v1/session", json=body)).status_code == 200
            assert (await timed(client.get(INCIDENTS))).status_code == 200
            body = {"username": "west-desk", "password": "wrong"}
            assert (await timed(client.post("/api/v1/session", json=body))).status_code == 401
            cookie = f"carebell_session={leaving.cookies['carebell_session']}"
            assert (await timed(leaving.delete("/api/v1/session"))).status_code == 204
            headers = {"Cookie": cookie}
            async with hub.client(headers=headers) as thief:
                assert (await timed(thief.get("/api/v1/session"))).status_code == 401
            headers = {"Cookie": f"carebell_session={'t' * 43}"}
            async with hub.client(headers=headers) as boss:
                answer = await timed(boss.get("/api/v1/session"))
                assert answer.json()["account"]["id"] == "boss"
        await eventually_ok(hub)
        kept = "SELECT account_id FROM desk_session"
        await until(lambda: hub.rows(kept) == [("east-desk",)], 5)
        assert (await client.get(INCIDENTS)).status_code == 200


async def test_what_happened_during_a_freeze_is_caught_up(
    hub: ApiHub, server: DatabaseServer
) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        hub.ingest.silent = True
        with frozen(server):
            late = asyncio.create_task(hub.ingest.take_press(press("button-2")))
            await asyncio.sleep(3.5)
        other = await late
        event = await line.next("incident")
        assert event.body["incident"]["id"] == other["id"]
        listed = {item["id"] for item in (await desk.get(INCIDENTS)).json()["items"]}
        assert listed == {opened["id"], other["id"]}


async def test_starting_while_the_database_is_frozen(
    server: DatabaseServer, tmp_path: Path
) -> None:
    url = server.fresh()
    seed(url)
    was_open = provisional()
    token = "u" * 43
    write_desk_snapshot(tmp_path, {"east-desk": token, "mei": "v" * 43}, [was_open])
    with frozen(server):
        async with api_hub(url, tmp_path) as hub:
            hub.bus.beat()
            headers = {"Cookie": f"carebell_session={'v' * 43}"}
            async with hub.client(headers=headers) as desk:
                answer = await timed(desk.get(INCIDENTS))
                assert [item["id"] for item in answer.json()["items"]] == [was_open["id"]]
                async with listening(desk) as line:
                    snapshot = (await line.next("snapshot")).body
                    assert [item["id"] for item in snapshot["incidents"]] == [was_open["id"]]
                    await at_once(line, hub)
                answer = await timed(desk.get("/api/v1/health/ready"))
                assert answer.json()["checks"]["database"] == "away, running on snapshot"
            headers = {"Cookie": f"carebell_session={token}"}
            async with hub.client(headers=headers) as desk:
                assert (await timed(desk.get(INCIDENTS))).json()["items"] == []


async def test_without_database_and_snapshot_it_is_not_ready_but_listens(
    server: DatabaseServer, tmp_path: Path
) -> None:
    url = server.fresh()
    with frozen(server):
        async with api_hub(url, tmp_path) as hub, hub.client() as client:
            hub.bus.beat()
            await asyncio.sleep(2.5)
            answer = await client.get("/api/v1/health/ready")
            assert answer.status_code == 503
            assert answer.json()["failing"] == ["database"]
            assert (await client.get("/api/v1/health/live")).status_code == 200


async def test_stopping_while_the_database_is_frozen(
    server: DatabaseServer, tmp_path: Path
) -> None:
    url = server.fresh()
    seed(url)
    try:
        async with api_hub(url, tmp_path) as hub, hub.desk() as desk:
            server.signal_all(signal.SIGSTOP)
            assert (await timed(desk.get("/api/v1/devices"))).status_code == 503
            started = time.monotonic()
        assert time.monotonic() - started < 8
    finally:
        server.signal_all(signal.SIGCONT)


async def test_a_killed_database_comes_back(hub: ApiHub, server: DatabaseServer) -> None:
    async with hub.desk() as desk:
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait(10)
        answer = await timed(desk.get("/api/v1/devices"))
        assert answer.status_code == 503
        assert (await timed(desk.get(INCIDENTS))).status_code == 200
        await asyncio.sleep(5)  # longer than one back-off of the pool
        server.restart()
        await eventually_ok(hub)
        assert (await desk.get("/api/v1/devices")).status_code == 200
