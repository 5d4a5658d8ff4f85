"""When the fallback contact is called from memory, and who that is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.actions import Verb, perform
from alerts.alarm import Category, Priority
from alerts.fallback import (
    Times,
    Wait,
    Why,
    begun,
    fallback_steps,
    judge,
    offset_s,
    step_of,
    with_actions,
)
from alerts.incident import Incident, State, joined_by, opened_by
from alerts.ladders import PROMPT, TECHNICAL, URGENT, ladder_of
from alerts.policy import ChannelName
from hub.fallback_contacts import Contact, read_contacts
from tests.scenes import START, action, alarm

TIMES = Times(after_s=30, again_s=60)


def incident(**changes: object) -> Incident:
    return replace(opened_by(alarm(), START), **changes)  # type: ignore[arg-type]


def verdict(
    case: Incident, at_s: float, wait: Wait | None = None, *, recorded: bool = False,
    away: bool = True,
) -> Why:  # fmt: skip
    now = START + timedelta(seconds=at_s)
    return judge(case, wait or begun(case), TIMES, now, recorded=recorded, away=away)


def test_the_contact_is_called_on_the_rungs_of_its_ladder() -> None:
    steps = fallback_steps(URGENT)
    offsets = [offset_s(URGENT, rung, TIMES) for rung in range(1, len(steps) + 3)]
    assert offsets[0] == 30, "an unaccepted SOS reaches the next tier after 30 s"
    assert offsets == sorted(set(offsets)), "and again and again"
    assert offsets[-1] - offsets[-2] == URGENT.steps[-1].wait_s
    assert offset_s(PROMPT, 1, TIMES) == 300
    assert [offset_s(TECHNICAL, rung, TIMES) for rung in (1, 2, 3)] == [30, 90, 150]
    assert step_of(URGENT, 99) == steps[-1]
    assert step_of(TECHNICAL, 1) == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, Why.CALLED),
        ({"category": Category.TECHNICAL}, Why.NOT_OURS),
        ({"priority": Priority.LOW}, Why.NOT_OURS),
        ({"state": State.CHECKING}, Why.ASKING),
        ({"state": State.RESOLVED}, Why.TAKEN),
        ({"category": Category.PHYSIOLOGICAL, "priority": Priority.MEDIUM}, Why.NOT_YET),
    ],
)
def test_who_is_called_for_after_half_a_minute(changes: dict[str, object], why: Why) -> None:
    assert verdict(incident(**changes), 30) is why


def test_nobody_is_called_before_and_the_ladder_itself_where_it_can_climb() -> None:
    case = incident()
    assert verdict(case, 29.9) is Why.NOT_YET
    assert verdict(case, 300, recorded=True, away=False) is Why.CLIMBS
    assert verdict(case, 300, recorded=True, away=True) is Why.CALLED
    assert verdict(case, 300, recorded=False, away=False) is Why.CALLED, "not in the database"


def test_pressing_again_and_again_does_not_put_the_call_off() -> None:
    case, wait = incident(), begun(incident())
    for seconds in range(5, 30, 5):
        case = joined_by(case, alarm(seconds), START + timedelta(seconds=seconds))
    assert verdict(case, 30, wait) is Why.CALLED


def test_a_ladder_that_was_under_way_goes_on_where_it_stood() -> None:
    second = fallback_steps(URGENT)[0]
    due_at = START + timedelta(seconds=sum(step.wait_s for step in URGENT.steps[:second]))
    case = incident(step=second, next_deadline_at=due_at)
    assert begun(case) == Wait(START, rungs=1), "it rang the contact once"
    assert verdict(case, offset_s(URGENT, 2, TIMES) - 1, recorded=True) is Why.NOT_YET
    assert verdict(case, offset_s(URGENT, 2, TIMES), recorded=True) is Why.CALLED


def test_an_action_that_waits_counts_and_one_that_will_be_refused_does_not() -> None:
    case = incident()
    taken = with_actions(case, [action(Verb.ACKNOWLEDGE, case.id, START)])
    assert verdict(taken, 60) is Why.TAKEN
    resolved = perform(case, action(Verb.RESOLVE, case.id, START), ladder_of(case))
    assert with_actions(resolved, [action(Verb.ATTEND, case.id, START)]) is resolved


def test_a_lease_that_ran_out_without_a_database_calls_too() -> None:
    case = incident()
    taken = with_actions(case, [action(Verb.ACKNOWLEDGE, case.id, START)])
    lease_s = ladder_of(case).acknowledged_lease_s
    assert verdict(taken, lease_s - 1) is Why.TAKEN
    assert verdict(taken, lease_s + 29) is Why.NOT_YET
    assert verdict(taken, lease_s + 30) is Why.CALLED


AREAS = {
    "east-1": {"parent_id": "east"},
    "east": {"parent_id": "city"},
    "loop": {"parent_id": "loop"},
}


def test_an_area_has_its_own_contacts_or_those_above_it() -> None:
    contacts = read_contacts(
        "east=https://e.example/hook,tel:+86-543-12349; north=sms:13800000000",
        "https://all.example",
    )
    east = (
        Contact(ChannelName.WEBHOOK, "https://e.example/hook"),
        Contact(ChannelName.VOICE, "+86-543-12349"),
    )
    everywhere = (Contact(ChannelName.WEBHOOK, "https://all.example"),)
    assert contacts.of("east-1", AREAS) == contacts.of("east", AREAS) == east
    assert contacts.of("north", AREAS) == (Contact(ChannelName.SMS, "13800000000"),)
    assert contacts.of("city", AREAS) == contacts.of("unknown", AREAS) == everywhere
    assert contacts.of("loop", AREAS) == everywhere
    assert read_contacts("", "").of("east", AREAS) == ()
