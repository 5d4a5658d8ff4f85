"""Who may do what to an incident, and what it does to the lease."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.actions import FOR_DISPATCHERS, CallResult, Verb, perform
from alerts.errors import AlertsError, IllegalTransition, Incomplete, NotTheirs
from alerts.handoff import HandOffRefused
from alerts.incident import State, opened_by
from alerts.ladders import URGENT
from alerts.responders import RESPONDERS_LIMIT, Actor, ActorKind, Answer, Way
from hub.desk_bus import action_message, read_action
from tests.scenes import LIN, START, WU, action, alarm

MEI = Actor(ActorKind.CONTACT, "c-1", "Mei")
COUNTS = replace(URGENT, responder_stops_ladder=True)
RAISED = opened_by(alarm(), START)
HELD = perform(RAISED, action(Verb.ACKNOWLEDGE, RAISED.id, START), URGENT)


@pytest.mark.parametrize("verb", sorted(FOR_DISPATCHERS))
def test_whoever_goes_there_does_not_run_the_case(verb: Verb) -> None:
    with pytest.raises(NotTheirs):
        perform(RAISED, action(verb, RAISED.id, START, by=MEI, how=Way.LINK), URGENT)


def test_a_contact_who_acknowledges_is_going() -> None:
    going = perform(RAISED, action(Verb.ACKNOWLEDGE, RAISED.id, START, by=MEI), URGENT)
    assert (going.state, going.owner) == (State.RAISED, None)
    assert [(r.who, r.answer) for r in going.responders] == [(MEI, Answer.GOING)]
    held = perform(RAISED, action(Verb.ACKNOWLEDGE, RAISED.id, START, by=MEI), COUNTS)
    assert (held.state, held.owner, held.who_comes) == (State.ACKNOWLEDGED, None, "Mei")


def test_a_dispatcher_joins_what_only_a_responder_holds() -> None:
    held = perform(RAISED, action(Verb.GOING, RAISED.id, START, by=MEI), COUNTS)
    owned = perform(held, action(Verb.ACKNOWLEDGE, RAISED.id, START), COUNTS)
    assert (owned.owner, owned.state) == (LIN, State.ACKNOWLEDGED)


def test_a_responders_word_keeps_the_owners_lease_until_they_are_there() -> None:
    late = action(Verb.GOING, RAISED.id, START, by=MEI, expected_arrival_s=5000)
    assert perform(HELD, late, URGENT).next_deadline_at == START + timedelta(seconds=5000)
    soon = action(Verb.GOING, RAISED.id, START, by=MEI, expected_arrival_s=5)
    assert perform(HELD, soon, URGENT).next_deadline_at == HELD.next_deadline_at


def test_progress_of_the_owner_after_escalating_keeps_the_rung_due() -> None:
    """The next rung is wanted and the database is slow: a note must not swallow it."""
    at = START + timedelta(seconds=60)
    wanted = perform(HELD, action(Verb.ESCALATE, RAISED.id, at), URGENT)
    assert (wanted.next_deadline_at, wanted.lease_until) == (at, HELD.next_deadline_at)
    noted = perform(wanted, action(Verb.NOTE, RAISED.id, at, number=2, note="no answer"), URGENT)
    assert noted.next_deadline_at == at
    assert noted.lease_until == at + timedelta(seconds=URGENT.acknowledged_lease_s)


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        (Verb.NOTE, Incomplete),
        (Verb.CALL, Incomplete),
        (Verb.HAND_OFF, Incomplete),
        (Verb.ADD_RESPONDER, Incomplete),
        (Verb.REOPEN, IllegalTransition),
        (Verb.RELEASE, IllegalTransition),
    ],
)
def test_what_makes_no_sense_is_refused(verb: Verb, error: type[AlertsError]) -> None:
    with pytest.raises(error):
        perform(RAISED, action(verb, RAISED.id, START), URGENT)


def test_a_hand_off_names_a_service_that_exists() -> None:
    with pytest.raises(HandOffRefused, match="ambulance, fire, police"):
        perform(HELD, action(Verb.HAND_OFF, RAISED.id, START, service="911"), URGENT)


def test_nobody_hears_that_somebody_comes_whose_lease_has_lapsed() -> None:
    assert (HELD.who_comes, HELD.free) == (LIN.name, False)
    lapsed = replace(HELD, state=State.RAISED, lease_until=None)
    assert lapsed.owner is not None
    assert (lapsed.who_comes, lapsed.free) == (None, True)


def test_taking_over_what_one_has_changes_nothing() -> None:
    assert perform(HELD, action(Verb.TAKE_OVER, RAISED.id, START), URGENT) is HELD
    taken = perform(HELD, action(Verb.TAKE_OVER, RAISED.id, START, by=WU), URGENT)
    assert (taken.owner, taken.acknowledged_at) == (WU, HELD.acknowledged_at)


def test_responders_are_bounded_and_each_is_there_once() -> None:
    incident = RAISED
    for number in range(RESPONDERS_LIMIT + 5):
        who = Actor(ActorKind.RESPONDER, f"r-{number % (RESPONDERS_LIMIT + 3)}", "Chen")
        incident = perform(incident, action(Verb.GOING, RAISED.id, START, by=who), URGENT)
    assert len(incident.responders) == RESPONDERS_LIMIT


def test_the_bus_carries_an_action_whole() -> None:
    deed = action(
        Verb.ADD_RESPONDER, RAISED.id, START, by=LIN, whom=MEI, expected_arrival_s=0,
        note="has a key", service="120", reference="7", result=CallResult.REFUSED,
    )  # fmt: skip
    assert read_action(action_message(deed, "city")) == deed
