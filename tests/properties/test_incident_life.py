"""Whatever happens to an incident, in whatever order: it stays true and never falls silent."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.actions import CallResult, Verb, perform
from alerts.alarm import Alarm, Bearing, Category, Flag, Priority
from alerts.errors import AlertsError
from alerts.escalation import Reason, decide
from alerts.grouping import group, over
from alerts.incident import (
    HUMAN_OUTCOMES,
    Incident,
    Outcome,
    Owner,
    State,
    opened_by,
)
from alerts.ladders import ladder_of
from alerts.policy import ChannelName
from alerts.responders import RESPONDERS_LIMIT, Actor, ActorKind, Answer
from alerts.selection import Roster
from schemas.alarms import PressAction
from tests.scenes import LIN, START, WU, action, alarm


@dataclass(frozen=True, slots=True)
class Deed:
    """What a human tries."""

    verb: Verb
    by: Owner | Actor
    outcome: Outcome
    whom: Actor | None
    expected_arrival_s: int | None
    stops_ladder: bool
    """Whether the policy counts a responder's word."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What a detector says of its own earlier claim."""

    alone: bool
    technical: bool


Happening = Alarm | Deed | TakenBack | frozenset[ChannelName]

CHANNELS = st.frozensets(st.sampled_from(ChannelName))
PAUSES_S = st.sampled_from([0, 1, 29, 30, 61, 600, 3600, 7200])
ALARMS = st.builds(
    alarm,
    number=st.integers(1, 9),
    action=st.sampled_from([None, *PressAction]),
    category=st.sampled_from(Category),
    priority=st.sampled_from(Priority),
    flags=st.sampled_from([(), (Flag.DURESS,), (Flag.LATE,)]),
    ends_hazard=st.booleans(),
    ask_s=st.sampled_from([0, 0, 30, 1800]),
    bearing=st.sampled_from(Bearing),
)
MEI = Actor(ActorKind.CONTACT, "c-1", "Mei")
CHEN = Actor(ActorKind.RESPONDER, "r-1", "Chen")
PEOPLE = st.sampled_from([MEI, CHEN])
DEEDS = st.builds(
    Deed,
    st.sampled_from(Verb),
    st.sampled_from([LIN, LIN, WU, MEI, CHEN]),
    st.sampled_from(Outcome),
    st.none() | PEOPLE,
    st.sampled_from([None, 60, 3600]),
    st.booleans(),
)
OVERS = st.builds(TakenBack, st.booleans(), st.booleans())
LIVES = st.lists(st.tuples(PAUSES_S, ALARMS | DEEDS | CHANNELS | OVERS), max_size=25)
"""A set of channels: the ladder looks."""


def check(incident: Incident) -> None:
    """What holds of every incident at any time."""
    assert incident.open == (incident.next_deadline_at is not None)
    assert incident.open == (incident.outcome is None)
    assert incident.open == (incident.resolved_at is None)
    if incident.held:
        answers = {each.answer for each in incident.responders}
        assert incident.owner is not None or answers & {Answer.GOING, Answer.ARRIVED}
    assert incident.lease_until is None or incident.held
    assert len(incident.responders) <= RESPONDERS_LIMIT
    assert len({each.who.recipient for each in incident.responders}) == len(incident.responders)
    if incident.outcome is Outcome.CLEARED:
        assert incident.category is Category.TECHNICAL
    if incident.outcome in HUMAN_OUTCOMES:
        assert incident.owner is not None


def climbed(incident: Incident, now: datetime, reachable: frozenset[ChannelName]) -> Incident:
    """The ladder looks: it leaves a deadline in the future, and says whom it told."""
    decision = decide(incident, ladder_of(incident), now, Roster(reachable=reachable))
    if decision.incident.open:
        assert decision.incident.next_deadline_at is not None
        assert decision.incident.next_deadline_at > now
    due = decision.reason not in (Reason.NOT_DUE, Reason.RESOLVED)
    assert bool(decision.told or decision.nobody) == due
    return decision.incident


def happened(incident: Incident, now: datetime, what: Happening) -> Incident:
    """The incident after it, or an AlertsError."""
    match what:
        case Alarm():
            return group(what, incident, None, now).incident or incident
        case Deed():
            deed = action(
                what.verb,
                incident.id,
                now,
                by=what.by,
                outcome=what.outcome,
                whom=what.whom,
                expected_arrival_s=what.expected_arrival_s,
                note="seen",
                service="120",
                result=CallResult.NO_REPLY,
            )
            ladder = replace(ladder_of(incident), responder_stops_ladder=what.stops_ladder)
            return perform(incident, deed, ladder)
        case TakenBack(alone=alone, technical=technical):
            grouping = over(incident, now, its_own=True, alone=alone, technical=technical)
            return grouping.incident or incident
        case _:
            return climbed(incident, now, what)


@given(first=ALARMS, asked=st.booleans(), life=LIVES)
def test_no_life_falls_silent(first: Alarm, asked: bool, life: list[tuple[int, Happening]]) -> None:
    state = State.CHECKING if asked else State.RAISED
    incident, now = opened_by(first, START, state=state), START
    for pause_s, what in life:
        now += timedelta(seconds=pause_s)
        if not incident.open and isinstance(what, Alarm):
            continue  # a closed case is never asked about an alarm
        before = incident
        try:
            incident = happened(before, now, what)
        except AlertsError:
            assert incident == before
        check(incident)
        if before.open and not incident.open and incident.outcome in HUMAN_OUTCOMES:
            assert isinstance(what, Deed), "only a human resolves"
            assert what.by in (LIN, WU), "and a dispatcher"
        if incident.open and not before.open:
            assert isinstance(what, Deed), "only a human reopens"
        if incident.outcome is Outcome.WITHDRAWN and before.open:
            assert before.state is State.CHECKING, "once raised, only a human closes it"
        if before.state is not State.CHECKING:
            assert incident.state is not State.CHECKING, "nobody is asked once somebody is called"
        assert incident == before or incident.revision > before.revision
        assert incident.silent >= before.silent
