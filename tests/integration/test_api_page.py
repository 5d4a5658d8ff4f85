"""What the page asks besides the feed: names by ear, first tests, what happened before."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from hub.api.feed_models import IncidentEvent, SnapshotEvent, Stats
from hub.api.page_settings import PageSettings
from hub.store.cases import AlarmItem
from schemas.alarms import PressAction
from tests.integration.api_hub import ApiHub, api_hub, listening, press
from tests.integration.register_stories import logged


@pytest.mark.parametrize(
    ("typed", "found"),
    [("wangxiuying", ["wang"]), ("wxy", ["wang"]), ("Li Jianguo", ["li"]), ("xiuy", ["wang"]),
     ("jianjian", [])],
)  # fmt: skip
async def test_a_name_is_found_as_it_sounds(hub: ApiHub, typed: str, found: list[str]) -> None:
    async with hub.desk() as desk:
        answer = await desk.get("/api/v1/people", params={"q": typed})
    assert [item["id"] for item in answer.json()["items"]] == found


async def test_a_changed_name_is_found_by_its_new_sound_only(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        assert (await desk.get("/api/v1/people", params={"q": "wangxiu"})).json()["items"]
        answer = await desk.patch("/api/v1/people/wang", json={"name": "赵玉珍"})
        assert answer.status_code == 200, answer.text
        old = (await desk.get("/api/v1/people", params={"q": "wangxiu"})).json()["items"]
        new = (await desk.get("/api/v1/people", params={"q": "zhaoyuzhen"})).json()["items"]
        # Pinyin shows nobody outside the desk's own area either.
    assert (old, [item["id"] for item in new]) == ([], ["wang"])
    async with hub.desk("west-desk") as desk:
        assert (await desk.get("/api/v1/people", params={"q": "zyz"})).json()["items"] == []


async def test_an_installer_sees_a_test_press_as_it_comes(hub: ApiHub) -> None:
    path = "/api/v1/devices/button-1/presses"
    async with hub.desk("admin") as desk:
        began = (await desk.get(path)).json()["now"]
        asked = asyncio.create_task(desk.get(path, params={"after": began, "wait_s": 10}))
        await asyncio.sleep(0)
        now = datetime.now(UTC)
        pressed = now - timedelta(seconds=0.4)
        alarm = press(action=PressAction.TEST, observed_at=pressed, received_at=now)
        await hub.ingest.commit(AlarmItem(alarm))
        started = time.perf_counter()
        (seen,) = (await asked).json()["items"]
        assert time.perf_counter() - started < 1
        assert (seen["action"], seen["incident_id"], seen["took_s"]) == ("test", None, 0.4)
        rest = (await desk.get(path, params={"after": seen["received_at"]})).json()["items"]
        assert rest == []
    async with hub.desk("west-desk") as desk:
        assert (await desk.get(path)).status_code == 404


async def test_a_device_by_its_id_also_when_it_is_revoked(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        card = (await desk.get("/api/v1/devices/button-1")).json()
        assert (card["person_name"], card["revoked"]) == ("王秀英", False)
        listed = await desk.get("/api/v1/devices", params={"premises_id": "home-2"})
        assert [item["id"] for item in listed.json()["items"]] == ["button-2"]
        await desk.post("/api/v1/devices/button-1/revoke")
        assert (await desk.get("/api/v1/devices/button-1")).json()["revoked"] is True
        assert (await desk.get("/api/v1/devices/none-such")).status_code == 404
    async with hub.desk("west-desk") as desk:
        assert (await desk.get("/api/v1/devices/button-1")).status_code == 404


async def test_what_happened_before_to_a_person(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    path = "/api/v1/people/wang/incidents"
    async with hub.desk() as desk:
        before = (await desk.get(path)).json()["items"]
        assert [item["id"] for item in before] == [opened["id"]]
        assert (await desk.get("/api/v1/premises/home-1/incidents")).json()["items"] == []
    async with hub.desk("west-desk") as desk:
        assert (await desk.get(path)).status_code == 404
        assert (await desk.get("/api/v1/premises/home-1/incidents")).status_code == 404


async def test_the_acceleration_of_a_fall_and_who_looked(hub: ApiHub) -> None:
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO signal_window (alarm_id, area_id, device_id, received_at, window_json)"
            " VALUES ('fall-1', 'east-1', 'band-1', now(), %s)",
            (Jsonb({"sample_rate_hz": 25, "x_mg": [0, 12], "y_mg": [1, 2], "z_mg": [1000, 3200]}),),
        )
    async with hub.desk() as desk:
        signal = (await desk.get("/api/v1/alarms/fall-1/signal")).json()
    assert (signal["sample_rate_hz"], signal["z_mg"]) == (25, [1000, 3200])
    assert logged(hub, "look")[-1] == {"noun": "signal", "id": "fall-1"}
    async with hub.desk("west-desk") as desk:
        assert (await desk.get("/api/v1/alarms/fall-1/signal")).status_code == 404


async def test_foreign_pictures_only_where_an_operator_wants_them(
    hub: ApiHub, database_url: str, tmp_path: Path
) -> None:
    async with hub.desk() as desk:
        answer = await desk.get("/api/v1/session")
    assert answer.json()["page"]["map_tiles"] == ""
    assert "http" not in answer.headers["Content-Security-Policy"]
    tiles = PageSettings(map_tiles="https://{s}.tiles.example/{z}/{x}/{y}.png")
    async with (
        api_hub(database_url, tmp_path, page_settings=tiles) as other,
        other.desk() as desk,
    ):
        answer = await desk.get("/api/v1/session")
    assert answer.json()["page"]["map_tiles"] == tiles.map_tiles
    assert "img-src 'self' https://*.tiles.example" in answer.headers["Content-Security-Policy"]


async def test_the_feed_is_as_the_document_says(hub: ApiHub) -> None:
    """Types of the page are made from the document; the feed must be what it describes."""
    async with hub.desk() as desk, listening(desk) as line:
        SnapshotEvent.model_validate((await line.next("snapshot")).body)
        Stats.model_validate((await line.next("stats")).body)
        await hub.ingest.take_press(press())
        IncidentEvent.model_validate((await line.next("incident")).body)
        schemas = (await desk.get("/openapi.json")).json()["components"]["schemas"]
    assert {"SnapshotEvent", "IncidentEvent", "Stats"} <= set(schemas)
