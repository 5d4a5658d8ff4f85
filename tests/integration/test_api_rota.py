"""Rota, presence, hand-over and assurance as a desk uses them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from alerts.actions import Verb
from schemas import topics
from tests.integration.api_hub import ApiHub, press, until

HOUR = timedelta(hours=1)


def present(hub: ApiHub) -> list[str]:
    rows = hub.rows("SELECT account_id FROM desk_presence ORDER BY account_id")
    return [row[0] for row in rows]


async def test_a_desk_counts_while_its_feed_is_open(hub: ApiHub) -> None:
    """Being logged in is not enough; a supervisor who looks on answers no alarm."""
    async with hub.desk("mei") as mei, hub.desk("boss") as boss:
        await mei.get("/api/v1/incidents")
        assert hub.parts.switchboard.desks_present() == []
        async with mei.stream("GET", "/api/v1/events"), boss.stream("GET", "/api/v1/events"):
            await until(lambda: present(hub) == ["mei"])
            now = (await mei.get("/api/v1/rota/now")).json()
            assert [desk["account_id"] for desk in now["at_desk"]] == ["mei"]
        await until(lambda: present(hub) == [])


async def test_a_process_that_ends_takes_its_desks_away(hub: ApiHub) -> None:
    async with hub.desk("mei") as mei, mei.stream("GET", "/api/v1/events"):
        await until(lambda: present(hub) == ["mei"])
        assert len(hub.rows("SELECT 1 FROM live_feed")) == 1
        store = hub.parts.dependencies.assurance.presence
        await store.leave(hub.parts.switchboard.feed.epoch)
        assert present(hub) == []


async def test_a_week_is_planned_and_its_holes_are_seen(hub: ApiHub) -> None:
    body = {"area_id": "east", "duty": "dispatcher", "account_id": "east-desk",
            "weekdays": "daily", "hours": "00:00-12:00"}  # fmt: skip
    async with hub.desk("admin") as admin, hub.desk("west-desk") as west:
        made = await admin.post("/api/v1/rota/weekly", json=body)
        assert made.status_code == 201, made.text
        assert len(made.json()["ids"]) == 7
        gaps = (await admin.get("/api/v1/rota/gaps?days=3")).json()
        assert {gap["area_id"] for gap in gaps} == {"east"}
        assert len(gaps) in (3, 4)
        assert (await west.get("/api/v1/rota/gaps")).json() == [], "not their area"
        begin, end = gaps[0]["from_at"], gaps[-1]["until_at"]
        change = {"area_id": "east", "duty": "dispatcher", "account_id": "mei", "from_at": begin,
                  "until_at": (datetime.fromisoformat(end) + HOUR).isoformat(),
                  "why": "holiday"}  # fmt: skip
        answer = await admin.post("/api/v1/rota/changes", json=change)
        assert answer.status_code == 201, answer.text
        assert (await admin.get("/api/v1/rota/gaps?days=3")).json() == []
        shown = (await admin.get("/api/v1/rota")).json()
        assert {shift["account_id"] for shift in shown["shifts"]} == {"east-desk", "mei"}
        number = answer.json()["ids"][0]
        assert (await admin.delete(f"/api/v1/rota/changes/{number}")).status_code == 204
        assert (await admin.delete(f"/api/v1/rota/changes/{number}")).status_code == 404
        for weekly in made.json()["ids"]:
            ended = await admin.post(f"/api/v1/rota/weekly/{weekly}/end", json={})
            assert ended.status_code == 204, ended.text
        assert (await admin.get("/api/v1/rota")).json()["weekly"] == []
    log = hub.rows("SELECT action FROM audit_log WHERE left(action, 4) = 'rota' ORDER BY entry_id")
    assert [row[0] for row in log][:3] == ["rota_planned", "rota_changed", "rota_change_dropped"]


async def test_a_supervisor_plans_their_own_area(hub: ApiHub) -> None:
    """Whoever answers for the service plans it; dispatchers and installers do not."""
    hub.rows("UPDATE account SET role = 'supervisor' WHERE account_id = 'west-desk' RETURNING 1")
    body = {"area_id": "west", "duty": "dispatcher", "account_id": "mei",
            "weekdays": "mon", "hours": "08:00-16:00"}  # fmt: skip
    async with hub.desk("west-desk") as west, hub.desk("mei") as mei:
        made = await west.post("/api/v1/rota/weekly", json=body)
        assert made.status_code == 201, made.text
        elsewhere = await west.post("/api/v1/rota/weekly", json=body | {"area_id": "east"})
        assert elsewhere.status_code == 404
        assert (await mei.post("/api/v1/rota/weekly", json=body)).status_code == 403
        number = made.json()["ids"][0]
        ended = await west.post(f"/api/v1/rota/weekly/{number}/end", json={})
        assert ended.status_code == 204


@pytest.mark.parametrize(
    ("changes", "status", "says"),
    [
        ({"account_id": "west-desk"}, 422, "does not see east"),
        ({"account_id": "nobody"}, 422, "on duty can be"),
        ({"account_id": "ghost"}, 404, "ghost"),
        ({"area_id": "mars"}, 404, ""),
        ({"hours": "8-16"}, 422, "08:00-16:00"),
        ({"weekdays": "monday"}, 422, "mon-fri"),
        ({"time_zone": "Mars/Base"}, 422, "Asia/Shanghai"),
        ({"valid_from": "2026-03-02", "valid_until": "2026-03-01"}, 422, "end after"),
    ],
)
async def test_a_rota_that_cannot_be(
    hub: ApiHub, changes: dict[str, Any], status: int, says: str
) -> None:
    body = {"area_id": "east", "duty": "dispatcher", "account_id": "mei", "weekdays": "mon-fri",
            "hours": "08:00-16:00"}  # fmt: skip
    async with hub.desk("admin") as admin:
        answer = await admin.post("/api/v1/rota/weekly", json=body | changes)
    assert answer.status_code == status, answer.text
    assert says in answer.text


async def test_a_swap_of_a_shift_nobody_has_is_refused(hub: ApiHub) -> None:
    now = datetime.now(UTC)
    body = {"area_id": "east", "duty": "dispatcher", "account_id": "mei",
            "instead_of": "east-desk", "from_at": now.isoformat(),
            "until_at": (now + HOUR).isoformat()}  # fmt: skip
    async with hub.desk("admin") as admin:
        answer = await admin.post("/api/v1/rota/changes", json=body)
    assert answer.status_code == 422
    assert "has no shift" in answer.text


async def owned(hub: ApiHub, desk: httpx.AsyncClient, device: str = "button-1") -> str:
    """An incident that this desk has acknowledged."""
    view = await hub.ingest.take_press(press(device))
    await until(lambda: hub.parts.switchboard.feed.find(view["id"]) is not None)
    answer = await desk.post(f"/api/v1/incidents/{view['id']}/acknowledge", json={})
    assert answer.status_code == 200, answer.text
    return str(view["id"])


async def test_a_shift_ends_and_its_incidents_change_hands(hub: ApiHub) -> None:
    assert Verb.TAKE_OVER
    async with hub.desk("mei") as mei, hub.desk("east-desk") as east:
        incident_id = await owned(hub, mei)
        offer = {"to_account_id": "east-desk", "note": "the neighbour is on her way"}
        made = await mei.post("/api/v1/handovers", json=offer)
        assert made.status_code == 201, made.text
        handover = made.json()
        assert [one["incident_id"] for one in handover["incidents"]] == [incident_id]
        assert hub.rows("SELECT owner_id FROM incident") == [("mei",)], "until it is confirmed"
        (waiting,) = (await east.get("/api/v1/handovers")).json()["items"]
        assert waiting["note"] == offer["note"]

        path = f"/api/v1/handovers/{handover['id']}/answer"
        assert (await mei.post(path, json={"state": "confirmed"})).status_code == 404
        done = await east.post(path, json={"state": "confirmed"})
        assert done.json() == {"state": "confirmed", "results": {incident_id: "taken"}}
        assert hub.rows("SELECT owner_id FROM incident") == [("east-desk",)]
        assert (await east.post(path, json={"state": "confirmed"})).status_code == 404, "once"
        assert (await east.get("/api/v1/handovers")).json()["items"] == []
    log = hub.rows(
        "SELECT action FROM audit_log WHERE left(action, 8) = 'handover' ORDER BY entry_id"
    )
    assert [row[0] for row in log] == ["handover_offered", "handover_confirmed"]


async def test_what_is_declined_stays_where_it_was(hub: ApiHub) -> None:
    async with hub.desk("mei") as mei, hub.desk("east-desk") as east:
        await owned(hub, mei)
        offer = {"to_account_id": "east-desk", "note": "bye"}
        handover = (await mei.post("/api/v1/handovers", json=offer)).json()
        path = f"/api/v1/handovers/{handover['id']}/answer"
        assert (await east.post(path, json={"state": "declined"})).status_code == 200
    assert hub.rows("SELECT owner_id FROM incident") == [("mei",)]


async def test_nobody_hands_over_what_is_not_theirs(hub: ApiHub) -> None:
    async with hub.desk("mei") as mei, hub.desk("east-desk") as east:
        incident_id = await owned(hub, mei)
        offer = {"to_account_id": "mei", "note": "", "incident_ids": [incident_id]}
        assert (await east.post("/api/v1/handovers", json=offer)).status_code == 409
        for wrong in ("mei", "boss", "ghost"):
            answer = await mei.post("/api/v1/handovers", json=offer | {"to_account_id": wrong})
            assert answer.status_code in (404, 409), answer.text
    assert hub.rows("SELECT count(*) FROM handover") == [(0,)]


async def test_a_synthetic_press_is_passed_on_and_shown_to_nobody(hub: ApiHub) -> None:
    async with hub.desk("mei") as mei:
        said = {"type": "synthetic", "id": "s1", "area_id": "city", "received_at": "x"}
        hub.bus.say(topics.DESK_ANNOUNCE, said)
        await until(lambda: hub.rows("SELECT synthetic_id FROM live_feed") == [("s1",)])
        assert (await mei.get("/api/v1/incidents")).json()["items"] == []
    assert hub.parts.switchboard.feed.number == 0, "no event is numbered"


async def test_health_says_how_the_hubs_own_press_does(hub: ApiHub) -> None:
    path = "/api/v1/health/assurance"
    async with hub.client() as client:
        assert (await client.get(path)).status_code == 503, "nobody has said anything yet"
        word = {"type": "assurance", "every_s": 60, "press_age_s": 12, "press_took_s": 0.02,
                "watcher": True, "watcher_failing": False, "watcher_age_s": 30,
                "conditions": {"rota_gap": {"holding": 1, "raised": 1}}}  # fmt: skip
        hub.bus.say(topics.DESK_STATS, word)
        found = (await client.get(path)).json()
        assert (found["synthetic_press"], found["watcher"]) == ("ok", "ok")
        assert found["conditions_ringing"] == 1
        hub.bus.say(topics.DESK_STATS, word | {"press_age_s": 181, "watcher_failing": True})
        missing = await client.get(path)
        assert missing.status_code == 503
        assert missing.json()["watcher"] == "unreachable"
        hub.bus.say(topics.DESK_STATS, word | {"every_s": 0, "press_age_s": None})
        assert (await client.get(path)).json()["synthetic_press"] == "off"


async def test_every_loop_is_in_the_health_of_the_cycles(hub: ApiHub) -> None:
    path, ages = "/api/v1/health/cycle", {}
    async with hub.client() as client:
        failing = (await client.get(path)).json()["failing"]
        assert set(failing) >= {"escalator", "courier", "maintenance", "history", "learning",
                                "sealing", "assurance"}  # fmt: skip
        ages = dict.fromkeys(failing, 1.0)
        said = {"type": "cycle", "loop": "courier", "handled": 0, "ages": ages}
        hub.bus.say(topics.DESK_STATS, said)
        assert (await client.get(path)).status_code == 200
        hub.bus.say(topics.DESK_STATS, said | {"ages": ages | {"sealing": 99_999}})
        assert (await client.get(path)).status_code == 200, "another worker has sealed since"


async def test_a_contact_is_asked_and_who_is_overdue_is_a_list(hub: ApiHub) -> None:
    hub.rows(
        "INSERT INTO person_contact (person_id, place, area_id, name, relation, phone, contact_id)"
        " VALUES ('wang', 1, 'east-1', 'Ying', 'daughter', '+8613800000002', 'ying') RETURNING 1"
    )
    async with hub.desk("admin") as admin, hub.desk("west-desk") as west:
        (row,) = (await admin.get("/api/v1/assurance/contacts")).json()["items"]
        assert (row["recipient"], row["waiting"]) == ("contact:ying", False)
        assert (await west.get("/api/v1/assurance/contacts")).json()["items"] == []
        body = {"recipient": "contact:ying", "channel": "sms"}
        none_yet = await admin.post("/api/v1/assurance/contacts/verified", json=body)
        assert none_yet.status_code == 404
        asked = await admin.post("/api/v1/assurance/contacts/test", json=body)
        assert asked.status_code == 202, asked.text
        (row,) = (await admin.get("/api/v1/assurance/contacts")).json()["items"]
        assert row["waiting"] is True
        for wrong, status in (({"recipient": "contact:none"}, 404), ({"channel": "email"}, 422)):
            answer = await admin.post("/api/v1/assurance/contacts/test", json=body | wrong)
            assert answer.status_code == status, answer.text
        assert (
            await admin.post("/api/v1/assurance/contacts/verified", json=body)
        ).status_code == 204
        assert (await admin.get("/api/v1/assurance/contacts")).json()["items"] == []
        order = {"area_id": "city", "channels": ["sms"], "per_minute": 10}
        made = await admin.post("/api/v1/assurance/campaigns", json=order)
        assert made.status_code == 201, made.text
        path = f"/api/v1/assurance/campaigns/{made.json()['id']}/stop"
        assert (await admin.post(path)).status_code == 204
        assert (await admin.post(path)).status_code == 404


async def test_conditions_are_told_in_the_readers_language(hub: ApiHub) -> None:
    hub.rows(
        "INSERT INTO assurance_condition (concern, subject_kind, subject_id, area_id, since,"
        " raised_at, evidence, about) VALUES ('loop_stands', 'hub', 'x', 'east', now(), now(),"
        ' \'{"loop": "courier", "age_s": 40}\', \'courier\') RETURNING 1'
    )
    async with hub.desk("mei") as mei, hub.desk("west-desk") as west:
        (row,) = (await mei.get("/api/v1/assurance/conditions")).json()["items"]
        assert row["text"] == "the courier stands still for 40 s"
        assert (await west.get("/api/v1/assurance/conditions")).json()["items"] == []
