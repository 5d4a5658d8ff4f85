"""Stories of who has it: taken, shared, given back, lost, reopened; and who learns of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from alerts.actions import CallResult, Verb
from alerts.alarm import Priority
from alerts.incident import Outcome
from alerts.ladders import URGENT
from alerts.policy import DISPATCHERS, ChannelName, Policy, Step, Target
from alerts.responders import Actor, ActorKind, Way
from hub.drill import DrillOrder, drill_message
from schemas import topics
from tests.acceptance.neighbours import CHEN, JUN, MEI, answers, climbs, policy, settle
from tests.acceptance.town import Town, running_town
from tests.scenes import LIN, ROOT, START, WU

SMS = (ChannelName.SMS,)
FAMILY_FIRST = Policy(
    (Step((Target("family", SMS),), 60), Step((Target(DISPATCHERS),), 60)), 600, 3600
)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    """A town where telephones ring."""
    async with running_town(database_url, with_phones=True) as running:
        await settle(running)
        yield running


async def pressed(town: Town) -> str:
    await town.press("button-1", "1")
    return str((await town.incident())["incident_id"])


def coming(town: Town, device: str = "button-1") -> list[Any]:
    """Whom the device said was coming."""
    prefix = f"care/v1/{ROOT}/home-1/{device}"
    said = town.said(topics.receipt_topic(prefix))
    return [m["who"] for m in said if m["stage"] == "coming"]


async def test_the_daughter_on_the_train_is_a_responder_and_the_ladder_goes_on(town: Town) -> None:
    """She says by SMS that she will be there in two hours. Her mother hears that Mei is coming; but
    two hours are long, so the ladder calls on until a dispatcher has it."""
    await policy(town, FAMILY_FIRST)
    incident = await pressed(town)
    await town.later(seconds=20)
    assert await town.desk(Verb.GOING, incident, by=MEI, expected_arrival_s=7200) is None
    assert (await answers(town))["Mei"] == "going"
    assert coming(town) == ["Mei"]
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("raised", None)
    assert row["expected_at"] == START + timedelta(seconds=7220)
    await town.later(seconds=45)
    assert town.rings() == [START + timedelta(seconds=60)], "the desk rings all the same"


async def test_where_the_policy_counts_her_word_it_holds_the_ladder(town: Town) -> None:
    """A family that helps itself: 'I am going' is enough, as a lease. She does not come, and it
    rings again, with the reason."""
    own = Policy(FAMILY_FIRST.steps, 600, 3600, responder_stops_ladder=True)
    await policy(town, own)
    incident = await pressed(town)
    await town.desk(Verb.GOING, incident, by=MEI, expected_arrival_s=900)
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("acknowledged", None)
    assert row["next_deadline_at"] == START + timedelta(seconds=900)
    assert town.phones.of(JUN.recipient) == ["ring", "coming"], "the nephew learns who goes"
    assert town.phones.of(MEI.recipient) == ["ring"], "and she is not told her own word"
    await town.later(seconds=901)
    assert (await climbs(town))[-1]["reason"] == "lease_lapsed"
    assert (await town.incident())["state"] == "raised"


async def test_whoever_held_it_and_declines_sets_it_free_at_once(town: Town) -> None:
    await policy(town, Policy(FAMILY_FIRST.steps, 600, 3600, responder_stops_ladder=True))
    incident = await pressed(town)
    await town.desk(Verb.GOING, incident, by=MEI, expected_arrival_s=900)
    await town.later(seconds=60)
    await town.desk(Verb.DECLINE, incident, by=MEI)
    row = await town.incident()
    assert (row["state"], row["expected_at"]) == ("raised", None)
    assert town.phones.of(JUN.recipient) == ["ring", "coming", "ring"], "not called: who declined"
    assert town.phones.of(MEI.recipient) == ["ring"]


async def test_the_neighbour_arrives_and_the_desk_ends_it(town: Town) -> None:
    """The dispatcher has it, the neighbour goes there: on the way, arrived, over. One owner, one
    responder, and everybody called learns the end."""
    incident = await pressed(town)
    await town.desk(Verb.ACKNOWLEDGE, incident)
    assert await town.desk(Verb.ADD_RESPONDER, incident, whom=CHEN, channels=SMS) is None
    assert town.phones.of(CHEN.recipient) == ["ring"]
    await town.desk(Verb.GOING, incident, by=CHEN, expected_arrival_s=300)
    await town.later(minutes=4)
    await town.desk(Verb.ATTEND, incident, by=CHEN)
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("attended", "lin")
    (there,) = await town.rows("SELECT * FROM incident_responder")
    assert (there["answer"], there["way"]) == ("arrived", "sms")
    assert there["arrived_at"] - there["told_at"] == timedelta(minutes=4)
    assert await town.desk(Verb.RESOLVE, incident, by=CHEN) == "resolve is for dispatchers"
    await town.desk(Verb.RESOLVE, incident)
    assert town.phones.of(CHEN.recipient) == ["ring", "over"]
    assert coming(town) == ["Lin", "Chen"]


async def test_two_at_once_one_has_it_the_other_is_told(town: Town) -> None:
    """One by the desk, one by pressing 1 in a call, in the same instant."""
    incident = await pressed(town)
    wu = Actor(ActorKind.ACCOUNT, "wu", "Wu")
    town.lane.on_message(town.click("a", Verb.ACKNOWLEDGE, incident, by=LIN))
    town.lane.on_message(town.click("b", Verb.ACKNOWLEDGE, incident, by=wu, how=Way.VOICE))
    await town.settled()
    told = {m["action_id"]: m for m in town.said(topics.DESK_ANNOUNCE) if "action_id" in m}
    assert (told["a"]["ok"], told["b"]["ok"]) == (True, False)
    assert told["b"]["refusal"] == {"kind": "already_owned", "title": "Lin has it"}
    assert (await town.incident())["owner_id"] == "lin"


async def test_press_one_in_a_call_makes_the_second_dispatcher_the_owner(town: Town) -> None:
    incident = await pressed(town)
    wu = Actor(ActorKind.ACCOUNT, "wu", "Wu")
    await town.desk(Verb.ACKNOWLEDGE, incident, by=wu, how=Way.VOICE)
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("acknowledged", "wu")
    (entry,) = await town.rows("SELECT * FROM audit_log WHERE action = 'acknowledge'")
    assert (entry["actor_id"], entry["detail"]["how"]) == ("wu", "voice")


async def test_a_familys_log_in_is_the_contact_it_belongs_to(town: Town) -> None:
    """Mei was called as a contact and answers on the family's page: one responder, no owner."""
    await policy(town, FAMILY_FIRST)
    incident = await pressed(town)
    account = Actor(ActorKind.ACCOUNT, "mei", "Mei")
    await town.desk(Verb.GOING, incident, by=account, how=Way.FAMILY_PAGE, expected_arrival_s=60)
    assert await answers(town) == {"Mei": "going", "Jun": "told"}
    assert (await town.incident())["owner_id"] is None
    (deed,) = await town.rows("SELECT account_id, actor_kind, way FROM desk_action")
    assert tuple(deed.values()) == ("mei", "account", "family_page"), "the log says who logged in"


async def test_given_back_it_rings_at_once_and_taken_over_it_changes_hands(town: Town) -> None:
    """Lin clicked the wrong row and undoes it; Lin takes it again, Wu takes over at the change of
    shifts. Only the owner gives it back."""
    incident = await pressed(town)
    await town.desk(Verb.ACKNOWLEDGE, incident)
    await town.later(seconds=5)
    assert await town.desk(Verb.RELEASE, incident, by=WU) == "Lin has it; take it over instead"
    await town.desk(Verb.RELEASE, incident, note="wrong row")
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("raised", None)
    assert town.rings() == [START, START + timedelta(seconds=5)]
    await town.desk(Verb.ACKNOWLEDGE, incident)
    assert await town.desk(Verb.TAKE_OVER, incident, by=WU) is None
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("acknowledged", "wu")
    assert coming(town) == ["Lin", "Lin", "Wu"]


async def test_whoever_has_it_can_have_more_people_called(town: Town) -> None:
    """Lin cannot reach the home: the next rungs are called now, and she keeps the incident."""
    incident = await pressed(town)
    await town.desk(Verb.ACKNOWLEDGE, incident)
    lease = (await town.incident())["next_deadline_at"]
    await town.desk(Verb.ESCALATE, incident)
    await town.desk(Verb.ESCALATE, incident)
    assert town.phones.of(MEI.recipient) == ["ring"]
    row = await town.incident()
    assert (row["state"], row["owner_id"]) == ("acknowledged", "lin")
    assert row["next_deadline_at"] == lease
    assert [c["reason"] for c in await climbs(town)] == ["first_step", "wanted", "wanted"]


async def test_escalate_now_does_not_wait_for_the_rung(town: Town) -> None:
    incident = await pressed(town)
    await town.later(seconds=3)
    await town.desk(Verb.ESCALATE, incident)
    assert town.rings() == [START, START + timedelta(seconds=3)]
    assert (await town.incident())["step"] == 2


async def test_what_the_owner_does_keeps_the_lease_and_silence_loses_it(town: Town) -> None:
    """No reply at the home is recorded and counts as progress; the ambulance has a number. Then
    nothing for ten minutes: it rings again, and says whose it was."""
    incident = await pressed(town)
    await town.desk(Verb.ACKNOWLEDGE, incident)
    await town.later(minutes=9)
    await town.desk(Verb.CALL, incident, result=CallResult.NO_REPLY)
    await town.later(minutes=9)
    await town.desk(Verb.HAND_OFF, incident, service="120", reference="JZ-118")
    row = await town.incident()
    assert row["state"] == "acknowledged"
    (handed,) = await town.rows("SELECT service, number, reference, by_name FROM hand_off")
    assert tuple(handed.values()) == ("ambulance", "120", "JZ-118", "Lin")
    (called,) = await town.rows("SELECT detail FROM audit_log WHERE action = 'call'")
    assert called["detail"]["result"] == "no_reply"
    await town.later(seconds=URGENT.acknowledged_lease_s + 1)
    last = (await climbs(town))[-1]
    assert (last["reason"], last["owner"]) == ("lease_lapsed", "Lin")


async def test_it_was_not_over(town: Town) -> None:
    """Closed by mistake: reopened it rings like new, shows its alarms, and whoever pressed hears
    who comes; a second one cannot be reopened beside it."""
    incident = await pressed(town)
    await town.desk(Verb.RESOLVE, incident, outcome=Outcome.FALSE_ALARM)
    await town.later(minutes=1)
    assert await town.desk(Verb.REOPEN, incident, by=WU, note="she called back") is None
    row = await town.incident()
    assert (row["state"], row["outcome"], row["owner_id"]) == ("raised", None, None)
    assert town.rings() == [START, START + timedelta(minutes=1)]
    views = [m["incident"] for m in town.said(topics.DESK_ANNOUNCE) if m["type"] == "incident"]
    assert [alarm["kind"] for alarm in views[-1]["alarms"]] == ["press"]
    await town.desk(Verb.RESOLVE, incident)
    await town.press("button-1", "2")
    refusal = await town.desk(Verb.REOPEN, incident)
    assert refusal is not None
    assert refusal.startswith("a newer incident of the same subject")


async def test_a_drill_calls_everybody_and_is_never_the_real_one(town: Town) -> None:
    """Practice with Anna's ladder: the family is called, Anna's devices stay quiet; her real press
    meanwhile is an incident of its own, without a link to it."""
    await policy(town, FAMILY_FIRST)
    order = DrillOrder("d1", "anna", ROOT, "home-1", "press", Priority.HIGH, "lin", "Lin", START)
    await town.hears(town.bus(drill_message(order)))
    (drill,) = await town.incidents()
    assert (drill["drill"], drill["subject_kind"]) == (True, "drill")
    assert town.phones.of(MEI.recipient) == ["ring"]
    await town.press("button-1", "1")
    real = next(row for row in await town.incidents() if not row["drill"])
    assert (real["subject_kind"], real["same_address"]) == ("person", None)
    assert town.receipts("button-1") == ["received"]
    await town.desk(Verb.ACKNOWLEDGE, drill["incident_id"])
    assert coming(town) == [], "nobody is told that help comes for practice"


async def test_the_database_is_away_and_what_people_said_is_kept(town: Town) -> None:
    """The broker keeps three actions; when the database is back they are recorded in their order,
    and whoever has it by then is not called any more."""
    incident = await pressed(town)
    town.line.away = True
    town.lane.on_message(town.click("a", Verb.ACKNOWLEDGE, incident))
    town.lane.on_message(town.click("b", Verb.NOTE, incident, note="spoke to her"))
    town.lane.on_message(town.click("c", Verb.GOING, incident, by=CHEN, expected_arrival_s=300))
    await town.slow()
    pending = [m for m in town.said(topics.DESK_ANNOUNCE) if m.get("pending")]
    assert {m["action_id"] for m in pending} == {"a", "b", "c"}
    assert (await town.incident())["state"] == "raised"
    town.line.away = False
    await town.settled()
    row = await town.incident()
    assert (row["state"], row["owner_id"], row["note"]) == ("acknowledged", "lin", "spoke to her")
    assert await answers(town) == {"Chen": "going"}
    await town.later(minutes=2)
    assert town.phones.got == []


async def test_a_message_of_the_release_before_is_still_an_action(town: Town) -> None:
    """Clicked before an upgrade, kept by the broker, read after it; and an incident without a
    snapshot climbs the shipped ladder."""
    incident = await pressed(town)
    await town.change("UPDATE incident SET ladder = NULL")
    old = (
        '{"id": "old", "incident_id": "%s", "verb": "resolve", "area_id": "city",'
        ' "by": {"account_id": "lin", "name": "Lin"}, "at": "2026-03-02T08:00:10Z",'
        ' "expected_arrival_s": null, "outcome": "helped", "note": "before"}'
    )
    await town.later(seconds=31)
    assert (await town.incident())["step"] == 2
    await town.hears(town.bus((old % incident).encode()))
    (row,) = await town.incidents("state = 'resolved'")
    assert (row["outcome"], row["note"], row["owner_id"]) == ("helped", "before", "lin")
