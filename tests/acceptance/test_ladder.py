"""Stories of the ladder: whom it calls, in which order, and that it never falls silent."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from alerts.actions import Verb
from alerts.alarm import Category, Priority, Subject, SubjectKind
from alerts.policy import DISPATCHERS, ChannelName, Policy, QuietHours, Step, Target
from hub.detect.detector import Finding, Phase
from schemas import topics
from tests.acceptance.neighbours import CHEN, JUN, MEI, answers, climbs, on_duty, policy, settle
from tests.acceptance.town import Town, running_town
from tests.scenes import START

SMS = (ChannelName.SMS,)
DESK = Target(DISPATCHERS)


@pytest.fixture
async def town(database_url: str) -> AsyncIterator[Town]:
    """A town where telephones ring."""
    async with running_town(database_url, with_phones=True) as running:
        await settle(running)
        yield running


def ladder(*steps: Step, **fields: object) -> Policy:
    return Policy(steps, 600, 3600, **fields)  # type: ignore[arg-type]


async def test_nobody_answers_and_everybody_is_called_in_their_turn(town: Town) -> None:
    """08:00:00 desk; 08:00:30 the second dispatcher; 08:01:00 family; 08:02:00 the neighbour next
    door; 08:03:00 family again and the desk is told to call 120; then every minute."""
    await on_duty(town, "wu", "second", START, START + timedelta(hours=8))
    await town.press("button-1", "1")
    await town.later(minutes=4)
    called = sorted(((at - START).total_seconds(), who) for at, who, _ in town.phones.got)
    assert called == [
        (30, "account:wu"),
        (60, JUN.recipient), (60, MEI.recipient),
        (120, CHEN.recipient),
        (180, JUN.recipient), (180, MEI.recipient),
        (240, JUN.recipient), (240, MEI.recipient),
    ]  # fmt: skip
    prompts = [
        m["prompt"] for _, topic, m in town.broker.published
        if topic == topics.DESK_ANNOUNCE and m["type"] == "ring"
    ]  # fmt: skip
    assert prompts == [None, None, None, None, "emergency_service", "emergency_service"]
    assert await answers(town) == {"Mei": "told", "Jun": "told", "Chen": "told"}


async def test_a_fault_at_night_finds_a_supervisor_and_wakes_no_family(town: Town) -> None:
    """Anna's bed has gone silent at four in the morning and nobody looks: the desk, a minute later
    the supervisor on duty, then the second hotline, again and again. Nobody is told to call 120,
    and neither daughter nor neighbour is woken because a plug came out."""
    await on_duty(town, "wu", "supervisor", START, START + timedelta(hours=8))
    await town.finds("band-1", broken_bed())
    incident = await town.incident()
    assert (incident["ladder"]["name"], incident["person_id"]) == ("fault", "anna")
    await town.later(minutes=9)
    called = [((at - START).total_seconds(), who) for at, who, _ in town.phones.got]
    assert called == [(60, "account:wu"), (180, "account:wu"), (480, "account:wu")]
    assert [(at - START).total_seconds() for at in town.fallback.rung] == [180, 480]
    rings = [m for m in town.said(topics.DESK_ANNOUNCE) if m["type"] == "ring"]
    assert [ring["prompt"] for ring in rings] == [None] * 4
    assert await answers(town) == {}
    await town.later(hours=2)
    assert {who for _, who, _ in town.phones.got} == {"account:wu"}


def broken_bed() -> Finding:
    """As a detector of devices says it."""
    return Finding(
        detector="silence", kind="device_silent", phase=Phase.CONFIRMED,
        category=Category.TECHNICAL, priority=Priority.HIGH,
        subject=Subject(SubjectKind.DEVICE, "band-1"), key="1", at=START,
        text="nothing heard for 3 min", evidence={"silent_s": 180},
    )  # fmt: skip


async def test_a_rung_that_reaches_nobody_is_named_and_passed_at_once(town: Town) -> None:
    """Nobody is second, the person has no fifth contact: the neighbour is called in the same
    second, and the log says why not the others."""
    await policy(
        town,
        ladder(
            Step((Target("on_duty:second", SMS),), 300),
            Step((Target("family:5", SMS),), 300),
            Step((Target("nearest", SMS),), 60),
        ),
    )
    await town.press("button-1", "1")
    assert town.phones.got == [(START, CHEN.recipient, "ring")]
    (entry,) = await climbs(town)
    assert entry["nobody"] == [
        {"who": "on_duty:second", "reason": "nobody_on_duty"},
        {"who": "family:5", "reason": "no_contact"},
    ]
    assert entry["step"] == 3


async def test_nobody_at_any_desk_is_known_at_once(town: Town) -> None:
    """The page is open nowhere: it rings at the desks for whoever comes in, and the ladder does
    not wait half a minute for nobody."""
    await town.change(
        "INSERT INTO live_feed (feed_id, area_id, since, seen_at) VALUES ('f', 'city', %s, %s)",
        START, START,
    )  # fmt: skip
    await on_duty(town, "wu", "second", START, START + timedelta(hours=8))
    await town.press("button-1", "1")
    assert town.rings() == [START]
    assert town.phones.of("account:wu") == ["ring"]
    (entry,) = await climbs(town)
    assert {"who": "dispatchers", "reason": "nobody_signed_in"} in entry["nobody"]


async def test_an_edit_does_not_change_a_running_ladder_but_numbers_are_looked_up(
    town: Town,
) -> None:
    """The policy is edited while the ladder runs: it goes on as it was when the incident opened.
    The list of contacts is read when they are called."""
    await policy(town, ladder(Step((DESK,), 30), Step((Target("family:1", SMS),), 60)))
    await town.press("button-1", "1")
    await policy(town, ladder(Step((DESK,), 900)))
    await town.change("DELETE FROM person_contact WHERE contact_id = 'c-mei'")
    await town.later(seconds=31)
    assert town.phones.got == [(START + timedelta(seconds=30), JUN.recipient, "ring")]
    incident = await town.incident()
    assert len(incident["ladder"]["steps"]) == 2

    await town.desk(Verb.RESOLVE, incident["incident_id"])
    await town.later(hours=25)
    await town.press("button-1", "2")
    assert [len(i["ladder"]["steps"]) for i in await town.incidents()] == [1]


async def test_the_persons_own_policy_goes_before_the_areas(town: Town) -> None:
    await policy(town, ladder(Step((Target("nearest", SMS),), 60)), "area")
    await policy(town, ladder(Step((Target("family:2", SMS),), 60)), "annas", person_id="anna")
    await town.press("button-1", "1")
    await town.press("button-2", "1")
    told = {row["person_id"]: row["ladder"]["name"] for row in await town.incidents()}
    assert told == {"anna": "annas", "bo": "area"}
    assert town.phones.of(JUN.recipient) == ["ring"]


async def test_what_becomes_urgent_climbs_the_urgent_ladder(town: Town) -> None:
    """A request for help has a slow ladder of the area's own; the emergency press that joins it
    has the fast one, with the reason in the log."""
    await policy(town, ladder(Step((DESK,), 900)), "slow", priority="medium")
    await policy(town, ladder(Step((DESK,), 20), Step((DESK,), 20)), "fast", priority="high")
    await town.press("button-1", "1", action="help")
    await town.later(seconds=10)
    await town.press("button-1", "2", action="emergency")
    incident = await town.incident()
    assert (incident["priority"], incident["ladder"]["name"]) == ("high", "fast")
    assert ("alarm", "raises_priority") in await town.log()


async def test_a_week_without_an_answer_stays_loud_and_writes_little(town: Town) -> None:
    """Complaint 6. Every minute for a week: the desk rings ten thousand times, from one row that
    counts."""
    await policy(town, ladder(Step((DESK,), 60)))
    await town.press("button-1", "1")
    for _ in range(130):
        await town.later(minutes=1)
    incident = await town.incident()
    assert incident["repeats"] == 130
    assert len(town.rings()) == 131
    rows = await town.rows("SELECT repeats FROM notification WHERE kind = 'ring'")
    assert [row["repeats"] for row in rows] == [130]
    written = [entry.get("repeats") for entry in await climbs(town)]
    assert written == [None, 1, 2, 4, 8, 16, 32, 64, 128]


async def test_family_is_not_woken_at_night_for_a_weak_battery(town: Town) -> None:
    """Quiet hours let a notice of low priority wait for the morning; a press never waits."""
    night = QuietHours(from_min=0, until_min=1439)
    own = ladder(Step((DESK, Target("family:1", SMS)), 600), quiet_hours=night)
    await policy(town, own)
    await policy(town, own, "batteries", category="technical")
    await town.press("button-1", "1")
    assert town.phones.of(MEI.recipient) == ["ring"], "a person is never kept waiting"
    await town.change("INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state,"
        " category, priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at, person_id, premises_id, ladder) SELECT 'low', area_id, 'device',"
        " 'band-1', 'raised', 'technical', 'low', 'battery_low', %s, %s, 1, 0, false, 1, %s,"
        " 'anna', 'home-1', ladder FROM incident LIMIT 1", START, START, START)  # fmt: skip
    await town.later(seconds=1)
    assert town.phones.of(MEI.recipient) == ["ring"]
    assert {"who": "family:1", "reason": "quiet_hours"} in (await climbs(town))[-1]["nobody"]


async def test_two_people_at_one_address_are_shown_together(town: Town) -> None:
    """Bo visits Anna and presses there: two incidents, because two people need help, and the second
    points to the first."""
    await town.change("UPDATE device SET premises_id = 'home-1' WHERE device_id = 'button-2'")
    town.register.put(
        "device",
        {"device_id": "button-2", "area_id": "city", "premises_id": "home-1", "person_id": "bo",
         "kind": "button", "label": "", "secret_sha256": "00" * 32, "revoked": False},
    )  # fmt: skip
    await town.press("button-1", "1")
    await town.later(seconds=5)
    await town.press("button-2", "1")
    first, second = await town.incidents()
    assert (first["same_address"], second["same_address"]) == (None, first["incident_id"])
    assert ("alarm", "same_address") in await town.log()
    last = [m["incident"] for m in town.said(topics.DESK_ANNOUNCE) if m["type"] == "incident"][-1]
    assert last["same_address"] == first["incident_id"]
