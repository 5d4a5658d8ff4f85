"""The life of an incident: one table, from which nothing departs."""

from collections.abc import Iterable

import pytest

from alerts import diagram
from alerts.alarm import Category, Flag, Priority
from alerts.errors import IllegalTransition
from alerts.grouping import group
from alerts.incident import (
    HUMAN_OUTCOMES,
    TRANSITIONS,
    Event,
    Incident,
    Outcome,
    State,
    incident_id,
    joined_by,
    next_state,
    opened_by,
)
from schemas.alarms import PressAction
from tests.scenes import START, alarm

EVERY_PAIR = [(state, event) for state in State for event in Event]


def incident_in(state: State, category: Category = Category.PERSONAL) -> Incident:
    return opened_by(alarm(category=category), START, state=state)


def reachable_from(starts: Iterable[State]) -> set[State]:
    found, waiting = set(starts), list(starts)
    while waiting:
        state = waiting.pop()
        for (before, _), after in TRANSITIONS.items():
            if before is state and after not in found:
                found.add(after)
                waiting.append(after)
    return found


@pytest.mark.parametrize(("state", "event"), EVERY_PAIR)
@pytest.mark.parametrize("category", Category)
def test_what_is_not_in_the_table_is_refused(
    state: State, event: Event, category: Category
) -> None:
    incident = incident_in(state, category)
    allowed = (state, event) in TRANSITIONS
    if event is Event.CLEAR and category is not Category.TECHNICAL:
        allowed = False
    if allowed:
        assert next_state(incident, event) is TRANSITIONS[(state, event)]
        return
    with pytest.raises(IllegalTransition):
        next_state(incident, event)
    assert incident == incident_in(state, category)


def test_every_state_is_reachable_and_every_open_one_can_be_resolved() -> None:
    assert reachable_from([State.CHECKING, State.RAISED]) == set(State)
    for state in set(State) - {State.RESOLVED}:
        assert TRANSITIONS[(state, Event.RESOLVE)] is State.RESOLVED
        assert State.RESOLVED in reachable_from([state])


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.TECHNICAL}))
def test_only_humans_resolve_what_concerns_a_person(category: Category) -> None:
    """The person while being asked, a dispatcher later; never the hub by itself."""
    resolving = set()
    for state, event in EVERY_PAIR:
        try:
            after = next_state(incident_in(state, category), event)
        except IllegalTransition:
            continue
        if after is State.RESOLVED:
            resolving.add((state, event))
    by_dispatcher = {(s, Event.RESOLVE) for s in set(State) - {State.RESOLVED}}
    assert resolving == by_dispatcher | {(State.CHECKING, Event.WITHDRAW)}


def test_no_human_may_choose_the_outcomes_of_the_table() -> None:
    assert {Outcome.CLEARED, Outcome.WITHDRAWN}.isdisjoint(HUMAN_OUTCOMES)


def test_a_new_incident_is_due_at_once_and_named_after_its_first_alarm() -> None:
    first = alarm(7)
    incident = opened_by(first, START)
    assert incident.id == incident_id(first.id)
    assert incident.open
    assert incident.next_deadline_at == START


def test_a_further_alarm_raises_again_at_the_higher_priority() -> None:
    medium = alarm(1, action=PressAction.HELP, priority=Priority.MEDIUM)
    incident = joined_by(opened_by(medium, START), alarm(2), START)
    assert (incident.priority, incident.alarm_count) == (Priority.HIGH, 2)
    lower = joined_by(incident, medium, START)
    assert lower.priority is Priority.HIGH


def test_a_persons_alarm_makes_a_technical_incident_theirs() -> None:
    """It may no longer clear by itself."""
    silent = alarm(1, kind="device_silent", category=Category.TECHNICAL, action=None)
    joined = joined_by(opened_by(silent, START), alarm(2), START)
    assert joined.category is Category.PERSONAL
    with pytest.raises(IllegalTransition):
        next_state(joined, Event.CLEAR)


def test_duress_makes_the_incident_silent_for_good() -> None:
    forced = alarm(2, action=PressAction.CANCEL, flags=(Flag.DURESS,))
    incident = joined_by(opened_by(alarm(1), START), forced, START)
    assert incident.silent
    assert joined_by(incident, alarm(3), START).silent


def test_only_while_being_asked_does_a_cancel_withdraw() -> None:
    cancel = alarm(2, action=PressAction.CANCEL)
    asked = group(cancel, incident_in(State.CHECKING), None, START).incident
    assert asked is not None
    assert (asked.state, asked.outcome) == (State.RESOLVED, Outcome.WITHDRAWN)
    assert asked.next_deadline_at is None
    for state in (State.RAISED, State.ACKNOWLEDGED, State.ATTENDED):
        before = incident_in(state)
        noted = group(cancel, before, None, START).incident
        assert noted is not None
        assert (noted.state, noted.next_deadline_at) == (state, before.next_deadline_at)


def test_the_committed_diagram_is_drawn_from_the_table() -> None:
    assert diagram.PAGE.read_text(encoding="utf-8") == diagram.page()
    assert diagram.main(["--check"]) == 0
