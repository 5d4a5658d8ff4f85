"""What a human can do to an incident, and what two humans can do at once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.actions import MAX_NOTE_LENGTH, Verb, perform
from alerts.errors import AlreadyOwned, IllegalTransition, OutcomeMissing
from alerts.incident import HUMAN_OUTCOMES, Incident, Outcome, State, opened_by
from alerts.ladders import URGENT
from tests.scenes import LIN, START, WU, action, alarm

RAISED = opened_by(alarm(), START)
ACKNOWLEDGED = perform(RAISED, action(Verb.ACKNOWLEDGE, RAISED.id, START), URGENT)
ATTENDED = perform(ACKNOWLEDGED, action(Verb.ATTEND, RAISED.id, START), URGENT)
RESOLVED = perform(ATTENDED, action(Verb.RESOLVE, RAISED.id, START), URGENT)


def test_acknowledging_is_taking_responsibility_for_a_while() -> None:
    assert (ACKNOWLEDGED.state, ACKNOWLEDGED.owner) == (State.ACKNOWLEDGED, LIN)
    assert ACKNOWLEDGED.next_deadline_at == START + timedelta(seconds=URGENT.acknowledged_lease_s)


def test_the_person_is_told_when_somebody_is_expected() -> None:
    asked = action(Verb.ACKNOWLEDGE, RAISED.id, START, expected_arrival_s=600)
    assert perform(RAISED, asked, URGENT).expected_at == START + timedelta(minutes=10)


@pytest.mark.parametrize("incident", [ACKNOWLEDGED, ATTENDED])
def test_two_at_once_one_has_it_the_other_is_told(incident: Incident) -> None:
    with pytest.raises(AlreadyOwned, match="Lin has it"):
        perform(incident, action(Verb.ACKNOWLEDGE, RAISED.id, START, by=WU), URGENT)


def test_attending_twice_changes_nothing() -> None:
    again = action(Verb.ATTEND, RAISED.id, START + timedelta(seconds=1), number=2)
    assert perform(ATTENDED, again, URGENT) is ATTENDED


@pytest.mark.parametrize("incident", [ACKNOWLEDGED, ATTENDED])
def test_the_owner_who_acknowledges_again_prolongs_the_lease(incident: Incident) -> None:
    """And nothing else: whose it is and since when stays."""
    again = action(Verb.ACKNOWLEDGE, RAISED.id, START + timedelta(seconds=90), number=2)
    after = perform(incident, again, URGENT)
    lease_s = {State.ACKNOWLEDGED: 600, State.ATTENDED: 3600}[incident.state]
    assert after.next_deadline_at == START + timedelta(seconds=90 + lease_s)
    unchanged = replace(
        after, next_deadline_at=incident.next_deadline_at, revision=incident.revision
    )
    assert unchanged == incident


def test_an_announced_arrival_is_waited_for() -> None:
    coming = action(Verb.ACKNOWLEDGE, RAISED.id, START, expected_arrival_s=1800)
    taken = perform(RAISED, coming, URGENT)
    assert taken.expected_at == taken.next_deadline_at == START + timedelta(seconds=1800)


def test_after_a_lapse_another_may_take_it() -> None:
    lapsed = replace(ACKNOWLEDGED, state=State.RAISED)
    taken = perform(lapsed, action(Verb.ACKNOWLEDGE, RAISED.id, START, by=WU), URGENT)
    assert taken.owner == WU


@pytest.mark.parametrize("incident", [RAISED, ACKNOWLEDGED, ATTENDED])
@pytest.mark.parametrize("outcome", sorted(HUMAN_OUTCOMES))
def test_a_human_resolves_with_an_outcome(incident: Incident, outcome: Outcome) -> None:
    done = perform(incident, action(Verb.RESOLVE, RAISED.id, START, outcome=outcome), URGENT)
    assert (done.state, done.outcome, done.resolved_at) == (State.RESOLVED, outcome, START)
    assert done.next_deadline_at is None
    assert done.owner == LIN


@pytest.mark.parametrize("outcome", [None, Outcome.CLEARED, Outcome.WITHDRAWN])
def test_without_a_humans_outcome_nothing_is_resolved(outcome: Outcome | None) -> None:
    with pytest.raises(OutcomeMissing):
        perform(RAISED, action(Verb.RESOLVE, RAISED.id, START, outcome=outcome), URGENT)


@pytest.mark.parametrize(
    "verb", sorted(set(Verb) - {Verb.REOPEN, Verb.NOTE, Verb.HAND_OFF, Verb.CALL})
)
def test_a_resolved_incident_stays_resolved_until_a_human_reopens_it(verb: Verb) -> None:
    with pytest.raises(IllegalTransition, match="resolved"):
        perform(RESOLVED, action(verb, RAISED.id, START, number=2), URGENT)


def test_who_attends_without_acknowledging_has_it() -> None:
    attended = perform(RAISED, action(Verb.ATTEND, RAISED.id, START, by=WU), URGENT)
    assert (attended.owner, attended.acknowledged_at) == (WU, START)
    assert attended.next_deadline_at == START + timedelta(seconds=URGENT.attended_lease_s)


def test_who_attends_after_a_lapse_has_it() -> None:
    """The one whose responsibility lapsed is not named for what another did."""
    lapsed = replace(ACKNOWLEDGED, state=State.RAISED)
    attended = perform(lapsed, action(Verb.ATTEND, RAISED.id, START, by=WU), URGENT)
    assert attended.owner == WU


def test_notes_are_kept_one_under_the_other_up_to_a_page() -> None:
    attended = perform(
        ACKNOWLEDGED, action(Verb.ATTEND, RAISED.id, START, note="door open"), URGENT
    )
    done = perform(attended, action(Verb.RESOLVE, RAISED.id, START, note="to hospital"), URGENT)
    assert done.note == "door open\nto hospital"
    endless = action(Verb.RESOLVE, RAISED.id, START, note="x" * (2 * MAX_NOTE_LENGTH))
    assert len(perform(attended, endless, URGENT).note or "") == MAX_NOTE_LENGTH
