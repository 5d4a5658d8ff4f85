"""Which incident does an alarm belong to?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerts.alarm import Bearing, Category, Flag, Priority, Subject, SubjectKind
from alerts.grouping import FOLLOW_WITHIN, Cause, Reason, answers, group, home_subject, over
from alerts.incident import Incident, Outcome, State, opened_by
from schemas.alarms import PressAction
from tests.scenes import START, alarm

OPEN = opened_by(alarm(1), START)
OTHER = opened_by(alarm(9), START)


def resolved(hours_ago: float) -> Incident:
    at = START - timedelta(hours=hours_ago)
    return replace(
        OTHER,
        state=State.RESOLVED,
        outcome=Outcome.HELPED,
        resolved_at=at,
        next_deadline_at=None,
    )


def test_the_first_alarm_opens() -> None:
    grouping = group(alarm(1), None, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.OPENED, Cause.RAISED)
    assert grouping.incident is not None
    assert grouping.incident.follows is None


def test_a_press_joins_the_open_incident_and_raises_it() -> None:
    grouping = group(alarm(2), OPEN, resolved(1), START)
    assert (grouping.reason, grouping.cause) == (Reason.JOINED, Cause.REALARMED)
    assert grouping.incident is not None
    assert grouping.incident.id == OPEN.id


@pytest.mark.parametrize(
    ("hours_ago", "reason"), [(0, Reason.FOLLOWS), (24, Reason.FOLLOWS), (24.1, Reason.OPENED)]
)
def test_a_press_after_a_resolve_opens_a_new_one_that_follows(
    hours_ago: float, reason: Reason
) -> None:
    assert timedelta(hours=24) == FOLLOW_WITHIN
    grouping = group(alarm(2), None, resolved(hours_ago), START)
    assert grouping.reason is reason
    assert grouping.incident is not None
    assert grouping.incident.id != OTHER.id
    assert grouping.incident.follows == (OTHER.id if reason is Reason.FOLLOWS else None)


@pytest.mark.parametrize("open_incident", [None, OPEN])
def test_a_test_press_and_raw_motion_touch_no_incident(open_incident: Incident | None) -> None:
    test = alarm(2, action=PressAction.TEST, priority=Priority.LOW)
    assert group(test, open_incident, None, START).incident is None
    assert group(test, open_incident, None, START).reason is Reason.TEST_RECORDED
    motion = alarm(3, kind="motion", action=None, bearing=Bearing.RECORDED)
    assert group(motion, open_incident, None, START).incident is None
    assert group(motion, open_incident, None, START).reason is Reason.MOTION_RECORDED


def test_a_cancel_with_nothing_to_cancel_stands_alone() -> None:
    grouping = group(alarm(2, action=PressAction.CANCEL), None, None, START)
    assert (grouping.incident, grouping.reason) == (None, Reason.CANCEL_ALONE)


def test_a_cancel_after_the_raise_is_only_noted() -> None:
    grouping = group(alarm(2, action=PressAction.CANCEL), OPEN, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.CANCEL_NOTED, Cause.NOTED)


def test_a_cancel_under_duress_rings_like_a_press() -> None:
    forced = alarm(2, action=PressAction.CANCEL, flags=(Flag.DURESS,))
    assert group(forced, OPEN, None, START).cause is Cause.REALARMED
    alone = group(forced, None, None, START)
    assert alone.cause is Cause.RAISED
    assert alone.incident is not None
    assert alone.incident.silent


def test_the_end_of_a_hazard_is_noted_and_a_human_decides() -> None:
    end = alarm(2, kind="hazard", category=Category.HAZARD, action=None, ends_hazard=True)
    grouping = group(end, OPEN, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.HAZARD_ENDED, Cause.NOTED)
    assert grouping.incident is not None
    assert grouping.incident.open
    assert group(end, None, None, START).incident is None


def asked(ask_s: int = 30, **fields: Any) -> Incident:
    """An incident whose person is being asked."""
    found = alarm(1, kind="fall", action=None, ask_s=ask_s, **fields)
    incident = group(found, None, None, START).incident
    assert incident is not None
    assert incident.state is State.CHECKING
    return incident


def test_a_finding_that_asks_opens_in_checking_until_the_answer_is_due() -> None:
    found = alarm(1, kind="fall", action=None, ask_s=30)
    grouping = group(found, None, resolved(1), START)
    assert (grouping.reason, grouping.cause) == (Reason.ASKED, Cause.CHECKING)
    assert grouping.incident is not None
    assert grouping.incident.next_deadline_at == START + timedelta(seconds=30)
    assert grouping.incident.follows == OTHER.id


@pytest.mark.parametrize(("ask_s", "due_s"), [(10, 15), (1800, 30)])
def test_a_further_sign_never_gives_the_person_longer(ask_s: int, due_s: int) -> None:
    sign = alarm(2, kind="inactivity", action=None, ask_s=ask_s, priority=Priority.MEDIUM)
    grouping = group(sign, asked(), None, START + timedelta(seconds=5))
    assert (grouping.reason, grouping.cause) == (Reason.ASKED_ALREADY, Cause.CHECKING)
    assert grouping.incident is not None
    assert grouping.incident.next_deadline_at == START + timedelta(seconds=due_s)
    assert grouping.incident.priority is Priority.HIGH


def test_a_finding_that_does_not_ask_raises_what_was_only_asked() -> None:
    sure = alarm(2, kind="inactivity", action=None)
    grouping = group(sure, asked(1800), None, START)
    assert grouping.incident is not None
    assert grouping.incident.state is State.RAISED


def test_a_reminder_is_noted_and_rings_only_where_nobody_has_it() -> None:
    reminder = alarm(2, kind="hazard", action=None, bearing=Bearing.REMINDS)
    assert group(reminder, OPEN, None, START).reason is Reason.STILL_HOLDS
    assert group(reminder, OPEN, None, START).cause is Cause.NOTED
    assert group(reminder, None, None, START).cause is Cause.RAISED


@pytest.mark.parametrize("state", sorted(set(State) - {State.RESOLVED, State.CHECKING}))
def test_what_a_machine_takes_back_after_the_raise_is_a_note(state: State) -> None:
    raised = replace(OPEN, state=state)
    grouping = over(raised, START, its_own=True, alone=True, technical=False)
    assert grouping.reason is Reason.OVER_NOTED
    assert grouping.incident is not None
    assert grouping.incident.state is state


def test_a_question_is_withdrawn_only_when_nothing_else_holds() -> None:
    grouping = over(asked(), START, its_own=True, alone=True, technical=False)
    assert grouping.reason is Reason.QUESTION_WITHDRAWN
    grouping = over(asked(), START, its_own=True, alone=False, technical=False)
    assert grouping.reason is Reason.OVER_NOTED
    assert over(asked(), START, its_own=False, alone=True, technical=False).incident is None


def test_a_fault_does_not_clear_what_has_become_about_a_person() -> None:
    technical = replace(OPEN, category=Category.TECHNICAL)
    assert over(technical, START, its_own=True, alone=True, technical=True).cause is Cause.RESOLVED
    assert over(OPEN, START, its_own=True, alone=True, technical=True).cause is Cause.NOTED


def test_only_a_press_answers_for_the_home() -> None:
    home = replace(asked(subject=Subject(SubjectKind.PREMISES, "home-1")), person_id=None)
    assert home_subject(alarm(2)) == home.subject
    assert home_subject(alarm(2, kind="fall", action=None)) is None
    assert answers(alarm(2), home)
    assert not answers(alarm(2), replace(home, state=State.RAISED)), "somebody else's"
    raised = replace(home, state=State.RAISED, person_id=alarm(2).person_id)
    assert answers(alarm(2), raised)
