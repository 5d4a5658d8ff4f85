"""Which incident does an alarm belong to? One pure decision with a named reason.

Ingest asks it twice: against its own table in memory to announce at once, and against locked rows
when it commits. If the two differ, the commit wins and the feed says `merged`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.alarm import Alarm
from alerts.incident import (
    Event,
    Incident,
    Outcome,
    State,
    annotated,
    joined_by,
    next_state,
    opened_by,
)
from schemas.alarms import PressAction


class Reason(StrEnum):
    """Why an alarm went where it went; stored, and shown on the desk."""

    OPENED = "opened"
    """No open incident of this subject."""
    FOLLOWS = "follows"
    """The subject's last incident was resolved not long ago; the new one points to it."""
    JOINED = "joined"
    """An incident of this subject is open; it is raised again."""
    WITHDRAWN = "withdrawn"
    """The person cancelled while being asked."""
    CANCEL_NOTED = "cancel_noted"
    """A cancel after the incident was raised: noted, a human decides."""
    CANCEL_ALONE = "cancel_alone"
    """A cancel with nothing to cancel."""
    TEST_RECORDED = "test_recorded"
    MOTION_RECORDED = "motion_recorded"
    """Raw motion: kept as evidence, a detector decides."""
    HAZARD_ENDED = "hazard_ended"
    """The sensor says the hazard is over: noted, a human decides."""


class Cause(StrEnum):
    """What an incident's change means to those who watch it."""

    RAISED = "raised"
    REALARMED = "realarmed"
    NOTED = "noted"
    WITHDRAWN = "withdrawn"


FOLLOW_WITHIN = timedelta(hours=24)
"""Ours: a press within a day of a resolved incident is most likely the same trouble."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The decision: the incident as it is after the alarm, or None if the alarm stands alone."""

    incident: Incident | None
    reason: Reason
    cause: Cause | None


def group(
    alarm: Alarm,
    open_incident: Incident | None,
    last_resolved: Incident | None,
    now: datetime,
) -> Grouping:
    """Decide where `alarm` belongs.

    `open_incident` is the open incident of the alarm's subject, `last_resolved` its newest
    resolved one. Never drops an alarm that rings.
    """
    if not alarm.rings:
        return _silent_alarm(alarm, open_incident, now)
    if open_incident is not None:
        return Grouping(joined_by(open_incident, alarm, now), Reason.JOINED, Cause.REALARMED)
    if last_resolved is not None and _recent(last_resolved, now):
        incident = opened_by(alarm, now, follows=last_resolved.id)
        return Grouping(incident, Reason.FOLLOWS, Cause.RAISED)
    return Grouping(opened_by(alarm, now), Reason.OPENED, Cause.RAISED)


def _silent_alarm(alarm: Alarm, open_incident: Incident | None, now: datetime) -> Grouping:
    if alarm.action is PressAction.TEST:
        return Grouping(None, Reason.TEST_RECORDED, None)
    if alarm.kind == "motion":
        return Grouping(None, Reason.MOTION_RECORDED, None)
    if open_incident is None:
        reason = Reason.HAZARD_ENDED if alarm.ends_hazard else Reason.CANCEL_ALONE
        return Grouping(None, reason, None)
    if alarm.ends_hazard:
        return Grouping(annotated(open_incident, now), Reason.HAZARD_ENDED, Cause.NOTED)
    if open_incident.state is State.CHECKING:
        return Grouping(_withdrawn(open_incident, now), Reason.WITHDRAWN, Cause.WITHDRAWN)
    return Grouping(annotated(open_incident, now), Reason.CANCEL_NOTED, Cause.NOTED)


def _withdrawn(incident: Incident, now: datetime) -> Incident:
    return replace(
        incident,
        state=next_state(incident, Event.WITHDRAW),
        outcome=Outcome.WITHDRAWN,
        resolved_at=now,
        next_deadline_at=None,
        revision=incident.revision + 1,
    )


def _recent(resolved: Incident, now: datetime) -> bool:
    return resolved.resolved_at is not None and now - resolved.resolved_at <= FOLLOW_WITHIN
