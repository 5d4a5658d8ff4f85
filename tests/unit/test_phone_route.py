"""The door for phones: what reaches the broker, and what a phone is told where it does not."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from alerts.errors import SendFailed
from hub.api import problems
from hub.api.page_settings import PageSettings
from hub.api.ports_phone import NotAdmitted, PhoneLogin
from hub.api.routes.phone import router
from hub.clock import SystemClock
from hub.qr import PhoneSetup

PREFIX = "care/v1/city/home-1/phone-1"
LOGIN = {"Authorization": "Basic " + base64.b64encode(b"phone-1:5f2c5f2c").decode()}


class Door:
    """A broker that knows one phone."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.away = False
        self.lines = 0

    def close(self) -> None:
        """Nothing is open."""

    @asynccontextmanager
    async def line(self, login: PhoneLogin, *, listens: bool) -> AsyncIterator["Door"]:
        if self.away:
            raise SendFailed("away")
        if (login.device_id, login.secret) != ("phone-1", "5f2c5f2c"):
            raise NotAdmitted(login.device_id)
        self.lines += 1
        try:
            yield self
        finally:
            self.lines -= 1

    async def publish(self, topic: str, payload: bytes) -> None:
        self.published.append((topic, payload))

    async def commands(self) -> AsyncIterator[tuple[str, bytes]]:
        yield "receipt", b'{"stage":"received"}'
        yield "receipt", b"not JSON"


def client(door: Door | None) -> httpx.AsyncClient:
    app = FastAPI()
    problems.install(app)
    app.include_router(router)
    known: Any = SimpleNamespace(phones=door, page_settings=PageSettings(hotline_number="12349"))
    app.state.parts = SimpleNamespace(dependencies=known, clock=SystemClock())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")


@pytest.mark.parametrize("body", [b'{"message_id":"1"}', b"", b"\xff\xfe not JSON"])
async def test_a_press_passes_as_it_came(body: bytes) -> None:
    door = Door()
    async with client(door) as phone:
        answer = await phone.post(
            "/api/v1/phone/press", params={"prefix": PREFIX}, content=body, headers=LOGIN
        )
    assert answer.status_code == 202
    assert door.published == [(f"{PREFIX}/alarm/press", body)]
    assert door.lines == 0


@pytest.mark.parametrize("prefix", ["", "care/v1/city/home-1/other", "a/b", f"{PREFIX}/alarm"])
async def test_a_phone_that_does_not_know_where_it_is_rings_as_itself(prefix: str) -> None:
    door = Door()
    async with client(door) as phone:
        await phone.post("/api/v1/phone/press", params={"prefix": prefix}, headers=LOGIN)
    ((topic, _),) = door.published
    assert topic == "care/v1/unknown/unknown/phone-1/alarm/press"


async def test_nothing_is_taken_that_the_broker_does_not_have() -> None:
    door = Door()
    wrong = {"Authorization": "Basic " + base64.b64encode(b"phone-1:wrong").decode()}
    async with client(door) as phone:
        for headers in (wrong, {}, {"Authorization": "Basic ???"}, {"Authorization": "Bearer x"}):
            for ask in (phone.post("/api/v1/phone/press", headers=headers),
                        phone.get("/api/v1/phone/events", headers=headers)):  # fmt: skip
                answer = await ask
                assert answer.status_code == 401
                assert "www-authenticate" not in answer.headers, "a browser would ask the person"
        door.away = True
        answer = await phone.post("/api/v1/phone/press", headers=LOGIN)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (await phone.get("/api/v1/phone/events", headers=LOGIN)).status_code == 503
        assert (await phone.post("/api/v1/phone/fall", headers=LOGIN)).status_code == 422
    async with client(None) as phone:
        assert (await phone.post("/api/v1/phone/press", headers=LOGIN)).status_code == 404
    assert door.published == []


async def test_what_the_hub_says_comes_down_and_the_line_ends_with_the_stream() -> None:
    door = Door()
    async with client(door) as phone:
        answer = await phone.get("/api/v1/phone/events", headers=LOGIN)
    hello, command, *more = [
        json.loads(line.removeprefix("data: "))
        for line in answer.text.splitlines()
        if line.startswith("data: ")
    ]
    assert hello["hotline_number"] == "12349"
    assert command == {"kind": "receipt", "body": {"stage": "received"}}
    assert more == []
    assert door.lines == 0


def test_a_phone_s_code_keeps_its_secret_behind_the_hash() -> None:
    setup = PhoneSetup("mqtt://h:1883", "phone-1", "5f2c", PREFIX, "https://hub.example.org")
    address, _, told = setup.text().partition("#")
    assert address == "https://hub.example.org/press/"
    assert told == f"phone-1:5f2c@{PREFIX}"
    assert setup.svg().startswith("<svg")
