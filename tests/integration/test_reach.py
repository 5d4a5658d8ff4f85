"""Who is nearest, over the real tables and the real API."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from alerts.reach import (
    DEFAULT_WITHIN_MIN,
    Goer,
    Point,
    Settlement,
    Standing,
    TravelMode,
    candidates,
)
from hub.routing import RoutingService
from hub.store.reach_responders import nearest
from tests.integration.api_hub import QUICK_HASH, ApiHub, listening, press

HOME = Point(31.2, 121.4)
"""Of Wang, in `tests.integration.api_hub`."""
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

TOWN = """
INSERT INTO area (area_id, parent_id, name, level) VALUES ('city', NULL, 'City', 'city'),
    ('east', 'city', 'East', 'county'), ('east-1', 'east', 'East 1', 'street'),
    ('west', 'city', 'West', 'county');
INSERT INTO premises (premises_id, area_id, address, latitude, longitude)
VALUES ('home-1', 'east-1', '1 Lake Road', 31.2, 121.4), ('nowhere', 'east-1', '?', NULL, NULL);
"""


def add_responders(connection: psycopg.Connection[Any], rows: list[tuple[Any, ...]]) -> None:
    connection.cursor().executemany(
        "INSERT INTO responder (responder_id, area_id, kind, name, latitude, longitude,"
        " availability, travel_mode) VALUES (%s, %s, 'person', %s, %s, %s, %s, %s)",
        rows,
    )


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[psycopg.AsyncCursor[dict[str, Any]]]:
    with psycopg.connect(database_url) as connection:
        connection.execute(TOWN)
    async with (
        await psycopg.AsyncConnection.connect(database_url, row_factory=dict_row) as connection_,
        connection_.cursor() as cursor,
    ):
        yield cursor


async def test_five_thousand_responders_are_searched_in_milliseconds(
    database_url: str, town: psycopg.AsyncCursor[dict[str, Any]]
) -> None:
    """And what is found is what looking at every one of them finds."""
    chance = random.Random(7)
    modes = [TravelMode.FOOT, TravelMode.BICYCLE, TravelMode.CAR]
    goers, rows = [], []
    for number in range(5000):
        at = Point(chance.uniform(31.0, 31.4), chance.uniform(121.2, 121.6))
        mode = chance.choice(modes)
        standing = chance.choice(["available", "available", "busy", "off_duty"])
        name = f"r{number:04}"
        goers.append(Goer(name, name, "person", mode, Standing(standing), at))
        rows.append((name, "east", name, at.latitude, at.longitude, standing, mode.value))
    with psycopg.connect(database_url, autocommit=True) as connection:
        add_responders(connection, rows)
        connection.execute("ANALYZE responder")
    wanted = candidates(goers, HOME, Settlement.URBAN, NOW)[:3]
    took_s: list[float] = []
    found = await nearest(town, "home-1", 3, NOW)
    for _ in range(20):
        began_s = time.perf_counter()
        found = await nearest(town, "home-1", 3, NOW)
        took_s.append(time.perf_counter() - began_s)
    assert [c.responder_id for c in found] == [c.responder_id for c in wanted]
    assert found[0].within_circle_min == 10
    assert sorted(took_s)[10] < 0.1, f"the median of 20 searches took {sorted(took_s)[10]:.3f} s"


async def test_the_nearest_is_looked_for_farther_and_farther_away(
    database_url: str, town: psycopg.AsyncCursor[dict[str, Any]]
) -> None:
    with psycopg.connect(database_url) as connection:
        add_responders(
            connection,
            [
                ("far", "city", "Far", 31.9, 121.4, "available", "car"),
                ("busy", "east", "Busy", 31.2, 121.4, "busy", "foot"),
                ("other-county", "west", "W", 31.2, 121.4, "available", "foot"),
            ],
        )
    assert [c.responder_id for c in await nearest(town, "home-1", 3, NOW)] == ["far"]
    assert await nearest(town, "nowhere", 3, NOW) == []
    assert await nearest(town, "none-such", 3, NOW) == []


async def test_a_moving_team_is_where_it_said_for_ten_minutes(
    database_url: str, town: psycopg.AsyncCursor[dict[str, Any]]
) -> None:
    with psycopg.connect(database_url) as connection:
        add_responders(
            connection,
            [
                ("team", "east", "Team", 31.35, 121.4, "available", "car"),
                ("walker", "east", "Walker", 31.21, 121.4, "available", "foot"),
            ],
        )
        connection.execute(
            "INSERT INTO responder_position VALUES ('team', 'east', 31.201, 121.4, 20, %s, %s)",
            (NOW, NOW),
        )
    fresh = await nearest(town, "home-1", 2, NOW + timedelta(minutes=9))
    assert [(c.responder_id, c.fixed.value) for c in fresh] == [
        ("team", "reported"), ("walker", "registered"),
    ]  # fmt: skip
    assert fresh[0].position_age_s == 540
    old = await nearest(town, "home-1", 2, NOW + timedelta(minutes=11))
    assert [(c.responder_id, c.fixed.value) for c in old] == [
        ("walker", "registered"), ("team", "registered"),
    ]  # fmt: skip


def open_incident(connection: psycopg.Connection[Any], incident_id: str, **more: Any) -> Any:
    values = {
        "area_id": "east-1", "category": "personal", "subject": incident_id, "opened_at": NOW,
        "premises_id": "home-1",
    } | more  # fmt: skip
    return connection.execute(
        "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
        " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at, premises_id) VALUES (%(id)s, %(area_id)s, 'person', %(subject)s,"
        " 'raised', %(category)s, 'high', 'press', %(opened_at)s, %(opened_at)s, 1, 0, false, 1,"
        " %(opened_at)s, %(premises_id)s) ON CONFLICT (incident_id) DO UPDATE SET revision = 2"
        " RETURNING arrive_by",
        values | {"id": incident_id},
    ).fetchone()


async def test_who_goes_to_another_incident_is_not_sent_to_this_one(
    database_url: str, town: psycopg.AsyncCursor[dict[str, Any]]
) -> None:
    with psycopg.connect(database_url) as connection:
        add_responders(
            connection,
            [
                ("near", "east", "Near", 31.2, 121.4, "available", "foot"),
                ("next", "east", "Next", 31.25, 121.4, "available", "foot"),
            ],
        )
        open_incident(connection, "other")
        connection.execute(
            "INSERT INTO incident_responder (incident_id, area_id, actor_kind, actor_id, name,"
            " answer) VALUES ('other', 'east-1', 'responder', 'near', 'Near', 'told')"
        )
    assert [c.responder_id for c in await nearest(town, "home-1", 2, NOW)] == ["near", "next"]
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE incident_responder SET answer = 'going'")
    await town.connection.commit()
    assert [c.responder_id for c in await nearest(town, "home-1", 2, NOW)] == ["next"]
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE incident SET state = 'resolved', outcome = 'helped', resolved_at = now(),"
            " next_deadline_at = NULL"
        )
    await town.connection.commit()
    assert [c.responder_id for c in await nearest(town, "home-1", 2, NOW)] == ["near", "next"]


def test_a_target_is_the_circle_of_the_area_when_it_opened(database_url: str, town: object) -> None:
    del town
    with psycopg.connect(database_url) as connection:

        def minutes(incident_id: str, **more: Any) -> float | None:
            (due,) = open_incident(connection, incident_id, **more)
            return None if due is None else (due - NOW).total_seconds() / 60

        assert minutes("i-1") == DEFAULT_WITHIN_MIN[Settlement.URBAN]
        assert minutes("i-2", category="technical") is None
        assert minutes("i-3", area_id="unknown") == DEFAULT_WITHIN_MIN[Settlement.URBAN]
        connection.execute("UPDATE area SET settlement = 'rural' WHERE area_id = 'city'")
        assert minutes("i-4") == DEFAULT_WITHIN_MIN[Settlement.RURAL]
        connection.execute("UPDATE area SET arrive_within_min = 10 WHERE area_id = 'east'")
        assert minutes("i-5") == 10
        assert minutes("i-6", area_id="west") == DEFAULT_WITHIN_MIN[Settlement.RURAL]
        assert minutes("i-1") == DEFAULT_WITHIN_MIN[Settlement.URBAN], "saved again: it stands"


# ---- the API ------------------------------------------------------------------------------------


def responder_account(hub: ApiHub, name: str, *, latitude: float, area_id: str = "east") -> None:
    hub.rows(
        "INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)"
        " VALUES (%s, %s, %s, %s, %s, 'responder', 'en') RETURNING 1",
        name, area_id, name, name.title(), QUICK_HASH,
    )  # fmt: skip
    hub.rows(
        "INSERT INTO responder (responder_id, area_id, kind, name, phone, latitude, longitude,"
        " account_id) VALUES (%s, %s, 'person', %s, '13800138000', %s, 121.4, %s) RETURNING 1",
        f"r-{name}", area_id, name.title(), latitude, name,
    )  # fmt: skip


async def test_a_dispatcher_sees_who_could_go_and_when_somebody_should_be_there(
    hub: ApiHub,
) -> None:
    responder_account(hub, "chen", latitude=31.205)
    responder_account(hub, "zhou", latitude=31.3)
    responder_account(hub, "west-one", latitude=31.2, area_id="west")
    incident = await hub.ingest.take_press(press())
    async with hub.desk("mei") as desk:
        answer = await desk.get(f"/api/v1/incidents/{incident['id']}/responders")
        assert answer.status_code == 200, answer.text
        near = answer.json()
        shown = (await desk.get(f"/api/v1/incidents/{incident['id']}")).json()
    assert [c["id"] for c in near["items"][:2]] == ["r-chen", "r-zhou"]
    first = near["items"][0]
    assert first["distance_m"] == pytest.approx(556, abs=2)
    assert first["travel_s"] == 60 + round(first["distance_m"] * 1.4 / (5 / 3.6))
    assert (first["within_circle_min"], first["within_target"], first["answer"]) == (15, True, None)
    assert near["items"][1]["within_circle_min"] is None
    assert (near["within_min"], near["arrival"]) == (15, "open")
    assert near["arrive_by"] is not None
    assert shown["arrive_by"] == near["arrive_by"]
    async with hub.desk("west-desk") as desk:
        answer = await desk.get(f"/api/v1/incidents/{incident['id']}/responders")
        assert answer.status_code == 404


async def test_a_responder_says_where_they_are_and_whether_they_can_come(hub: ApiHub) -> None:
    responder_account(hub, "chen", latitude=31.205)
    async with hub.desk("chen") as phone:
        place = {"latitude": 31.9, "longitude": 121.4, "accuracy_m": 12}
        answer = await phone.put("/api/v1/own/responder/position", json=place)
        assert answer.status_code == 200, answer.text
        assert answer.json()["reported"] == {"latitude": 31.9, "longitude": 121.4}
        older = {**place, "latitude": 31.1, "fixed_at": "2020-01-01T00:00:00Z"}
        answer = await phone.put("/api/v1/own/responder/position", json=older)
        assert answer.json()["reported"]["latitude"] == 31.9, "the newer fix stands"
        gcj = {"latitude": 39.908, "longitude": 116.397, "datum": "gcj02"}
        answer = await phone.put("/api/v1/own/responder/position", json=gcj)
        assert answer.json()["reported"]["latitude"] == pytest.approx(39.9066, abs=1e-3)
        answer = await phone.put(
            "/api/v1/own/responder/availability",
            json={"availability": "off_duty", "travel_mode": "car"},
        )
        assert answer.json()["availability"] == "off_duty"
        assert answer.json()["reported"] is None, "off duty nobody is followed"
        assert answer.json()["travel_mode"] == "car"
        half = await phone.put("/api/v1/own/responder/position", json={"latitude": 1})
        assert half.status_code == 422
    log = hub.rows(
        "SELECT action, detail FROM audit_log WHERE detail ->> 'noun' = 'responder'"
        " ORDER BY entry_id"
    )
    assert [action for action, _ in log] == ["report", "change"], "one line, not one a fix"
    async with hub.desk("mei") as desk:
        assert (await desk.put("/api/v1/own/responder/position", json=place)).status_code == 403
    async with hub.desk("admin") as desk:
        assert (await desk.get("/api/v1/own/responder")).status_code == 404


async def test_a_circle_is_inherited_down_the_tree(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        before = (await desk.get("/api/v1/areas/east-1/reach")).json()
        assert before["arrive_within_min"] is None
        assert before["holds"]["arrive_within_min"] == 15
        assert before["holds"]["ambulance_number"] == "120"
        changes = {"arrive_within_min": 40, "settlement": "rural", "ambulance_number": "112"}
        answer = await desk.patch("/api/v1/areas/east/reach", json=changes)
        assert answer.status_code == 200, answer.text
        after = (await desk.get("/api/v1/areas/east-1/reach")).json()["holds"]
        assert (after["arrive_within_min"], after["settlement"]) == (40, "rural")
        assert (after["ambulance_number"], after["fire_number"]) == ("112", "119")
        assert (await desk.get("/api/v1/areas/west/reach")).json()["holds"]["settlement"] == "urban"
        back = await desk.patch("/api/v1/areas/east/reach", json={"arrive_within_min": None})
        assert back.json()["holds"]["arrive_within_min"] == 40, "of the country"
        for wrong in ({"arrive_within_min": 0}, {"fire_number": "call me"}, {"circle": 5}, {}):
            answer = await desk.patch("/api/v1/areas/east/reach", json=wrong)
            assert answer.status_code == 422, wrong
    async with hub.desk("east-desk") as desk:
        assert (await desk.get("/api/v1/areas/west/reach")).status_code == 404
        answer = await desk.patch("/api/v1/areas/east/reach", json={"settlement": "urban"})
        assert answer.status_code == 403


# ---- routing service ----------------------------------------------------------------------------


def service(answer: Any) -> RoutingService:
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return RoutingService(client, "http://osrm.example/")


def goers(*names: str) -> list[Goer]:
    return [
        Goer(
            name, name, "person", TravelMode.FOOT, Standing.AVAILABLE, Point(31.2 + n / 100, 121.4)
        )
        for n, name in enumerate(names, 1)
    ]


async def test_roads_put_whoever_is_behind_the_river_last() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"code": "Ok", "durations": [[3000.0], [600.0], [None]]})

    found = candidates(goers("behind", "bridge", "island"), HOME, Settlement.URBAN, NOW)
    refined = await service(answer).refine(found, HOME)
    assert [(c.responder_id, round(c.travel_s), c.by_route) for c in refined] == [
        ("bridge", 660, True),
        ("behind", 3060, True),
        ("island", round(found[2].travel_s), False),
    ]
    (url,) = asked
    assert url.path == (
        "/table/v1/foot/121.400000,31.200000;121.400000,31.210000;121.400000,31.220000;"
        "121.400000,31.230000"
    )
    assert dict(url.params)["sources"] == "1;2;3"


@pytest.mark.parametrize(
    "body",
    [
        httpx.Response(500),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"code": "NoTable"}),
        httpx.Response(200, json={"code": "Ok", "durations": [[1.0]]}),
        httpx.Response(200, text=" " * 100_000),
    ],
)
async def test_a_routing_service_that_fails_leaves_the_estimate(body: httpx.Response) -> None:
    found = candidates(goers("a", "b"), HOME, Settlement.URBAN, NOW)
    assert await service(lambda _: body).refine(found, HOME) == found


async def test_a_routing_service_that_is_away_leaves_the_estimate() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    found = candidates(goers("a", "b"), HOME, Settlement.URBAN, NOW)
    assert await service(refuse).refine(found, HOME) == found
    await asyncio.sleep(0)


# ---- hand-offs ----------------------------------------------------------------------------------


async def test_a_hand_off_is_kept_with_its_reference_until_help_has_arrived(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        numbers = {"ambulance_number": "112"}
        assert (await desk.patch("/api/v1/areas/east/reach", json=numbers)).status_code == 200
    incident = await hub.ingest.take_press(press())
    handed = [{"service": "ambulance", "number": "120", "reference": "SH-0815", "by": "Mei",
               "at": "2026-03-02T08:10:00Z"}]  # fmt: skip
    for _ in range(2):
        hub.rows(
            "UPDATE incident SET hand_offs = %s, revision = revision + 1 WHERE incident_id = %s"
            " RETURNING 1", json.dumps(handed), incident["id"],
        )  # fmt: skip
        handed.append({**handed[0], "service": "police", "number": "110", "reference": ""})
    url = f"/api/v1/incidents/{incident['id']}/hand-offs"
    async with hub.desk("mei") as desk:
        ambulance, police = (await desk.get(url)).json()["items"]
        assert (ambulance["number"], police["number"]) == ("112", "110"), "as the area dials"
        assert (ambulance["reference"], ambulance["by_name"]) == ("SH-0815", "Mei")
        assert ambulance["owed"] == ["lease", "arrival", "outcome"]
        answer = await desk.post(f"{url}/{ambulance['id']}/arrived")
        assert answer.status_code == 204, answer.text
        again = await desk.post(f"{url}/{ambulance['id']}/arrived")
        assert again.status_code == 404, "once"
        ambulance, police = (await desk.get(url)).json()["items"]
        assert ambulance["owed"] == ["lease", "outcome"]
        assert (ambulance["arrived_by"], police["arrived_at"]) == ("Mei", None)
    (logged,) = hub.rows("SELECT actor_id FROM audit_log WHERE action = 'arrived'")
    assert logged == ("mei",)


# ---- what a responder sees and does -------------------------------------------------------------


def told(hub: ApiHub, incident_id: str, responder_id: str, answer: str = "told") -> None:
    """The ladder told a responder."""
    who = {"kind": "responder", "id": responder_id, "name": responder_id}
    hub.rows(
        "UPDATE incident SET responders = %s, revision = revision + 1,"
        " changed_txid = pg_current_xact_id() WHERE incident_id = %s RETURNING 1",
        json.dumps([{"who": who, "answer": answer, "way": None}]), incident_id,
    )  # fmt: skip


async def test_a_responder_sees_what_they_were_told_of_and_goes(hub: ApiHub) -> None:
    responder_account(hub, "chen", latitude=31.205)
    responder_account(hub, "zhou", latitude=31.3)
    async with hub.desk("chen") as phone, hub.desk("zhou") as other, listening(phone) as line:
        assert (await line.next("snapshot")).body["incidents"] == []
        incident = await hub.ingest.take_press(press())
        url = f"/api/v1/incidents/{incident['id']}"
        assert (await phone.get(url)).status_code == 404, "not asked yet"
        told(hub, incident["id"], "r-chen")
        event = await line.next("incident")
        assert event.body["incident"]["id"] == incident["id"]
        assert event.body["incident"]["premises"]["address"] == "1 Lake Road"
        assert event.body["incident"]["premises"]["access_notes"] is None, "not before they go"
        assert (await other.get(url)).status_code == 404
        assert (await other.get("/api/v1/incidents?state=all")).json()["items"] == []

        answer = await phone.post(f"{url}/going", json={"expected_arrival_s": 300})
        assert answer.status_code == 200, answer.text
        shown = (await phone.get(url)).json()
        assert [(r["id"], r["answer"]) for r in shown["responders"]] == [("r-chen", "going")]
        assert {entry["action"] for entry in shown["timeline"]} <= {"alarm", "going"}
        (listed,) = (await phone.get("/api/v1/incidents?state=all")).json()["items"]
        assert listed["id"] == incident["id"]
        assert listed["premises"]["access_notes"] == "key at the porter"
        assert listed["person"]["medical_notes"] is None
        assert (await phone.post(f"{url}/resolve", json={"outcome": "helped"})).status_code == 403
        answer = await phone.post(f"{url}/arrive")
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "attended"
        assert (await other.post(f"{url}/going")).status_code == 404
    async with hub.desk("mei") as desk:
        near = (await desk.get(f"{url}/responders")).json()
        assert near["arrival"] == "met"
        assert [(a["id"], a["answer"]) for a in near["told"]] == [("r-chen", "arrived")]
