"""Quarantine and dead letters: seen, explained, retried, discarded; by page and by hand."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from alerts.alarm import Flag
from hub.quarantine import WORDS, Kept, Reason, explained, reason_of
from hub.retry import Opened, again, enveloped, opened
from schemas import topics
from schemas.codec import Malformed
from tests.integration.api_hub import ApiHub, press

FIRST = datetime(2026, 3, 2, 8, tzinfo=UTC)
TOPIC = "care/v1/east-1/home-1/button-9/alarm/press"


def put(hub: ApiHub, number: int = 1, *, lane: str = "alarm", area_id: str = "east-1") -> int:
    """A message as a lane leaves it."""
    with psycopg.connect(hub.database_url) as connection:
        ((found,),) = connection.execute(
            "INSERT INTO quarantine (area_id, lane, topic, device_id, message_key, reason, payload,"
            " received_at) VALUES (%s, %s, %s, 'button-9', %s, 'the device is not in the register',"
            " %s, %s) RETURNING quarantine_id",
            (area_id, lane, TOPIC, number, b'{"action":"emergency"}\n\x00\x1b[2J', FIRST),
        ).fetchall()
    return int(found)


async def test_it_is_shown_with_why_and_what_to_do(hub: ApiHub) -> None:
    number = put(hub)
    async with hub.desk("admin") as desk:
        (row,) = (await desk.get("/api/v1/quarantine")).json()["items"]
        assert row["id"] == number
        assert row["reason_code"] == "unknown_device"
        assert "not in the register" in row["explanation"]
        assert "retry" in row["what_to_do"]
        one = (await desk.get(f"/api/v1/quarantine/{number}")).json()
        assert one["payload"].startswith('{"action"')
        assert (await desk.get("/api/v1/quarantine/999999")).status_code == 404
    # The list before it is a look of its own.
    actions = hub.rows("SELECT action FROM audit_log WHERE action <> 'list'")
    assert actions == [("quarantine_shown",)]


async def test_a_retry_hands_it_to_its_lane_with_its_first_time(hub: ApiHub) -> None:
    number = put(hub)
    sent: list[tuple[str, bytes]] = []

    async def publish(topic: str, payload: bytes, *, qos: int) -> None:
        assert qos == 1
        sent.append((topic, payload))

    hub.bus.publish = publish  # type: ignore[method-assign]
    async with hub.desk("admin") as desk:
        assert (await desk.post(f"/api/v1/quarantine/{number}/retry")).status_code == 202
        assert (await desk.get("/api/v1/quarantine")).json()["items"] == []
        (row,) = (await desk.get("/api/v1/quarantine", params={"state": "retried"})).json()["items"]
        assert (row["retries"], row["state"]) == (1, "retried")
    ((topic, payload),) = sent
    assert topic == topics.DESK_RETRY_ALARM
    assert opened(payload) == Opened(TOPIC, b'{"action":"emergency"}\n\x00\x1b[2J', FIRST)
    assert hub.rows("SELECT actor_id, action FROM audit_log") == [("admin", "quarantine_retried")]


async def test_without_a_broker_it_waits_as_before(hub: ApiHub) -> None:
    number = put(hub)
    hub.bus.confirms = False
    async with hub.desk("admin") as desk:
        assert (await desk.post(f"/api/v1/quarantine/{number}/retry")).status_code == 503
    assert hub.rows("SELECT state, retries FROM quarantine") == [("waiting", 0)]


async def test_what_nobody_wants_is_discarded_once(hub: ApiHub) -> None:
    number = put(hub)
    async with hub.desk("admin") as desk:
        assert (await desk.post(f"/api/v1/quarantine/{number}/discard")).status_code == 204
        assert (await desk.post(f"/api/v1/quarantine/{number}/discard")).status_code == 409


async def test_who_may_not_operate_and_whose_area_it_is_not(hub: ApiHub) -> None:
    number = put(hub, area_id="east-1")
    async with hub.desk("mei") as dispatcher:
        assert (await dispatcher.post(f"/api/v1/quarantine/{number}/retry")).status_code == 403
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("UPDATE account SET area_id = 'west' WHERE account_id = 'admin'")
    async with hub.desk("admin") as elsewhere:
        assert (await elsewhere.post(f"/api/v1/quarantine/{number}/retry")).status_code == 404
        assert (await elsewhere.get("/api/v1/quarantine")).json()["items"] == []


def letter(hub: ApiHub, state: str = "raised", kind: str = "ring") -> int:
    outcome = "'helped'" if state == "resolved" else "NULL"
    deadline = "NULL" if state == "resolved" else "now()"
    with psycopg.connect(hub.database_url) as connection:
        connection.execute(
            "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
            " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
            f" next_deadline_at, outcome) VALUES ('i-1', 'east-1', 'person', 'wang', '{state}',"
            f" 'personal', 'high', 'press', now(), now(), 1, 1, false, 1, {deadline}, {outcome})"
            .encode()
        )  # fmt: skip
        ((found,),) = connection.execute(
            "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency,"
            " body, state, attempts, created_at, due_at, settled_at, detail) VALUES ('east-1',"
            " 'i-1', 'webhook', 'fallback', %s, 0, '{}', 'failed', 20, now(), now(), now(),"
            " 'HTTP 500') RETURNING notification_id",
            (kind,),
        ).fetchall()
    return int(found)


async def test_a_dead_letter_is_sent_again_while_somebody_is_needed(hub: ApiHub) -> None:
    number = letter(hub)
    async with hub.desk("admin") as desk:
        (row,) = (await desk.get("/api/v1/dead-letters")).json()["items"]
        assert (row["id"], row["detail"], row["incident_state"]) == (number, "HTTP 500", "raised")
        assert (await desk.post(f"/api/v1/dead-letters/{number}/retry")).status_code == 202
        assert hub.rows("SELECT state, attempts FROM notification") == [("pending", 0)]
        assert (await desk.post(f"/api/v1/dead-letters/{number}/retry")).status_code == 409


async def test_nobody_is_called_for_what_is_over(hub: ApiHub) -> None:
    number = letter(hub, "resolved")
    async with hub.desk("admin") as desk:
        refused = await desk.post(f"/api/v1/dead-letters/{number}/retry")
        assert refused.status_code == 409
        assert "over" in refused.json()["detail"]
        assert (await desk.post(f"/api/v1/dead-letters/{number}/discard")).status_code == 204
    assert hub.rows("SELECT state FROM notification") == [("discarded",)]


@pytest.mark.parametrize(
    ("kind", "state", "sent", "why"),
    [
        ("coming", "resolved", False, "不会再有人前往"),
        ("coming", "raised", False, "没有人前往"),
        ("coming", "acknowledged", True, ""),
        ("calling", "resolved", False, "不再呼叫"),
        ("calling", "acknowledged", False, "不再呼叫"),
        ("calling", "raised", True, ""),
        ("check_in", "resolved", False, "不再询问"),
        ("check_in", "raised", False, "不再询问"),
        ("check_in", "checking", True, ""),
        ("over", "raised", False, "重新打开"),
        ("over", "resolved", True, ""),
        ("connect", "acknowledged", False, "重新呼叫"),
        ("notice", "resolved", True, ""),
    ],
)
async def test_nothing_is_said_that_is_not_so_any_more(
    hub: ApiHub, kind: str, state: str, sent: bool, why: str
) -> None:
    number = letter(hub, state, kind)
    async with hub.desk("admin") as desk:
        answer = await desk.post(
            f"/api/v1/dead-letters/{number}/retry", headers={"Accept-Language": "zh-CN"}
        )
        assert answer.status_code == (202 if sent else 409), answer.text
        assert sent or why in answer.json()["detail"]
    assert hub.rows("SELECT state FROM notification") == [("pending" if sent else "failed",)]


async def test_the_newest_word_of_who_comes_is_the_one_that_is_sent_again(hub: ApiHub) -> None:
    older = letter(hub, "acknowledged", "coming")
    with psycopg.connect(hub.database_url) as connection:
        ((newer,),) = connection.execute(
            "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency,"
            " body, state, attempts, created_at, due_at, settled_at) SELECT area_id, incident_id,"
            " channel, recipient, kind, urgency, body, state, attempts, now(), now(), now()"
            " FROM notification RETURNING notification_id"
        ).fetchall()
    async with hub.desk("admin") as desk:
        assert (await desk.post(f"/api/v1/dead-letters/{older}/retry")).status_code == 409
        assert (await desk.post(f"/api/v1/dead-letters/{newer}/retry")).status_code == 202


async def test_the_same_by_hand(hub: ApiHub, tmp_path: Path) -> None:
    number, dead = put(hub), letter(hub)
    environment = os.environ | {
        "CAREBELL_DATABASE_URL": hub.database_url,
        "CAREBELL_LANGUAGE": "en",
    }

    async def carebell(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "carebell", *arguments, "--data", str(tmp_path / "none")]
        return await asyncio.to_thread(
            subprocess.run, line, capture_output=True, text=True, env=environment, timeout=60,
            check=False,
        )  # fmt: skip

    listed = await carebell("quarantine", "list")
    assert f"{number}  2026-03-02 08:00:00  alarm  button-9" in listed.stdout, listed.stderr
    assert "Provision the device" in listed.stdout
    unsent = await carebell("quarantine", "retry", str(number))
    assert unsent.returncode == 1
    assert "broker" in unsent.stderr
    shown = await carebell("quarantine", "show", str(number))
    assert "emergency" in shown.stdout
    assert "\\x1b[2J" in shown.stdout, "a device must not steer an operator's terminal"
    assert "\x1b" not in shown.stdout
    gone = await carebell("quarantine", "discard", str(number), "999999")
    assert (gone.returncode, "1 discarded." in gone.stdout) == (1, True)
    assert "999999" in gone.stderr
    again_sent = await carebell("dead-letters", "retry", str(dead))
    assert again_sent.returncode == 0, again_sent.stderr
    with psycopg.connect(hub.database_url) as connection:
        connection.execute("UPDATE notification SET state = 'failed'")
        connection.execute(
            "INSERT INTO notification (area_id, channel, recipient, kind, urgency, body, state,"
            " created_at, due_at) VALUES ('east-1', 'sms', 'account:mei', 'ring', 0, '{}', 'sent',"
            " now(), now())"
        )
    some = await carebell("dead-letters", "retry", str(dead + 1), "999999", str(dead))
    assert (some.returncode, "1 sent again." in some.stdout) == (1, True), some.stderr
    assert f"{dead + 1}: it is sent, not given up" in some.stderr
    assert "999999: there is no such number" in some.stderr
    assert "pending" in {state for (state,) in hub.rows("SELECT state FROM notification")}
    unknown = await carebell("quarantine", "list", "--lane", "alarms")
    assert unknown.returncode == 2, "a filter nobody knows is no empty quarantine"
    kinds = {kind for (kind,) in hub.rows("SELECT actor_kind FROM audit_log")}
    assert kinds == {"operator"}


def test_every_reason_is_explained_in_both_languages() -> None:
    for reason in Reason:
        assert {"en", "zh-CN"} == WORDS[reason].keys()
        assert all(words.what and words.to_do for words in WORDS[reason].values())
    assert reason_of("the database refuses it: x") is Reason.DATABASE_REFUSED
    assert reason_of("anything else") is Reason.UNREADABLE
    assert explained("anything", "fr") == WORDS[Reason.UNREADABLE]["en"]


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b'{"topic":"a"}\nx', b'{"topic":"a","received_at":"2026-03-02"}\n', b"\n"],
)
def test_a_foreign_envelope_is_refused(payload: bytes) -> None:
    with pytest.raises(Malformed):
        opened(payload)


def test_a_retried_alarm_is_late_and_the_same_at_every_retry() -> None:
    alarm = press(received_at=FIRST)
    once, twice = again(alarm), again(alarm)
    assert once.id == twice.id != alarm.id
    assert Flag.LATE in once.flags
    assert once.received_at == FIRST
    _, payload = enveloped(Kept(1, "telemetry", "t", b"\n\n", FIRST + timedelta(microseconds=7)))
    assert opened(payload).received_at == FIRST + timedelta(microseconds=7)
