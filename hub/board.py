"""Ingest's own table of open incidents: what is announced before the database has answered.

Belongs to the alarm lane's loop alone. The commit is the truth; the board is the best guess that
rings within milliseconds, and is corrected by every commit and every look at the database.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.alarm import Alarm, Subject
from alerts.grouping import Grouping, answers, group, home_subject, shares_address
from alerts.incident import Incident, State
from hub.view import ALARMS_SHOWN
from schemas.identity import occurrence, occurrence_id
from schemas.ids import AlarmId, IncidentId, PremisesId

KNOWN_ALARMS = 20_000
"""Presses remembered to answer a repeat at once; older repeats are known by the database."""


@dataclass(slots=True)
class Board:
    """Open incidents by subject, the alarms that show with them, and known presses."""

    open: dict[IncidentId, Incident] = field(default_factory=dict)
    by_subject: dict[Subject, IncidentId] = field(default_factory=dict)
    alarms: dict[IncidentId, list[Alarm]] = field(default_factory=dict)
    provisional: set[IncidentId] = field(default_factory=set)
    asked: set[IncidentId] = field(default_factory=set)
    """Those whose person is being asked."""
    by_home: dict[PremisesId, dict[IncidentId, None]] = field(default_factory=dict)
    """Open incidents of each home, in the order in which they came."""
    resolved: OrderedDict[Subject, Incident] = field(default_factory=OrderedDict)
    known: OrderedDict[AlarmId, IncidentId | None] = field(default_factory=OrderedDict)
    occurrences: OrderedDict[AlarmId, tuple[int, datetime]] = field(default_factory=OrderedDict)

    def tell_apart(self, derived_id: AlarmId, received_at: datetime) -> AlarmId:
        """The id of a press that carries none: which occurrence of the same bytes it is."""
        last, began_at = self.occurrences.get(derived_id, (0, None))
        since = None if began_at is None else (received_at - began_at).total_seconds()
        number = occurrence(last, since, marked_duplicate=False)
        if number != last:
            self.occurrences[derived_id] = (number, received_at)
        self.occurrences.move_to_end(derived_id)
        if len(self.occurrences) > KNOWN_ALARMS:
            self.occurrences.popitem(last=False)
        return occurrence_id(derived_id, number)

    def open_of(self, subject: Subject) -> Incident | None:
        """The subject's open incident."""
        incident_id = self.by_subject.get(subject)
        return self.open.get(incident_id) if incident_id else None

    def open_for(self, alarm: Alarm) -> Incident | None:
        """The open incident the alarm is about: its subject's, or the home's that a press
        answers."""
        incident = self.open_of(alarm.subject)
        home = home_subject(alarm)
        if incident is None and home is not None:
            asked = self.open_of(home)
            if asked is not None and answers(alarm, asked):
                return asked
        return incident

    def unanswered(self, now: datetime, grace: timedelta) -> list[Incident]:
        """Incidents whose person had their time to answer, and the ladder `grace` more to say so;
        none for those the database does not know yet."""
        found = (self.open[incident_id] for incident_id in self.asked)
        return [
            incident
            for incident in found
            if incident.next_deadline_at is not None
            and incident.next_deadline_at
            + (timedelta(0) if incident.id in self.provisional else grace)
            <= now
        ]

    def take_back(self, joined: Incident, alarm_id: AlarmId) -> Incident:
        """The alarm did not join after all. Returns the incident as it is shown now: as before,
        unless it has changed since."""
        shown = self.alarms.get(joined.id, [])
        shown[:] = [alarm for alarm in shown if alarm.id != alarm_id]
        current = self.open.get(joined.id)
        if current is None or current.revision != joined.revision + 1:
            return current or joined
        self.put(joined)
        return joined

    def group(self, alarm: Alarm) -> Grouping:
        """Where the alarm most likely belongs; the board shows it from now on."""
        current = self.open_for(alarm)
        last = self.resolved.get(alarm.subject)
        grouping = group(alarm, current, last, alarm.received_at, self._neighbour(alarm))
        if grouping.incident is not None:
            self.put(grouping.incident)
            self.show(grouping.incident.id, alarm)
            if current is None:
                self.provisional.add(grouping.incident.id)
        return grouping

    def _neighbour(self, alarm: Alarm) -> Incident | None:
        """The first open incident of somebody else at this address."""
        known = self.by_home.get(alarm.premises_id, ()) if alarm.premises_id else ()
        each = (self.open[incident_id] for incident_id in known)
        return next((i for i in each if shares_address(alarm.subject, alarm.category, i)), None)

    def put(self, incident: Incident) -> None:
        """The incident is so now."""
        if incident.state is State.CHECKING:
            self.asked.add(incident.id)
        else:
            self.asked.discard(incident.id)
        if incident.open:
            self.open[incident.id] = incident
            self.by_subject[incident.subject] = incident.id
            if incident.premises_id is not None:
                self.by_home.setdefault(incident.premises_id, {})[incident.id] = None
            return
        self.remove(incident.id)
        self.resolved[incident.subject] = incident
        self.resolved.move_to_end(incident.subject)
        if len(self.resolved) > KNOWN_ALARMS:
            self.resolved.popitem(last=False)

    def remove(self, incident_id: IncidentId) -> None:
        """It is resolved, or was merged into another."""
        incident = self.open.pop(incident_id, None)
        self.alarms.pop(incident_id, None)
        self.provisional.discard(incident_id)
        self.asked.discard(incident_id)
        if incident is not None and self.by_subject.get(incident.subject) == incident_id:
            del self.by_subject[incident.subject]
        if incident is not None and incident.premises_id in self.by_home:
            here = self.by_home[incident.premises_id]
            here.pop(incident_id, None)
            if not here:
                del self.by_home[incident.premises_id]

    def show(self, incident_id: IncidentId, alarm: Alarm) -> None:
        """Keep the alarm among those shown with the incident, once."""
        shown = self.alarms.setdefault(incident_id, [])
        if all(known.id != alarm.id for known in shown):
            shown.append(alarm)
            del shown[:-ALARMS_SHOWN]

    def remember(self, alarm_id: AlarmId, incident_id: IncidentId | None) -> None:
        """This press is recorded: a repeat of it needs only its receipt."""
        self.known[alarm_id] = incident_id
        self.known.move_to_end(alarm_id)
        if len(self.known) > KNOWN_ALARMS:
            self.known.popitem(last=False)

    def refresh(self, incidents: Iterable[Incident]) -> list[Incident]:
        """Take what others changed in the database (ladder, leases); what was news is returned.

        An incident with uncommitted alarms keeps its newer place here until its commit.
        """
        news: list[Incident] = []
        for incident in incidents:
            known = self.open.get(incident.id)
            if known is None or incident.revision > known.revision:
                if known is not None or incident.open:
                    news.append(incident)
                self.put(incident)
        return news
