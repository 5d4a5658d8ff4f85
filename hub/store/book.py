"""The incidents a batch touches, as they are after each of its items.

The grouping here, against locked rows, is the one that counts; what ingest announced before from
its own memory gives way to it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

import psycopg

from alerts.actions import Action, Verb, perform
from alerts.alarm import Alarm, Category, Subject
from alerts.errors import AlertsError, IllegalTransition
from alerts.grouping import (
    Cause,
    Grouping,
    Reason,
    answers,
    group,
    home_subject,
    over,
    shares_address,
)
from alerts.incident import Incident, State, annotated
from alerts.ladders import ladder_of
from hub.call_in import TELEPHONE
from hub.detect.detector import Phase
from hub.store import queries
from hub.store.acts import (
    CAUSES,
    action_values,
    details_of,
    ended_by_themselves,
    follow,
    refusal_of,
    refusal_text,
)
from hub.store.asking import Askable, Question, questions, settle_questions, told_answered
from hub.store.items import (
    ActionItem,
    AlarmItem,
    ClearItem,
    Episode,
    Found,
    Item,
    NoteItem,
    Recorded,
)
from hub.store.ledger import Ledger, Row, many
from hub.store.muting import Muting
from hub.store.policies import Ladders
from hub.store.rows import alarm_values, finding_values, incident_values
from hub.store.stands_for import StandsFor
from hub.store.whereabouts import Whereabouts
from hub.synthetic import is_synthetic
from schemas.identity import occurrence, occurrence_id
from schemas.ids import AlarmId, IncidentId, PremisesId

_SQL = queries.load("incidents")


@dataclass(slots=True)
class Book:
    """Loaded by `hub.store.cases`, changed item by item, saved once."""

    cursor: psycopg.AsyncCursor[Row]
    language: str
    by_id: dict[IncidentId, Incident] = field(default_factory=dict)
    open_by_subject: dict[Subject, IncidentId] = field(default_factory=dict)
    resolved_by_subject: dict[Subject, Incident] = field(default_factory=dict)
    incident_of_alarm: dict[str, IncidentId | None] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    again: dict[AlarmId, datetime] = field(default_factory=dict)
    """Presses without an id that this batch has recorded before, and when the last one began."""
    known_actions: dict[str, str | None] = field(default_factory=dict)
    known_findings: dict[AlarmId, IncidentId | None] = field(default_factory=dict)
    incident_of_episode: dict[Episode, IncidentId] = field(default_factory=dict)
    holding: dict[IncidentId, set[Episode]] = field(default_factory=dict)
    """Episodes on an incident that were not taken back."""
    muting: Muting = field(default_factory=Muting)
    """What planned maintenance keeps from ringing."""
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    askable: Askable = field(default_factory=Askable)
    changed: dict[IncidentId, None] = field(default_factory=dict)
    opened: list[IncidentId] = field(default_factory=list)
    acted: list[tuple[Incident, Incident, Action]] = field(default_factory=list)
    """Incidents before and after a deed."""
    cleared: dict[IncidentId, datetime] = field(default_factory=dict)
    """Ended by themselves."""
    stands_for: StandsFor = field(default_factory=StandsFor)
    ladders: Ladders = field(default_factory=Ladders)
    neighbours: dict[PremisesId, list[Incident]] = field(default_factory=dict)
    """Open incidents by home, the oldest first; as of the beginning of the batch."""
    shown: dict[IncidentId, list[Alarm]] = field(default_factory=dict)
    """The newest alarms of incidents that may be reopened."""
    asking: list[tuple[Question, datetime]] = field(default_factory=list)
    settled_questions: dict[IncidentId, datetime] = field(default_factory=dict)
    taken_back: list[tuple[IncidentId, datetime]] = field(default_factory=list)
    """Questions that a detector withdrew: their devices still show them."""

    def apply(self, item: Item) -> Recorded:
        """One item after the other; the result says what became of it."""
        match item:
            case AlarmItem():
                return self._alarm(item)
            case ActionItem():
                return self._action(item)
            case ClearItem():
                return self._clear(item)
            case NoteItem():
                return self._note_finding(item)

    # Alarms

    def _alarm(self, item: AlarmItem) -> Recorded:
        alarm = self._told_apart(item)
        if alarm.id in self.incident_of_alarm:
            self.ledger.repeats.append(alarm.id)
            known = self.incident_of_alarm[alarm.id]
            incident = self.by_id.get(known) if known else None
            return Recorded(item, incident, None, alarm, duplicate=True)
        alarm = self._about_whom(alarm)
        grouping = self._muted(alarm, item.found) or self._grouped(alarm, item)
        self._take(alarm, item, grouping)
        return Recorded(item, grouping.incident, grouping.cause, alarm)

    def _muted(self, alarm: Alarm, found: Found | None) -> Grouping | None:
        """A finding that must not wake anybody; a press is never asked."""
        reason = self.whereabouts.mutes(found) if found is not None else None
        if reason is None and self.muting.mutes(alarm):
            reason = Reason.MAINTENANCE
        return None if reason is None else Grouping(None, reason, None)

    def _grouped(self, alarm: Alarm, item: AlarmItem) -> Grouping:
        """Where it belongs; one that no device can ask about rings at once."""
        devices = self.askable.of(alarm) if alarm.ask_s else []
        cannot_ask = bool(alarm.ask_s) and not devices and not item.asked
        if cannot_ask:
            alarm = replace(alarm, ask_s=0)
        grouping = group(
            alarm,
            self._open_for(alarm),
            self.resolved_by_subject.get(alarm.subject),
            alarm.received_at,
            self._neighbour(alarm),
        )
        grouping = self._on_its_ladder(grouping)
        if grouping.cause is Cause.CHECKING and grouping.incident is not None:
            question = Question(grouping.incident, alarm, devices, item.asked)
            self.asking.append((question, alarm.received_at))
        if cannot_ask and grouping.cause is Cause.RAISED:
            return replace(grouping, reason=Reason.CANNOT_ASK)
        if item.unanswered and grouping.cause is Cause.RAISED:
            return replace(grouping, reason=Reason.UNANSWERED)
        return grouping

    def _on_its_ladder(self, grouping: Grouping) -> Grouping:
        """A new incident gets its ladder; so does one that became more urgent or graver. Otherwise
        it keeps the one it has, whatever was edited since."""
        incident = grouping.incident
        if incident is None or not incident.open:
            return grouping
        before = self.by_id.get(incident.id)
        if before is not None and before.policy is not None:
            same = (incident.priority, incident.category) == (before.priority, before.category)
            if same:
                return grouping
        return replace(grouping, incident=self.ladders.given(incident))

    def _neighbour(self, alarm: Alarm) -> Incident | None:
        """The oldest open incident of somebody else at this address."""
        known = self.neighbours.get(alarm.premises_id, ()) if alarm.premises_id else ()
        now = (self.by_id.get(each.id, each) for each in known)
        return next((i for i in now if shares_address(alarm.subject, alarm.category, i)), None)

    def _about_whom(self, alarm: Alarm) -> Alarm:
        """A finding about a home where one person lives is about that person."""
        if alarm.person_id is not None or alarm.action is not None:
            return alarm
        only = self.whereabouts.only_resident(alarm.premises_id)
        return alarm if only is None else replace(alarm, person_id=only)

    def _told_apart(self, item: AlarmItem) -> Alarm:
        """Presses without an id: the occurrence decides which press this is."""
        if not item.derived:
            return item.alarm
        base, received_at = item.alarm.id, item.alarm.received_at
        last, began_at, _ = self.ledger.occurrences.get(base, (0, None, ""))
        if base in self.again:
            # What came before the last one in this batch is not from before a clock set back.
            if received_at == self.again[base]:
                del self.again[base]
            return replace(item.alarm, id=occurrence_id(base, last))
        since = None if began_at is None else (received_at - began_at).total_seconds()
        number = occurrence(last, since, marked_duplicate=False)
        if number != last:
            self.ledger.occurrences[base] = (number, received_at, item.alarm.area_id)
        return replace(item.alarm, id=occurrence_id(base, number))

    def _take(self, alarm: Alarm, item: AlarmItem, grouping: Grouping) -> None:
        incident = grouping.incident
        if incident is not None:
            self._put(incident, alarm.received_at)
        self.incident_of_alarm[alarm.id] = incident.id if incident else None
        values = alarm_values(alarm)
        self.ledger.alarms.append(
            values
            | {
                "incident_id": incident.id if incident else None,
                "grouping_reason": grouping.reason.value,
            }
        )
        if item.window_json is not None:
            self.ledger.windows.append(values | {"window_json": item.window_json.decode()})
        if item.found is not None:
            self._keep(item.found, incident, _finding_reason(item.found, grouping.reason))
        if is_synthetic(alarm):
            return
        self.ledger.note(
            alarm.received_at,
            alarm.area_id,
            incident,
            "alarm",
            grouping.reason.value,
            {
                "alarm_id": alarm.id,
                "kind": alarm.kind,
                "flags": values["flags"],
                "ladder": incident.policy.name if incident and incident.policy else None,
                "same_address": incident.same_address if incident else None,
            },
            actor=_behind(alarm),
        )

    # Findings

    def _note_finding(self, item: NoteItem) -> Recorded:
        """Kept; where an incident of its subject is open, what is worth a look is noted on it."""
        found, finding = item.found, item.found.finding
        if found.id in self.known_findings:
            known = self.known_findings[found.id]
            return Recorded(item, self.by_id.get(known) if known else None, None, duplicate=True)
        if finding.within is not None:
            self._keep(found, self._open(finding.within), Reason.PART_OF_OUTAGE)
            return Recorded(item, None, None)
        reason = Reason.CANDIDATE if finding.phase is Phase.CANDIDATE else Reason.WORTH_A_LOOK
        reason = self.whereabouts.mutes(found) or reason
        incident = self._open(finding.subject) if reason is Reason.WORTH_A_LOOK else None
        if incident is None:
            self._keep(found, None, reason)
            return Recorded(item, None, None)
        incident = annotated(incident, finding.at)
        self._put(incident, finding.at)
        self._keep(found, incident, reason)
        self._note_evidence(found, incident, reason)
        return Recorded(item, incident, Cause.NOTED.value)

    def _clear(self, item: ClearItem) -> Recorded:
        """A claim is taken back, or is less than it was."""
        found, at = item.found, item.alarm.received_at
        self.muting.ended(item.subject, item.alarm.kind)
        if found is not None and found.id in self.known_findings:
            known = self.known_findings[found.id]
            return Recorded(item, self.by_id.get(known) if known else None, None, duplicate=True)
        incident, its_own = self._incident_of_end(item)
        alone = True
        if incident is not None and found is not None:
            still = self.holding.get(incident.id, set())
            still.discard(found.episode)
            alone = not still
        grouping = over(
            incident,
            at,
            its_own=its_own,
            alone=alone,
            technical=item.alarm.category is Category.TECHNICAL,
        )
        if grouping.incident is not None:
            self._put(grouping.incident, at)
            if grouping.reason is Reason.QUESTION_WITHDRAWN:
                self.taken_back.append((grouping.incident.id, at))
            if grouping.reason is Reason.CLEARED:
                self.cleared[grouping.incident.id] = at
        if found is not None:
            self._keep(found, grouping.incident, grouping.reason)
        if grouping.incident is not None:
            self._note_end(item, grouping.incident, grouping.reason)
        cause = grouping.cause.value if grouping.cause else None
        return Recorded(item, grouping.incident, cause)

    def _incident_of_end(self, item: ClearItem) -> tuple[Incident | None, bool]:
        """The incident the ended claim is on, and whether the claim is one it rests on."""
        if item.found is not None:
            known = self.incident_of_episode.get(item.found.episode)
            incident = self.by_id.get(known) if known else None
            if incident is not None and incident.open:
                return incident, True
        # An incident from before findings were kept, or of the hub's own making.
        incident = self._open(item.subject)
        technical = item.alarm.category is Category.TECHNICAL
        its_own = incident is not None and technical and incident.kind == item.alarm.kind
        return incident, its_own

    def _note_end(self, item: ClearItem, incident: Incident, reason: Reason) -> None:
        if item.found is not None:
            self._note_evidence(item.found, incident, reason)
            return
        at = item.alarm.received_at
        self.ledger.note(
            at, incident.area_id, incident, "clear", item.alarm.text, {}, actor=("hub", None, None)
        )

    def _keep(self, found: Found, incident: Incident | None, reason: Reason) -> None:
        """The finding as a row, and what it means for the episodes of its incident."""
        self.known_findings[found.id] = incident.id if incident else None
        self.ledger.findings.append(
            finding_values(found, incident.id if incident else None, reason)
        )
        if incident is not None and found.finding.phase is not Phase.WITHDRAWN:
            self.incident_of_episode[found.episode] = incident.id
            self.holding.setdefault(incident.id, set()).add(found.episode)

    def _note_evidence(self, found: Found, incident: Incident, reason: Reason) -> None:
        finding = found.finding
        self.ledger.note(
            finding.at,
            incident.area_id,
            incident,
            "finding",
            reason.value,
            {
                "kind": finding.kind,
                "phase": finding.phase.value,
                "evidence": finding.evidence,
                "text": finding.text,
            },
            actor=("detector", finding.detector, None),
        )

    # Deeds

    def _action(self, item: ActionItem) -> Recorded:
        action = item.action
        incident = self.by_id.get(self._resolved_id(action.incident_id))
        if action.id in self.known_actions:
            told = refusal_of(self.known_actions[action.id])
            cause = "refreshed" if told is None else None
            return Recorded(item, incident, cause, duplicate=True, refusal=told)
        if incident is None:
            return Recorded(item, None, None, refusal=AlertsError("there is no such incident"))
        refusal = self._taken_place(incident, action)
        after, said = incident, action
        action = self.stands_for.read(action, incident)
        try:
            if refusal is None:
                after = perform(incident, action, ladder_of(incident))
        except AlertsError as error:
            refusal = error
        self._save_action(incident, said, refusal)
        if refusal is not None:
            return Recorded(item, incident, None, refusal=refusal)
        if after is not incident:
            self._put(after, action.at)
            self.acted.append((incident, after, action))
        reopened = self.shown.get(after.id, []) if action.verb is Verb.REOPEN else []
        return Recorded(item, after, CAUSES[action.verb], shown=reopened)

    def _taken_place(self, incident: Incident, action: Action) -> AlertsError | None:
        """A subject has one open incident: an old one is not reopened beside it."""
        newer = self._open(incident.subject)
        if action.verb is not Verb.REOPEN or newer is None or newer.id == incident.id:
            return None
        return IllegalTransition(f"a newer incident of the same subject is open: {newer.id}")

    def _save_action(self, incident: Incident, action: Action, refusal: AlertsError | None) -> None:
        stored = refusal_text(refusal)
        self.known_actions[action.id] = stored
        self.ledger.actions.append(action_values(incident, action, stored))
        self.ledger.note(
            action.at,
            incident.area_id,
            incident,
            action.verb.value if refusal is None else f"{action.verb.value}_refused",
            str(refusal) if refusal else None,
            details_of(action) | ({"refusal": type(refusal).__name__} if refusal else {}),
            actor=(action.by.kind.value, action.by.id, action.by.name),
        )

    # Incidents

    def _open(self, subject: Subject) -> Incident | None:
        known = self.open_by_subject.get(subject)
        return self.by_id[known] if known is not None else None

    def _open_for(self, alarm: Alarm) -> Incident | None:
        """The open incident of its subject, else the home's if the press answers that one."""
        incident = self._open(alarm.subject)
        home = home_subject(alarm)
        if incident is None and home is not None:
            asked = self._open(home)
            if asked is not None and answers(alarm, asked):
                return asked
        return incident

    def _resolved_id(self, incident_id: IncidentId) -> IncidentId:
        """A provisional incident may have been merged into another: its alarm tells which."""
        if incident_id in self.by_id:
            return incident_id
        return self.incident_of_alarm.get(incident_id) or incident_id

    def _put(self, incident: Incident, at: datetime) -> None:
        before = self.by_id.get(incident.id)
        was_asked = before is not None and before.state is State.CHECKING
        if was_asked and incident.state is not State.CHECKING:
            self.settled_questions[incident.id] = at
        self.by_id[incident.id] = incident
        self.changed[incident.id] = None
        if before is None:
            self.opened.append(incident.id)
        if before is None and incident.premises_id is not None:
            self.neighbours.setdefault(incident.premises_id, []).append(incident)
        if incident.open:
            self.open_by_subject[incident.subject] = incident.id
        elif self.open_by_subject.get(incident.subject) == incident.id:
            del self.open_by_subject[incident.subject]
            self.resolved_by_subject[incident.subject] = incident

    async def save(self) -> None:
        """Write everything; incidents first, since alarms refer to them. Closed ones before open
        ones, since the subject's place must be free."""
        changed = sorted((self.by_id[i] for i in self.changed), key=lambda i: i.open)
        await many(self.cursor, _SQL["save_incident"], [incident_values(i) for i in changed])
        await self.ledger.save(self.cursor)
        await self.muting.save(self.cursor)
        await self._save_questions()
        await self._save_acted()

    async def targets(self) -> dict[IncidentId, datetime]:
        """When somebody should be at the door of what this batch opened."""
        if not self.opened:
            return {}
        await self.cursor.execute(_SQL["arrival_targets"], {"ids": self.opened})
        return {row["incident_id"]: row["arrive_by"] async for row in self.cursor}

    async def _save_questions(self) -> None:
        """Ask, and take back what is settled: a question is never asked after its answer."""
        rows = [
            row
            for question, at in self.asking
            if self.by_id[question.incident.id].state is State.CHECKING or question.asked
            for row in questions(question, at, self.language)
        ]
        await many(self.cursor, _SQL["add_notification"], rows)
        for incident_id, at in self.settled_questions.items():
            await settle_questions(self.cursor, [incident_id], at)
        for incident_id, at in self.taken_back:
            rows = await told_answered(self.cursor, self.by_id[incident_id], at, self.language)
            await many(self.cursor, _SQL["add_notification"], rows)

    async def _save_acted(self) -> None:
        if self.cleared:
            ended = [(self.by_id[incident_id], at) for incident_id, at in self.cleared.items()]
            await ended_by_themselves(self.cursor, ended)
        for before, after, action in self.acted:
            await follow(self.cursor, before, after, action, self.language)


def _behind(alarm: Alarm) -> tuple[str, str | None, str | None]:
    """Who it comes from; a drill comes from a human, and so does a call that one took."""
    if alarm.drill or (alarm.device_id == TELEPHONE and alarm.evidence.get("by_id")):
        return ("account", alarm.evidence.get("by_id"), alarm.evidence.get("by"))
    return ("device", alarm.device_id, None)


def _finding_reason(found: Found, grouped: Reason) -> Reason:
    """Why a finding that came with a message woke nobody, if it did not."""
    if grouped is Reason.MOTION_RECORDED and found.finding.phase is Phase.CANDIDATE:
        return Reason.CANDIDATE
    return grouped
