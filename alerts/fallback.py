"""Whom the hub calls from memory while the ladder cannot climb. Pure.

A ladder is rows; without the database it stands still. Then ingest itself calls the area's fallback
contact, on the rungs of the same ladder that name it, until somebody has the incident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.actions import Action, perform
from alerts.alarm import Category, Priority
from alerts.errors import AlertsError
from alerts.incident import Incident, State
from alerts.ladders import ladder_of
from alerts.policy import FALLBACK_CONTACT, Policy


class Why(StrEnum):
    """Why the fallback contact is called from memory, or is not."""

    NOT_OURS = "not_ours"
    """Technical, or of low priority: nobody but the desk is called for it."""
    CLIMBS = "climbs"
    """It is recorded and the database answers: the ladder does it."""
    ASKING = "asking"
    """The person still has time to answer."""
    TAKEN = "taken"
    """Somebody has it, if only by an action that waits to be recorded."""
    NOT_YET = "not_yet"
    CALLED = "called"
    """Nobody took it in time: the contact is called."""


@dataclass(frozen=True, slots=True)
class Times:
    """For ladders that never name the fallback contact, in seconds."""

    after_s: int
    again_s: int


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an incident has been waiting for somebody, as ingest remembers it."""

    since: datetime
    """When its ladder began, or would have."""
    rungs: int = 0
    """How many rungs with the fallback contact were rung already."""


def begun(incident: Incident) -> Wait:
    """The wait as the incident's own deadline tells it; remembered from the first look on, so that
    another press does not begin it anew."""
    due_at = incident.next_deadline_at or incident.opened_at
    if incident.step == 0 or incident.held:
        return Wait(due_at)
    ladder = ladder_of(incident)
    rung = sum(step <= incident.step for step in fallback_steps(ladder))
    return Wait(due_at - timedelta(seconds=_before(ladder, incident.step + 1)), rung)


def judge(
    incident: Incident, wait: Wait, times: Times, now: datetime, *, recorded: bool, away: bool
) -> Why:
    """What to do for an incident; `incident` as it is with every action that waits."""
    if incident.category is Category.TECHNICAL or incident.priority is Priority.LOW:
        return Why.NOT_OURS
    if recorded and not away:
        return Why.CLIMBS
    if incident.state is State.CHECKING:
        return Why.ASKING
    lapsed = incident.held and (incident.next_deadline_at or now) <= now
    if not incident.open or (incident.held and not lapsed):
        return Why.TAKEN
    due_at = wait.since + timedelta(seconds=offset_s(ladder_of(incident), wait.rungs + 1, times))
    return Why.CALLED if due_at <= now else Why.NOT_YET


def fallback_steps(policy: Policy) -> Sequence[int]:
    """The numbers of the steps that name the fallback contact, from 1."""
    return [
        number
        for number, step in enumerate(policy.steps, 1)
        if any(target.who == FALLBACK_CONTACT for target in step.targets)
    ]


def offset_s(policy: Policy, rung: int, times: Times) -> int:
    """How long after the ladder began its `rung`-th call of the fallback contact is due.

    The last one repeats for ever, as the ladder's last step does (promise 2).
    """
    steps = fallback_steps(policy)
    if not steps:
        return times.after_s + (rung - 1) * times.again_s
    if rung <= len(steps):
        return _before(policy, steps[rung - 1])
    return _before(policy, steps[-1]) + (rung - len(steps)) * policy.steps[-1].wait_s


def step_of(policy: Policy, rung: int) -> int:
    """Which step that call belongs to; 0 where the ladder never names the contact."""
    steps = fallback_steps(policy)
    return steps[min(rung, len(steps)) - 1] if steps else 0


def with_actions(incident: Incident, waiting: Sequence[Action]) -> Incident:
    """The incident as it will be once these actions, in their order, are recorded; what will be
    refused changes nothing."""
    for action in waiting:
        try:
            incident = perform(incident, action, ladder_of(incident))
        except AlertsError:
            continue
    return incident


def _before(policy: Policy, number: int) -> int:
    """Seconds from the first step to the step of this number, from 1."""
    return sum(step.wait_s for step in policy.steps[: number - 1])
