"""Stories of who is told and how they answer."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hub.callback_key import callback_url
from tests.acceptance.evening import (
    DAUGHTER,
    NEIGHBOUR,
    NUMBERS,
    PUSH,
    SMS,
    SON,
    VOICE,
    Evening,
    evening_of,
)
from tests.integration.api_hub import CALLBACK_KEY


@pytest.fixture
async def evening(database_url: str, tmp_path: Path) -> AsyncIterator[Evening]:
    async with evening_of(database_url, tmp_path) as running:
        yield running


async def test_the_daughter_on_the_train(evening: Evening) -> None:
    """She does not see the push, has no signal for the short message, and picks up the call."""
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, PUSH, SMS, VOICE)
    assert len(evening.browser.taken) == 1
    await evening.later(20)
    (text,) = evening.phone(DAUGHTER).inbox
    assert "王秀英" in text.text
    await evening.later(60)
    (call,) = evening.phone(DAUGHTER).calls
    assert await call.presses("1") == 200
    assert await evening.answers(incident) == {DAUGHTER: "going"}
    assert await evening.attempts(DAUGHTER) == [
        ("push", "unconfirmed"), ("sms", "unconfirmed"), ("voice", "answered")
    ]  # fmt: skip
    (act,) = await evening.rows("SELECT * FROM desk_action")
    assert (act["verb"], act["way"], act["actor_kind"]) == ("going", "voice", "contact")


async def test_she_answers_by_link_while_the_desk_takes_it(evening: Evening) -> None:
    """Both count: the desk has it, she goes there, and her page says who has it."""
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    link = evening.link_in(evening.phone(DAUGHTER).inbox[-1].text)
    async with evening.hub.client() as her, evening.hub.desk("mei") as desk:
        page = await her.get(link)
        assert page.status_code == 200
        assert "王秀英" in page.text
        assert "Nobody has it yet." in page.text
        taken = await desk.post(f"/api/v1/incidents/{incident}/acknowledge", json={})
        assert taken.status_code == 200
        answer = await her.post(link, data={"verb": "going", "minutes": "25"})
    assert answer.status_code == 200
    assert "Everybody knows that you are going." in answer.text
    assert "Mei is in charge of it." in answer.text
    row = await evening.incident(incident)
    assert (row["state"], row["owner_name"]) == ("acknowledged", "Mei")
    assert await evening.answers(incident) == {DAUGHTER: "going"}
    (responder,) = row["responders"]
    expected = datetime.fromisoformat(responder["expected_at"])
    answered = datetime.fromisoformat(responder["answered_at"])
    assert expected - answered == timedelta(minutes=25)


async def test_looking_never_acts_and_a_link_works_once(evening: Evening) -> None:
    """A mail scanner fetches it ten times; she presses twice; the second time it says so."""
    incident = await evening.pressed()
    await evening.tells(incident, SON, SMS)
    link = evening.link_in(evening.phone(SON).inbox[-1].text)
    async with evening.hub.client() as client:
        for _ in range(10):
            assert (await client.get(link)).status_code == 200
        assert (await client.head(link)).status_code in (200, 405)
        assert await evening.answers(incident) == {}
        assert (await client.post(link, data={"verb": "decline"})).status_code == 200
        again = await client.post(link, data={"verb": "going"})
        assert again.status_code == 410
        assert "您已用此链接回复过" in again.text
        assert "<form" not in again.text
        wrong = await client.get("/l/" + "A" * 22)
        assert wrong.status_code == 404
        assert "王" not in wrong.text
    assert await evening.answers(incident) == {SON: "declined"}
    looks = await evening.rows(
        "SELECT actor_kind, actor_id FROM audit_log WHERE action = 'look'"
        " AND detail ->> 'noun' = 'link'"
    )
    assert len(looks) >= 10
    assert {(row["actor_kind"], row["actor_id"]) for row in looks} == {("contact", "gang")}


async def test_a_link_that_is_too_old_or_for_something_over_says_so(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    link = evening.link_in(evening.phone(DAUGHTER).inbox[-1].text)
    await evening.rows(
        "UPDATE incident_link SET expires_at = created_at - interval '1 s' RETURNING 1"
    )
    async with evening.hub.client() as client, evening.hub.desk("mei") as desk:
        old = await client.get(link)
        assert "too old" in old.text
        assert "<form" not in old.text
        assert (await client.post(link, data={"verb": "going"})).status_code == 410
        resolve = f"/api/v1/incidents/{incident}/resolve"
        assert (await desk.post(resolve, json={"outcome": "helped"})).status_code == 200
        assert "It is over." in (await client.get(link)).text
        assert (await client.post(link, data={"verb": "going"})).status_code == 200
    assert await evening.answers(incident) == {}


async def test_only_a_hash_of_a_link_is_kept(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    token = evening.link_in(evening.phone(DAUGHTER).inbox[-1].text).removeprefix("/l/")
    kept = await evening.rows("SELECT row_to_json(l)::text AS row FROM incident_link l")
    everything = json.dumps([row["row"] for row in kept])
    everything += json.dumps(await evening.rows("SELECT body::text, detail FROM notification"))
    assert token not in everything


async def test_a_short_message_back_is_an_answer_and_counts_once(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, SON, SMS)
    son = evening.phone(SON)
    assert await son.reply("去 20") == 200
    assert await evening.answers(incident) == {SON: "going"}
    assert await son.reply("去 20") == 200
    assert len(await evening.rows("SELECT 1 FROM desk_action")) == 1
    (kept,) = await evening.replies()
    assert (kept["result"], kept["verb"]) == ("done", "going")
    assert "前往" in kept["answer"]


async def test_anything_else_is_a_note_at_the_desk(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    await evening.phone(DAUGHTER).reply("she has a new doctor, 139 1234")
    (act,) = await evening.rows("SELECT * FROM desk_action")
    assert (act["verb"], act["detail"]["note"]) == ("note", "she has a new doctor, 139 1234")
    assert await evening.answers(incident) == {}, "a note takes nothing on"
    (kept,) = await evening.replies()
    assert "Reply 1" in kept["answer"]


async def test_a_cannot_is_heard(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, NEIGHBOUR, VOICE)
    await evening.phone(NEIGHBOUR).presses("2")
    assert await evening.answers(incident) == {NEIGHBOUR: "declined"}


async def test_an_unknown_number_is_kept_for_somebody_to_look_at(evening: Evening) -> None:
    await evening.pressed()
    vendor = "carebell-sms"
    url = callback_url("", CALLBACK_KEY, vendor) or callback_url(
        evening.hub.url, CALLBACK_KEY, vendor
    )
    said = {"id": "g-77", "from": "+8619900000000", "text": "1"}
    async with evening.hub.client() as client, evening.hub.desk("admin") as operator:
        assert (await client.post(url, json=said)).status_code == 200
        page = (await operator.get("/api/v1/replies?result=unknown_sender")).json()
    (kept,) = page["items"]
    assert (kept["text"], kept["sender"]) == ("1", "+86199***00")
    assert await evening.rows("SELECT 1 FROM desk_action") == []


async def test_told_of_two_at_once_an_answer_without_a_message_is_asked_back(
    evening: Evening,
) -> None:
    """Mei is daughter to one and niece to the other; both pressed within a minute."""
    mother, uncle = await evening.pressed("button-1"), await evening.pressed("button-2")
    await evening.tells(mother, DAUGHTER, SMS)
    await evening.later(10)
    await evening.tells(uncle, "contact:mei-too", SMS)
    url = callback_url(evening.hub.url, CALLBACK_KEY, "carebell-sms")
    async with evening.hub.client() as client:
        said = {"id": "in-1", "from": NUMBERS[DAUGHTER], "text": "1"}
        assert (await client.post(url, json=said)).status_code == 200
    assert await evening.answers(mother) == await evening.answers(uncle) == {}
    (kept,) = await evening.replies()
    assert kept["result"] == "ambiguous"
    assert "2 incidents" in kept["answer"]
    notes = await evening.rows("SELECT incident_id FROM desk_action WHERE verb = 'note'")
    assert {row["incident_id"] for row in notes} == {mother, uncle}


async def test_told_of_two_apart_the_newest_is_meant(evening: Evening) -> None:
    mother = await evening.pressed("button-1")
    await evening.tells(mother, DAUGHTER, SMS)
    evening.clock.pass_time(600)
    uncle = await evening.pressed("button-2")
    await evening.tells(uncle, "contact:mei-too", SMS)
    url = callback_url(evening.hub.url, CALLBACK_KEY, "carebell-sms")
    async with evening.hub.client() as client:
        said = {"id": "in-1", "from": "13800000001", "text": "going 15"}
        await client.post(url, json=said)
    assert await evening.answers(uncle) == {"contact:mei-too": "going"}
    assert await evening.answers(mother) == {}


async def test_a_second_vendor_takes_over(evening: Evening) -> None:
    """Complaint 12. The vendor of short messages is dead: the second one takes the same message,
    and an answer to it counts the same."""
    incident = await evening.pressed()
    await evening.providers.gateway.dies()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    other = evening.providers.second_gateway.phone(NUMBERS[DAUGHTER])
    assert len(other.inbox) == 1
    assert await evening.attempts(DAUGHTER) == [("sms", "sent")]
    await other.reply("1")
    assert await evening.answers(incident) == {DAUGHTER: "going"}


async def test_a_storm_of_429_delays_and_loses_nobody(evening: Evening) -> None:
    incident = await evening.pressed()
    for gateway in (evening.providers.gateway, evening.providers.second_gateway):
        gateway.fails(429, retry_after_s=5, times=30)
    for number in range(40):
        recipient = f"contact:c{number}"
        NUMBERS[recipient] = f"+86139000000{number:02d}"
        await evening.rows(
            "INSERT INTO person_contact (contact_id, person_id, place, area_id, name, relation,"
            f" phone) VALUES ('c{number}', 'wang', {number + 10}, 'east-1', 'C', 'friend',"
            f" '{NUMBERS[recipient]}') RETURNING 1"
        )
        await evening.rows(
            "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency,"
            f" body, created_at, due_at) VALUES ('east-1', '{incident}', 'sms', '{recipient}',"
            f" 'ring', 0, '{{}}', '{evening.clock.now()}', '{evening.clock.now()}') RETURNING 1"
        )
    await evening.later(120)
    phones = [evening.providers.gateway.phone(NUMBERS[f"contact:c{n}"]) for n in range(40)]
    others = [evening.providers.second_gateway.phone(p.number) for p in phones]
    heard = [len(a.inbox) + len(b.inbox) for a, b in zip(phones, others, strict=True)]
    assert heard == [1] * 40


async def test_a_provider_dead_for_ten_minutes(evening: Evening) -> None:
    """Both vendors of short messages and the line for calls; the ring arrives when one is back."""
    incident = await evening.pressed()
    for gateway in (evening.providers.gateway, evening.providers.second_gateway):
        await gateway.dies()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    for _ in range(20):
        evening.clock.pass_time(30)
        await evening.cycle()
    (row,) = await evening.rows("SELECT state FROM notification")
    assert row["state"] == "pending"
    await evening.providers.gateway.lives()
    evening.clock.pass_time(61)
    await evening.cycle()
    her = evening.phone(DAUGHTER)
    assert len(her.inbox) + len(her.calls) == 1


async def test_a_late_receipt_is_recorded_and_a_doubled_one_changes_nothing(
    evening: Evening,
) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    await evening.later(65)
    assert await evening.attempts(DAUGHTER) == [("sms", "unconfirmed"), ("voice", "sent")]
    (text,) = evening.phone(DAUGHTER).inbox
    gateway = evening.providers.gateway
    for _ in range(3):
        assert await gateway.status(text, "delivered") == 200
    assert await gateway.status(text, "failed") == 200
    assert await evening.attempts(DAUGHTER) == [("sms", "delivered"), ("voice", "sent")]
    (late,) = await evening.rows("SELECT receipt_at, began_at FROM delivery WHERE channel = 'sms'")
    assert late["receipt_at"] is not None
    (row,) = await evening.rows("SELECT channel, state FROM notification")
    assert (row["channel"], row["state"]) == ("voice", "sent"), "the call is under way all the same"


async def test_not_delivered_moves_on_at_once(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    (text,) = evening.phone(DAUGHTER).inbox
    await evening.providers.gateway.status(text, "failed")
    await evening.later(5)
    assert len(evening.phone(DAUGHTER).calls) == 1


async def test_a_receipt_keeps_the_next_way_quiet(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    await evening.providers.gateway.receipts("delivered")
    await evening.later(300)
    assert evening.phone(DAUGHTER).calls == []
    (row,) = await evening.rows("SELECT state, reason, delivered_at FROM notification")
    assert (row["state"], row["reason"]) == ("sent", "receipt")


async def test_everybody_who_was_told_hears_who_has_it_by_the_way_that_reached_them(
    evening: Evening,
) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    await evening.tells(incident, SON, SMS, VOICE)
    son = evening.phone(SON)
    await evening.providers.gateway.receipts("delivered", number=NUMBERS[SON])
    await evening.later(65)
    (call,) = evening.phone(DAUGHTER).calls
    await call.answered()
    async with evening.hub.desk("mei") as desk:
        await desk.post(f"/api/v1/incidents/{incident}/acknowledge", json={})
        await evening.cycle()
        assert len(son.inbox) == 2
        assert len(evening.phone(DAUGHTER).calls) == 2
        over = f"/api/v1/incidents/{incident}/resolve"
        await desk.post(over, json={"outcome": "helped"})
    await evening.cycle()
    assert len(son.inbox) == 3
    kinds = await evening.rows(
        "SELECT kind, channel FROM notification WHERE kind <> 'ring'"
        " AND channel NOT IN ('device', 'desk') ORDER BY recipient, kind"
    )
    assert [(row["kind"], row["channel"]) for row in kinds] == [
        ("coming", "sms"), ("over", "sms"), ("coming", "voice"), ("over", "voice")
    ]  # fmt: skip


async def test_a_ring_nobody_needs_any_more_is_not_sent(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    async with evening.hub.desk("mei") as desk:
        await desk.post(f"/api/v1/incidents/{incident}/acknowledge", json={})
    await evening.later(120)
    assert evening.phone(DAUGHTER).calls == []


async def test_a_foreign_or_changed_call_back_is_refused(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    (text,) = evening.phone(DAUGHTER).inbox
    said = {"id": text.id, "from": NUMBERS[DAUGHTER], "text": "1"}
    async with evening.hub.client() as client:
        forged = text.callback_url[:-4] + "0000"
        assert (await client.post(forged, json=said)).status_code == 404
        headers = {"Carebell-Signature": "sha256=" + "0" * 64}
        answer = await client.post(text.callback_url, json=said, headers=headers)
        assert answer.status_code == 401
        answer = await client.post(text.callback_url, content=b"{nonsense")
        assert answer.status_code == 422
        for _ in range(30):
            answer = await client.post(forged, json=said)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0
    assert await evening.answers(incident) == {}


async def test_one_number_cannot_flood_the_desk(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, SMS)
    her = evening.phone(DAUGHTER)
    for number in range(25):
        await her.reply(f"remark {number}")
    notes = await evening.rows("SELECT 1 FROM desk_action WHERE verb = 'note'")
    assert len(notes) == 20
    kept = await evening.replies()
    assert len(kept) == 25
    assert {row["result"] for row in kept[20:]} == {"too_many"}


async def test_after_the_service_ended_family_is_not_called(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.rows("UPDATE person SET state = 'service_ended' RETURNING 1")
    await evening.tells(incident, DAUGHTER, SMS, VOICE)
    await evening.tells(incident, NEIGHBOUR, SMS)
    assert evening.phone(DAUGHTER).inbox == evening.phone(NEIGHBOUR).inbox == []
    found = await evening.rows("SELECT DISTINCT state, reason FROM notification")
    assert [(row["state"], row["reason"]) for row in found] == [("nobody", "not_to_be_told")]


async def test_a_number_is_looked_up_when_it_is_sent(evening: Evening) -> None:
    """She changed her telephone while the push was out."""
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, PUSH, SMS)
    await evening.rows(
        "UPDATE person_contact SET phone = '+8613811111111' WHERE contact_id = 'mei' RETURNING 1"
    )
    await evening.later(25)
    assert evening.phone(DAUGHTER).inbox == []
    assert len(evening.providers.gateway.phone("+8613811111111").inbox) == 1


async def test_the_attempts_are_shown_and_no_number_with_them(evening: Evening) -> None:
    incident = await evening.pressed()
    await evening.tells(incident, DAUGHTER, PUSH, SMS)
    await evening.later(20)
    async with evening.hub.desk("mei") as desk:
        shown = (await desk.get(f"/api/v1/incidents/{incident}/deliveries")).json()["items"]
    assert [(item["channel"], item["state"]) for item in shown] == [
        ("push", "unconfirmed"), ("sms", "sent")
    ]  # fmt: skip
    assert shown[1]["address"] == "+86138***01"
