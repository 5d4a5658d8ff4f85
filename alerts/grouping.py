"""Which incident does an alarm belong to? One pure decision with a named reason.

Ingest asks it twice: against its own table in memory to announce at once, and against locked rows
when it commits. If the two differ, the commit wins and the feed says `merged`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerts.alarm import Alarm, Bearing, Category, Subject, SubjectKind
from alerts.incident import (
    Incident,
    State,
    annotated,
    asked_again_by,
    cleared,
    joined_by,
    opened_by,
    withdrawn,
)
from schemas.alarms import PressAction


class Reason(StrEnum):
    """Why an alarm or a finding went where it went; stored, and shown on the desk."""

    OPENED = "opened"
    """No open incident of this subject."""
    FOLLOWS = "follows"
    """The subject's last incident was resolved not long ago; the new one points to it."""
    SAME_ADDRESS = "same_address"
    """An incident of its own, but one of somebody else at this address is open: they are shown
    together, for whoever goes there goes to both."""
    JOINED = "joined"
    """An incident of this subject is open; it is raised again."""
    RAISES_PRIORITY = "raises_priority"
    """It joins, and is more urgent than what was known."""
    REALARMS = "realarms"
    """It joins an incident that somebody has already: it rings again."""
    DRILL = "drill"
    """Practice, begun by a human."""
    ASKED = "asked"
    """The person is asked first."""
    ASKED_ALREADY = "asked_already"
    """A further sign while the person is being asked."""
    CANNOT_ASK = "cannot_ask"
    """It would have asked first, but no device there can ask."""
    UNANSWERED = "unanswered"
    """The person was asked while the database was away, and did not answer."""
    WITHDRAWN = "withdrawn"
    """The person cancelled while being asked."""
    CANCEL_NOTED = "cancel_noted"
    """A cancel after the incident was raised: noted, a human decides."""
    CANCEL_ALONE = "cancel_alone"
    """A cancel with nothing to cancel."""
    TEST_RECORDED = "test_recorded"
    MAINTENANCE = "maintenance"
    """Technical, while somebody works there: it raises when the work ends, if it is still true."""
    MOTION_RECORDED = "motion_recorded"
    """Raw motion: kept as evidence, a detector decides."""
    HAZARD_ENDED = "hazard_ended"
    """The sensor says the hazard is over: noted, a human decides."""
    STILL_HOLDS = "still_holds"
    """What the open incident is about goes on: noted."""
    WORTH_A_LOOK = "worth_a_look"
    """Not urgent: recorded for whoever looks after the person by day; wakes nobody."""
    CANDIDATE = "candidate"
    """Not certain enough yet: the detector waits for more."""
    QUESTION_WITHDRAWN = "question_withdrawn"
    """The detector took back what the person was being asked about."""
    CLEARED = "cleared"
    """A technical condition ended by itself."""
    OVER_NOTED = "over_noted"
    """The detector says it is over or better: noted, a human decides."""
    OVER_ALONE = "over_alone"
    """The end of something that no open incident is about."""
    PART_OF_OUTAGE = "part_of_outage"
    """An incident of the whole area speaks of it already."""
    NOT_SERVED = "not_served"
    """The person moved or their service ended: nobody is called."""
    NOT_AT_HOME = "not_at_home"
    """The person is away or in hospital: a quiet home is what one expects."""


class Cause(StrEnum):
    """What an incident's change means to those who watch it."""

    RAISED = "raised"
    REALARMED = "realarmed"
    CHECKING = "checking"
    NOTED = "noted"
    WITHDRAWN = "withdrawn"
    RESOLVED = "resolved"


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
    neighbour: Incident | None = None,
) -> Grouping:
    """Decide where `alarm` belongs.

    `open_incident` is the open incident the alarm is about (see `home_subject`), `last_resolved`
    the newest resolved one of its subject, `neighbour` the oldest open one of somebody else at the
    same address (see `shares_address`). Never drops an alarm that rings.
    """
    if not alarm.rings:
        return _silent_alarm(alarm, open_incident, now)
    if open_incident is not None:
        if alarm.bearing is Bearing.REMINDS:
            return Grouping(annotated(open_incident, now), Reason.STILL_HOLDS, Cause.NOTED)
        if alarm.ask_s and open_incident.state is State.CHECKING:
            asked = asked_again_by(open_incident, alarm, now)
            return Grouping(asked, Reason.ASKED_ALREADY, Cause.CHECKING)
        joined = joined_by(open_incident, alarm, now)
        return Grouping(joined, _how_it_joins(open_incident, joined), Cause.REALARMED)
    follows = last_resolved.id if last_resolved and _recent(last_resolved, now) else None
    together = None
    if neighbour is not None and shares_address(alarm.subject, alarm.category, neighbour):
        together = neighbour.same_address or neighbour.id
    if alarm.ask_s:
        asked = opened_by(alarm, now, state=State.CHECKING, follows=follows, same_address=together)
        return Grouping(asked, Reason.ASKED, Cause.CHECKING)
    opened = opened_by(alarm, now, follows=follows, same_address=together)
    return Grouping(opened, _how_it_opens(opened), Cause.RAISED)


def _how_it_joins(before: Incident, joined: Incident) -> Reason:
    if before.held:
        return Reason.REALARMS
    return Reason.JOINED if joined.priority is before.priority else Reason.RAISES_PRIORITY


def _how_it_opens(opened: Incident) -> Reason:
    if opened.drill:
        return Reason.DRILL
    if opened.same_address is not None:
        return Reason.SAME_ADDRESS
    return Reason.OPENED if opened.follows is None else Reason.FOLLOWS


def shares_address(subject: Subject, category: Category, other: Incident) -> bool:
    """Whether an incident of this subject goes together with an open one at the same premises:
    both about people or their home, and neither of them practice."""
    return (
        other.open
        and not other.drill
        and subject.kind is not SubjectKind.DRILL
        and other.subject != subject
        and Category.TECHNICAL not in (category, other.category)
    )


def home_subject(alarm: Alarm) -> Subject | None:
    """Whose incident a press may belong to besides its person's own: everybody in a home is asked
    "are you well?", and whoever lives there may answer."""
    if alarm.action is None or alarm.premises_id is None:
        return None
    return Subject(SubjectKind.PREMISES, alarm.premises_id)


def answers(alarm: Alarm, home: Incident) -> bool:
    """Whether a press belongs to the open incident of its home: it answers the home's question,
    or goes on with the incident that became of it."""
    if home.state is State.CHECKING:
        return True
    return home.person_id is not None and home.person_id == alarm.person_id


def over(
    incident: Incident | None, now: datetime, *, its_own: bool, alone: bool, technical: bool
) -> Grouping:
    """What it means that a detector takes a finding back, or says that it is better.

    `its_own`: the incident was opened or joined by this episode; `alone`: nothing else holds on
    it. Once raised, only a technical condition ends by itself; everything else is for a human.
    """
    if incident is None or not incident.open or not its_own:
        return Grouping(None, Reason.OVER_ALONE, None)
    if alone and incident.state is State.CHECKING:
        return Grouping(withdrawn(incident, now), Reason.QUESTION_WITHDRAWN, Cause.WITHDRAWN)
    if alone and technical and incident.category is Category.TECHNICAL:
        return Grouping(cleared(incident, now), Reason.CLEARED, Cause.RESOLVED)
    return Grouping(annotated(incident, now), Reason.OVER_NOTED, Cause.NOTED)


def _silent_alarm(alarm: Alarm, open_incident: Incident | None, now: datetime) -> Grouping:
    if alarm.action is PressAction.TEST:
        return Grouping(None, Reason.TEST_RECORDED, None)
    if alarm.kind == "motion":
        return Grouping(None, Reason.MOTION_RECORDED, None)
    if open_incident is None:
        if alarm.ends_hazard:
            return Grouping(None, Reason.HAZARD_ENDED, None)
        cancelled = alarm.action is PressAction.CANCEL
        return Grouping(None, Reason.CANCEL_ALONE if cancelled else Reason.STILL_HOLDS, None)
    if alarm.ends_hazard:
        return Grouping(annotated(open_incident, now), Reason.HAZARD_ENDED, Cause.NOTED)
    if alarm.action is not PressAction.CANCEL:
        return Grouping(annotated(open_incident, now), Reason.STILL_HOLDS, Cause.NOTED)
    if open_incident.state is State.CHECKING:
        return Grouping(withdrawn(open_incident, now), Reason.WITHDRAWN, Cause.WITHDRAWN)
    return Grouping(annotated(open_incident, now), Reason.CANCEL_NOTED, Cause.NOTED)


def _recent(resolved: Incident, now: datetime) -> bool:
    return resolved.resolved_at is not None and now - resolved.resolved_at <= FOLLOW_WITHIN
