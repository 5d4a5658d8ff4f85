"""Visits and button tests over HTTP: recorded, brought in from a file, who is overdue, proof."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

from tests.integration.api_hub import ApiHub, api_hub, seed
from tests.integration.desk_database import DatabaseServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime.now(UTC).replace(microsecond=0)
PHOTO = "ab" * 32
EMPTY = (
    "DELETE FROM visit; DELETE FROM care_round;"
    " UPDATE person SET state = 'home', registered_at = NULL;"
    " UPDATE device SET registered_at = NULL"
)
TESTED = (
    "INSERT INTO alarm (alarm_id, area_id, grouping_reason, subject_kind, subject_id, device_id,"
    " person_id, premises_id, kind, category, priority, action, received_at, flags, text)"
    " VALUES (%s, %s, 'test_recorded', 'person', 'x', %s, %s, %s, 'press', 'personal', 'high',"
    " 'test', %s, '{}', '')"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    postgres_server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ApiHub]:
    url = postgres_server.fresh()
    seed(url)
    async with api_hub(url, tmp_path_factory.mktemp("rounds")) as hub:
        await hub.parts.switchboard.loaded.wait()
        yield hub


@pytest.fixture
def hub(running: ApiHub) -> ApiHub:
    """Two people, whom nobody has visited."""
    with psycopg.connect(running.database_url) as connection:
        connection.execute(EMPTY)
        connection.execute("DELETE FROM alarm")
    return running


def visit(**changes: Any) -> dict[str, Any]:
    return {"at": (NOW - timedelta(days=3)).isoformat(), "visitor_name": "Wu"} | changes


def a_test_press(
    hub: ApiHub, device_id: str, person_id: str | None, home: str, days_ago: float
) -> str:
    alarm_id = f"a-{device_id}-{days_ago:g}"
    with psycopg.connect(hub.database_url) as connection:
        at = NOW - timedelta(days=days_ago)
        area = "west" if home == "home-2" else "east-1"
        connection.execute(TESTED, (alarm_id, area, device_id, person_id, home, at))
    return alarm_id


async def rounds(hub: ApiHub, by: str = "boss", **asked: str) -> dict[str, dict[str, Any]]:
    async with hub.desk(by) as desk:
        answer = await desk.get("/api/v1/rounds", params=asked)
    assert answer.status_code == 200, answer.text
    return {row["person_id"]: row for row in answer.json()["items"]}


async def test_a_visit_is_kept_with_its_proof_and_counts(hub: ApiHub) -> None:
    proof = {"photo_sha256": PHOTO, "latitude": 31.2, "longitude": 121.4, "accuracy_m": 12.0,
             "signature_reference": "box 7, page 3"}  # fmt: skip
    assert (await rounds(hub))["wang"]["visit_overdue"] is True
    async with hub.desk("mei") as desk:
        path = "/api/v1/people/wang/visits"
        answer = await desk.post(path, json=visit(id="v-1", note="well; new slippers", **proof))
        assert answer.status_code == 201, answer.text
        assert answer.json() | proof == answer.json()
        assert (answer.json()["recorded_by"], answer.json()["area_id"]) == ("mei", "east-1")
        again = await desk.post(path, json=visit(id="v-1"))
        assert again.status_code == 409
    row = (await rounds(hub))["wang"]
    assert row | proof == row
    assert (row["visit_overdue"], row["last_visit_id"]) == (False, "v-1")
    (logged,) = hub.rows("SELECT actor_id, area_id FROM audit_log WHERE action = 'add'"
                         " AND detail->>'id' = 'v-1'")  # fmt: skip
    assert logged == ("mei", "east-1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": (NOW + timedelta(hours=1)).isoformat()},
        {"at": "2026-03-02T09:30:00"},
        {"latitude": 31.2},
        {"photo_sha256": "not a digest"},
        {"visitor_name": ""},
        {"visitor_name": "x" * 101},
        {"kind": "party"},
        {"weather": "fine"},
    ],
    ids="-".join,
)
async def test_what_cannot_be_is_not_recorded(hub: ApiHub, wrong: dict[str, Any]) -> None:
    async with hub.desk("mei") as desk:
        answer = await desk.post("/api/v1/people/wang/visits", json=visit(**wrong))
    assert answer.status_code == 422, answer.text
    assert hub.rows("SELECT * FROM visit") == []


async def test_others_people_are_nobody_s(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        await desk.post("/api/v1/people/wang/visits", json=visit(id="v-2"))
    async with hub.desk("west-desk") as desk:
        answer = await desk.post("/api/v1/people/wang/visits", json=visit())
        assert answer.status_code == 404
        answer = await desk.post("/api/v1/visits/v-2/withdraw", json={"reason": "no"})
        assert answer.status_code == 404
        assert (await desk.get("/api/v1/visits")).json()["items"] == []
        answer = await desk.get("/api/v1/visits", params={"person_id": "wang"})
        assert answer.status_code == 404
        answer = await desk.get("/api/v1/rounds", params={"area_id": "east"})
        assert answer.status_code == 404
    assert set(await rounds(hub, "west-desk")) == {"li"}
    async with hub.desk("boss") as desk:
        answer = await desk.post("/api/v1/people/wang/visits", json=visit())
        assert answer.status_code == 403, "a supervisor watches; others visit"


async def test_a_mistake_is_withdrawn_and_stays_on_record(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        for name, days in (("v-old", 20), ("v-new", 1)):
            at = (NOW - timedelta(days=days)).isoformat()
            await desk.post("/api/v1/people/wang/visits", json=visit(id=name, at=at))
        assert (await rounds(hub))["wang"]["last_visit_id"] == "v-new"
        answer = await desk.post("/api/v1/visits/v-new/withdraw", json={"reason": "wrong person"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["withdrawn_reason"] == "wrong person"
        assert (await rounds(hub))["wang"]["last_visit_id"] == "v-old"
        again = await desk.post("/api/v1/visits/v-new/withdraw", json={"reason": "again"})
        assert again.status_code == 404
        page = (await desk.get("/api/v1/visits", params={"limit": 1})).json()
        assert [row["visit_id"] for row in page["items"]] == ["v-new"], "newest first, still there"
        asked = {"limit": 1, "cursor": page["next_cursor"]}
        page = (await desk.get("/api/v1/visits", params=asked)).json()
        assert [row["visit_id"] for row in page["items"]] == ["v-old"]
        assert page["next_cursor"] is None


async def test_the_weekly_test_is_whoever_s_the_button_is(hub: ApiHub) -> None:
    before = await rounds(hub, overdue="test")
    assert set(before) == {"wang", "li"}
    alarm_id = a_test_press(hub, "button-1", "wang", "home-1", 6.9)
    a_test_press(hub, "button-2", None, "home-2", 7.1)
    row = (await rounds(hub))["wang"]
    assert (row["last_test_alarm_id"], row["last_test_device_id"]) == (alarm_id, "button-1")
    overdue = await rounds(hub, overdue="test")
    assert set(overdue) == {"li"}
    assert overdue["li"]["last_test_device_id"] == "button-2", "it hangs in the home: everybody's"
    a_test_press(hub, "button-2", None, "home-2", 9)
    assert (await rounds(hub))["li"]["last_test_at"] == overdue["li"]["last_test_at"], "late news"


async def test_who_is_away_is_not_overdue_and_who_left_is_not_listed(hub: ApiHub) -> None:
    """Whoever travels is not listed as overdue; whoever left or has died is not listed at all."""
    hub.rows("UPDATE person SET state = 'hospital' WHERE person_id = 'wang' RETURNING 1")
    assert set(await rounds(hub, overdue="any")) == {"li"}
    assert (await rounds(hub))["wang"]["visit_overdue"] is False
    hub.rows("UPDATE person SET state = 'moved' WHERE person_id = 'wang' RETURNING 1")
    assert set(await rounds(hub)) == {"li"}


async def test_nobody_is_behind_on_their_first_day(hub: ApiHub) -> None:
    """A test is owed a week after the first button was handed out, a visit a month after the
    registration; another button instead of the first one wins no time."""

    def since(table: str, who: str, days: float) -> None:
        key = f"{table}_id"
        hub.rows(f"UPDATE {table} SET registered_at = now() - interval '{days} days'"
                 f" WHERE {key} = '{who}' RETURNING 1")  # fmt: skip

    since("person", "wang", 0)
    assert set(await rounds(hub, overdue="any")) == {"li"}
    async with hub.desk("boss") as desk:
        summary = (await desk.get("/api/v1/rounds/summary")).json()
    city = next(row for row in summary["items"] if row["area_id"] == "city")
    assert (city["tested"], city["visited"]) == (1, 1), "as few as there are overdue"
    since("person", "wang", 8)
    assert set(await rounds(hub, overdue="test")) == {"wang", "li"}
    assert set(await rounds(hub, overdue="visit")) == {"li"}
    since("device", "button-1", 1)
    assert set(await rounds(hub, overdue="test")) == {"li"}, "the button came yesterday"
    since("person", "wang", 32)
    assert set(await rounds(hub, overdue="visit")) == {"wang", "li"}
    since("device", "button-1", 9)
    hub.rows(
        "UPDATE device SET revoked = true WHERE device_id = 'button-1' RETURNING 1",
    )
    hub.rows(
        "INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label,"
        " secret_sha256, replaces) VALUES ('button-9', 'east-1', 'home-1', 'wang', 'button', '',"
        " 'x', 'button-1') RETURNING 1"
    )
    assert "wang" in await rounds(hub, overdue="test")
    hub.rows("UPDATE device SET revoked = false WHERE device_id = 'button-1' RETURNING 1")
    hub.rows("DELETE FROM device WHERE device_id = 'button-9' RETURNING 1")


async def test_how_many_are_up_to_date_by_area(hub: ApiHub) -> None:
    a_test_press(hub, "button-1", "wang", "home-1", 1)
    async with hub.desk("boss") as desk:
        summary = (await desk.get("/api/v1/rounds/summary")).json()
        assert (summary["button_test_every_days"], summary["visit_every_days"]) == (7, 31)
        by_area = {row["area_id"]: row for row in summary["items"]}
        assert by_area["city"] == {
            "area_id": "city", "name": "City", "people": 2, "excused": 0, "with_button": 2,
            "tested": 1, "tested_percent": 50.0, "to_visit": 2, "visited": 0,
            "visited_percent": 0.0,
        }  # fmt: skip
        assert [by_area[each]["tested"] for each in ("east", "east-1", "west")] == [1, 1, 0]
        seen, cursor = [], None
        for _ in range(4):
            asked = {"limit": 1} | ({"cursor": cursor} if cursor else {})
            page = (await desk.get("/api/v1/rounds/summary", params=asked)).json()
            seen += [(row["area_id"], row["people"]) for row in page["items"]]
            cursor = page["next_cursor"]
        assert seen == [("city", 2), ("east", 1), ("east-1", 1), ("west", 1)]
        assert cursor is None


async def test_the_list_as_a_file_has_the_same_columns_as_the_page(hub: ApiHub) -> None:
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("UPDATE person SET name = '=cmd()' WHERE person_id = 'li'")
    async with hub.desk("boss") as desk:
        page = (await desk.get("/api/v1/rounds")).json()["items"]
        answer = await desk.get("/api/v1/rounds", params={"format": "csv", "bom": "true"})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.startswith(b"\xef\xbb\xbf")
        told = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["person_id"] for row in told] == ["li", "wang"]
        assert set(told[0]) == set(page[0])
        assert told[0]["name"] == "'=cmd()", "no spreadsheet runs it"
        nobody = await desk.get("/api/v1/rounds", params={"format": "csv", "area_id": "east-1",
                                                          "overdue": "test"})  # fmt: skip
        assert len(nobody.text.splitlines()) == 2
        a_test_press(hub, "button-1", "wang", "home-1", 1)
        nobody = await desk.get("/api/v1/rounds", params={"format": "csv", "area_id": "east-1",
                                                          "overdue": "test"})  # fmt: skip
        assert nobody.text.split(",")[0] == "person_id"
        assert set(nobody.text.strip().split(",")) == set(page[0]), "also where nobody is in it"
    looks = hub.rows("SELECT count(*) FROM audit_log WHERE action = 'look'"
                     " AND detail->>'noun' = 'rounds' AND actor_id = 'boss'")  # fmt: skip
    assert looks[0][0] >= 4
    hub.rows("UPDATE person SET name = '李建国' WHERE person_id = 'li' RETURNING 1")


FILE = (
    "\ufeffperson_id,at,kind,visitor_name,note,photo_sha256,latitude,longitude,visit_id\r\n"
    f'wang,2026-03-02T09:30:00+08:00,monthly,吴,"well, and ""fine""",{PHOTO},31.2,121.4,f-1\r\n'
    "li,2026-03-03T09:30:00+08:00,device_check,Wu,,,,,\r\n"
)


async def bring(hub: ApiHub, content: str | bytes, by: str = "admin", **asked: str) -> Any:
    async with hub.desk(by) as desk:
        return await desk.post(
            "/api/v1/visits/import", params=asked, headers={"Content-Type": "text/csv"},
            content=content.encode() if isinstance(content, str) else content,
        )  # fmt: skip


async def test_a_file_is_brought_in_once(hub: ApiHub) -> None:
    told = (await bring(hub, FILE)).json()
    expected = {"committed": False, "rows": 2, "added": 2, "known": 0, "errors": [],
                "error_count": 0}  # fmt: skip
    assert told == expected
    assert hub.rows("SELECT * FROM visit") == []
    assert (await bring(hub, FILE, commit="true")).json() == expected | {"committed": True}
    with psycopg.connect(hub.database_url, row_factory=dict_row) as connection:
        first, second = connection.execute("SELECT * FROM visit ORDER BY at").fetchall()
    assert (first["visit_id"], first["note"], first["photo_sha256"]) == (
        "f-1", 'well, and "fine"', PHOTO,
    )  # fmt: skip
    assert (second["area_id"], second["kind"], second["note"]) == ("west", "device_check", None)
    again = (await bring(hub, FILE, commit="true")).json()
    assert (again["added"], again["known"]) == (0, 2)
    assert len(hub.rows("SELECT * FROM visit")) == 2


async def test_of_a_file_with_a_wrong_row_nothing_is_brought_in(hub: ApiHub) -> None:
    wrong = FILE + "nobody,2026-03-03T09:30:00+08:00,,Wu,,,,,\r\nwang,yesterday,,Wu,,,,,\r\n"
    told = (await bring(hub, wrong, commit="true")).json()
    assert (told["committed"], told["error_count"]) == (False, 2)
    assert [(e["row"], e["what"].split(":")[0]) for e in told["errors"]] == [
        (3, "person_id"), (4, "at"),
    ]  # fmt: skip
    assert hub.rows("SELECT * FROM visit") == []


async def test_nobody_brings_in_visits_of_others_people(hub: ApiHub) -> None:
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO account SELECT 'west-admin', 'west', 'west-admin', name, password_hash,"
            " 'administrator', language FROM account WHERE account_id = 'admin'"
        )
    told = (await bring(hub, FILE, by="west-admin", commit="true")).json()
    assert [(e["row"], e["what"]) for e in told["errors"]] == [
        (1, "person_id: there is no person wang")
    ]
    # A visit that is known elsewhere is no way to learn of it either.
    assert hub.rows("SELECT * FROM visit") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"person_id,at\r\n", b"person_id,at,visitor_name,secret\r\n", b"\xff\xfe\x00",
     b"a" * 200_000,
     b'person_id,at,visitor_name\r\n"' + b"x" * 200_000],
    ids=["empty", "lacking", "unknown", "no text", "one cell", "a quote that never ends"],
)  # fmt: skip
async def test_what_is_no_table_is_said_to_be_none(hub: ApiHub, content: bytes) -> None:
    answer = await bring(hub, content)
    assert answer.status_code == 422, answer.text
    assert answer.json()["title"] == "The file was not read"


async def test_a_person_who_is_removed_takes_their_visits_along(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        await desk.post("/api/v1/people", json={"id": "new", "premises_id": "home-1", "name": "N"})
        await desk.post("/api/v1/people/new/visits", json=visit(id="v-9"))
        moved = await desk.patch("/api/v1/people/new", json={"premises_id": "home-2"})
        assert moved.status_code == 200, moved.text
        assert hub.rows("SELECT area_id FROM visit") == [("west",)]
        assert (await desk.delete("/api/v1/people/new")).status_code == 204
    assert hub.rows("SELECT * FROM visit") == []
