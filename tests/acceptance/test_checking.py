"""Stories of step 0: the person is asked before anybody is woken."""

import msgspec
import pytest

from alerts.actions import Verb
from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import Finding, Phase
from schemas.codec import encode
from schemas.commands import CheckIn
from tests.acceptance.town import Town, running_town
from tests.falls import DOUBTFUL, NONE, SURE, window
from tests.scenes import HOMES, LIN, START

HOME = Subject(SubjectKind.PREMISES, "home-1")


def quiet_morning(phase: Phase, at: object, ask_s: int = 0) -> Finding:
    """What the inactivity detector says of Anna's home."""
    return Finding(
        detector="inactivity",
        kind="inactivity",
        phase=phase,
        category=Category.PERSONAL,
        priority=Priority.MEDIUM if phase is Phase.CONFIRMED else Priority.LOW,
        subject=HOME,
        key="1772400000",
        at=at,  # type: ignore[arg-type]
        text="no activity for 210 min",
        evidence={"silent_min": 210, "limit_min": 240},
        ask_s=ask_s,
    )


async def test_a_sure_fall_asks_the_wearer_and_wakes_nobody_yet(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    incident = await town.incident()
    assert (incident["state"], incident["priority"]) == ("checking", "high")
    assert (incident["next_deadline_at"] - START).total_seconds() == 30
    assert town.rings() == []
    assert town.announced() == ["checking", "committed"]
    asked = [town.questions(device) for device in ("band-1", "button-1")]
    for (question,) in asked:
        message = msgspec.convert(question, CheckIn)
        assert message.check_in_id == incident["incident_id"]
        assert message.answer_within_s == 30
        assert message.text.startswith("Did you fall?"), "Anna speaks English"
        assert encode(message)
    assert town.receipts("band-1") == ["received"], "the wristband stops repeating"
    assert town.receipts("button-1") == [], "nobody pressed there"


async def test_no_answer_moves_on_to_the_ladder_at_the_deadline(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.later(seconds=29)
    assert town.rings() == []
    await town.later(seconds=1)
    assert (await town.incident())["state"] == "raised"
    assert [(at - START).total_seconds() for at in town.rings()] == [30]
    assert town.receipts("button-1") == ["received"], "we are calling somebody"
    assert ("escalate", "no_answer") in await town.log()


async def test_a_cancel_withdraws_while_the_person_is_asked(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.later(seconds=20)
    await town.press("button-1", "2", action="cancel")
    (incident,) = await town.incidents("true")
    assert (incident["state"], incident["outcome"]) == ("resolved", "withdrawn")
    await town.later(hours=1)
    assert town.rings() == []
    assert town.receipts("band-1") == ["received", "over"], "the question goes from the screen"
    assert town.board.open == {}


async def test_a_cancel_after_the_raise_only_annotates(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.later(seconds=31)
    await town.press("button-1", "2", action="cancel")
    assert (await town.incident())["state"] == "raised"
    assert ("alarm", "cancel_noted") in await town.log()


@pytest.mark.parametrize("action", ["emergency", "help"])
async def test_a_press_while_being_asked_raises_at_once(town: Town, action: str) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.later(seconds=10)
    await town.press("button-1", "2", action=action)
    incident = await town.incident()
    assert (incident["state"], incident["alarm_count"]) == ("raised", 2)
    assert [(at - START).total_seconds() for at in town.rings()] == [10]
    assert town.receipts("button-1") == ["received"]


async def test_a_forced_cancel_escalates_and_looks_like_a_free_one(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.press("button-1", "2", action="cancel", duress=True)
    incident = await town.incident()
    assert (incident["state"], incident["silent"]) == ("raised", True)
    assert len(town.rings()) == 1
    forced = _shown(town)
    await town.later(minutes=5)
    assert _shown(town) == forced, "nothing at the home shows that help is on its way"


async def test_free_and_forced_cancels_show_the_same(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.press("button-1", "2", action="cancel", duress=True)
    forced = _shown(town)
    await town.desk(Verb.RESOLVE, (await town.incident())["incident_id"])
    town.broker.published.clear()
    await town.later(minutes=2)
    town.broker.published.clear()
    await town.moves("band-1", "3", window(SURE))
    await town.press("button-1", "4", action="cancel")
    assert _shown(town) == forced


def _shown(town: Town) -> list[tuple[str, str | None, object]]:
    return [
        (topic, message.get("stage"), message.get("text"))
        for _, topic, message in town.broker.published
        if "/command/" in topic
    ]


async def test_a_dispatcher_may_take_it_while_the_person_is_asked(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    incident = await town.incident()
    assert await town.desk(Verb.ACKNOWLEDGE, incident["incident_id"], by=LIN) is None
    await town.later(seconds=60)
    assert (await town.incident())["state"] == "acknowledged"
    assert town.rings() == []
    assert "coming" in town.receipts("band-1")


async def test_where_nothing_can_ask_it_rings_at_once(town: Town) -> None:
    """A home of sensors only: there is no device with a screen or a voice."""
    alone = Finding(
        detector="inactivity",
        kind="inactivity",
        phase=Phase.CANDIDATE,
        category=Category.PERSONAL,
        priority=Priority.MEDIUM,
        subject=Subject(SubjectKind.PREMISES, HOMES[2]),
        key="1",
        at=START,
        text="",
        ask_s=1800,
    )
    await town.finds("smoke-3", alone)
    assert (await town.incident())["state"] == "raised"
    assert ("alarm", "cannot_ask") in await town.log()
    assert len(town.rings()) == 1


async def test_a_silent_button_is_not_asked(town: Town) -> None:
    for device in ("button-1", "band-1"):
        silent = Finding(
            detector="silence",
            kind="device_silent",
            phase=Phase.CONFIRMED,
            category=Category.TECHNICAL,
            priority=Priority.LOW,
            subject=Subject(SubjectKind.DEVICE, device),
            key="1",
            at=START,
            text="",
        )
        await town.finds(device, silent)
    await town.finds("button-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    assert ("alarm", "cannot_ask") in await town.log()


async def test_a_quiet_home_is_asked_softly_and_forgotten_when_somebody_moves(town: Town) -> None:
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    incident = await town.incident()
    assert (incident["state"], incident["person_id"]) == ("checking", "anna")
    (question,) = town.questions("button-1")
    assert question["answer_within_s"] == 1800
    await town.later(minutes=20)
    await town.finds("band-1", quiet_morning(Phase.WITHDRAWN, town.clock.now()))
    (incident,) = await town.incidents("true")
    assert (incident["state"], incident["outcome"]) == ("resolved", "withdrawn")
    assert ("finding", "question_withdrawn") in await town.log()
    assert town.receipts("button-1") == ["over"]
    await town.later(hours=1)
    assert town.rings() == []


async def test_a_quiet_home_nobody_answers_for_is_raised(town: Town) -> None:
    """... and from then on activity is only a note: a human decides."""
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    await town.later(minutes=30)
    incident = await town.incident()
    assert (incident["state"], incident["priority"]) == ("raised", "medium")
    await town.finds("band-1", quiet_morning(Phase.WITHDRAWN, town.clock.now()))
    assert (await town.incident())["state"] == "raised"
    assert ("finding", "over_noted") in await town.log()


async def test_whoever_lives_there_may_answer_for_the_home(town: Town) -> None:
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    await town.press("button-1", "1", action="cancel")
    assert await town.incidents() == []


async def test_a_call_for_help_goes_on_with_the_homes_incident(town: Town) -> None:
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    await town.press("button-1", "1", action="emergency")
    await town.press("button-1", "2", action="emergency")
    incident = await town.incident()
    assert (incident["state"], incident["alarm_count"]) == ("raised", 3)
    assert (incident["priority"], incident["person_id"]) == ("high", "anna")


async def test_a_doubtful_fall_waits_for_other_sensors_and_then_asks(town: Town) -> None:
    await town.moves("band-1", "1", window(DOUBTFUL))
    assert await town.incidents() == []
    assert town.lane.watched_people == {"anna"}
    await town.later(seconds=61)
    incident = await town.incident()
    assert (incident["state"], incident["priority"]) == ("checking", "medium")
    assert len(town.questions("band-1")) == 1
    assert town.lane.watched_people == frozenset()
    found = await town.rows("SELECT phase, reason FROM finding ORDER BY at")
    assert [(row["phase"], row["reason"]) for row in found] == [
        ("candidate", "candidate"),
        ("confirmed", "asked"),
    ]


async def test_steps_after_a_doubtful_fall_withdraw_it(town: Town) -> None:
    await town.moves("band-1", "1", window(DOUBTFUL))
    await town.later(seconds=20)
    town.walks("band-1", steps=40)
    await town.later(seconds=50)
    assert await town.incidents("true") == []
    found = await town.rows("SELECT phase, evidence FROM finding ORDER BY at")
    assert [row["phase"] for row in found] == ["candidate", "withdrawn"]
    assert found[1]["evidence"]["against"] == ["steps"]


async def test_everyday_movement_is_kept_and_answered_and_asks_nobody(town: Town) -> None:
    await town.moves("band-1", "1", window(NONE))
    assert await town.incidents("true") == []
    assert town.questions("band-1") == []
    assert town.receipts("band-1") == ["received"]
    assert len(await town.rows("SELECT 1 FROM signal_window")) == 1


async def test_two_windows_of_one_fall_ask_once(town: Town) -> None:
    await town.moves("band-1", "1", window(SURE))
    await town.later(seconds=5)
    await town.moves("band-1", "2", window(SURE, seed=2))
    assert len(town.questions("band-1")) == 1
    assert (await town.incident())["alarm_count"] == 1
    assert town.receipts("band-1") == ["received", "received"]


async def test_a_window_that_breaks_the_scoring_is_still_a_possible_fall(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise FloatingPointError

    monkeypatch.setattr("hub.detect.fall.judged", broken)
    await town.moves("band-1", "1", window(SURE))
    assert town.receipts("band-1") == ["received"]
    (found,) = await town.rows("SELECT phase, evidence FROM finding")
    assert (found["phase"], found["evidence"]["unjudged"]) == ("candidate", "FloatingPointError")
    await town.later(seconds=61)
    assert (await town.incident())["state"] == "checking"


async def test_the_question_is_asked_and_runs_out_while_the_database_is_away(town: Town) -> None:
    town.line.away = True
    town.lane.on_message(town.delivers("band-1", "1", window(SURE)))
    await town.judged()
    assert len(town.questions("band-1")) == 1
    assert town.announced() == ["checking"]
    town.clock.pass_time(30)
    town.lane.let_pass()
    assert town.announced() == ["checking", "raised"]
    town.line.away = False
    await town.settled()
    incident = await town.incident()
    assert incident["state"] == "raised"
    assert ("alarm", "unanswered") in await town.log()
    assert len(town.questions("band-1")) == 1, "asked once"
    assert len(town.rings()) == 1


async def test_a_cancel_while_the_database_is_away_counts(town: Town) -> None:
    town.line.away = True
    town.lane.on_message(town.delivers("band-1", "1", window(SURE)))
    await town.judged()
    town.lane.on_message(town.pressed("button-1", "2", action="cancel"))
    assert town.announced() == ["checking", "withdrawn"]
    town.clock.pass_time(60)
    town.lane.let_pass()
    town.line.away = False
    await town.settled()
    (incident,) = await town.incidents("true")
    assert incident["outcome"] == "withdrawn"
    assert town.rings() == []


async def test_after_a_restart_the_deadline_holds_and_nobody_is_asked_again(
    database_url: str,
) -> None:
    async with running_town(database_url) as town:
        await town.moves("band-1", "1", window(SURE))
        moved = town.clock.now()
    async with running_town(database_url, settled=True) as town:
        await town.restarted()
        await town.moves("band-1", "1", window(SURE))
        assert town.questions("band-1") == [], "the redelivery is known"
        assert town.receipts("band-1") == ["received"]
        town.clock.move_to(moved)
        await town.later(seconds=30)
        assert (await town.incident())["state"] == "raised"


async def test_a_doubtful_fall_is_decided_after_a_restart(database_url: str) -> None:
    async with running_town(database_url) as town:
        await town.moves("band-1", "1", window(DOUBTFUL))
    async with running_town(database_url, settled=True) as town:
        await town.restarted()
        assert town.lane.watched_people == {"anna"}
        await town.later(seconds=61)
        assert (await town.incident())["state"] == "checking"


async def test_a_press_never_waits_behind_a_burst_of_windows(town: Town) -> None:
    for number in range(50):
        town.lane.on_message(town.delivers("band-1", str(number), window(NONE)))
    town.lane.on_message(town.pressed("button-1", "1"))
    assert town.announced() == ["raised"], "before a single window was looked at"
    await town.settled()
    assert len(await town.rows("SELECT 1 FROM signal_window")) == 50
    assert town.receipts("band-1").count("received") == 51


async def test_killed_before_the_commit_the_question_comes_once_more(database_url: str) -> None:
    async with running_town(database_url) as town:
        town.line.away = True
        message = town.delivers("band-1", "1", window(SURE))
        town.lane.on_message(message)
        await town.judged()
        (first,) = town.questions("band-1")
        assert town.broker.acknowledged == [], "the broker still has it"
    async with running_town(database_url, settled=True) as town:
        await town.restarted()
        await town.hears(msgspec.structs.replace(message, duplicate=True))
        (again,) = town.questions("band-1")
        assert again["check_in_id"] == first["check_in_id"]
        assert (await town.incident())["state"] == "checking"


async def test_what_is_asked_by_the_ladder_of_a_telemetry_finding_is_asked_once(
    town: Town,
) -> None:
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    await town.finds("band-1", quiet_morning(Phase.CANDIDATE, START, ask_s=1800))
    await town.later(minutes=10)
    assert len(town.questions("button-1")) == 1
