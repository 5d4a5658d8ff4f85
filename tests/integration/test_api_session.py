"""Who gets in, for how long, and what a browser may be made to do."""

import httpx
import pytest

from tests.integration.api_hub import PASSWORD, ApiHub, listening

SESSION = "/api/v1/session"


def login(username: str = "mei", password: str = PASSWORD) -> dict[str, str]:
    return {"username": username, "password": password}


async def test_nothing_is_shown_or_done_without_log_in(hub: ApiHub) -> None:
    async with hub.client() as client:
        for path in (
            "session", "incidents", "incidents/x", "devices", "observations?device_id=button-1",
            "quarantine", "events",
        ):  # fmt: skip
            answer = await client.get(f"/api/v1/{path}")
            assert answer.status_code == 401, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"] == "Log in first"
        for path in ("incidents/x/acknowledge", "devices", "people", "premises"):
            assert (await client.post(f"/api/v1/{path}", json={})).status_code == 401


async def test_log_in_and_out(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        answer = await desk.get(SESSION)
        assert answer.json()["account"] == {
            "id": "mei", "name": "Mei", "role": "dispatcher", "area_id": "city", "language": "en",
        }  # fmt: skip
        cookie = desk.cookies["carebell_session"]
        assert (await desk.delete(SESSION)).status_code == 204
        assert "carebell_session" not in desk.cookies
    async with hub.client(headers={"Cookie": f"carebell_session={cookie}"}) as thief:
        assert (await thief.get(SESSION)).status_code == 401
    assert hub.rows("SELECT count(*) FROM desk_session") == [(0,)]


async def test_the_cookie_is_hard_to_steal_and_not_in_the_database(hub: ApiHub) -> None:
    async with hub.client() as client:
        answer = await client.post(SESSION, json=login())
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Path=/" in cookie
        assert "Max-Age=43200" in cookie
        assert "Secure" not in cookie
        token = client.cookies["carebell_session"]
        assert len(token) >= 43  # 256 bits in base64
        assert token not in str(hub.rows("SELECT * FROM desk_session"))
        answer = await client.post(SESSION, json=login(), headers={"X-Forwarded-Proto": "https"})
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize("username", ["mei", "stranger"])
async def test_wrong_passwords_are_refused_then_throttled(hub: ApiHub, username: str) -> None:
    async with hub.client() as client:
        for _ in range(5):
            answer = await client.post(SESSION, json=login(username, "wrong"))
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
        answer = await client.post(SESSION, json=login(username))
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 300
        assert "wrong" not in answer.text.replace("Too many wrong tries", "")


async def test_a_disabled_account_is_out_within_seconds(
    hub: ApiHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.sessions.RECHECK_AFTER_S", 0.0)
    async with hub.desk("mei") as desk:
        hub.rows("UPDATE account SET disabled = true WHERE account_id = 'mei' RETURNING 1")
        assert (await desk.get(SESSION)).status_code == 401
    async with hub.client() as client:
        assert (await client.post(SESSION, json=login())).status_code == 401


async def test_logging_out_cuts_the_live_feed(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk, listening(desk) as line:
        await line.next("snapshot")
        await desk.delete(SESSION)
        with pytest.raises((EOFError, httpx.RemoteProtocolError)):
            await line.next("never")


async def test_another_site_cannot_act_for_a_desk(hub: ApiHub) -> None:
    path = "/api/v1/incidents/x/acknowledge"
    async with hub.desk("mei") as desk:
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": hub.url, "Sec-Fetch-Site": "cross-site"},
        ):
            answer = await desk.post(path, headers=headers)
            assert answer.status_code == 403, headers
            assert answer.headers["content-type"] == "application/problem+json"
        own = {"Origin": hub.url, "Sec-Fetch-Site": "same-origin"}
        assert (await desk.post(path, headers=own)).status_code == 404


async def test_what_one_may_depends_on_the_role(hub: ApiHub) -> None:
    device = {"id": "band-1", "kind": "wristband", "premises_id": "home-1"}
    statuses = {
        "admin": (200, 200, 404, 201),
        "mei": (200, 403, 404, 403),
        "boss": (200, 200, 403, 403),
        "nobody": (403, 403, 403, 403),
    }
    for username, wanted in statuses.items():
        async with hub.desk(username) as desk:
            answers = (
                await desk.get("/api/v1/incidents"),
                await desk.get("/api/v1/quarantine"),
                await desk.post("/api/v1/incidents/x/acknowledge"),
                await desk.post("/api/v1/devices", json=device),
            )
        assert tuple(answer.status_code for answer in answers) == wanted, username
        if username == "nobody":
            async with hub.desk(username) as desk:
                assert (await desk.get("/api/v1/events")).status_code == 403
