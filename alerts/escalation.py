"""What is due now for one incident? A pure decision with a named reason, which is stored."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.incident import Event, Incident, State, next_state, unanswered
from alerts.policy import DISPATCHERS, ChannelName, Policy
from alerts.responders import ActorKind, Answer, Responding, answered
from alerts.selection import Recipient, Roster, Unreached, select


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
    WANTED = "wanted"
    """Whoever has it wants more people: the next rung, without giving it up."""
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Decision:
    """The incident as it is now, and who is to be told."""

    incident: Incident
    told: tuple[Recipient, ...]
    reason: Reason
    nobody: tuple[Unreached, ...] = ()
    """Targets of the rungs climbed that reach nobody: recorded, and passed at once (promise 2)."""

    @property
    def worth_logging(self) -> bool:
        """Whether the log gets a line. An incident that nobody answers for a week would otherwise
        write ten thousand: of the repeats of the last rung it gets the 1st, 2nd, 4th, 8th ..., each
        with the count."""
        repeats = self.incident.repeats
        return self.reason is not Reason.LAST_STEP_REPEATED or repeats & (repeats - 1) == 0


EVERYBODY = Roster()
"""Every channel, somebody at the desk, and nobody else on any list."""


def decide(
    incident: Incident, policy: Policy, now: datetime, roster: Roster = EVERYBODY
) -> Decision:
    """Climb the ladder if its deadline has passed; `roster` says whom its selectors mean now.

    An incident that is not resolved leaves here with a deadline after `now`, or untouched with a
    deadline that is not due yet (promise 2). A rung that reaches nobody is passed at once.
    """
    if not incident.open:
        return Decision(incident, (), Reason.RESOLVED)
    if incident.next_deadline_at is not None and incident.next_deadline_at > now:
        return Decision(incident, (), Reason.NOT_DUE)
    if incident.state is State.CHECKING:
        return _climb(unanswered(incident), policy, now, Reason.NO_ANSWER, roster)
    if incident.held and incident.lease_until is not None and incident.lease_until > now:
        return _beside(incident, policy, now, roster)
    if incident.held:
        lapsed = replace(incident, state=next_state(incident, Event.LAPSE), step=0, repeats=0,
                         lease_until=None)  # fmt: skip
        return _climb(lapsed, policy, now, Reason.LEASE_LAPSED, roster)
    if incident.step == 0:
        return _climb(incident, policy, now, Reason.FIRST_STEP, roster)
    if incident.step < len(policy.steps):
        return _climb(incident, policy, now, Reason.NEXT_STEP, roster)
    return _climb(incident, policy, now, Reason.LAST_STEP_REPEATED, roster)


def _beside(incident: Incident, policy: Policy, now: datetime, roster: Roster) -> Decision:
    """The next rung for an incident that somebody has and keeps: their lease stays as it is."""
    decision = _climb(incident, policy, now, Reason.WANTED, roster)
    kept = replace(decision.incident, next_deadline_at=incident.lease_until, lease_until=None)
    return replace(decision, incident=kept)


def _climb(
    incident: Incident, policy: Policy, now: datetime, reason: Reason, roster: Roster
) -> Decision:
    told: dict[str, Recipient] = {}
    nobody: dict[Unreached, None] = {}
    last = len(policy.steps)
    step = min(incident.step + 1, last)
    while True:
        rung = select(policy.steps[step - 1], incident, policy, roster, now)
        told |= {each.recipient: each for each in rung.told}
        nobody |= dict.fromkeys(rung.nobody)
        if rung.reaches or step == last:
            break
        step += 1
    if not told and ChannelName.DESK in roster.reachable:
        # Whom the last rung named is gone meanwhile: a ladder never falls silent.
        told[DISPATCHERS] = Recipient(DISPATCHERS, (ChannelName.DESK,), heard=roster.at_desk)
    repeated = reason is Reason.LAST_STEP_REPEATED
    climbed = replace(
        incident,
        step=step,
        repeats=incident.repeats + 1 if repeated else 0,
        responders=_called(incident, tuple(told.values()), now),
        next_deadline_at=now + timedelta(seconds=policy.steps[step - 1].wait_s),
        revision=incident.revision + 1,
    )
    return Decision(climbed, tuple(told.values()), reason, tuple(nobody))


def _called(
    incident: Incident, told: tuple[Recipient, ...], now: datetime
) -> tuple[Responding, ...]:
    responders = incident.responders
    for each in told:
        if each.actor is not None and each.actor.kind in _GOING:
            responders = answered(responders, each.actor, Answer.TOLD, None, now)
    return responders


_GOING = frozenset({ActorKind.CONTACT, ActorKind.RESPONDER})
"""Whoever is called to the door; a second dispatcher is called to the desk."""
