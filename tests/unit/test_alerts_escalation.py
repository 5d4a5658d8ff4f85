"""The ladder never stops."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError
from alerts.escalation import Decision, Reason, decide
from alerts.incident import Incident, State, opened_by
from alerts.ladders import FAULT, HAZARD, NOT_SERVED, PROMPT, TECHNICAL, URGENT, shipped_for
from alerts.policy import (
    DISPATCHERS,
    EMERGENCY_SERVICE,
    FALLBACK_CONTACT,
    ChannelName,
    Policy,
    Step,
    Target,
)
from alerts.selection import Nobody, Recipient, Roster, Unreached
from tests.scenes import START, alarm

DESK_ONLY = Roster(reachable=frozenset({ChannelName.DESK}))
DESK = Target(DISPATCHERS)
FALLBACK = Target(FALLBACK_CONTACT, (ChannelName.WEBHOOK,))
AT_DESKS = Recipient(DISPATCHERS, (ChannelName.DESK,))
AT_FALLBACK = Recipient(FALLBACK_CONTACT, (ChannelName.WEBHOOK,))


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
    story = climbed(opened_by(alarm(), START), 7)
    seconds = [(now - START).total_seconds() for now, _ in story]
    assert seconds == [0, 30, 60, 120, 180, 240, 300]
    assert [decision.reason for _, decision in story] == [
        Reason.FIRST_STEP,
        Reason.NEXT_STEP,
        Reason.NEXT_STEP,
        Reason.NEXT_STEP,
        Reason.NEXT_STEP,
        Reason.LAST_STEP_REPEATED,
        Reason.LAST_STEP_REPEATED,
    ]
    assert [decision.told for _, decision in story[:2]] == [(AT_DESKS,), (AT_DESKS, AT_FALLBACK)]
    assert all(decision.told for _, decision in story)


def test_before_the_deadline_nothing_happens() -> None:
    incident = replace(opened_by(alarm(), START), next_deadline_at=START + timedelta(seconds=1))
    decision = decide(incident, URGENT, START)
    assert (decision.incident, decision.told) == (incident, ())
    assert decision.reason is Reason.NOT_DUE


def test_rungs_that_reach_nobody_are_passed_at_once_and_recorded() -> None:
    webhook = Step((FALLBACK,), wait_s=300)
    policy = Policy((webhook, webhook, Step((DESK,), wait_s=45)), 60, 60)
    decision = decide(opened_by(alarm(), START), policy, START, DESK_ONLY)
    assert decision.told == (AT_DESKS,)
    assert decision.nobody == (Unreached(FALLBACK_CONTACT, Nobody.NO_CHANNEL),)
    assert decision.incident.step == 3
    assert decision.incident.next_deadline_at == START + timedelta(seconds=45)


def test_where_no_channel_reaches_anybody_the_ladder_still_goes_on() -> None:
    incident = opened_by(alarm(), START)
    for _ in range(5):
        now = incident.next_deadline_at or START
        decision = decide(incident, URGENT, now, Roster(reachable=frozenset()))
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
    assert (decision.incident.step, decision.told) == (1, (AT_DESKS,))


def test_a_person_who_does_not_answer_is_raised() -> None:
    decision = decide(opened_by(alarm(), START, state=State.CHECKING), URGENT, START)
    assert decision.reason is Reason.NO_ANSWER
    assert decision.incident.state is State.RAISED
    assert decision.told


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
        (Step((DESK,), wait_s=30), Step((Target(EMERGENCY_SERVICE),), wait_s=30)),
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
    """An unaccepted SOS reaches the next tier within 60 s."""
    policy = shipped_for(category, priority)
    if priority is not Priority.HIGH and category in (Category.TECHNICAL, Category.PHYSIOLOGICAL):
        assert policy is (TECHNICAL if category is Category.TECHNICAL else PROMPT)
        return
    if (category, priority) == (Category.PERSONAL, Priority.LOW):
        assert policy is NOT_SERVED
        return
    if category is Category.TECHNICAL:
        assert policy is FAULT
        return
    kills = (category, priority) == (Category.HAZARD, Priority.HIGH)
    assert policy is (HAZARD if kills else URGENT)
    assert policy.steps[0].wait_s <= 60
    assert len(policy.steps) > 1


@pytest.mark.parametrize("policy", [FAULT, TECHNICAL], ids=lambda policy: policy.name)
def test_for_what_is_broken_nobody_calls_an_ambulance_or_wakes_a_family(policy: Policy) -> None:
    named = {target.who for step in policy.steps for target in step.targets}
    assert named <= {DISPATCHERS, FALLBACK_CONTACT, "on_duty:second", "on_duty:supervisor"}
