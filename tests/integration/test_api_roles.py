"""Every route, called as every role: one without a declared deed fails here."""

import re
from typing import Any

import pytest

from hub.api.access import MAY, Deed, may
from hub.api.app import PUBLIC, deeds
from tests.integration.api_hub import PASSWORD, QUICK_HASH, ApiHub
from tests.integration.register_stories import token_for

OWN = {
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/session/password"),
    ("GET", "/api/v1/session/all"),
    ("DELETE", "/api/v1/session/all"),
    ("DELETE", "/api/v1/session/all/{session_id}"),
}
"""What is about oneself, whatever the role."""


def operations(hub: ApiHub) -> list[tuple[str, str]]:
    document = hub.app.openapi()
    return [
        (method.upper(), path)
        for path, described in document["paths"].items()
        for method in described
    ]


def test_every_route_declares_its_deed(hub: ApiHub) -> None:
    known = deeds()
    for method, path in operations(hub):
        if path.startswith(PUBLIC) or (method, path) in OWN:
            assert (method, path) not in known
        else:
            assert (method, path) in known, f"{method} {path}: which deed is it?"
    described = hub.app.openapi()["paths"]
    for (method, path), deed in known.items():
        assert described[path][method.lower()]["x-deed"] == deed.value


async def call(client: Any, method: str, path: str) -> int:
    """A request that means nothing; the log-in is checked before what it says."""
    filled = re.sub(r"\{[^}]+\}", "none-such", path)
    body: dict[str, Any] = {}
    if method in ("POST", "PUT", "PATCH"):
        body = {"content": b"{}", "headers": {"Content-Type": "application/json"}}
    async with client.stream(method, filled, **body) as answer:
        return int(answer.status_code)


@pytest.mark.parametrize("role", sorted(MAY))
async def test_a_role_does_what_the_table_says(hub: ApiHub, role: str) -> None:
    hub.rows(
        "INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)"
        " VALUES ('tester', 'east', 'tester', 'T', %s, %s, 'en') RETURNING 1",
        QUICK_HASH,
        role,
    )
    async with hub.desk("tester") as client:
        for (method, path), deed in deeds().items():
            status = await call(client, method, path)
            if may(role, deed):
                assert status not in (401, 403), (role, method, path, deed)
            else:
                assert status == 403, (role, method, path, deed)
            assert status < 500, (role, method, path)


async def test_without_a_log_in_nothing_opens(hub: ApiHub) -> None:
    async with hub.client() as client:
        for method, path in operations(hub):
            if not path.startswith(PUBLIC) and (method, path) != ("POST", "/api/v1/session"):
                assert await call(client, method, path) == 401, (method, path)
        client.headers["Authorization"] = "Bearer cbt_made-up"
        assert await call(client, "GET", "/api/v1/incidents") == 401


@pytest.mark.parametrize("role", sorted(name for name, row in MAY.items() if row.by_token))
async def test_a_token_does_what_its_role_may_and_nothing_of_a_human(
    hub: ApiHub, role: str
) -> None:
    token, token_id = await token_for(hub, role, "east")
    async with hub.client(headers={"Authorization": f"Bearer {token}"}) as client:
        for (method, path), deed in deeds().items():
            status = await call(client, method, path)
            assert (status not in (401, 403)) is may(role, deed), (role, method, path, status)
        for method, path in sorted(OWN - {("POST", "/api/v1/session"), ("GET", "/api/v1/session")}):
            assert await call(client, method, path) == 403, (method, path)
        who = (await client.get("/api/v1/session")).json()
        assert (who["account"]["role"], who["account"]["id"]) == (role, token_id)
        assert set(who["deeds"]) == set(MAY[role].deeds)
        cookie = {"carebell_session": token}
    async with hub.client(cookies=cookie) as client:
        assert (await client.get("/api/v1/session")).status_code == 401
    async with hub.desk("admin") as desk:
        session = desk.cookies["carebell_session"]
        answer = await desk.delete(f"/api/v1/tokens/{token_id}")
        assert answer.status_code == 204, answer.text
    async with hub.client(headers={"Authorization": f"Bearer {session}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401
    async with hub.client(headers={"Authorization": f"Bearer {token}"}) as client:
        assert (await client.get("/api/v1/session")).status_code == 401


async def test_a_given_password_opens_nothing_but_its_change(hub: ApiHub) -> None:
    async with hub.desk("admin") as desk:
        new = {"username": "lin", "area_id": "east", "name": "Lin", "role": "administrator"}
        given = (await desk.post("/api/v1/accounts", json=new)).json()
    login = {"username": "lin", "password": given["password"]}
    async with hub.client() as client:
        answer = await client.post("/api/v1/session", json=login)
        assert answer.json()["must_change_password"] is True
        for method, path in deeds():
            assert await call(client, method, path) == 403, (method, path)
        change = {"current": given["password"], "new": "eleven blue bicycles"}
        answer = await client.post("/api/v1/session/password", json=change)
        assert answer.status_code == 204, answer.text
        assert (await client.get("/api/v1/areas")).status_code == 200
    kept = hub.rows("SELECT password_hash FROM account WHERE account_id = 'lin'")
    assert given["password"] not in str(kept)
    assert PASSWORD not in str(hub.rows("SELECT detail FROM audit_log"))


def test_roles_outside_the_table_may_nothing() -> None:
    assert not any(may("gardener", deed) for deed in Deed)
