"""Consent, web push and calls to homes as the API has them."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest

from alerts.gateways import Gateways
from alerts.home_call import CallKind, CallState, HomeCall, HomeResult, consequence, heard, overdue
from hub import retry
from hub.callback_key import callback_url
from hub.clock import SystemClock
from hub.gateway_files import read_vendors
from schemas import topics
from schemas.alarms import Press, PressAction
from tests.integration.api_hub import CALLBACK_KEY, ApiHub, api_hub, press
from tests.integration.test_channels import gateways
from tests.providers import Phone, Providers, running_providers

CELL = {"audience": "family", "data": "medical_notes"}


async def test_what_a_person_decided_is_kept_with_who_wrote_it_down(hub: ApiHub) -> None:
    path = "/api/v1/people/wang/consent"
    async with hub.desk("mei") as desk:
        before = (await desk.get(path)).json()["items"]
        assert len(before) == 30
        assert not any(item["decided"] for item in before)
        body = {"changes": [{**CELL, "allowed": True}], "ground": "form 12"}
        after = (await desk.patch(path, json=body)).json()["items"]
        (cell,) = [item for item in after if item["decided"]]
        assert (cell["allowed"], cell["by_name"], cell["ground"]) == (True, "Mei", "form 12")
        body["changes"] = [{**CELL, "allowed": None}]
        again = (await desk.patch(path, json=body)).json()["items"]
        assert not any(item["decided"] for item in again)
    log = hub.rows("SELECT action FROM audit_log WHERE action IN ('look', 'set_consent')"
                   " ORDER BY entry_id")  # fmt: skip
    assert [row[0] for row in log] == ["look", "set_consent", "set_consent"]


async def test_consent_is_for_those_who_see_the_person(hub: ApiHub) -> None:
    body = {"changes": [{**CELL, "allowed": True}], "ground": "form 12"}
    async with hub.desk("west-desk") as desk:
        assert (await desk.get("/api/v1/people/wang/consent")).status_code == 404
        assert (await desk.patch("/api/v1/people/wang/consent", json=body)).status_code == 404
    async with hub.desk("mei") as desk:
        body["changes"] = [{"audience": "dispatchers", "data": "incidents", "allowed": False}]
        assert (await desk.patch("/api/v1/people/wang/consent", json=body)).status_code == 409


def browser(number: int) -> dict[str, object]:
    keys = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
    return {"endpoint": f"https://push.example.org/{number}", "keys": keys}


async def test_the_newest_five_browsers_of_an_account_are_written_to(hub: ApiHub) -> None:
    async with hub.desk("mei") as desk:
        for number in range(6):
            assert (await desk.post("/api/v1/push", json=browser(number))).status_code == 201
        mine = (await desk.get("/api/v1/push")).json()
        assert mine["public_key"]
        kept = {item["endpoint"][-1] for item in mine["items"]}
        assert kept == {"1", "2", "3", "4", "5"}
        gone = {"endpoint": "https://push.example.org/3"}
        assert (await desk.post("/api/v1/push/unsubscribe", json=gone)).status_code == 204
        assert len((await desk.get("/api/v1/push")).json()["items"]) == 4
        assert (await desk.post("/api/v1/push/test")).status_code == 202
    (row,) = hub.rows("SELECT recipient, channel, kind FROM notification")
    assert tuple(row) == ("account:mei", "push", "test")


@pytest.mark.parametrize(
    "endpoint",
    ["http://push.example.org/1", "https://127.0.0.1/1", "https://localhost/1", "https://[::1]/1",
     "https://hub.internal/1", "https://user@push.example.org/1"],
)  # fmt: skip
async def test_nobody_makes_the_hub_write_into_its_own_network(hub: ApiHub, endpoint: str) -> None:
    async with hub.desk("mei") as desk:
        answer = await desk.post("/api/v1/push", json={**browser(1), "endpoint": endpoint})
    assert answer.status_code == 422


# Calls to homes


@pytest.mark.parametrize(
    ("kind", "words", "result"),
    [
        (CallKind.CHECK_IN, [("answered", None), (None, "1"), ("completed", None)], "well"),
        (CallKind.CHECK_IN, [(None, "1"), (None, "2")], "help"),
        (CallKind.CHECK_IN, [(None, "2"), (None, "1")], "help"),
        (CallKind.CHECK_IN, [("answered", None), (None, "7"), ("completed", None)], "no_reply"),
        (CallKind.CHECK_IN, [("no_answer", None)], "no_reply"),
        (CallKind.CHECK_IN, [("busy", None), ("completed", None)], "busy"),
        (CallKind.TALK, [("answered", None), ("completed", None)], "answered"),
        (CallKind.TALK, [("no_answer", None), ("answered", None)], "no_reply"),
        (CallKind.TALK, [("failed", None)], "failed"),
        (CallKind.TALK, [(None, "1"), ("completed", None)], "no_reply"),
    ],
)
def test_how_a_call_went(
    kind: CallKind, words: list[tuple[str | None, str | None]], result: str
) -> None:
    call = HomeCall(kind)
    for state, digits in words:
        call = heard(call, state, digits)
        assert heard(call, state, digits) == call, "the same word twice changes nothing"
    assert call.result == result


def test_silence_of_the_gateway_is_no_reply_and_is_said_once() -> None:
    before = HomeCall(CallKind.CHECK_IN, CallState.PLACED)
    after = overdue(before)
    assert after.result is HomeResult.NO_REPLY
    assert consequence(before, after) is not None
    assert consequence(after, heard(after, "completed", None)) is None


class Line:
    """A hub with a voice gateway, an incident, and the telephone of the home."""

    def __init__(self, hub: ApiHub, providers: Providers) -> None:
        self.hub = hub
        self.gateway = providers.gateway
        self.home: Phone = providers.gateway.phone("+8613800000009")

    async def said(self, wanted: str) -> list[object]:
        """What the hub handed over on a topic."""
        await asyncio.sleep(0)
        return [body for topic, body in self.hub.bus.published if topic == wanted]


@pytest.fixture
async def line(desk_database: str, tmp_path: Path) -> AsyncIterator[Line]:
    async with running_providers() as providers, httpx.AsyncClient() as client:
        gateways(client, "voice", providers.gateway.url, folder=tmp_path)
        vendors = read_vendors(str(tmp_path / "voice-0.toml"), "voice")
        origin: list[str] = []
        voice = Gateways(client, vendors, SystemClock(),
                         lambda v: callback_url(origin[0], CALLBACK_KEY, v.name),
                         lambda: "0" * 32)  # fmt: skip
        by_name = {vendor.name: vendor for vendor in vendors}
        async with api_hub(desk_database, tmp_path, vendors=by_name, voice=voice) as running:
            await running.parts.switchboard.loaded.wait()
            running.bus.beat()
            origin.append(running.url)
            yield Line(running, providers)


async def begins(line: Line, kind: str) -> tuple[str, httpx.Response]:
    async with line.hub.desk("admin") as desk:
        number = {"voice_number": "+86 138-0000 0009"}
        answer = await desk.put("/api/v1/devices/button-1/voice-number", json=number)
        assert answer.json() == {"device_id": "button-1", "voice_number": "+8613800000009"}
    line.hub.rows(
        "UPDATE account SET phone = '+8613800000008' WHERE account_id = 'mei' RETURNING 1"
    )
    incident = (await line.hub.ingest.take_press(press()))["id"]
    async with line.hub.desk("mei") as desk:
        answer = await desk.post(f"/api/v1/incidents/{incident}/calls", json={"kind": kind})
    return str(incident), answer


async def result_of(line: Line, incident: str) -> str:
    async with line.hub.desk("mei") as desk:
        found = (await desk.get(f"/api/v1/incidents/{incident}/calls")).json()
    assert found["number"] == "+8613800000009"
    return str(found["items"][0]["result"])


async def pressed(line: Line) -> list[PressAction]:
    envelopes = await line.said(topics.DESK_RETRY_ALARM)
    opened = [retry.opened(body) for body in envelopes if isinstance(body, bytes)]
    assert all(one.spoken and "button-1/alarm/press" in one.topic for one in opened)
    return [msgspec.json.decode(one.payload, type=Press).action for one in opened]


@pytest.mark.parametrize("number", ["sip:a\x1eb@c.de", "sip:\u97475@c.de", "sip:a@b@c", "12", "x"])
async def test_what_cannot_be_dialled_is_refused(line: Line, number: str) -> None:
    """A sign that one engine of patterns takes for a space and the other does not, among others."""
    async with line.hub.desk("admin") as desk:
        answer = await desk.put(
            "/api/v1/devices/button-1/voice-number", json={"voice_number": number}
        )
    assert answer.status_code == 422, answer.text


async def test_the_robot_asks_and_one_means_well(line: Line) -> None:
    incident, answer = await begins(line, "check_in")
    assert answer.status_code == 202, answer.text
    (call,) = line.home.calls
    assert (call.digits, call.bridge_to) == ("12", None)
    assert "您还好吗" in call.spoken
    assert await call.presses("1") == 200
    assert await result_of(line, incident) == "well"
    assert await pressed(line) == [PressAction.CANCEL]
    (deed,) = await line.said(topics.DESK_ACTION)
    assert isinstance(deed, dict)
    assert (deed["verb"], deed["details"]["result"]) == ("call", "answered")


async def test_two_means_help(line: Line) -> None:
    incident, _ = await begins(line, "check_in")
    await line.home.presses("2")
    assert await result_of(line, incident) == "help"
    assert await pressed(line) == [PressAction.EMERGENCY]


async def test_silence_is_no_answer_and_not_well(line: Line) -> None:
    incident, _ = await begins(line, "check_in")
    await line.home.calls[0].silent()
    assert await result_of(line, incident) == "no_reply"
    assert await pressed(line) == []
    (deed,) = await line.said(topics.DESK_ACTION)
    assert isinstance(deed, dict)
    assert deed["details"]["result"] == "no_reply"


async def test_a_dispatcher_talks_to_the_home_from_their_own_telephone(line: Line) -> None:
    incident, answer = await begins(line, "talk")
    assert answer.status_code == 202, answer.text
    (call,) = line.gateway.phone("+8613800000008").calls
    assert (call.bridge_to, line.home.calls) == ("+8613800000009", [])
    await call.no_answer()
    assert await result_of(line, incident) == "no_reply"


async def test_what_the_broker_does_not_take_is_said_again_and_not_lost(line: Line) -> None:
    incident, _ = await begins(line, "check_in")
    line.hub.bus.confirms = False
    assert await line.gateway.tells(line.home.calls[0], {"event": "digits", "digits": "2"}) == 503
    line.hub.bus.confirms = True
    await line.gateway.tells(line.home.calls[0], {"event": "digits", "digits": "2"})
    assert await result_of(line, incident) == "help"
    assert await pressed(line) == [PressAction.EMERGENCY]


async def test_a_call_that_cannot_be_made_says_why(line: Line) -> None:
    line.gateway.fails(500)
    incident, answer = await begins(line, "check_in")
    assert answer.status_code == 409
    assert "HTTP 500" in answer.json()["detail"]
    assert await result_of(line, incident) == "failed"
    assert await pressed(line) == []


async def test_what_twilio_did_not_sign_is_not_heard(desk_database: str, tmp_path: Path) -> None:
    """Somebody who has seen the address alone cannot press 1 in anybody's name."""
    known = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "12345", "TWILIO_NUMBER": "+1"}
    (vendor,) = read_vendors("twilio-voice", "voice", known)
    public = "https://hub.example.org"
    address = callback_url(public, CALLBACK_KEY, vendor.name)
    said = {"CallSid": "CA1", "Digits": "1", "CallStatus": "in-progress"}
    signed = address + "".join(name + said[name] for name in sorted(said))
    digest = hmac.new(b"12345", signed.encode(), hashlib.sha1).digest()
    right = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    async with api_hub(
        desk_database, tmp_path, vendors={vendor.name: vendor}, public_url=public
    ) as hub, hub.client() as twilio:  # fmt: skip
        path = address.removeprefix(public)
        for headers in ({}, {"X-Twilio-Signature": "eA=="}):
            assert (await twilio.post(path, data=said, headers=headers)).status_code == 401
        forged = said | {"Digits": "2"}
        assert (await twilio.post(path, data=forged, headers=right)).status_code == 401
        assert hub.rows("SELECT 1 FROM reply") == []
        assert (await twilio.post(path, data=said, headers=right)).status_code == 200
        assert hub.rows("SELECT provider, text FROM reply") == [("twilio-voice", "1")]
