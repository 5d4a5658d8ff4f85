"""What reaches people's telephones, mailboxes and browsers: each story one promise."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alerts.actions import Verb
from alerts.policy import ChannelName
from alerts.responders import Actor, ActorKind
from hub.clock import SystemClock
from hub.detect.detector import Phase
from hub.quarantine import Operator
from hub.store.quarantine import PostgresQuarantine
from hub.store.reach import Reach
from tests.acceptance.test_findings import silence
from tests.acceptance.told import (
    DAUGHTER,
    DAUGHTERS_MAIL,
    DAUGHTERS_PHONE,
    NEIGHBOUR,
    NEIGHBOURS_PHONE,
    Telling,
    telling_town,
)

POSITION = {"latitude": 31.2304, "longitude": 121.4737, "accuracy_m": 18, "source": "gnss"}


@pytest.fixture
async def telling(database_url: str, tmp_path: Path) -> AsyncIterator[Telling]:
    async with telling_town(database_url, tmp_path) as running:
        yield running


async def test_the_daughter_on_the_train_reads_who_where_and_how_to_answer(
    telling: Telling,
) -> None:
    fixed_at = telling.town.clock.now().isoformat()
    await telling.town.press("band-1", "1", position={**POSITION, "fixed_at": fixed_at})
    telling.town.clock.pass_time(240)
    await telling.tells(DAUGHTER, "sms")
    (text,) = telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox
    assert text.language == "en"
    assert text.text.startswith("Emergency press: Anna, 86. Address: 1 Lake Street, Flat 1203.")
    assert "Position 4 min old, within 20 m: https://uri.amap.com/marker?position=" in text.text
    assert "position=121.47822,31.22846" in text.text, "GCJ-02, as the map draws it"
    assert "Reply 1 if you are going" in text.text
    assert text.callback_url.startswith("http://hub.example.org/api/v1/callbacks/carebell-sms/")


async def test_the_neighbour_is_told_how_to_get_in_and_the_family_is_not(
    telling: Telling,
) -> None:
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms")
    await telling.tells(NEIGHBOUR, "sms")
    phone = telling.providers.gateway.phone
    assert "porter" in phone(NEIGHBOURS_PHONE).inbox[0].text
    assert "porter" not in phone(DAUGHTERS_PHONE).inbox[0].text
    for number in (DAUGHTERS_PHONE, NEIGHBOURS_PHONE):
        assert "diabetes" not in phone(number).inbox[0].text


async def test_what_anna_allows_is_told_from_the_next_message_on(telling: Telling) -> None:
    await telling.town.press("button-1", "1")
    await telling.decides("family", "access_notes", allowed=True)
    await telling.decides("family", "medical_notes", allowed=True)
    await telling.tells(DAUGHTER, "email")
    (mail,) = telling.providers.mail.mailbox(DAUGHTERS_MAIL)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "porter" in body.get_content()
    assert "diabetes" in body.get_content()


async def test_whom_anna_excludes_is_not_told_that_anything_happened(telling: Telling) -> None:
    await telling.decides("family", "incidents", allowed=False)
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms")
    (told,) = await telling.notifications()
    assert (told["state"], told["reason"]) == ("nobody", "not_to_be_told")
    assert telling.providers.gateway.asked == 0


async def test_somebody_who_is_called_hears_the_address_digit_by_digit(telling: Telling) -> None:
    await telling.town.press("button-1", "1")
    await telling.tells(NEIGHBOUR, "voice")
    (call,) = telling.providers.gateway.phone(NEIGHBOURS_PHONE).calls
    assert "1 2 0 3" in call.spoken
    assert call.digits == "12"
    assert (await telling.notifications())[0]["receipt_due_at"] is not None


async def test_the_silent_call_under_duress_tells_nobody_the_number_of_the_home(
    telling: Telling,
) -> None:
    await telling.town.press("button-1", "1", action="cancel", duress=True)
    await telling.tells(DAUGHTER, "sms")
    (text,) = telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox
    assert "do not call the home" in text.text
    assert "+8613800000009" not in text.text


async def test_everybody_who_was_told_hears_who_has_it_and_that_it_is_over(
    telling: Telling,
) -> None:
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms")
    incident = (await telling.town.incident())["incident_id"]
    await telling.town.desk(Verb.ACKNOWLEDGE, incident)
    await telling.town.desk(Verb.RESOLVE, incident)
    texts = [text.text for text in telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox]
    assert texts[1].startswith("Lin has it: Emergency press, Anna")
    assert texts[2] == "It is over: Emergency press, Anna, 86. Outcome: helped. Thank you."


async def test_who_goes_there_is_named_and_nobody_is_said_to_have_it(telling: Telling) -> None:
    """A neighbour on the way does not end the ladder: the daughter is not told that it has."""
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms")
    incident = (await telling.town.incident())["incident_id"]
    zhang = Actor(ActorKind.RESPONDER, NEIGHBOUR.partition(":")[2], "Old Zhang")
    await telling.town.desk(Verb.GOING, incident, by=zhang)
    inbox = telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox
    assert inbox[-1].text.startswith("Old Zhang is going there: Emergency press, Anna, 86.")
    assert "need not answer" not in inbox[-1].text


async def test_who_forgot_it_is_not_said_to_have_it_still(telling: Telling) -> None:
    await telling.town.press("button-1", "1")
    incident = (await telling.town.incident())["incident_id"]
    await telling.town.desk(Verb.ACKNOWLEDGE, incident)
    await telling.town.later(minutes=11)
    lapsed = await telling.town.incident()
    assert (lapsed["state"], lapsed["owner_name"]) == ("raised", "Lin")
    await telling.tells(DAUGHTER, "sms")
    (text,) = telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox
    assert "Lin" not in text.text


async def test_whoever_was_rung_for_a_fault_hears_that_it_is_over_by_itself(
    telling: Telling,
) -> None:
    await telling.town.finds("band-1", silence("band-1"))
    await telling.tells(NEIGHBOUR, "sms")
    telling.providers.gateway.fails(429, times=1, retry_after_s=5)
    await telling.tells(DAUGHTER, "sms")
    await telling.town.finds("band-1", silence("band-1", Phase.WITHDRAWN))
    telling.town.clock.pass_time(6)
    await telling.town.later(seconds=1)
    texts = [text.text for text in telling.providers.gateway.phone(NEIGHBOURS_PHONE).inbox]
    assert len(texts) == 2
    assert "已结束" in texts[1]
    assert "已自行恢复" in texts[1]
    assert telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox == []
    waited = [n for n in await telling.notifications() if n["recipient"] == DAUGHTER]
    assert [(n["state"], n["reason"]) for n in waited] == [("superseded", "cleared")]


async def test_a_neighbour_without_a_number_is_told_once_there_is_one(telling: Telling) -> None:
    await telling.writes("UPDATE responder SET phone = ''")
    await telling.town.press("button-1", "1")
    await telling.tells(NEIGHBOUR, "sms", channels="{voice}")
    (unreached,) = await telling.notifications()
    assert (unreached["state"], unreached["reason"]) == ("nobody", "no_address")
    await telling.writes("UPDATE responder SET phone = %(number)s", {"number": NEIGHBOURS_PHONE})
    reach = Reach(telling.town.url, SystemClock())
    await reach.open()
    waiting = PostgresQuarantine(reach)
    assert await waiting.dead_letters(None, 99, 10) == []
    (letter,) = await waiting.dead_letters(None, 99, 10, ("nobody",))
    operator = Operator("operator", "ops", None, None)
    assert await waiting.send_again(letter["id"], operator, telling.town.clock.now())
    await reach.close()
    await telling.town.later(seconds=1)
    (text,) = telling.providers.gateway.phone(NEIGHBOURS_PHONE).inbox
    assert "Anna" in text.text
    (told,) = await telling.notifications()
    assert (told["state"], told["channel"], told["channels"]) == ("sent", "sms", ["voice"])


async def test_a_browser_shows_it_and_one_that_is_gone_is_forgotten(telling: Telling) -> None:
    """Complaint 13. Web push goes to whatever address the browser named, signed with the hub's own
    key: no account with any vendor."""
    kept, gone = await telling.subscribes("mei"), await telling.subscribes("mei")
    telling.providers.push.forgets(gone)
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "push")
    assert kept.inbox[0]["title"] == "Emergency press: Anna, 86"
    left = await telling.town.rows("SELECT endpoint FROM push_subscription")
    assert [row["endpoint"] for row in left] == [kept.endpoint]
    assert (await telling.notifications())[0]["state"] == "sent"


async def test_a_gateway_that_limits_delays_the_message_and_loses_none(telling: Telling) -> None:
    telling.providers.gateway.fails(429, times=1, retry_after_s=5)
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms")
    assert telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox == []
    await telling.town.later(seconds=6)
    assert len(telling.providers.gateway.phone(DAUGHTERS_PHONE).inbox) == 1


async def test_the_neighbour_lin_picked_is_called_although_she_takes_it_meanwhile(
    telling: Telling,
) -> None:
    telling.providers.gateway.fails(429, times=1, retry_after_s=5)
    await telling.town.press("button-1", "1")
    incident = (await telling.town.incident())["incident_id"]
    neighbour = Actor(ActorKind.RESPONDER, NEIGHBOUR.partition(":")[2], "Wang")
    await telling.town.desk(
        Verb.ADD_RESPONDER, incident, whom=neighbour, channels=(ChannelName.SMS,)
    )
    await telling.town.later(seconds=1)
    await telling.town.desk(Verb.ACKNOWLEDGE, incident)
    await telling.town.later(seconds=6)
    (text,) = telling.providers.gateway.phone(NEIGHBOURS_PHONE).inbox
    assert "Lin正在处理" in text.text


async def test_without_a_gateway_that_answers_mail_is_next(telling: Telling) -> None:
    telling.providers.gateway.fails(400)
    await telling.town.press("button-1", "1")
    await telling.tells(DAUGHTER, "sms", channels="{email}")
    assert len(telling.providers.mail.mailbox(DAUGHTERS_MAIL)) == 1


async def test_the_fallback_contact_is_told_of_somebody_even_where_it_may_not_know_whom(
    telling: Telling,
) -> None:
    await telling.decides("outside", "incidents", allowed=False)
    await telling.town.press("button-1", "1")
    await telling.tells("fallback", "webhook")
    (told,) = telling.providers.hook.inbox
    assert telling.providers.hook.forged == 0
    assert "Anna" not in str(told)
    assert "Lake Street" not in str(told)
    assert told["message"]["purpose"] == "ring"
