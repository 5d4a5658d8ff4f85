"""Whatever happens to an incident, in whatever order: it stays true and never falls silent."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from alerts.actions import Verb, perform
from alerts.alarm import Category, Flag, Priority
from alerts.errors import AlertsError
from alerts.escalation import Reason, decide
from alerts.grouping import group
from alerts.incident import HUMAN_OUTCOMES, Event, Incident, Outcome, State, next_state, opened_by
from alerts.policy import ChannelName, policy_for
from schemas.alarms import PressAction
from tests.scenes import LIN, START, WU, action, alarm

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
)
DEEDS = st.tuples(st.sampled_from(Verb), st.sampled_from([LIN, WU]), st.sampled_from(Outcome))
LIVES = st.lists(st.tuples(PAUSES_S, ALARMS | DEEDS | CHANNELS | st.none()), max_size=25)


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


def cleared(incident: Incident, now: object) -> Incident:
    state = next_state(incident, Event.CLEAR)
    return replace(
        incident,
        state=state,
        outcome=Outcome.CLEARED,
        resolved_at=START,
        next_deadline_at=None,
        revision=incident.revision + 1,
    )


@given(first=ALARMS, asked=st.booleans(), life=LIVES)
def test_no_life_falls_silent(first: object, asked: bool, life: list[tuple[int, object]]) -> None:
    from alerts.alarm import Alarm

    assert isinstance(first, Alarm)
    state = State.CHECKING if asked else State.RAISED
    incident, now = opened_by(first, START, state=state), START
    for pause_s, happening in life:
        now += timedelta(seconds=pause_s)
        before = incident
        policy = policy_for(incident.category, incident.priority)
        try:
            match happening:
                case Alarm():
                    incident = group(happening, incident, None, now).incident or incident
                    if not before.open and happening.rings:
                        incident = before
                case (verb, by, outcome):
                    deed = action(verb, incident.id, now, by=by, outcome=outcome)
                    incident = perform(incident, deed, policy)
                case frozenset():
                    decision = decide(incident, policy, now, happening)
                    incident = decision.incident
                    if incident.open:
                        assert incident.next_deadline_at is not None
                        assert incident.next_deadline_at > now
                    due = decision.reason not in (Reason.NOT_DUE, Reason.RESOLVED)
                    assert bool(decision.targets or decision.nobody) == due
                case _:
                    incident = cleared(incident, now)
        except AlertsError:
            assert incident == before
        check(incident)
        assert (incident is before) or incident == before or incident.revision > before.revision
        assert incident.silent >= before.silent or not before.open
