"""What a human can do to an incident. Pure: the incident before, the incident after."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.errors import AlreadyOwned, IllegalTransition, OutcomeMissing
from alerts.incident import (
    HUMAN_OUTCOMES,
    Event,
    Incident,
    Outcome,
    Owner,
    State,
    next_state,
)
from alerts.policy import Policy
from schemas.ids import IncidentId

MAX_NOTE_LENGTH = 4000
"""A page of text; more belongs into a report."""


class Verb(StrEnum):
    """What was done."""

    ACKNOWLEDGE = "acknowledge"
    ATTEND = "attend"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Action:
    """One deed of one dispatcher; `id` makes it idempotent over redeliveries."""

    id: str
    incident_id: IncidentId
    verb: Verb
    by: Owner
    at: datetime
    """When the human did it, on the API's clock; commit may come later (database away)."""
    expected_arrival_s: int | None = None
    outcome: Outcome | None = None
    note: str | None = None


def perform(incident: Incident, action: Action, policy: Policy) -> Incident:
    """The incident after the action; the same object if there is nothing to change.

    Raises IllegalTransition, AlreadyOwned (two at once: one has it, the other is told) or
    OutcomeMissing.
    """
    match action.verb:
        case Verb.ACKNOWLEDGE:
            return _acknowledge(incident, action, policy)
        case Verb.ATTEND:
            return _attend(incident, action, policy)
        case Verb.RESOLVE:
            return _resolve(incident, action)


def _acknowledge(incident: Incident, action: Action, policy: Policy) -> Incident:
    if incident.state in (State.ACKNOWLEDGED, State.ATTENDED):
        if incident.owner is not None and incident.owner.account_id == action.by.account_id:
            return _prolong(incident, action, policy)
        raise AlreadyOwned(f"{incident.owner.name if incident.owner else 'somebody'} has it")
    expected_at = None
    if action.expected_arrival_s is not None:
        expected_at = action.at + timedelta(seconds=action.expected_arrival_s)
    return replace(
        incident,
        state=next_state(incident, Event.ACKNOWLEDGE),
        owner=action.by,
        acknowledged_at=incident.acknowledged_at or action.at,
        expected_at=expected_at,
        step=0,
        next_deadline_at=_lease_end(action, policy.acknowledged_lease_s),
        revision=incident.revision + 1,
    )


def _prolong(incident: Incident, action: Action, policy: Policy) -> Incident:
    """The owner says again that they have it: the lease begins anew."""
    lease_s = policy.acknowledged_lease_s
    if incident.state is State.ATTENDED:
        lease_s = policy.attended_lease_s
    expected_at = incident.expected_at
    if action.expected_arrival_s is not None:
        expected_at = action.at + timedelta(seconds=action.expected_arrival_s)
    return replace(
        incident,
        expected_at=expected_at,
        next_deadline_at=_lease_end(action, lease_s),
        revision=incident.revision + 1,
    )


def _lease_end(action: Action, lease_s: int) -> datetime:
    """Nobody is called away from an arrival that was announced."""
    return action.at + timedelta(seconds=max(lease_s, action.expected_arrival_s or 0))


def _attend(incident: Incident, action: Action, policy: Policy) -> Incident:
    if incident.state is State.ATTENDED:
        return incident
    return replace(
        incident,
        state=next_state(incident, Event.ATTEND),
        owner=_owner_after(incident, action),
        acknowledged_at=incident.acknowledged_at or action.at,
        attended_at=action.at,
        note=_joined(incident.note, action.note),
        step=0,
        next_deadline_at=action.at + timedelta(seconds=policy.attended_lease_s),
        revision=incident.revision + 1,
    )


def _resolve(incident: Incident, action: Action) -> Incident:
    if action.outcome not in HUMAN_OUTCOMES:
        allowed = ", ".join(sorted(HUMAN_OUTCOMES))
        raise OutcomeMissing(f"outcome must be one of {allowed}")
    if incident.state is State.RESOLVED:
        raise IllegalTransition("the incident is already resolved")
    return replace(
        incident,
        state=next_state(incident, Event.RESOLVE),
        owner=_owner_after(incident, action),
        acknowledged_at=incident.acknowledged_at or action.at,
        resolved_at=action.at,
        outcome=action.outcome,
        note=_joined(incident.note, action.note),
        next_deadline_at=None,
        revision=incident.revision + 1,
    )


def _owner_after(incident: Incident, action: Action) -> Owner:
    """Who has it stays; where nobody has (any more), it is whoever acts."""
    held = incident.state in (State.ACKNOWLEDGED, State.ATTENDED)
    return incident.owner if held and incident.owner is not None else action.by


def _joined(old: str | None, new: str | None) -> str | None:
    if not new:
        return old
    return new[:MAX_NOTE_LENGTH] if not old else f"{old}\n{new}"[:MAX_NOTE_LENGTH]
