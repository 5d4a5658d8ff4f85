"""The tree of areas over HTTP, and that nobody reaches out of their own part of it."""

import re
from typing import Any

import pytest

from tests.integration.api_hub import ApiHub
from tests.integration.register_stories import add_account, logged

AREAS = "/api/v1/areas"


@pytest.fixture
async def east(hub: ApiHub) -> ApiHub:
    """With an administrator of the east."""
    add_account(hub, "east-admin", "east", "administrator")
    return hub


async def test_an_area_is_added_renamed_moved_and_removed(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        new = {"id": "lake", "parent_id": "east", "name": "Lake", "level": "community"}
        answer = await desk.post(AREAS, json=new)
        assert answer.status_code == 201, answer.text
        assert answer.json() == new | {"time_zone": None}
        renamed = await desk.patch(f"{AREAS}/lake", json={"name": "湖滨"})
        assert renamed.json()["name"] == "湖滨"
        assert (await desk.patch(f"{AREAS}/lake", json={"parent_id": "west"})).status_code == 200
        assert (await desk.get(f"{AREAS}/lake")).json()["parent_id"] == "west"
        found = await desk.get(AREAS, params={"q": "湖"})
        assert [item["id"] for item in found.json()["items"]] == ["lake"]
        assert (await desk.delete(f"{AREAS}/lake")).status_code == 204
        assert (await desk.get(f"{AREAS}/lake")).status_code == 404
    assert [line["after"] for line in logged(hub, "change")] == [
        {"name": "湖滨"}, {"parent_id": "west"},
    ]  # fmt: skip
    assert logged(hub, "remove")[0]["before"]["name"] == "湖滨"


async def test_the_days_of_an_area_are_those_of_its_time_zone(hub: ApiHub) -> None:
    def days_of(area_id: str) -> str:
        ((zone,),) = hub.rows(f"SELECT zone_of_area('{area_id}')")
        return str(zone)

    async with hub.desk("admin") as desk:
        path, zone = f"{AREAS}/east", {"time_zone": "Asia/Urumqi"}
        assert (await desk.patch(path, json=zone)).json()["time_zone"] == "Asia/Urumqi"
        assert (days_of("east-1"), days_of("west")) == ("Asia/Urumqi", "Asia/Shanghai")
        assert (await desk.get(path)).json()["time_zone"] == "Asia/Urumqi"
        assert (await desk.patch(path, json={"time_zone": "Moon/Sea"})).status_code == 422
        lake = {"id": "lake", "parent_id": "east", "name": "Lake", "level": "community",
                "time_zone": "Asia/Shanghai"}  # fmt: skip
        assert (await desk.post(AREAS, json=lake | {"time_zone": "Sea"})).status_code == 422
        assert (await desk.post(AREAS, json=lake)).json() == lake
        assert days_of("lake") == "Asia/Shanghai"
        assert (await desk.patch(path, json={"time_zone": None})).json()["time_zone"] is None
        assert days_of("east-1") == "Asia/Shanghai"
    assert [line["after"] for line in logged(hub, "change")] == [zone, {"time_zone": None}]


async def test_a_new_area_counts_at_once_for_whoever_sits_above(east: ApiHub) -> None:
    async with east.desk("east-admin") as desk:
        new = {"id": "lake", "parent_id": "east-1", "name": "Lake", "level": "community"}
        assert (await desk.post(AREAS, json=new)).status_code == 201
        home = {"id": "home-9", "area_id": "lake", "address": "9 Lake Road"}
        assert (await desk.post("/api/v1/premises", json=home)).status_code == 201


@pytest.mark.parametrize(
    ("area", "change", "status"),
    [
        ("east-1", {"level": "county"}, 409),
        ("east", {"parent_id": "east-1"}, 409),
        ("east", {"level": "community"}, 409),
        ("city", {"parent_id": "east"}, 409),
        ("east-1", {"parent_id": "moon"}, 404),
        ("east-1", {"level": "village"}, 422),
        ("east-1", {"name": None}, 422),
        ("east-1", {}, 422),
        ("moon", {"name": "Moon"}, 404),
    ],
)
async def test_what_an_area_cannot_be(
    hub: ApiHub, area: str, change: dict[str, Any], status: int
) -> None:
    before = hub.rows("SELECT * FROM area ORDER BY 1")
    async with hub.desk("admin") as desk:
        answer = await desk.patch(f"{AREAS}/{area}", json=change)
    assert answer.status_code == status, answer.text
    assert hub.rows("SELECT * FROM area ORDER BY 1") == before


async def test_what_still_holds_something_stays(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        answer = await desk.delete(f"{AREAS}/west")
        assert answer.status_code == 409
        assert answer.json()["holds"] == {"premises": 1, "people": 1, "accounts": 1}
        answer = await desk.delete("/api/v1/premises/home-1")
        assert answer.json()["holds"] == {"people": 1, "devices": 1}
        answer = await desk.delete("/api/v1/people/wang")
        assert answer.json()["holds"] == {"devices": 1}
        assert (await desk.delete(f"{AREAS}/city")).status_code == 409


FOREIGN = {
    "area_id": "west", "premises_id": "home-2", "person_id": "li", "responder_id": "station-w",
    "account_id": "west-desk", "token_id": "token-west", "measure": "heart_rate_per_min",
}  # fmt: skip
"""Something of the west, by the names of the routes' parameters."""


def filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: FOREIGN.get(found[1], "none-such"), path)


BODIES: dict[str, dict[str, Any]] = {
    "PATCH /api/v1/areas/{area_id}": {"name": "Stolen"},
    "PATCH /api/v1/premises/{premises_id}": {"address": "Stolen"},
    "PUT /api/v1/premises/{premises_id}/key-safe": {"code": "1"},
    "PATCH /api/v1/people/{person_id}": {"name": "Stolen"},
    "PUT /api/v1/people/{person_id}/state": {"state": "moved"},
    "PUT /api/v1/people/{person_id}/contacts": {"items": []},
    "PUT /api/v1/people/{person_id}/family/{account_id}": {"relation": "son"},
    "PATCH /api/v1/responders/{responder_id}": {"name": "Stolen"},
    "PATCH /api/v1/accounts/{account_id}": {"name": "Stolen"},
}
NOUNS = ("areas", "premises", "people", "responders", "accounts", "tokens")


async def test_what_lies_elsewhere_is_not_there(east: ApiHub) -> None:
    """Every route of the register that names one thing: 404, and nothing changes."""
    east.rows(
        "INSERT INTO responder (responder_id, area_id, kind, name)"
        " VALUES ('station-w', 'west', 'station', 'W') RETURNING 1"
    )
    east.rows(
        "INSERT INTO api_token VALUES ('token-west', 'x', 'west', 'n', 'auditor', now(), 'a',"
        " now() + interval '1 day') RETURNING 1"
    )
    tables = ("area", "premises", "person", "responder", "account", "api_token", "key_safe",
              "family_link", "person_contact", "device")  # fmt: skip
    before = {t: east.rows(f"SELECT * FROM {t} ORDER BY 1") for t in tables}
    called = 0
    async with east.desk("east-admin") as desk:
        for path, described in east.app.openapi()["paths"].items():
            if path.split("/")[3:4] and path.split("/")[3] in NOUNS and "{" in path:
                for method in described:
                    body = BODIES.get(f"{method.upper()} {path}")
                    answer = await desk.request(method, filled(path), json=body)
                    unsaid = body is None and method in ("put", "post", "patch")
                    allowed = (404, 422) if unsaid else (404,)
                    assert answer.status_code in allowed, (method, path, answer.text)
                    called += 1
    assert called >= 25
    assert {t: east.rows(f"SELECT * FROM {t} ORDER BY 1") for t in tables} == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/areas",
         {"id": "x", "parent_id": "west", "name": "X", "level": "community"}),
        ("PATCH", "/api/v1/areas/east-1", {"parent_id": "west"}),
        ("POST", "/api/v1/premises", {"id": "x", "area_id": "west", "address": "X"}),
        ("PATCH", "/api/v1/premises/home-1", {"area_id": "west"}),
        ("PATCH", "/api/v1/premises/home-1", {"area_id": "city"}),
        ("POST", "/api/v1/people", {"id": "x", "premises_id": "home-2", "name": "X"}),
        ("PATCH", "/api/v1/people/wang", {"premises_id": "home-2"}),
        ("POST", "/api/v1/responders",
         {"id": "x", "area_id": "west", "kind": "team", "name": "X"}),
        ("POST", "/api/v1/responders",
         {"id": "x", "area_id": "east", "kind": "team", "name": "X", "account_id": "west-desk"}),
        ("POST", "/api/v1/accounts",
         {"username": "x", "area_id": "west", "name": "X", "role": "dispatcher"}),
        ("PATCH", "/api/v1/accounts/east-desk", {"area_id": "city"}),
        ("POST", "/api/v1/tokens", {"name": "X", "area_id": "west", "role": "auditor"}),
        ("PUT", "/api/v1/people/wang/family/west-desk", {"relation": "son"}),
        ("GET", "/api/v1/people?area_id=west", None),
        ("GET", "/api/v1/log?area_id=west", None),
    ],
)  # fmt: skip
async def test_nothing_is_moved_into_or_taken_from_elsewhere_by_naming_it(
    east: ApiHub, method: str, path: str, body: dict[str, Any] | None
) -> None:
    async with east.desk("east-admin") as desk:
        answer = await desk.request(method, path, json=body)
    assert answer.status_code == 404, answer.text


async def test_whoever_is_named_by_guessing_stays_unknown(east: ApiHub) -> None:
    """In a ladder, in the rota, in a hand-over: of those of another county nothing is told, not
    even their name; those above may be named."""
    add_account(east, "mei-w", "west", "dispatcher")
    east.rows(
        "INSERT INTO responder (responder_id, area_id, kind, name)"
        " VALUES ('station-w', 'west', 'station', 'Westgate') RETURNING 1"
    )

    def ladder(*who: str) -> dict[str, Any]:
        targets = [{"who": each, "channels": ["sms"]} for each in who]
        steps = [{"wait_s": 30, "targets": targets}]
        leases = {"acknowledged_lease_s": 60, "attended_lease_s": 60}
        return {"area_id": "east", "ladder": {"name": "x", "steps": steps, **leases}}

    weekly = {"area_id": "east", "duty": "dispatcher", "weekdays": "daily", "hours": "08:00-16:00"}
    once = {
        "area_id": "east", "duty": "dispatcher", "from_at": "2099-01-01T08:00:00Z",
        "until_at": "2099-01-01T16:00:00Z",
    }  # fmt: skip
    offer = {"to_account_id": "mei-w", "note": "all yours"}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("PUT", "/api/v1/policies/p", ladder("responder:station-w")),
        ("PUT", "/api/v1/policies/p", ladder("account:mei", "account:mei-w")),
        ("POST", "/api/v1/policies/p/check", ladder("account:mei-w")),
        ("POST", "/api/v1/policies/p/preview",
         {"policy": ladder("account:mei-w"), "person_id": "wang"}),
        ("POST", "/api/v1/rota/weekly", weekly | {"account_id": "mei-w"}),
        ("POST", "/api/v1/rota/changes", once | {"account_id": "mei-w"}),
        ("POST", "/api/v1/rota/changes", once | {"account_id": "mei", "instead_of": "mei-w"}),
        ("POST", "/api/v1/handovers", offer),
    ]  # fmt: skip
    async with east.desk("east-admin") as desk:
        for method, path, body in asked:
            answer = await desk.request(method, path, json=body)
            assert answer.status_code == 404, (path, answer.text)
            assert answer.json()["detail"] in ("mei-w", "station-w")
        above = await desk.put("/api/v1/policies/p", json=ladder("account:mei"))
        assert above.status_code == 200, above.text
        away = once | {"account_id": "mei"}
        assert (await desk.post("/api/v1/rota/changes", json=away)).status_code == 201


@pytest.mark.parametrize("noun", ["areas", "premises", "people", "responders", "accounts", "log"])
async def test_lists_show_their_own(east: ApiHub, noun: str) -> None:
    east.rows(
        "INSERT INTO responder (responder_id, area_id, kind, name) VALUES"
        " ('station-w', 'west', 'station', 'W'), ('station-e', 'east-1', 'team', 'E') RETURNING 1"
    )
    async with east.desk("west-desk") as desk:
        await desk.get("/api/v1/people")
    async with east.desk("east-admin") as desk:
        await desk.get("/api/v1/premises")
        items = (await desk.get(f"/api/v1/{noun}", params={"limit": 100})).json()["items"]
    areas = {item["id"] if noun == "areas" else item["area_id"] for item in items}
    assert items
    assert areas <= {"east", "east-1"}
    assert "west" not in str(items)


async def test_lists_come_in_pages(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        for noun in ("areas", "premises", "people", "accounts"):
            whole = (await desk.get(f"/api/v1/{noun}")).json()["items"]
            found: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                query = {"limit": "1"} | ({"cursor": cursor} if cursor else {})
                page = (await desk.get(f"/api/v1/{noun}", params=query)).json()
                found += page["items"]
                cursor = page["next_cursor"]
            assert found == whole
            assert (await desk.get(f"/api/v1/{noun}", params={"cursor": "AA"})).status_code < 500
