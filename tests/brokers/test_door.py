"""An operated broker's questions over HTTP, in the formats their documentation shows."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hub.embedded.door import KEY_HEADER, MAX_QUESTION_BYTES, Door, HubLogin
from hub.embedded.door_register import DoorRegister

KEY = "a-key-of-sixteen-or-more"
HUB = HubLogin.of("mqtt://hub:hub%20word@broker:1883")


def register_file(folder: Path) -> Path:
    path = folder / "register.json"
    devices = {
        name: {"secret_sha256": hashlib.sha256(f"s-{name}".encode()).hexdigest(), "revoked": gone}
        for name, gone in (("button-1", False), ("button-2", False), ("gone-1", True))
    }
    path.write_text(json.dumps({"version": 1, "devices": devices}))
    return path


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    made = Door(DoorRegister(register_file(tmp_path)).devices, lambda: True, HUB, KEY)
    transport = httpx.ASGITransport(made.app())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://door", headers={KEY_HEADER: KEY}
    ) as client:
        yield client


def emqx(**fields: str) -> dict[str, str]:
    """The body of config/emqx/emqx.conf with EMQX's placeholders filled; "undefined" is how it
    writes what it does not have."""
    return {"clientid": "button-1", "username": "button-1", "password": "s-button-1",
            "peerhost": "192.0.2.7", "cert_common_name": "undefined"} | fields  # fmt: skip


async def test_emqx_lets_a_device_in_with_its_rights(door: httpx.AsyncClient) -> None:
    for given in ({"json": emqx()}, {"data": emqx()}):
        answer = await door.post("/emqx/authenticate", **given)  # type: ignore[arg-type]
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        said = answer.json()
        assert (said["result"], said["is_superuser"]) == ("allow", False)
        assert said["acl"] == [
            {"permission": "allow", "action": "publish",
             "topic": "care/v1/+/+/button-1/alarm/+"},
            {"permission": "allow", "action": "publish",
             "topic": "care/v1/+/+/button-1/telemetry/+"},
            {"permission": "allow", "action": "subscribe",
             "topic": "care/v1/+/+/button-1/command/#"},
            {"permission": "deny", "action": "all", "topic": "#"},
        ]  # fmt: skip


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": "undefined"},
        {"username": "undefined"},
        {"username": "gone-1", "password": "s-gone-1", "clientid": "gone-1"},
        {"clientid": "button-2"},
        {"clientid": "carebell-alarm"},
        {"cert_common_name": "button-2"},
        {"username": "hub", "password": "wrong"},
    ],
)
async def test_whom_emqx_turns_away(door: httpx.AsyncClient, fields: dict[str, str]) -> None:
    """With 200 and `deny`: any other status would be `ignore`, and the next in the chain asked."""
    answer = await door.post("/emqx/authenticate", json=emqx(**fields))
    assert (answer.status_code, answer.json()) == (200, {"result": "deny"})


async def test_a_verified_certificate_is_enough_for_emqx(door: httpx.AsyncClient) -> None:
    shown = emqx(username="undefined", password="undefined", cert_common_name="button-1")
    said = (await door.post("/emqx/authenticate", json=shown)).json()
    assert said["result"] == "allow"


async def test_the_hub_itself_comes_in_first(tmp_path: Path) -> None:
    """Before any session, and before any snapshot: else there would never be one."""
    made = Door(DoorRegister(tmp_path / "none.json").devices, lambda: False, HUB, KEY)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(made.app()), base_url="http://door", headers={KEY_HEADER: KEY}
    ) as door:
        login = emqx(username="hub", password="hub word", clientid="carebell-alarm")
        said = (await door.post("/emqx/authenticate", json=login)).json()
        assert said == {"result": "allow", "is_superuser": True}
        assert (await door.post("/emqx/authenticate", json=emqx())).json() == {"result": "deny"}


@pytest.mark.parametrize(
    ("username", "action", "topic", "result"),
    [
        ("button-1", "publish", "care/v1/city/home-1/button-1/alarm/press", "allow"),
        ("button-1", "publish", "care/v1/city/home-1/button-2/alarm/press", "deny"),
        ("button-1", "subscribe", "care/v1/city/home-1/button-1/command/#", "allow"),
        ("button-1", "subscribe", "#", "deny"),
        ("gone-1", "publish", "care/v1/city/home-1/gone-1/alarm/press", "deny"),
        ("nobody", "publish", "care/v1/city/home-1/nobody/alarm/press", "deny"),
        ("hub", "subscribe", "care/v1/+/+/+/alarm/+", "allow"),
    ],
)
async def test_what_emqx_authorizes(
    door: httpx.AsyncClient, username: str, action: str, topic: str, result: str
) -> None:
    asked = {"username": username, "topic": topic, "action": action, "qos": "1", "retain": "false"}
    answer = await door.post("/emqx/authorize", json=asked)
    assert (answer.status_code, answer.json()) == (200, {"result": result})


@pytest.mark.parametrize("mode", ["json", "data"])
async def test_mosquitto_go_auth_asks_in_both_modes(door: httpx.AsyncClient, mode: str) -> None:
    async def ask(what: str, **fields: object) -> tuple[int, bool]:
        body = fields if mode == "json" else {k: str(v) for k, v in fields.items()}
        answer = await door.post(f"/mosquitto/{what}", **{mode: body})  # type: ignore[arg-type]
        assert answer.json()["Ok"] is (answer.status_code == 200)
        return answer.status_code, answer.json()["Ok"]

    device = {"username": "button-1", "clientid": "button-1"}
    assert await ask("getuser", password="s-button-1", **device) == (200, True)
    assert await ask("getuser", password="wrong", **device) == (403, False)
    assert await ask("superuser", username="button-1") == (403, False)
    assert await ask("superuser", username="hub") == (200, True)
    own, foreign = "care/v1/a/h/button-1/alarm/press", "care/v1/a/h/button-2/alarm/press"
    command = "care/v1/a/h/button-1/command/receipt"
    assert await ask("aclcheck", topic=own, acc=2, **device) == (200, True)
    assert await ask("aclcheck", topic=foreign, acc=2, **device) == (403, False)
    assert await ask("aclcheck", topic=command, acc=1, **device) == (200, True)
    assert await ask("aclcheck", topic=command, acc=4, **device) == (200, True)
    assert await ask("aclcheck", topic=own, acc=1, **device) == (403, False)
    assert await ask("aclcheck", topic=own, acc=3, **device) == (403, False)


async def test_nobody_tries_passwords_without_the_key(door: httpx.AsyncClient) -> None:
    for headers in ({KEY_HEADER: "wrong"}, {KEY_HEADER: ""}):
        answer = await door.post("/emqx/authenticate", json=emqx(), headers=headers)
        assert (answer.status_code, answer.json()["result"]) == (401, "deny")
    given = await door.post(f"/mosquitto/superuser?key={KEY}", json={"username": "hub"})
    assert given.status_code == 200, "a plugin that sends no header of its own"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"username": {}}', b"\xff\xfe", b"x" * (MAX_QUESTION_BYTES + 1)]
)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_what_makes_no_sense_is_denied(
    door: httpx.AsyncClient, body: bytes, kind: str
) -> None:
    for path in ("/emqx/authenticate", "/emqx/authorize", "/mosquitto/getuser"):
        answer = await door.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code in (200, 400, 403)
        said = answer.json()
        assert said.get("result", "deny") == "deny"
        assert not said.get("Ok", False)
