"""People, homes and responders over HTTP: found, changed, moved; what stands in which log."""

import asyncio
from typing import Any

import psycopg
import pytest

from hub.register_nouns import WITHHELD
from tests.integration.api_hub import ApiHub
from tests.integration.register_stories import add_account, logged

PEOPLE = "/api/v1/people"
HOMES = "/api/v1/premises"


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("秀英", ["wang"]), ("王", ["wang"]), ("LAKE road", ["wang"]), ("home-2", ["li"]),
        ("138-77", ["li"]), ("wan", ["wang"]), ("%", []), ("_", []), ("zzz", []), ("\\", []),
        ("", ["li", "wang"]), ("  ", ["li", "wang"]),
    ],
)  # fmt: skip
async def test_people_are_found_by_name_address_phone_and_id(
    hub: ApiHub, q: str, found: list[str]
) -> None:
    hub.rows("UPDATE person SET phone = '138-7766' WHERE person_id = 'li' RETURNING 1")
    async with hub.desk() as desk:
        answer = await desk.get(PEOPLE, params={"q": q})
    assert [item["id"] for item in answer.json()["items"]] == found
    (look,) = logged(hub, "search")
    assert look["q"] == q.strip()


async def test_a_person_is_changed_and_the_log_withholds_what_is_nobodys_business(
    hub: ApiHub,
) -> None:
    async with hub.desk("admin") as desk:
        changes = {"name": "王秀兰", "mobility": "walker", "medical_notes": "hip replaced"}
        card = (await desk.patch(f"{PEOPLE}/wang", json=changes)).json()
        assert (card["name"], card["mobility"], card["birth_year"]) == ("王秀兰", "walker", 1941)
        assert (await desk.patch(f"{PEOPLE}/wang", json=changes)).status_code == 200
        assert (await desk.patch(f"{PEOPLE}/wang", json={"phone": None})).status_code == 200
    (line,) = logged(hub, "change")
    assert line["before"] == {"name": "王秀英", "medical_notes": None, "mobility": None}
    assert line["after"] == {"name": "王秀兰", "medical_notes": WITHHELD, "mobility": "walker"}
    assert "hip" not in str(hub.rows("SELECT detail FROM audit_log"))
    async with hub.desk("boss") as desk:
        assert (await desk.get(f"{PEOPLE}/wang")).json()["medical_notes"] == "hip replaced"
    add_account(hub, "fitter", "city", "installer")
    async with hub.desk("fitter") as desk:
        card = (await desk.get(f"{PEOPLE}/wang")).json()
        assert (card["name"], card["medical_notes"]) == ("王秀兰", None)


async def test_a_home_takes_its_people_and_devices_along(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        answer = await desk.patch(f"{HOMES}/home-1", json={"area_id": "west"})
        assert answer.json()["area_id"] == "west"
        assert [each["id"] for each in answer.json()["residents"]] == []
        card = (await desk.get(f"{HOMES}/home-1")).json()
        assert [each["id"] for each in card["residents"]] == ["wang"]
    query = "SELECT area_id FROM person WHERE person_id = 'wang'"
    assert hub.rows(query) == [("west",)]
    assert hub.rows("SELECT area_id FROM device WHERE device_id = 'button-1'") == [("west",)]
    async with hub.desk("east-desk") as desk:
        assert (await desk.get(f"{PEOPLE}/wang")).status_code == 404


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"latitude": 31.0, "longitude": None}, 422), ({"latitude": None}, 422),
        ({"latitude": None, "longitude": None}, 200), ({"time_zone": "Mars/Olympus"}, 422),
        ({"address": None}, 422), ({"address": ""}, 422), ({"addres": "x"}, 422), ({}, 422),
        ({"address": "a\u0000b"}, 422),
    ],
)  # fmt: skip
async def test_what_a_home_cannot_be(hub: ApiHub, change: dict[str, Any], status: int) -> None:
    async with hub.desk("admin") as desk:
        answer = await desk.patch(f"{HOMES}/home-1", json=change)
    assert answer.status_code == status, answer.text


async def test_the_key_safe_is_shown_by_one_route_that_says_who_looked(hub: ApiHub) -> None:
    path = f"{HOMES}/home-1/key-safe"
    async with hub.desk("admin") as desk:
        assert (await desk.get(path)).status_code == 404
        safe = {"code": "4711-K", "place": "left of the door"}
        assert (await desk.put(path, json=safe)).status_code == 204
        shown = [(await desk.get(HOMES)).text, (await desk.get(f"{HOMES}/home-1")).text]
        shown.append((await desk.get(PEOPLE, params={"q": "Lake"})).text)
        assert "has_key_safe" in shown[1]
    async with hub.desk("mei") as desk:
        answer = await desk.get(path)
        assert answer.json()["code"] == "4711-K"
    (look,) = logged(hub, "reveal")
    assert look == {"noun": "key safe", "id": "home-1"}
    assert hub.rows("SELECT actor_id FROM audit_log WHERE action = 'reveal'") == [("mei",)]
    everything = [*shown, str(hub.rows("SELECT * FROM audit_log"))]
    assert not any("4711" in text for text in everything)
    async with hub.desk("admin") as desk:
        assert (await desk.delete(path)).status_code == 204
        assert (await desk.delete(path)).status_code == 404


async def test_where_a_person_is_and_was(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        for state, reason in (("hospital", "fall"), ("home", None), ("service_ended", "moved on")):
            body = {"state": state, "reason": reason}
            answer = await desk.put(f"{PEOPLE}/wang/state", json=body)
            assert answer.status_code == 200, answer.text
        card = (await desk.get(f"{PEOPLE}/wang")).json()
        assert (card["state"], card["state_by"], card["state_reason"]) == (
            "service_ended", "Mei", "moved on",
        )  # fmt: skip
        states = (await desk.get(f"{PEOPLE}/wang/states")).json()["items"]
        assert [each["state"] for each in states] == ["service_ended", "home", "hospital"]
        listed = await desk.get(PEOPLE, params={"state": "service_ended"})
        assert [item["id"] for item in listed.json()["items"]] == ["wang"]
    changes = hub.rows("SELECT count(*) FROM context_change WHERE noun = 'person' AND id = 'wang'")
    assert changes[0][0] >= 4
    assert [line["after"] for line in logged(hub, "set_state")] == [
        "hospital", "home", "service_ended",
    ]  # fmt: skip


async def test_contacts_stand_in_order_and_are_replaced_as_a_whole(hub: ApiHub) -> None:
    path = f"{PEOPLE}/wang/contacts"
    first = {"name": "王芳", "relation": "daughter", "phone": "139 1", "has_key": True}
    second = {"name": "Zhou", "relation": "neighbour", "phone": "139 2", "has_key": False}
    async with hub.desk("admin") as desk:
        for items in ([first, second], [second, first], [], [second]):
            assert (await desk.put(path, json={"items": items})).status_code == 200
            kept = (await desk.get(path)).json()["items"]
            assert [{key: one[key] for key in first} for one in kept] == items
        assert (await desk.put(path, json={"items": [first] * 21})).status_code == 422
    assert ("person_contact", "wang") in hub.rows("SELECT noun, id FROM context_change")


async def test_responders_are_found_by_kind_and_availability(hub: ApiHub) -> None:
    path = "/api/v1/responders"
    station = {"id": "station-1", "area_id": "east", "kind": "station", "name": "East station",
               "phone": "021 9", "latitude": 31.2, "longitude": 121.4}  # fmt: skip
    async with hub.desk("admin") as desk:
        answer = await desk.post(path, json=station)
        assert answer.status_code == 201, answer.text
        assert answer.json()["availability"] == "available"
        assert (await desk.post(path, json=station)).status_code == 409
        changed = await desk.patch(f"{path}/station-1", json={"availability": "busy"})
        assert changed.json()["availability"] == "busy"
        for query, count in (
            ({"availability": "busy"}, 1), ({"availability": "available"}, 0),
            ({"kind": "team"}, 0), ({"q": "021"}, 1), ({"q": "West"}, 0),
        ):  # fmt: skip
            listed = await desk.get(path, params=query)
            assert len(listed.json()["items"]) == count, query
        assert (await desk.delete(f"{path}/station-1")).status_code == 204
        assert (await desk.get(f"{path}/station-1")).status_code == 404


async def test_two_changes_at_once_both_count(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        answers = await asyncio.gather(
            *(desk.patch(f"{PEOPLE}/wang", json={"phone": f"138 {n}"}) for n in range(8)),
            *(desk.patch(f"{PEOPLE}/wang", json={"birth_year": 1930 + n}) for n in range(8)),
        )
    assert {answer.status_code for answer in answers} == {200}
    phones = [line["after"].get("phone") for line in logged(hub, "change")]
    years = [line["after"].get("birth_year") for line in logged(hub, "change")]
    ((phone, year),) = hub.rows("SELECT phone, birth_year FROM person WHERE person_id = 'wang'")
    assert [each for each in phones if each][-1] == phone
    assert [each for each in years if each][-1] == year


@pytest.mark.slow
def test_searching_stays_on_the_index_at_a_hundred_thousand_people(database_url: str) -> None:
    from hub.store import queries

    sql = queries.load("register_desk")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO area (area_id, name) VALUES ('city', 'City')")
        connection.execute("ALTER TABLE person DISABLE TRIGGER ALL")
        connection.execute("ALTER TABLE premises DISABLE TRIGGER ALL")
        connection.execute(
            "INSERT INTO premises (premises_id, area_id, address) SELECT 'home-' || i, 'city',"
            " '湖滨路' || i || '号' FROM generate_series(1, 100000) AS i"
        )
        connection.execute(
            "INSERT INTO person (person_id, area_id, premises_id, name, phone)"
            " SELECT 'p-' || i, 'city', 'home-' || i,"
            " substr('王李张刘陈杨赵黄周吴', 1 + i % 10, 1) ||"
            " substr('秀英桂兰玉珍淑华建国', 1 + i / 10 % 9, 2), '138' || (10000000 + i * 7)"
            " FROM generate_series(1, 100000) AS i"
        )
        connection.execute("ANALYZE person, premises")
        for q in ("王秀英", "秀", "13810070", "湖滨路777", "home-99", "nobody"):
            values = {"q": q, "like": f"%{q}%", "areas": None, "state": None, "after": "",
                      "limit": 51}  # fmt: skip
            for name in ("person_search", "premises_search"):
                plan = connection.execute("EXPLAIN " + sql[name], values).fetchall()
                text = "\n".join(row[0] for row in plan)
                assert "_search" in text, (q, text)
                assert "Seq Scan on person" not in text, (q, text)
                assert "Seq Scan on premises" not in text, (q, text)
