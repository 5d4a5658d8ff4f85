"""Whatever happens to an incident, in whatever order: it stays true and never falls silent."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.actions import Verb, perform
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
from alerts.policy import ChannelName, policy_for
from schemas.alarms import PressAction
from tests.scenes import LIN, START, WU, action, alarm


@dataclass(frozen=True, slots=True)
class Deed:
    """What a dispatcher tries."""

    verb: Verb
    by: Owner
    outcome: Outcome


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
DEEDS = st.builds(Deed, st.sampled_from(Verb), st.sampled_from([LIN, WU]), st.sampled_from(Outcome))
OVERS = st.builds(TakenBack, st.booleans(), st.booleans())
LIVES = st.lists(st.tuples(PAUSES_S, ALARMS | DEEDS | CHANNELS | OVERS), max_size=25)
"""A set of channels: the ladder looks."""


def check(incident: Incident) -> None:
    """What holds of every incident at any time."""
    assert incident.open == (incident.next_deadline_at is not None)
    assert incident.open == (incident.outcome is None)
    assert incident.open == (incident.resolved_at is None)
    if incident.state in (State.ACKNOWLEDGED, State.ATTENDED):
        assert incident.owner is not None
    if incident.outcome is Outcome.CLEARED:
        assert incident.category is Category.TECHNICAL
    if incident.outcome in HUMAN_OUTCOMES:
        assert incident.owner is not None


def climbed(incident: Incident, now: datetime, reachable: frozenset[ChannelName]) -> Incident:
    """The ladder looks: it leaves a deadline in the future, and says whom it told."""
    policy = policy_for(incident.category, incident.priority)
    decision = decide(incident, policy, now, reachable)
    if decision.incident.open:
        assert decision.incident.next_deadline_at is not None
        assert decision.incident.next_deadline_at > now
    due = decision.reason not in (Reason.NOT_DUE, Reason.RESOLVED)
    assert bool(decision.targets or decision.nobody) == due
    return decision.incident


def happened(incident: Incident, now: datetime, what: Happening) -> Incident:
    """The incident after it, or an AlertsError."""
    match what:
        case Alarm():
            return group(what, incident, None, now).incident or incident
        case Deed():
            deed = action(what.verb, incident.id, now, by=what.by, outcome=what.outcome)
            return perform(incident, deed, policy_for(incident.category, incident.priority))
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
        if incident.outcome is Outcome.WITHDRAWN and before.open:
            assert before.state is State.CHECKING, "once raised, only a human closes it"
        if before.state is not State.CHECKING:
            assert incident.state is not State.CHECKING, "nobody is asked once somebody is called"
        assert incident == before or incident.revision > before.revision
        assert incident.silent >= before.silent
