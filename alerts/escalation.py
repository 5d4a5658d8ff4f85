"""What is due now for one incident? A pure decision with a named reason, which is stored."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.incident import Event, Incident, State, next_state, unanswered
from alerts.policy import ChannelName, Policy, Target


class Reason(StrEnum):
    """Why the ladder did what it did."""

    NOT_DUE = "not_due"
    FIRST_STEP = "first_step"
    NEXT_STEP = "next_step"
    LAST_STEP_REPEATED = "last_step_repeated"
    NO_ANSWER = "no_answer"
    """The person was asked and did not answer."""
    LEASE_LAPSED = "lease_lapsed"
    """Responsibility was taken, but nothing followed in time: it rings again."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Decision:
    """The incident as it is now, and who is to be told."""

    incident: Incident
    targets: tuple[Target, ...]
    reason: Reason
    nobody: tuple[Target, ...] = ()
    """Targets of the rungs climbed that reach nobody: recorded, and passed at once (promise 2)."""


EVERY_CHANNEL = frozenset(ChannelName)


def decide(
    incident: Incident,
    policy: Policy,
    now: datetime,
    reachable: frozenset[ChannelName] = EVERY_CHANNEL,
) -> Decision:
    """Climb the ladder if its deadline has passed; `reachable` are the channels configured.

    An incident that is not resolved leaves here with a deadline after `now`, or untouched with a
    deadline that is not due yet (promise 2). A rung that reaches nobody is passed at once.
    """
    if not incident.open:
        return Decision(incident, (), Reason.RESOLVED)
    if incident.next_deadline_at is not None and incident.next_deadline_at > now:
        return Decision(incident, (), Reason.NOT_DUE)
    if incident.state is State.CHECKING:
        return _climb(unanswered(incident), policy, now, Reason.NO_ANSWER, reachable)
    if incident.state in (State.ACKNOWLEDGED, State.ATTENDED):
        lapsed = replace(incident, state=next_state(incident, Event.LAPSE), step=0)
        return _climb(lapsed, policy, now, Reason.LEASE_LAPSED, reachable)
    if incident.step == 0:
        return _climb(incident, policy, now, Reason.FIRST_STEP, reachable)
    if incident.step < len(policy.steps):
        return _climb(incident, policy, now, Reason.NEXT_STEP, reachable)
    return _climb(incident, policy, now, Reason.LAST_STEP_REPEATED, reachable)


def _climb(
    incident: Incident,
    policy: Policy,
    now: datetime,
    reason: Reason,
    reachable: frozenset[ChannelName],
) -> Decision:
    nobody: list[Target] = []
    last = len(policy.steps)
    step = min(incident.step + 1, last)
    while True:
        rung = policy.steps[step - 1]
        targets = tuple(t for t in rung.targets if t.channel in reachable)
        nobody += (t for t in rung.targets if t.channel not in reachable)
        if targets or step == last:
            break
        step += 1
    climbed = replace(
        incident,
        step=step,
        next_deadline_at=now + timedelta(seconds=rung.wait_s),
        revision=incident.revision + 1,
    )
    return Decision(climbed, targets, reason, tuple(nobody))
