"""What users of other systems complained about, lived through here (docs/complaints.md).

Only what no other story tells already; the page names all of them.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from alerts.actions import Verb
from alerts.policy import ChannelName
from alerts.responders import Way
from hub.proof import CannotAsk
from hub.store.proofs import ask
from tests.acceptance.neighbours import CHEN, MEI, settle
from tests.acceptance.test_findings import _is as person_is
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
from tests.acceptance.town import Town, running_town
from tests.scenes import START

AT_HOME = {"latitude": 30.0, "longitude": 120.0, "accuracy_m": 8}


@pytest.fixture
async def family(database_url: str) -> AsyncIterator[Town]:
    """A town where telephones ring."""
    async with running_town(database_url, with_phones=True) as running:
        await settle(running)
        yield running


@pytest.fixture
async def telling(database_url: str, tmp_path: Path) -> AsyncIterator[Telling]:
    """A town with real providers."""
    async with telling_town(database_url, tmp_path) as running:
        yield running


async def test_a_press_without_a_position_rings(town: Town) -> None:
    """Complaint 1. A press indoors has no satellite fix: it rings at once and at high priority,
    whether the position is left out, null, or nonsense."""
    await town.press("button-1", "1")
    await town.press("band-1", "1", position=None)
    await town.press("button-2", "1", position={"latitude": None, "longitude": 400})
    anna, bo = await town.incidents()
    assert (anna["priority"], anna["position"], anna["alarm_count"]) == ("high", None, 2)
    assert (bo["priority"], bo["position"]) == ("high", None)
    assert len(town.rings()) == 3
    assert [a["grouping_reason"] for a in await town.alarms()] == ["opened", "joined", "opened"]


async def test_whoever_does_not_move_is_heard_every_time(town: Town) -> None:
    """Complaint 2. She lies where she fell and presses from the very same place again and again:
    no filter of distance or of sameness takes any of it away."""
    for number in range(3):
        await town.press("band-1", str(number), position=AT_HOME)
        await town.later(seconds=5)
    incident = await town.incident()
    assert incident["alarm_count"] == 3
    assert incident["position"]["latitude"] == 30.0
    assert len(town.rings()) >= 3, "every press rings again"


async def test_a_late_press_calls_the_family_like_a_fresh_one(family: Town) -> None:
    """Complaint 3. The device had no network for five hours. What it kept rings, says that it is
    late, and climbs the ladder to the telephones: late is no reason to tell nobody."""
    pressed_at = START - timedelta(hours=5)
    await family.press("button-1", "1", observed_at=pressed_at.isoformat())
    (alarm,) = await family.alarms()
    assert (alarm["flags"], alarm["observed_at"]) == (["late"], pressed_at)
    assert family.rings() == [START]
    await family.later(seconds=61)
    assert family.phones.of(MEI.recipient) == ["ring"]
    assert family.receipts("button-1") == ["received"]


async def test_two_messages_milliseconds_apart_are_one_incident(town: Town) -> None:
    """Complaint 8. Button and wristband, and the button's second message four milliseconds later,
    before anything is recorded: three alarms, one incident, one first ring."""
    town.lane.on_message(town.pressed("button-1", "1"))
    town.clock.pass_time(0.004)
    town.lane.on_message(town.pressed("button-1", "2"))
    town.lane.on_message(town.pressed("band-1", "1"))
    await town.settled()
    incident = await town.incident()
    assert incident["alarm_count"] == 3
    assert {row["incident_id"] for row in await town.alarms()} == {incident["incident_id"]}


async def test_who_acknowledged_when_and_how_is_written_down(family: Town) -> None:
    """Complaint 9. The incident names the dispatcher, the log says who, when and by which way, also
    of whoever came second and of the neighbour who answered by message."""
    await family.press("button-1", "1")
    incident = (await family.incident())["incident_id"]
    await family.later(seconds=12)
    await family.desk(Verb.ACKNOWLEDGE, incident, how=Way.VOICE)
    await family.desk(Verb.GOING, incident, by=CHEN, expected_arrival_s=300)
    row = await family.incident()
    at = START + timedelta(seconds=12)
    assert (row["owner_id"], row["owner_name"], row["acknowledged_at"]) == ("lin", "Lin", at)
    entries = await family.rows(
        "SELECT at, actor_kind, actor_id, actor_name, action, detail FROM audit_log"
        " WHERE actor_kind IN ('account', 'responder') ORDER BY entry_id"
    )
    assert [(e["action"], e["actor_name"], e["detail"]["how"], e["at"]) for e in entries] == [
        ("acknowledge", "Lin", "voice", at), ("going", "Chen", "sms", at),
    ]  # fmt: skip


async def test_a_ladder_goes_on_after_a_restart(database_url: str) -> None:
    """Complaint 14. Killed 20 s after the press and started anew an hour later: it rings at once,
    and the next rung comes in its turn. What somebody had taken is still theirs."""
    async with running_town(database_url) as town:
        await town.press("button-1", "1")
        await town.press("button-2", "1")
        taken = (await town.incidents())[1]["incident_id"]
        await town.desk(Verb.ACKNOWLEDGE, taken, expected_arrival_s=7200)
        await town.later(seconds=20)
    async with running_town(database_url, settled=True) as town:
        again = START + timedelta(hours=1)
        town.clock.move_to(again)
        await town.restarted()
        await town.later(seconds=0)
        assert town.rings() == [again], "the one that nobody has, and not the other"
        await town.later(seconds=31)
        assert town.fallback.rung[-1] >= again
        theirs = [i for i in await town.incidents() if i["incident_id"] == taken]
        assert (theirs[0]["state"], theirs[0]["owner_name"]) == ("acknowledged", "Lin")


async def test_a_clock_that_is_set_back_silences_nobody(family: Town) -> None:
    """The hub's clock was eight hours ahead and is put right between two rungs: the family is
    called a minute after the press and not eight hours later; the log says why."""
    await family.press("button-1", "1")
    await family.later(seconds=31)
    family.clock.pass_time(-8 * 3600)
    right = family.clock.now()
    await family.later(seconds=1)
    await family.later(seconds=31)
    assert family.phones.of(MEI.recipient) == ["ring"]
    assert family.phones.got[-1][0] <= right + timedelta(seconds=32)
    assert ("clock_set_back", "clock_set_back") in await family.log()


async def test_a_ring_that_was_poison_does_not_silence_the_desk(town: Town) -> None:
    """A mistake of ours set the desk's row of the last rung apart. The last rung goes on repeating:
    a quarter of an hour later it is tried as a new one, and the operator still sees the old."""
    await town.press("button-1", "1")
    await town.later(minutes=3)
    await town.change(
        "UPDATE notification SET state = 'poisoned', reason = 'broken' WHERE notification_id ="
        " (SELECT max(notification_id) FROM notification WHERE channel = 'desk')"
    )
    before = len(town.rings())
    await town.later(minutes=17)
    assert len(town.rings()) > before
    (apart,) = await town.rows("SELECT 1 FROM notification WHERE state = 'poisoned'")
    assert apart


async def test_the_condolence_day(telling: Telling) -> None:
    """Anna has died, and somebody sets her state while messages about her are on their way. From
    that moment nothing calls or greets her family or her neighbour: not the ring that waited for
    its provider, not the test message, not "somebody comes" or "it is over", nothing that machines
    conclude. Whoever presses her button while clearing the flat is seen at the desk, and nobody
    else is woken."""
    town, gateway = telling.town, telling.providers.gateway
    await town.press("button-1", "1")
    incident = (await town.incident())["incident_id"]
    await telling.tells(NEIGHBOUR, "sms")
    gateway.fails(429, times=1, retry_after_s=5)
    await telling.tells(DAUGHTER, "sms", channels="{email}")
    assert len(gateway.phone(NEIGHBOURS_PHONE).inbox) == 1, "he was told while she lived"
    async with await psycopg.AsyncConnection.connect(town.url, row_factory=dict_row) as line:
        await ask(line.cursor(), DAUGHTER, ChannelName.EMAIL, town.clock.now())

    await person_is(town, "anna", "service_ended")
    await town.later(seconds=6)
    await town.desk(Verb.ACKNOWLEDGE, incident)
    await town.later(minutes=5)
    await town.desk(Verb.RESOLVE, incident)
    await town.later(minutes=5)
    await town.finds("band-1", silence("band-1"))
    await town.press("button-1", "2")
    await town.later(hours=1)
    async with await psycopg.AsyncConnection.connect(town.url, row_factory=dict_row) as line:
        with pytest.raises(CannotAsk):
            await ask(line.cursor(), DAUGHTER, ChannelName.SMS, town.clock.now())

    assert gateway.phone(DAUGHTERS_PHONE).inbox == []
    assert gateway.phone(DAUGHTERS_PHONE).calls == []
    assert telling.providers.mail.mailbox(DAUGHTERS_MAIL) == []
    assert len(gateway.phone(NEIGHBOURS_PHONE).inbox) == 1
    assert gateway.phone(NEIGHBOURS_PHONE).calls == []
    assert telling.providers.hook.inbox == [], "the second hotline is not called either"
    left = await town.rows("SELECT DISTINCT state, reason FROM notification"
                           " WHERE recipient IN ('contact:daughter', 'responder:neighbour')"
                           " AND state NOT IN ('sent', 'superseded')")  # fmt: skip
    assert [(row["state"], row["reason"]) for row in left] == [("nobody", "not_to_be_told")]
    (open_now,) = await town.incidents()
    assert (open_now["priority"], open_now["ladder"]["name"]) == ("low", "not_served")
