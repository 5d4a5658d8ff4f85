"""Accounts, log-ins, tokens and families: who gets in, how far, and how soon they are out again."""

from typing import Any

import httpx
import psycopg
import pytest

from alerts.people import PersonState
from hub.api.throttle import NAME_TRIES
from tests.integration.api_hub import PASSWORD, QUICK_HASH, ApiHub, listening, press
from tests.integration.register_stories import add_account, logged, token_for

ACCOUNTS = "/api/v1/accounts"
SESSION = "/api/v1/session"
NEW_PASSWORD = "eleven blue bicycles"


async def ended(line: Any) -> None:
    """The live feed is cut."""
    with pytest.raises((EOFError, httpx.RemoteProtocolError)):
        await line.next("never", within_s=8.0)


async def test_a_disabled_account_is_out_at_once_with_its_live_feeds(hub: ApiHub) -> None:
    async with hub.desk("admin") as admin, hub.desk("mei") as mei, listening(mei) as line:
        await line.next("snapshot")
        answer = await admin.patch(f"{ACCOUNTS}/mei", json={"disabled": True})
        assert answer.json()["disabled"] is True
        assert (await mei.get(SESSION)).status_code == 401
        await ended(line)
    assert hub.rows("SELECT 1 FROM desk_session WHERE account_id = 'mei'") == []
    async with hub.client() as client:
        login = {"username": "mei", "password": PASSWORD}
        assert (await client.post(SESSION, json=login)).status_code == 401


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET disabled = true WHERE account_id = 'mei' RETURNING 1",
        "UPDATE account SET area_id = 'west' WHERE account_id = 'mei' RETURNING 1",
        "UPDATE account SET role = 'family' WHERE account_id = 'mei' RETURNING 1",
        "DELETE FROM desk_session WHERE account_id = 'mei' RETURNING 1",
    ],
)
async def test_what_another_process_changes_cuts_the_feed_within_seconds(
    hub: ApiHub, change: str
) -> None:
    async with hub.desk("mei") as mei, listening(mei) as line:
        await line.next("snapshot")
        await line.next("stats")
        hub.rows(change)
        await ended(line)


async def test_an_account_is_kept_by_its_administrator(hub: ApiHub) -> None:
    new = {"username": "lin", "area_id": "east", "name": "Lin", "role": "dispatcher"}
    async with hub.desk("admin") as desk:
        made = (await desk.post(ACCOUNTS, json=new)).json()
        assert (await desk.post(ACCOUNTS, json=new)).status_code == 409
        assert made["account"]["must_change_password"] is True
        assert (await desk.patch(f"{ACCOUNTS}/lin", json={"role": "king"})).status_code == 422
        changed = await desk.patch(f"{ACCOUNTS}/lin", json={"role": "supervisor"})
        assert changed.json()["role"] == "supervisor"
        reset = (await desk.post(f"{ACCOUNTS}/lin/password")).json()
        assert reset["password"] != made["password"]
        found = await desk.get(ACCOUNTS, params={"role": "supervisor"})
        assert {item["id"] for item in found.json()["items"]} == {"boss", "lin"}
        assert (await desk.delete(f"{ACCOUNTS}/lin")).status_code == 204
        assert (await desk.get(f"{ACCOUNTS}/lin")).status_code == 404
    told = str(hub.rows("SELECT detail FROM audit_log"))
    assert made["password"] not in told
    assert reset["password"] not in told
    assert "argon2" not in told
    assert logged(hub, "reset_password") == [{"noun": "account", "id": "lin"}]


async def test_the_last_administrator_stays(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        for change in ({"disabled": True}, {"role": "dispatcher"}, {"area_id": "east"}):
            answer = await desk.patch(f"{ACCOUNTS}/admin", json=change)
            assert answer.status_code == 409, change
        assert (await desk.delete(f"{ACCOUNTS}/admin")).status_code == 409
        add_account(hub, "second", "city", "administrator")
        answer = await desk.patch(f"{ACCOUNTS}/second", json={"disabled": True})
        assert answer.status_code == 200
        assert (await desk.patch(f"{ACCOUNTS}/admin", json={"disabled": True})).status_code == 409


async def test_one_sees_and_ends_one_s_own_log_ins(hub: ApiHub) -> None:
    async with hub.desk("mei") as here, hub.desk("mei") as there, hub.desk("mei") as third:
        found = (await here.get(f"{SESSION}/all")).json()["items"]
        assert len(found) == 3
        (mine,) = [each for each in found if each["current"]]
        assert mine["address"] == "127.0.0.1"
        assert "httpx" in mine["agent"]
        (other,) = [e["id"] for e in (await there.get(f"{SESSION}/all")).json()["items"]
                    if e["current"]]  # fmt: skip
        assert (await here.delete(f"{SESSION}/all/{other}")).status_code == 204
        assert (await here.delete(f"{SESSION}/all/{other}")).status_code == 404
        assert (await there.get(SESSION)).status_code == 401
        assert (await third.get(SESSION)).status_code == 200
        assert (await here.delete(f"{SESSION}/all")).status_code == 204
        assert (await third.get(SESSION)).status_code == 401
        assert (await here.get(SESSION)).status_code == 200
        async with hub.desk("east-desk") as other_desk:
            assert (await other_desk.delete(f"{SESSION}/all/{mine['id']}")).status_code == 404


async def test_a_new_password_ends_every_other_log_in(hub: ApiHub) -> None:
    path = f"{SESSION}/password"
    async with hub.desk("mei") as here, hub.desk("mei") as there:
        for change, status in (
            ({"current": "wrong", "new": NEW_PASSWORD}, 409),
            ({"current": PASSWORD, "new": "short"}, 422),
            ({"current": PASSWORD, "new": "mei is the one"}, 422),
            ({"current": PASSWORD, "new": "aaaaaaaaaaaa"}, 422),
            ({"current": PASSWORD, "new": "Password1234"}, 422),
            ({"current": PASSWORD, "new": NEW_PASSWORD}, 204),
        ):
            assert (await here.post(path, json=change)).status_code == status, change
        assert (await here.get(SESSION)).status_code == 200
        assert (await there.get(SESSION)).status_code == 401
    async with hub.client() as client:
        for password, status in ((PASSWORD, 401), (NEW_PASSWORD, 200)):
            login = {"username": "mei", "password": password}
            assert (await client.post(SESSION, json=login)).status_code == status
    assert NEW_PASSWORD not in str(hub.rows("SELECT detail FROM audit_log"))


async def test_guessing_the_current_password_is_throttled(hub: ApiHub) -> None:
    path = f"{SESSION}/password"
    async with hub.desk("mei") as desk:
        for _ in range(5):
            answer = await desk.post(path, json={"current": "wrong", "new": NEW_PASSWORD})
            assert answer.status_code == 409
        answer = await desk.post(path, json={"current": PASSWORD, "new": NEW_PASSWORD})
        assert answer.status_code == 429


async def test_a_dispatcher_logs_in_where_they_always_do_while_somebody_guesses(
    hub: ApiHub,
) -> None:
    right = {"username": "mei", "password": PASSWORD}
    async with hub.client() as own:
        answer = await own.post(SESSION, json=right)
        marks = [c for c in answer.headers.get_list("set-cookie") if "carebell_browser" in c]
        assert "HttpOnly" in marks[0]
        assert "SameSite=strict" in marks[0]
        await own.delete(SESSION)
        throttle, now_s = hub.parts.throttle, hub.parts.clock.monotonic_s()
        from hub.api.throttle import keys

        for number in range(NAME_TRIES):
            throttle.count(keys("mei", f"10.0.{number}.9", None), now_s)
            throttle.count(keys("mei", "127.0.0.1", None), now_s)
        async with hub.client() as stranger:
            assert (await stranger.post(SESSION, json=right)).status_code == 429
            stranger.cookies.set("carebell_browser", "made.up")
            assert (await stranger.post(SESSION, json=right)).status_code == 429
        assert (await own.post(SESSION, json=right)).status_code == 200
        # The mark opens nothing, and stands for one name only.
        other = {"username": "boss", "password": PASSWORD}
        assert (await own.post(SESSION, json=other)).status_code == 429
        for _ in range(5):
            await own.post(SESSION, json=right | {"password": "wrong"})
        assert (await own.post(SESSION, json=right)).status_code == 429


async def test_a_token_is_kept_as_a_hash_and_ends_when_it_is_revoked(hub: ApiHub) -> None:
    token, token_id = await token_for(hub, "auditor", "east")
    assert token not in str(hub.rows("SELECT * FROM api_token"))
    assert token not in str(hub.rows("SELECT detail FROM audit_log"))
    headers = {"Authorization": f"Bearer {token}"}
    async with hub.client(headers=headers) as program, listening(program) as line:
        await line.next("snapshot")
        items = (await program.get("/api/v1/people")).json()["items"]
        assert [item["id"] for item in items] == ["wang"]
        look = hub.rows("SELECT actor_id FROM audit_log WHERE action = 'search'")
        assert look == [(token_id,)]
        async with hub.desk("admin") as desk:
            assert (await desk.delete(f"/api/v1/tokens/{token_id}")).status_code == 204
            listed = (await desk.get("/api/v1/tokens")).json()["items"]
            assert listed[0]["revoked_at"] is not None
            for role in ("administrator", "dispatcher", "family"):
                body = {"name": "X", "area_id": "east", "role": role}
                assert (await desk.post("/api/v1/tokens", json=body)).status_code == 422
        await ended(line)
        assert (await program.get("/api/v1/people")).status_code == 401


@pytest.fixture
async def daughter(hub: ApiHub) -> ApiHub:
    """With a family account, linked to one of two people."""
    add_account(hub, "daughter", "west", "family")
    async with hub.desk("admin") as desk:
        path = "/api/v1/people/wang/family/daughter"
        assert (await desk.put(path, json={"relation": "daughter"})).status_code == 204
        path = "/api/v1/people/wang/family/mei"
        assert (await desk.put(path, json={"relation": "none"})).status_code == 404
    return hub


async def test_family_see_their_own_people_wherever_they_live_and_nobody_else(
    daughter: ApiHub,
) -> None:
    mine = await daughter.ingest.take_press(press("button-1"))
    foreign = await daughter.ingest.take_press(press("button-2"))
    async with daughter.desk("daughter") as family, listening(family) as line:
        snapshot = await line.next("snapshot")
        assert [each["id"] for each in snapshot.body["incidents"]] == [mine["id"]]
        assert snapshot.body["stats"]["open_incidents"] == 1
        assert snapshot.body["stats"]["devices_total"] == 0
        listed = (await family.get("/api/v1/incidents")).json()["items"]
        assert [each["id"] for each in listed] == [mine["id"]]
        everything = await family.get("/api/v1/incidents", params={"state": "all"})
        assert [each["id"] for each in everything.json()["items"]] == [mine["id"]]
        assert (await family.get(f"/api/v1/incidents/{foreign['id']}")).status_code == 404
        assert (await family.get(f"/api/v1/incidents/{mine['id']}")).status_code == 200
        people = (await family.get("/api/v1/family/people")).json()["items"]
        assert people == [
            {"id": "wang", "name": "王秀英", "relation": "daughter", "open_incidents": 1,
             "state": PersonState.HOME.value, "state_since": people[0]["state_since"],
             "phone": None, "address": "1 Lake Road", "time_zone": None, "decides": False,
             "shares_incidents": True}
        ]  # fmt: skip
        await daughter.ingest.take_press(press("button-2"))
        await daughter.ingest.take_press(press("button-1"))
        event = await line.next("incident")
        assert event.body["incident"]["id"] == mine["id"]


async def test_family_are_not_shown_what_only_the_desk_needs(daughter: ApiHub) -> None:
    async with daughter.desk("admin") as desk:
        await desk.patch("/api/v1/people/wang", json={"medical_notes": "insulin"})
    view = await daughter.ingest.take_press(press("button-1"))
    path = f"/api/v1/incidents/{view['id']}"
    async with daughter.desk("mei") as desk:
        await desk.post(f"{path}/acknowledge")
        await desk.post(f"{path}/resolve", json={"outcome": "helped", "note": "gave sugar"})
        seen = await desk.get(path)
        assert all(text in seen.text for text in ("insulin", "key at the porter", "gave sugar"))
    async with daughter.desk("daughter") as family:
        shown = await family.get(path)
        for secret in ("insulin", "porter", "sugar"):
            assert secret not in shown.text
        detail = shown.json()
        assert detail["position"] is None
        assert detail["person"]["name"] == "王秀英"
        actions = [line["action"] for line in detail["timeline"]]
        assert "acknowledge" in actions
        assert "look" not in actions


async def test_an_unlinked_family_account_is_blind_within_seconds(daughter: ApiHub) -> None:
    await daughter.ingest.take_press(press("button-1"))
    async with daughter.desk("daughter") as family, listening(family) as line:
        await line.next("snapshot")
        async with daughter.desk("admin") as desk:
            path = "/api/v1/people/wang/family/daughter"
            assert (await desk.delete(path)).status_code == 204
            assert (await desk.delete(path)).status_code == 404
        await ended(line)
        assert (await family.get("/api/v1/incidents")).json()["items"] == []


async def test_a_responder_s_account_sees_no_incident_it_was_not_sent_to(hub: ApiHub) -> None:
    add_account(hub, "runner", "city", "responder")
    view = await hub.ingest.take_press(press("button-1"))
    async with hub.desk("runner") as desk:
        assert (await desk.get("/api/v1/incidents")).json()["items"] == []
        everything = await desk.get("/api/v1/incidents", params={"state": "all"})
        assert everything.json()["items"] == []
        assert (await desk.get(f"/api/v1/incidents/{view['id']}")).status_code == 404


async def test_a_log_in_that_began_before_the_password_changed_does_not_count(
    hub: ApiHub,
) -> None:
    async with hub.desk("mei"):
        pass
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "UPDATE account SET password_changed_at = now() + interval '1 minute',"
            " password_hash = %s WHERE account_id = 'mei'",
            (QUICK_HASH,),
        )
    async with hub.client() as client:
        login = {"username": "mei", "password": PASSWORD}
        assert (await client.post(SESSION, json=login)).status_code == 401
