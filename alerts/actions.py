"""What a human can do to an incident. Pure: the incident before, the incident after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.alarm import Priority, higher
from alerts.errors import AlreadyOwned, IllegalTransition, Incomplete, NotTheirs, OutcomeMissing
from alerts.handoff import handed_off
from alerts.incident import (
    HUMAN_OUTCOMES,
    Event,
    Incident,
    Outcome,
    Owner,
    State,
    next_state,
)
from alerts.policy import ChannelName, Policy
from alerts.responders import Actor, ActorKind, Answer, Way, answered, first_there
from schemas.ids import AccountId, IncidentId

MAX_NOTE_LENGTH = 4000
"""A page of text; more belongs into a report."""
HAND_OFFS_LIMIT = 20
"""Ours: an ambulance, the fire brigade, the police, and each of them called again."""


class Verb(StrEnum):
    """What was done."""

    ACKNOWLEDGE = "acknowledge"
    TAKE_OVER = "take_over"
    RELEASE = "release"
    GOING = "going"
    DECLINE = "decline"
    ATTEND = "attend"
    RESOLVE = "resolve"
    REOPEN = "reopen"
    NOTE = "note"
    ESCALATE = "escalate"
    ADD_RESPONDER = "add_responder"
    HAND_OFF = "hand_off"
    CALL = "call"


class CallResult(StrEnum):
    """What became of a call that a human made."""

    ANSWERED = "answered"
    NO_REPLY = "no_reply"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Action:
    """One deed of one human; `id` makes it idempotent over redeliveries."""

    id: str
    incident_id: IncidentId
    verb: Verb
    by: Actor
    at: datetime
    """When the human did it, on the API's clock; commit may come later (database away)."""
    how: Way = Way.DESK
    whom: Actor | None = None
    """Whom it concerns, where that is not who did it: the responder who is added or who said so by
    telephone, or who was called."""
    expected_arrival_s: int | None = None
    outcome: Outcome | None = None
    note: str | None = None
    channels: tuple[ChannelName, ...] = ()
    """How an added responder is to be told; none: they know."""
    service: str | None = None
    """Of a hand-off: ambulance, fire, police, or its number."""
    reference: str | None = None
    result: CallResult | None = None

    @property
    def dispatcher(self) -> bool:
        """Whether who did it may be the owner: an account that answers at the hotline, by whatever
        way. A family's account acts by the family's page."""
        return self.by.kind is ActorKind.ACCOUNT and self.how is not Way.FAMILY_PAGE

    @property
    def responder(self) -> Actor:
        """Whose coming and going it tells of."""
        return self.whom or self.by

    @property
    def expected_at(self) -> datetime | None:
        """When they say they will be there."""
        if self.expected_arrival_s is None:
            return None
        return self.at + timedelta(seconds=self.expected_arrival_s)


def perform(incident: Incident, action: Action, policy: Policy) -> Incident:
    """The incident after the action; the same object if there is nothing to change.

    Raises IllegalTransition, AlreadyOwned (two at once: one has it, the other is told),
    NotTheirs, Incomplete or OutcomeMissing.
    """
    if action.verb not in _AFTERWARDS and not incident.open:
        raise IllegalTransition(f"{action.verb} is not possible: the incident is resolved")
    if action.verb in FOR_DISPATCHERS and not action.dispatcher:
        raise NotTheirs(f"{action.verb} is for dispatchers")
    return _DEEDS[action.verb](incident, action, policy)


def _acknowledge(incident: Incident, action: Action, policy: Policy) -> Incident:
    if not action.dispatcher:
        return _going(incident, action, policy)
    if incident.held and incident.owner is not None:
        if _owns(incident, action):
            return _prolonged(incident, action, policy)
        raise AlreadyOwned(f"{incident.owner.name} has it")
    return _taken(incident, action, policy)


def _take_over(incident: Incident, action: Action, policy: Policy) -> Incident:
    if incident.held and _owns(incident, action):
        return incident
    return _taken(incident, action, policy)


def _taken(incident: Incident, action: Action, policy: Policy) -> Incident:
    """The actor is the owner from now on."""
    event = Event.TAKE if incident.held else Event.ACKNOWLEDGE
    attended = incident.state is State.ATTENDED
    lease_s = policy.attended_lease_s if attended else policy.acknowledged_lease_s
    first = first_there(incident.responders)
    expected_at = action.expected_at or (first.expected_at if first else None)
    taken = replace(
        incident,
        state=next_state(incident, event),
        owner=Owner(AccountId(action.by.id), action.by.name),
        acknowledged_at=incident.acknowledged_at or action.at,
        expected_at=expected_at,
        note=_joined(incident.note, action.note),
        revision=incident.revision + 1,
    )
    return _leased(taken, _lease_end(action.at, lease_s, expected_at))


def _prolonged(incident: Incident, action: Action, policy: Policy) -> Incident:
    """Progress: the lease begins anew. Whose it is and since when stays."""
    lease_s = policy.acknowledged_lease_s
    if incident.state is State.ATTENDED:
        lease_s = policy.attended_lease_s
    expected_at = action.expected_at or incident.expected_at
    taken = replace(
        incident,
        expected_at=expected_at,
        revision=incident.revision + 1,
    )
    return _leased(taken, _lease_end(action.at, lease_s, expected_at))


def _lease_end(at: datetime, lease_s: int, expected_at: datetime | None) -> datetime:
    """Nobody is called away from an arrival that was announced."""
    end = at + timedelta(seconds=lease_s)
    return end if expected_at is None else max(end, expected_at)


def _leased(incident: Incident, end: datetime) -> Incident:
    """Held until then; where the next rung is wanted besides, that stays due."""
    if incident.lease_until is not None:
        return replace(incident, lease_until=end)
    return replace(incident, next_deadline_at=end)


def _release(incident: Incident, action: Action, policy: Policy) -> Incident:
    """Given back: it rings again from the first rung, at once."""
    del policy
    after = next_state(incident, Event.RELEASE)
    if incident.owner is not None and not _owns(incident, action):
        raise NotTheirs(f"{incident.owner.name} has it; take it over instead")
    return replace(
        incident,
        state=after,
        owner=None,
        expected_at=None,
        note=_joined(incident.note, action.note),
        step=0,
        repeats=0,
        next_deadline_at=action.at,
        lease_until=None,
        revision=incident.revision + 1,
    )


def _going(incident: Incident, action: Action, policy: Policy) -> Incident:
    """A responder is on the way. Whether that holds the ladder is the policy's decision."""
    after = _answered(incident, action, Answer.GOING)
    first = first_there(after.responders)
    after = replace(after, expected_at=first.expected_at if first else incident.expected_at)
    if incident.held:
        end = incident.lease_until or incident.next_deadline_at or action.at
        return _leased(after, max(end, action.expected_at or end))
    if not policy.responder_stops_ladder:
        return after
    return replace(
        after,
        state=next_state(incident, Event.ACKNOWLEDGE),
        owner=None,
        acknowledged_at=incident.acknowledged_at or action.at,
        next_deadline_at=_lease_end(action.at, policy.acknowledged_lease_s, action.expected_at),
    )


def _decline(incident: Incident, action: Action, policy: Policy) -> Incident:
    """They cannot come. Where only they held the ladder, it rings again at once."""
    del policy
    after = _answered(incident, action, Answer.DECLINED)
    first = first_there(after.responders)
    after = replace(after, expected_at=first.expected_at if first else None)
    if incident.held and incident.owner is None and first is None:
        return replace(
            after,
            state=next_state(incident, Event.RELEASE),
            step=0,
            repeats=0,
            next_deadline_at=action.at,
            lease_until=None,
        )
    return after


def _attend(incident: Incident, action: Action, policy: Policy) -> Incident:
    """Somebody is with the person: who did it, or of whom they heard so."""
    who = action.responder
    goes = action.whom is not None or not action.dispatcher
    listed = any(each.who.recipient == who.recipient for each in incident.responders)
    after = _answered(incident, action, Answer.ARRIVED) if goes or listed else incident
    if incident.state is State.ATTENDED:
        return after
    owner = _owner_after(incident, action) if action.dispatcher else _held_by(incident)
    taken = replace(
        after,
        state=next_state(incident, Event.ATTEND),
        owner=owner,
        acknowledged_at=incident.acknowledged_at or action.at,
        attended_at=action.at,
        note=_joined(incident.note, action.note),
        revision=after.revision if after is not incident else incident.revision + 1,
    )
    return _leased(taken, action.at + timedelta(seconds=policy.attended_lease_s))


def _resolve(incident: Incident, action: Action, policy: Policy) -> Incident:
    del policy
    if action.outcome not in HUMAN_OUTCOMES:
        allowed = ", ".join(sorted(HUMAN_OUTCOMES))
        raise OutcomeMissing(f"outcome must be one of {allowed}")
    return replace(
        incident,
        state=next_state(incident, Event.RESOLVE),
        owner=_owner_after(incident, action),
        acknowledged_at=incident.acknowledged_at or action.at,
        resolved_at=action.at,
        outcome=action.outcome,
        note=_joined(incident.note, action.note),
        next_deadline_at=None,
        lease_until=None,
        revision=incident.revision + 1,
    )


def _reopen(incident: Incident, action: Action, policy: Policy) -> Incident:
    """It was not over: it rings as if it had just been raised, and nobody has it."""
    del policy
    return replace(
        incident,
        state=next_state(incident, Event.REOPEN),
        priority=higher(incident.priority, Priority.MEDIUM)
        if incident.outcome is Outcome.WITHDRAWN
        else incident.priority,
        owner=None,
        outcome=None,
        resolved_at=None,
        expected_at=None,
        note=_joined(incident.note, action.note),
        last_alarm_at=action.at,
        step=0,
        repeats=0,
        next_deadline_at=action.at,
        revision=incident.revision + 1,
    )


def _note(incident: Incident, action: Action, policy: Policy) -> Incident:
    if not action.note:
        raise Incomplete("a note has a text")
    noted = replace(incident, note=_joined(incident.note, action.note))
    return _progress(noted, action, policy)


def _escalate(incident: Incident, action: Action, policy: Policy) -> Incident:
    """The next rung now. Where somebody has it, they keep it: the rung is told besides."""
    del policy
    state = next_state(incident, Event.ESCALATE)
    return replace(
        incident,
        state=state,
        priority=higher(incident.priority, Priority.MEDIUM)
        if incident.state is State.CHECKING
        else incident.priority,
        note=_joined(incident.note, action.note),
        next_deadline_at=action.at,
        lease_until=incident.lease_until or incident.next_deadline_at if incident.held else None,
        revision=incident.revision + 1,
    )


def _add_responder(incident: Incident, action: Action, policy: Policy) -> Incident:
    if action.whom is None:
        raise Incomplete("who is to be added?")
    if action.expected_arrival_s is not None:
        return _going(incident, action, policy)
    return _progress(_answered(incident, action, Answer.TOLD), action, policy)


def _hand_off(incident: Incident, action: Action, policy: Policy) -> Incident:
    if not action.service:
        raise Incomplete("to which service was it handed off?")
    handed = handed_off(action.service, action.reference, action.at, action.by.name)
    hand_offs = (*incident.hand_offs, handed)[-HAND_OFFS_LIMIT:]
    return _progress(replace(incident, hand_offs=hand_offs), action, policy)


def _call(incident: Incident, action: Action, policy: Policy) -> Incident:
    if action.result is None:
        raise Incomplete("what became of the call?")
    return _progress(incident, action, policy)


def _progress(incident: Incident, action: Action, policy: Policy) -> Incident:
    """What the owner does shows that they are there: their lease begins anew."""
    if incident.held and _owns(incident, action):
        return _prolonged(incident, action, policy)
    return replace(incident, revision=incident.revision + 1)


def _answered(incident: Incident, action: Action, answer: Answer) -> Incident:
    way = None if answer is Answer.TOLD else action.how
    responders = answered(
        incident.responders, action.responder, answer, way, action.at, action.expected_at
    )
    return replace(incident, responders=responders, revision=incident.revision + 1)


def _owns(incident: Incident, action: Action) -> bool:
    owner = incident.owner
    return action.dispatcher and owner is not None and owner.account_id == action.by.id


def _held_by(incident: Incident) -> Owner | None:
    return incident.owner if incident.held else None


def _owner_after(incident: Incident, action: Action) -> Owner:
    """Who has it stays; where nobody has (any more), it is whoever acts."""
    return _held_by(incident) or Owner(AccountId(action.by.id), action.by.name)


def _joined(old: str | None, new: str | None) -> str | None:
    if not new:
        return old
    return new[:MAX_NOTE_LENGTH] if not old else f"{old}\n{new}"[:MAX_NOTE_LENGTH]


FOR_DISPATCHERS = frozenset(
    {
        Verb.TAKE_OVER, Verb.RELEASE, Verb.RESOLVE, Verb.REOPEN, Verb.ESCALATE,
        Verb.ADD_RESPONDER, Verb.HAND_OFF, Verb.CALL,
    }
)  # fmt: skip
"""Whoever goes there answers for themselves; the case is the hotline's."""

_AFTERWARDS = frozenset({Verb.REOPEN, Verb.NOTE, Verb.HAND_OFF, Verb.CALL})
"""What can still be written down when it is over."""

_DEEDS: Mapping[Verb, Callable[[Incident, Action, Policy], Incident]] = {
    Verb.ACKNOWLEDGE: _acknowledge,
    Verb.TAKE_OVER: _take_over,
    Verb.RELEASE: _release,
    Verb.GOING: _going,
    Verb.DECLINE: _decline,
    Verb.ATTEND: _attend,
    Verb.RESOLVE: _resolve,
    Verb.REOPEN: _reopen,
    Verb.NOTE: _note,
    Verb.ESCALATE: _escalate,
    Verb.ADD_RESPONDER: _add_responder,
    Verb.HAND_OFF: _hand_off,
    Verb.CALL: _call,
}
