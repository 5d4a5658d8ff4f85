"""Homes, people, devices, observations and quarantine over HTTP."""

import hashlib
from datetime import UTC, datetime, timedelta

import psycopg

from schemas.vocabulary import MEASURE_BY_KEY
from tests.integration.api_hub import ApiHub, press

DEVICES = "/api/v1/devices"
NOW = datetime.now(UTC)


def observe(
    hub: ApiHub,
    device_id: str,
    measure: str,
    value: float | None,
    *,
    ago: timedelta = timedelta(seconds=10),
    state: str | None = None,
    person_id: str = "wang",
) -> None:
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO observation (observed_at, device_id, measure, message_key, area_id,"
            " person_id, value, state, quality, received_at, batch_id)"
            " VALUES (%s, %s, %s, 1, 'east-1', %s, %s, %s, 0, %s, 1)",
            (NOW - ago, device_id, MEASURE_BY_KEY[measure].code, person_id, value, state,
             NOW - ago),
        )  # fmt: skip


async def test_a_stranger_registers_a_home_over_http(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        home = {"id": "home-9", "area_id": "west", "address": "9 Sea Road", "phone": "+86 10 1"}
        answer = await desk.post("/api/v1/premises", json=home)
        assert answer.status_code == 201, answer.text
        person = {"id": "zhao", "premises_id": "home-9", "name": "赵玉珍", "birth_year": 1939}
        answer = await desk.post("/api/v1/people", json=person)
        assert answer.status_code == 201, answer.text
        assert answer.json()["area_id"] == "west"
        device = {"id": "band-9", "kind": "wristband", "premises_id": "home-9",
                  "person_id": "zhao", "label": "left wrist"}  # fmt: skip
        answer = await desk.post(DEVICES, json=device)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        listed = (await desk.get(DEVICES, params={"q": "赵玉"})).json()["items"]
    assert len(bytes.fromhex(made["secret"])) == 16
    assert made["mqtt"] == {
        "username": "band-9",
        "password": made["secret"],
        "topic_prefix": "care/v1/west/home-9/band-9",
    }
    assert made["device"]["online"] is False
    assert [item["id"] for item in listed] == ["band-9"]
    kept = hashlib.sha256(made["secret"].encode()).hexdigest()
    assert hub.rows("SELECT secret_sha256 FROM device WHERE device_id = 'band-9'") == [(kept,)]
    changed = hub.rows("SELECT noun, id FROM context_change ORDER BY seq DESC LIMIT 3")
    assert {("device", "band-9"), ("person", "zhao")} <= set(changed) | {("premises", "home-9")}
    logged = hub.rows(
        "SELECT actor_id, detail->>'id' FROM audit_log WHERE action IN ('add', 'provision')"
    )
    assert logged == [("admin", "home-9"), ("admin", "zhao"), ("admin", "band-9")]
    assert made["secret"] not in str(hub.rows("SELECT * FROM audit_log"))


async def test_what_cannot_be_registered(hub: ApiHub) -> None:
    new = {"id": "band-9", "kind": "wristband", "premises_id": "home-1"}
    async with hub.desk("admin") as desk:
        for change, status in (
            ({"id": "button-1"}, 409),
            ({"premises_id": "nowhere"}, 404),
            ({"person_id": "nobody"}, 404),
            ({"id": "Band 9"}, 422),
            ({"id": "a/b"}, 422),
            ({"id": "x" * 65}, 422),
            ({"kind": "toaster"}, 422),
            ({"labl": "misspelt"}, 422),
        ):
            answer = await desk.post(DEVICES, json=new | change)
            assert answer.status_code == status, (change, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
        home = {"id": "home-9", "area_id": "west", "address": "9 Sea Road"}
        changes: tuple[tuple[dict[str, object], int], ...] = (
            ({"id": "home-1"}, 409),
            ({"area_id": "moon"}, 404),
            ({"latitude": 31.0}, 422),
            ({"latitude": 91.0, "longitude": 0}, 422),
            ({"time_zone": "Mars/Olympus"}, 422),
            ({"address": "   "}, 422),
        )
        for different, status in changes:
            answer = await desk.post("/api/v1/premises", json={**home, **different})
            assert answer.status_code == status, (different, answer.text)


async def test_devices_say_whether_they_are_alive(hub: ApiHub) -> None:
    async with hub.desk() as desk:
        first = {item["id"]: item for item in (await desk.get(DEVICES)).json()["items"]}
        never = first["button-1"]
        assert (never["online"], never["silent"], never["last_seen_at"]) == (False, False, None)
        observe(hub, "button-1", "battery_percent", 87.0)
        observe(hub, "button-2", "battery_percent", 12.0, ago=timedelta(hours=2))
        listed = {item["id"]: item for item in (await desk.get(DEVICES)).json()["items"]}
        assert listed["button-1"]["online"] is True
        assert listed["button-1"]["battery_percent"] == 87.0
        assert listed["button-1"]["last_seen_at"].endswith("Z")
        assert (listed["button-2"]["online"], listed["button-2"]["silent"]) == (False, True)
        observe(hub, "button-1", "link_state", None, ago=timedelta(seconds=5), state="offline")
        (gone,) = (await desk.get(DEVICES, params={"q": "button-1"})).json()["items"]
        assert (gone["online"], gone["silent"]) == (False, False)
        await hub.ingest.take_press(press())
        (back,) = (await desk.get(DEVICES, params={"q": "bedside"})).json()["items"]
        assert back["online"] is True


async def test_devices_come_in_pages_and_by_area(hub: ApiHub) -> None:
    async with hub.desk() as desk:
        page = (await desk.get(DEVICES, params={"limit": 1})).json()
        assert [item["id"] for item in page["items"]] == ["button-1"]
        page = (await desk.get(DEVICES, params={"cursor": page["next_cursor"]})).json()
        assert [item["id"] for item in page["items"]] == ["button-2"]
        assert page["next_cursor"] is None
        assert (await desk.get(DEVICES, params={"q": "%"})).json()["items"] == []
    async with hub.desk("east-desk") as desk:
        page = (await desk.get(DEVICES)).json()
        assert [item["id"] for item in page["items"]] == ["button-1"]


async def test_observations_of_a_device_and_of_a_person(hub: ApiHub) -> None:
    observe(hub, "button-1", "heart_rate_per_min", 71.0, ago=timedelta(minutes=2))
    observe(hub, "button-1", "heart_rate_per_min", 74.0, ago=timedelta(minutes=1))
    observe(hub, "button-1", "bed_state", None, state="occupied")
    observe(hub, "button-1", "position", None)
    observe(hub, "button-1", "steps", 5.0, ago=timedelta(days=3))
    path = "/api/v1/observations"
    async with hub.desk() as desk:
        items = (await desk.get(path, params={"device_id": "button-1"})).json()["items"]
        assert [item["measure"] for item in items] == [
            "bed_state", "heart_rate_per_min", "heart_rate_per_min",
        ]  # fmt: skip
        assert items[0]["state"] == "occupied"
        assert items[1] | {"observed_at": ""} == {
            "observed_at": "", "device_id": "button-1", "measure": "heart_rate_per_min",
            "value": 74.0, "unit": "/min", "state": None, "quality": "good",
        }  # fmt: skip
        parameters = {"person_id": "wang", "measure": "heart_rate_per_min", "limit": "1"}
        (newest,) = (await desk.get(path, params=parameters)).json()["items"]
        assert newest["value"] == 74.0
        week = {"device_id": "button-1", "from": (NOW - timedelta(days=7)).isoformat()}
        assert len((await desk.get(path, params=week)).json()["items"]) == 4
        for senseless in (
            {}, {"device_id": "button-1", "person_id": "wang"},
            {"device_id": "button-1", "measure": "happiness"},
            {"device_id": "button-1", "from": "2026-01-01T00:00:00"},
            {"device_id": "button-1", "limit": "100000"},
        ):  # fmt: skip
            assert (await desk.get(path, params=senseless)).status_code == 422, senseless
        assert (await desk.get(path, params={"device_id": "unknown"})).status_code == 404
    async with hub.desk("west-desk") as desk:
        assert (await desk.get(path, params={"person_id": "wang"})).status_code == 404
        assert (await desk.get(path, params={"device_id": "button-1"})).status_code == 404


async def test_quarantine_shows_what_could_not_be_read(hub: ApiHub) -> None:
    with psycopg.connect(hub.database_url) as connection:
        for number in range(3):
            connection.execute(
                "INSERT INTO quarantine (area_id, lane, topic, device_id, message_key, reason,"
                " payload, received_at) VALUES ('city', 'alarm', 't', 'd', %s, 'not JSON', %s,"
                " now())",
                (number, b"\xff\x00<script>" * 500),
            )
    async with hub.desk("admin") as desk:
        page = (await desk.get("/api/v1/quarantine", params={"limit": 2})).json()
        assert [item["reason"] for item in page["items"]] == ["not JSON", "not JSON"]
        item = page["items"][0]
        assert item["size_bytes"] == 5000
        assert len(item["payload"]) <= 2048
        parameters = {"cursor": page["next_cursor"]}
        page = (await desk.get("/api/v1/quarantine", params=parameters)).json()
        assert len(page["items"]) == 1
