"""The life of an incident as one table; code, diagram, documents and tests read the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.alarm import Alarm, Category, Priority, Subject, higher
from alerts.errors import IllegalTransition
from alerts.handoff import HandOff
from alerts.policy import Policy
from alerts.responders import Responding, first_there
from schemas.alarms import Position
from schemas.ids import AccountId, AlarmId, AreaId, DeviceId, IncidentId, PersonId, PremisesId


class State(StrEnum):
    """Where an incident stands."""

    CHECKING = "checking"
    """The person is being asked; only here does their cancel withdraw."""
    RAISED = "raised"
    """Nobody has taken responsibility yet."""
    ACKNOWLEDGED = "acknowledged"
    """A dispatcher has taken responsibility, or somebody goes there and the policy counts that."""
    ATTENDED = "attended"
    """Somebody is with the person."""
    RESOLVED = "resolved"


class Event(StrEnum):
    """What can happen to an incident."""

    ALARM = "alarm"
    """Another alarm of the same subject joins."""
    SIGN = "sign"
    """A further finding that would itself ask first joins the question."""
    NO_ANSWER = "no_answer"
    """The person did not answer in time."""
    WITHDRAW = "withdraw"
    """The person, or the detector that asked, took it back while the question was open."""
    ACKNOWLEDGE = "acknowledge"
    TAKE = "take"
    """Another dispatcher takes it, or the first one does what only a responder held so far."""
    RELEASE = "release"
    """Whoever has it gives it back: nobody has it."""
    ESCALATE = "escalate"
    """A human wants the next rung now."""
    ATTEND = "attend"
    RESOLVE = "resolve"
    """By a human, with an outcome."""
    LAPSE = "lapse"
    """Responsibility was taken, but no progress came in time."""
    CLEAR = "clear"
    """A technical condition ended by itself."""
    REOPEN = "reopen"
    """By a human: it was not over."""


TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (State.CHECKING, Event.ALARM): State.RAISED,
    (State.CHECKING, Event.SIGN): State.CHECKING,
    (State.CHECKING, Event.NO_ANSWER): State.RAISED,
    (State.CHECKING, Event.WITHDRAW): State.RESOLVED,
    (State.CHECKING, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.CHECKING, Event.ATTEND): State.ATTENDED,
    (State.CHECKING, Event.RESOLVE): State.RESOLVED,
    (State.CHECKING, Event.ESCALATE): State.RAISED,
    (State.RAISED, Event.ALARM): State.RAISED,
    (State.RAISED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.RAISED, Event.ATTEND): State.ATTENDED,
    (State.RAISED, Event.RESOLVE): State.RESOLVED,
    (State.RAISED, Event.ESCALATE): State.RAISED,
    (State.RAISED, Event.CLEAR): State.RESOLVED,
    (State.ACKNOWLEDGED, Event.ALARM): State.RAISED,
    (State.ACKNOWLEDGED, Event.TAKE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.RELEASE): State.RAISED,
    (State.ACKNOWLEDGED, Event.ESCALATE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.ATTEND): State.ATTENDED,
    (State.ACKNOWLEDGED, Event.RESOLVE): State.RESOLVED,
    (State.ACKNOWLEDGED, Event.LAPSE): State.RAISED,
    (State.ACKNOWLEDGED, Event.CLEAR): State.RESOLVED,
    (State.ATTENDED, Event.ALARM): State.RAISED,
    (State.ATTENDED, Event.TAKE): State.ATTENDED,
    (State.ATTENDED, Event.RELEASE): State.RAISED,
    (State.ATTENDED, Event.ESCALATE): State.ATTENDED,
    (State.ATTENDED, Event.RESOLVE): State.RESOLVED,
    (State.ATTENDED, Event.LAPSE): State.RAISED,
    (State.ATTENDED, Event.CLEAR): State.RESOLVED,
    (State.RESOLVED, Event.REOPEN): State.RAISED,
}
"""What is not in the table cannot happen; an illegal event raises and changes nothing."""

TECHNICAL_ONLY: frozenset[Event] = frozenset({Event.CLEAR})
"""Only a human resolves a personal, physiological or hazard incident (promise 2)."""


class Outcome(StrEnum):
    """How it ended, by the one who ended it."""

    HELPED = "helped"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    NO_REPLY = "no_reply"
    HANDED_OFF = "handed_off"
    UNFOUNDED = "unfounded"
    FIXED = "fixed"
    """Technical: the fault is mended."""
    CLEARED = "cleared"
    """Technical: the condition ended by itself."""
    WITHDRAWN = "withdrawn"
    """The person said they are well while being asked, or moved about again."""


HUMAN_OUTCOMES = frozenset(set(Outcome) - {Outcome.CLEARED, Outcome.WITHDRAWN})
"""What a human may choose; the other two are set by the table's own events."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The dispatcher who took responsibility."""

    account_id: AccountId
    name: str


@dataclass(frozen=True, slots=True)
class Incident:
    """The case. All times are the hub's clock; its id is its first alarm's id."""

    id: IncidentId
    area_id: AreaId
    subject: Subject
    state: State
    category: Category
    priority: Priority
    kind: str
    """The kind of the alarm that opened it."""
    opened_at: datetime
    last_alarm_at: datetime
    alarm_count: int = 1
    person_id: PersonId | None = None
    premises_id: PremisesId | None = None
    device_id: DeviceId | None = None
    position: Position | None = None
    """The newest position that came with an alarm."""
    owner: Owner | None = None
    acknowledged_at: datetime | None = None
    attended_at: datetime | None = None
    resolved_at: datetime | None = None
    expected_at: datetime | None = None
    """When somebody is expected at the door, as the owner or the first responder said."""
    outcome: Outcome | None = None
    note: str | None = None
    step: int = 0
    """The rung of the ladder that was last climbed."""
    repeats: int = 0
    """How often the last rung was rung again."""
    next_deadline_at: datetime | None = None
    """When something must happen again; None only when resolved (promise 2)."""
    lease_until: datetime | None = None
    """Whoever has it wants the next rung as well: the deadline is now, and this is the lease's end
    afterwards."""
    follows: IncidentId | None = None
    silent: bool = False
    """Duress: nothing at the home may show that help is on its way."""
    policy: Policy | None = None
    """The ladder as it was when the incident got it: a later edit does not change it."""
    responders: tuple[Responding, ...] = ()
    """Whoever was called to go there, and what they said; each once."""
    hand_offs: tuple[HandOff, ...] = ()
    same_address: IncidentId | None = None
    """The first of several open incidents at one address, where this is a later one."""
    drill: bool = False
    """Practice: told like a real one, marked everywhere, counted nowhere."""
    arrive_by: datetime | None = None
    """When somebody should be at the door, by the service circle of its area; None: nobody is owed
    there, or it is not recorded yet."""
    revision: int = 1

    @property
    def open(self) -> bool:
        """Whether it still needs somebody."""
        return self.state is not State.RESOLVED

    @property
    def held(self) -> bool:
        """Whether somebody has it: the ladder waits for their lease."""
        return self.state in (State.ACKNOWLEDGED, State.ATTENDED)

    @property
    def who_comes(self) -> str | None:
        """The name the person hears: of whoever is there or on the way, else of who has it. Whose
        lease has lapsed stays named as the owner, and does not come."""
        first = first_there(self.responders)
        if first is not None:
            return first.who.name
        return self.owner.name if self.owner and not self.free else None

    @property
    def free(self) -> bool:
        """Whether it is open and nobody has it (any more)."""
        return self.state in (State.CHECKING, State.RAISED)


def next_state(incident: Incident, event: Event) -> State:
    """The state after `event`.

    Raises IllegalTransition if the table has no such row, or if something other than a human
    would resolve what only a human may resolve.
    """
    state = TRANSITIONS.get((incident.state, event))
    if state is None:
        raise IllegalTransition(f"{event} is not possible while the incident is {incident.state}")
    if event in TECHNICAL_ONLY and incident.category is not Category.TECHNICAL:
        raise IllegalTransition(f"only a human resolves a {incident.category} incident")
    return state


def opened_by(
    alarm: Alarm,
    now: datetime,
    *,
    state: State = State.RAISED,
    follows: IncidentId | None = None,
    same_address: IncidentId | None = None,
) -> Incident:
    """A new incident from its first alarm; due at once, so that the ladder's first step is now.

    In `checking` it is due when the person has had their time to answer.
    """
    wait_s = alarm.ask_s if state is State.CHECKING else 0
    return Incident(
        id=incident_id(alarm.id),
        area_id=alarm.area_id,
        subject=alarm.subject,
        state=state,
        category=alarm.category,
        priority=alarm.priority,
        kind=alarm.kind,
        opened_at=now,
        last_alarm_at=now,
        person_id=alarm.person_id,
        premises_id=alarm.premises_id,
        device_id=alarm.device_id,
        position=alarm.position,
        next_deadline_at=now + timedelta(seconds=wait_s),
        follows=follows,
        silent=_silent(alarm),
        same_address=same_address,
        drill=alarm.drill,
    )


def incident_id(alarm_id: AlarmId) -> IncidentId:
    """An incident's id is its first alarm's id."""
    return IncidentId(alarm_id)


def joined_by(incident: Incident, alarm: Alarm, now: datetime) -> Incident:
    """The incident after another alarm: raised again, at the higher priority, due at once.

    While nobody has it, a further press climbs the next rung at once: whoever presses eight times
    must not hold the ladder on its first rung. Once somebody had it, the ladder begins anew; the
    owner stays named (they know the case) but must acknowledge again.
    """
    return replace(
        incident,
        state=next_state(incident, Event.ALARM),
        priority=higher(incident.priority, alarm.priority),
        category=_graver(incident.category, alarm.category),
        last_alarm_at=now,
        alarm_count=incident.alarm_count + 1,
        position=alarm.position or incident.position,
        silent=incident.silent or _silent(alarm),
        person_id=incident.person_id or alarm.person_id,
        step=incident.step if incident.state is State.RAISED else 0,
        repeats=incident.repeats if incident.state is State.RAISED else 0,
        lease_until=None,
        next_deadline_at=now,
        revision=incident.revision + 1,
    )


def asked_again_by(incident: Incident, alarm: Alarm, now: datetime) -> Incident:
    """The question after a further finding that would ask too: the shorter time to answer holds."""
    due = now + timedelta(seconds=alarm.ask_s)
    return replace(
        incident,
        state=next_state(incident, Event.SIGN),
        priority=higher(incident.priority, alarm.priority),
        category=_graver(incident.category, alarm.category),
        last_alarm_at=now,
        alarm_count=incident.alarm_count + 1,
        position=alarm.position or incident.position,
        next_deadline_at=min(due, incident.next_deadline_at or due),
        revision=incident.revision + 1,
    )


def unanswered(incident: Incident) -> Incident:
    """The person was asked and did not answer: from now on somebody must come."""
    return replace(
        incident,
        state=next_state(incident, Event.NO_ANSWER),
        priority=higher(incident.priority, Priority.MEDIUM),
        step=0,
        repeats=0,
        revision=incident.revision + 1,
    )


def withdrawn(incident: Incident, now: datetime) -> Incident:
    """The question is answered, or what it asked about has passed; nobody was woken."""
    return replace(
        incident,
        state=next_state(incident, Event.WITHDRAW),
        outcome=Outcome.WITHDRAWN,
        resolved_at=now,
        next_deadline_at=None,
        revision=incident.revision + 1,
    )


def cleared(incident: Incident, now: datetime) -> Incident:
    """A technical condition ended by itself. Raises IllegalTransition for every other incident."""
    return replace(
        incident,
        state=next_state(incident, Event.CLEAR),
        outcome=Outcome.CLEARED,
        resolved_at=now,
        next_deadline_at=None,
        lease_until=None,
        revision=incident.revision + 1,
    )


def annotated(incident: Incident, now: datetime) -> Incident:
    """The incident after something was noted on it that changes neither state nor deadline."""
    return replace(incident, last_alarm_at=now, revision=incident.revision + 1)


def _silent(alarm: Alarm) -> bool:
    return any(flag == "duress" for flag in alarm.flags)


_GRAVITY = (Category.PERSONAL, Category.PHYSIOLOGICAL, Category.HAZARD, Category.TECHNICAL)


def _graver(one: Category, other: Category) -> Category:
    """A technical incident that a person's alarm joins may no longer clear by itself."""
    return min(one, other, key=_GRAVITY.index)
