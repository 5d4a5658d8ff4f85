"""The ladder never stops."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError
from alerts.escalation import Decision, Reason, decide
from alerts.incident import Incident, State, opened_by
from alerts.policy import (
    DISPATCHERS,
    FALLBACK_CONTACT,
    NOT_SERVED,
    PROMPT,
    TECHNICAL,
    URGENT,
    ChannelName,
    Policy,
    Step,
    Target,
    policy_for,
)
from tests.scenes import START, alarm

DESK_ONLY = frozenset({ChannelName.DESK})
DESK = Target(ChannelName.DESK, DISPATCHERS)
FALLBACK = Target(ChannelName.WEBHOOK, FALLBACK_CONTACT)


def climbed(
    incident: Incident, times: int, policy: Policy = URGENT
) -> list[tuple[datetime, Decision]]:
    """The ladder when nobody does anything: each deadline in its turn."""
    story = []
    for _ in range(times):
        assert incident.next_deadline_at is not None
        now = incident.next_deadline_at
        decision = decide(incident, policy, now)
        story.append((now, decision))
        incident = decision.incident
    return story


def test_nobody_answers_and_every_rung_comes_in_time_then_the_last_for_ever() -> None:
    story = climbed(opened_by(alarm(), START), 6)
    seconds = [(now - START).total_seconds() for now, _ in story]
    assert seconds == [0, 30, 60, 120, 180, 240]
    assert [decision.reason for _, decision in story] == [
        Reason.FIRST_STEP,
        Reason.NEXT_STEP,
        Reason.NEXT_STEP,
        Reason.LAST_STEP_REPEATED,
        Reason.LAST_STEP_REPEATED,
        Reason.LAST_STEP_REPEATED,
    ]
    assert [decision.targets for _, decision in story[:2]] == [(DESK,), (DESK, FALLBACK)]
    assert all(decision.targets for _, decision in story)


def test_before_the_deadline_nothing_happens() -> None:
    incident = replace(opened_by(alarm(), START), next_deadline_at=START + timedelta(seconds=1))
    decision = decide(incident, URGENT, START)
    assert (decision.incident, decision.targets) == (incident, ())
    assert decision.reason is Reason.NOT_DUE


def test_rungs_that_reach_nobody_are_passed_at_once_and_recorded() -> None:
    webhook = Step((FALLBACK,), wait_s=300)
    policy = Policy((webhook, webhook, Step((DESK,), wait_s=45)), 60, 60)
    decision = decide(opened_by(alarm(), START), policy, START, DESK_ONLY)
    assert decision.targets == (DESK,)
    assert decision.nobody == (FALLBACK, FALLBACK)
    assert decision.incident.step == 3
    assert decision.incident.next_deadline_at == START + timedelta(seconds=45)


def test_where_no_channel_reaches_anybody_the_ladder_still_goes_on() -> None:
    incident = opened_by(alarm(), START)
    for _ in range(5):
        now = incident.next_deadline_at or START
        decision = decide(incident, URGENT, now, frozenset())
        assert decision.nobody
        assert decision.incident.next_deadline_at is not None
        assert decision.incident.next_deadline_at > now
        incident = decision.incident


@pytest.mark.parametrize("state", [State.ACKNOWLEDGED, State.ATTENDED])
def test_a_lease_that_runs_out_rings_again_from_the_first_rung(state: State) -> None:
    incident = replace(opened_by(alarm(), START, state=state), step=2)
    decision = decide(incident, URGENT, START)
    assert decision.reason is Reason.LEASE_LAPSED
    assert decision.incident.state is State.RAISED
    assert (decision.incident.step, decision.targets) == (1, (DESK,))


def test_a_person_who_does_not_answer_is_raised() -> None:
    decision = decide(opened_by(alarm(), START, state=State.CHECKING), URGENT, START)
    assert decision.reason is Reason.NO_ANSWER
    assert decision.incident.state is State.RAISED
    assert decision.targets


def test_what_is_resolved_stays_silent() -> None:
    incident = replace(opened_by(alarm(), START, state=State.RESOLVED), next_deadline_at=None)
    later = START + timedelta(days=1)
    assert decide(incident, URGENT, later) == Decision(incident, (), Reason.RESOLVED)


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Step((), wait_s=30),),
        (Step((DESK,), wait_s=30), Step((), wait_s=30)),
        (Step((DESK,), wait_s=0),),
    ],
)
def test_a_ladder_that_could_fall_silent_is_not_accepted(steps: tuple[Step, ...]) -> None:
    with pytest.raises(PolicyError):
        Policy(steps, 60, 60)


@pytest.mark.parametrize("leases", [(0, 60), (60, 0), (-1, 60)])
def test_a_lease_must_end(leases: tuple[int, int]) -> None:
    with pytest.raises(PolicyError):
        Policy((Step((DESK,), wait_s=30),), *leases)


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("priority", Priority)
def test_every_incident_has_a_ladder(category: Category, priority: Priority) -> None:
    """standards.md: an unaccepted SOS reaches the next tier within 60 s."""
    policy = policy_for(category, priority)
    if priority is not Priority.HIGH and category in (Category.TECHNICAL, Category.PHYSIOLOGICAL):
        assert policy is (TECHNICAL if category is Category.TECHNICAL else PROMPT)
        return
    if (category, priority) == (Category.PERSONAL, Priority.LOW):
        assert policy is NOT_SERVED
        return
    assert policy is URGENT
    assert policy.steps[0].wait_s <= 60
    assert len(policy.steps) > 1
