"""Incidents over HTTP: seen by whom they concern, acted on once, every look written down."""

from tests.integration.api_hub import ApiHub, listening, press

INCIDENTS = "/api/v1/incidents"


async def test_a_press_is_listed_with_who_and_where(hub: ApiHub) -> None:
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        opened = await hub.ingest.take_press(press())
        await line.next("incident")
        page = (await desk.get(INCIDENTS)).json()
        assert [item["id"] for item in page["items"]] == [opened["id"]]
        assert page["next_cursor"] is None
        detail = (await desk.get(f"{INCIDENTS}/{opened['id']}")).json()
    assert detail["state"] == "raised"
    assert detail["timeline_available"] is True
    assert [entry["action"] for entry in detail["timeline"]] == ["alarm"]
    assert detail["timeline"][0]["actor"] == "device:button-1"


async def test_an_incident_from_the_database_has_its_cards(hub: ApiHub) -> None:
    hub.rows("UPDATE device SET voice_number = '+8613800000009' WHERE device_id = 'button-1'"
             " RETURNING 1")  # fmt: skip
    opened = await hub.ingest.take_press(press())
    await hub.ingest.take_press(press())
    async with hub.desk() as desk:
        await desk.post(f"{INCIDENTS}/{opened['id']}/resolve", json={"outcome": "helped"})
        page = (await desk.get(INCIDENTS, params={"state": "resolved"})).json()
    (item,) = page["items"]
    assert item["person"]["name"] == "王秀英"
    assert item["premises"]["address"] == "1 Lake Road"
    assert item["device"] == {"id": "button-1", "kind": "button", "label": "bedside",
                              "voice_number": "+8613800000009"}  # fmt: skip
    assert (item["area_id"], item["area_name"]) == ("east-1", "East 1")
    assert item["position"]["source"] == "premises"
    assert len(item["alarms"]) == item["alarm_count"] == 2
    assert item["opened_at"].endswith("Z")


async def test_a_long_incident_shows_how_it_began_and_what_is_new(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    hub.rows(
        "INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_name, action, detail)"
        f" SELECT now(), 'east', '{opened['id']}', 'dispatcher', n::text, 'note', '{{}}'"
        " FROM generate_series(1, 1200) n RETURNING 1"
    )
    async with hub.desk() as desk:
        detail = (await desk.get(f"{INCIDENTS}/{opened['id']}")).json()
    names = [entry["actor_name"] for entry in detail["timeline"]]
    assert len(names) == 1000
    assert names[1:3] == ["1", "2"]
    assert names[-1] == "1200"


async def test_every_look_is_written_down(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    async with hub.desk() as desk:
        await desk.get(f"{INCIDENTS}/{opened['id']}")
        detail = (await desk.get(f"{INCIDENTS}/{opened['id']}")).json()
        await desk.get("/api/v1/observations", params={"person_id": "wang"})
    looks = hub.rows(
        "SELECT actor_id, incident_id, detail->>'noun' FROM audit_log WHERE action = 'look'"
        " ORDER BY entry_id"
    )
    assert looks == [
        ("mei", opened["id"], "incident"),
        ("mei", opened["id"], "incident"),
        ("mei", None, "observations"),
    ]
    assert [entry["action"] for entry in detail["timeline"]] == ["alarm", "look"]


async def test_one_dispatcher_has_it_the_other_is_told_who(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    path = f"{INCIDENTS}/{opened['id']}/acknowledge"
    async with hub.desk("mei") as first, hub.desk("east-desk") as second:
        answer = await first.post(path, json={"expected_arrival_s": 600})
        assert answer.status_code == 200
        assert answer.json()["owner"] == {"account_id": "mei", "name": "Mei"}
        assert answer.json()["expected_at"] is not None
        assert (await first.post(path)).status_code == 200
        answer = await second.post(path)
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Mei has it"
    assert answer.json()["kind"] == "already_owned"


async def test_the_whole_way_to_an_outcome(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    path = f"{INCIDENTS}/{opened['id']}"
    async with hub.desk() as desk, listening(desk) as line:
        await line.next("snapshot")
        for verb, body, state in (
            ("acknowledge", None, "acknowledged"),
            ("attend", {"note": "neighbour is with her"}, "attended"),
            ("resolve", {"outcome": "helped", "note": "tea"}, "resolved"),
        ):
            answer = await desk.post(f"{path}/{verb}", json=body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["state"] == state
            event = await line.next("incident")
            assert (event.body["cause"], event.body["incident"]["state"]) == (state, state)
        assert (await desk.post(f"{path}/resolve", json={"outcome": "test"})).status_code == 409
        assert (await desk.get(INCIDENTS)).json()["items"] == []
    done = hub.rows(
        "SELECT verb, account_id, refusal IS NULL FROM desk_action ORDER BY recorded_at"
    )
    assert done == [
        ("acknowledge", "mei", True),
        ("attend", "mei", True),
        ("resolve", "mei", True),
        ("resolve", "mei", False),
    ]


async def test_senseless_actions(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    path = f"{INCIDENTS}/{opened['id']}"
    async with hub.desk() as desk:
        for verb, body in (
            ("resolve", {"outcome": "withdrawn"}),
            ("resolve", {}),
            ("acknowledge", {"expected_arrival_s": -1}),
            ("attend", {"note": "x" * 5000}),
            ("attend", {"notes": "misspelt"}),
        ):
            answer = await desk.post(f"{path}/{verb}", json=body)
            assert answer.status_code == 422, (verb, body)
            assert answer.json()["errors"]
        assert (await desk.post(f"{INCIDENTS}/unknown/attend")).status_code == 404
        assert (await desk.post(f"{INCIDENTS}/NOT-AN-ID/attend")).status_code == 422


async def test_areas_see_themselves_and_below(hub: ApiHub) -> None:
    east = await hub.ingest.take_press(press("button-1"))
    west = await hub.ingest.take_press(press("button-2"))
    for username, seen in (
        ("mei", {east["id"], west["id"]}),
        ("east-desk", {east["id"]}),
        ("west-desk", {west["id"]}),
    ):
        async with hub.desk(username) as desk:
            for state in ("open", "all"):
                page = (await desk.get(INCIDENTS, params={"state": state})).json()
                assert {item["id"] for item in page["items"]} == seen, (username, state)
            for opened in (east, west):
                wanted = 200 if opened["id"] in seen else 404
                answer = await desk.get(f"{INCIDENTS}/{opened['id']}")
                assert answer.status_code == wanted
                answer = await desk.post(f"{INCIDENTS}/{opened['id']}/acknowledge")
                assert (answer.status_code == 404) is (wanted == 404)


async def test_pages_follow_each_other(hub: ApiHub) -> None:
    for _ in range(5):
        opened = await hub.ingest.take_press(press())
        async with hub.desk() as desk:
            await desk.post(f"{INCIDENTS}/{opened['id']}/resolve", json={"outcome": "test"})
    async with hub.desk() as desk:
        seen: list[str] = []
        cursor: str | None = None
        for _ in range(3):
            parameters = {"state": "resolved", "limit": "2"} | (
                {"cursor": cursor} if cursor else {}
            )
            page = (await desk.get(INCIDENTS, params=parameters)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert cursor is None
        assert len(seen) == len(set(seen)) == 5
        answer = await desk.get(INCIDENTS, params={"cursor": "%%%"})
        assert answer.status_code == 422


async def test_an_action_nobody_answers_is_kept_and_said_so(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    hub.bus.on_action = None
    async with hub.desk() as desk:
        answer = await desk.post(f"{INCIDENTS}/{opened['id']}/acknowledge")
    assert answer.status_code == 202
    assert answer.json()["pending_action"] == "acknowledge"
    assert answer.json()["id"] == opened["id"]


async def test_without_a_broker_nothing_was_done_and_that_is_said(hub: ApiHub) -> None:
    opened = await hub.ingest.take_press(press())
    hub.bus.connected = False
    async with hub.desk() as desk:
        answer = await desk.post(f"{INCIDENTS}/{opened['id']}/acknowledge")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "Nothing was done" in answer.json()["detail"]
        hub.bus.connected, hub.bus.confirms = True, False
        answer = await desk.post(f"{INCIDENTS}/{opened['id']}/acknowledge")
        assert answer.status_code == 503
        assert "not certain" in answer.json()["detail"]
