"""Alarms, desk actions and ended conditions become incidents in one transaction.

The grouping here, against locked rows, is the one that counts; what ingest announced before from
its own memory gives way to it. Everything is idempotent by id: a batch that is tried again after
a lost connection changes nothing that the first try already did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import psycopg
from psycopg.rows import dict_row

from alerts.actions import Action, Verb, perform
from alerts.alarm import Alarm, Subject
from alerts.errors import AlertsError, AlreadyOwned, IllegalTransition, OutcomeMissing
from alerts.grouping import Grouping, group
from alerts.incident import Event, Incident, Outcome, next_state
from alerts.policy import policy_for
from alerts.rendering import CHINESE
from hub.store import queries
from hub.store.receipts import told_notifications
from hub.store.rows import alarm_values, incident_of, incident_values
from schemas.commands import ReceiptStage
from schemas.identity import occurrence, occurrence_id
from schemas.ids import AlarmId, IncidentId

_SQL = queries.load("incidents")
_GROUPING_LOCK = 0x6772_6F75
"""Advisory lock key: `grou` in ASCII."""

Connection = psycopg.AsyncConnection[Any]


@dataclass(frozen=True, slots=True)
class AlarmItem:
    """An alarm to record; `derived` where its id comes from content alone."""

    alarm: Alarm
    derived: bool = False
    window_json: bytes | None = None


@dataclass(frozen=True, slots=True)
class ActionItem:
    """What a dispatcher did."""

    action: Action


@dataclass(frozen=True, slots=True)
class ClearItem:
    """A technical condition ended by itself."""

    subject: Subject
    alarm: Alarm
    """The alarm-shaped record of the end, for the log."""


Item = AlarmItem | ActionItem | ClearItem


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an item."""

    item: Item
    incident: Incident | None
    cause: str | None
    """What it means to those who watch the incident; None: nothing to tell."""
    alarm: Alarm | None = None
    duplicate: bool = False
    refusal: AlertsError | None = None


async def record(
    connection: Connection, items: Sequence[Item], language: str = CHINESE
) -> list[Recorded]:
    """Record items in order inside the caller's transaction; one result an item.

    `language` is what people are told in of whom nobody wrote down which they speak.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["lock_grouping"], {"key": _GROUPING_LOCK})
        book = await _open_book(cursor, items, language)
        results = [await book.apply(item) for item in items]
        await book.save()
        return results


@dataclass(slots=True)
class _Book:
    """The incidents a batch touches, as they are after each item."""

    cursor: psycopg.AsyncCursor[dict[str, Any]]
    language: str
    by_id: dict[IncidentId, Incident] = field(default_factory=dict)
    open_by_subject: dict[Subject, IncidentId] = field(default_factory=dict)
    resolved_by_subject: dict[Subject, Incident] = field(default_factory=dict)
    incident_of_alarm: dict[str, IncidentId | None] = field(default_factory=dict)
    occurrences: dict[str, tuple[int, Any, str]] = field(default_factory=dict)
    """By derived id: the last occurrence, when it was first delivered, the area."""
    known_actions: dict[str, str | None] = field(default_factory=dict)
    changed: dict[IncidentId, None] = field(default_factory=dict)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    windows: list[dict[str, Any]] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    acted: list[tuple[IncidentId, Action]] = field(default_factory=list)

    async def apply(self, item: Item) -> Recorded:
        match item:
            case AlarmItem():
                return self._alarm(item)
            case ActionItem():
                return self._action(item)
            case ClearItem():
                return self._clear(item)

    def _alarm(self, item: AlarmItem) -> Recorded:
        alarm = self._told_apart(item)
        if alarm.id in self.incident_of_alarm:
            self.repeats.append(alarm.id)
            known = self.incident_of_alarm[alarm.id]
            incident = self.by_id.get(known) if known else None
            return Recorded(item, incident, None, alarm, duplicate=True)
        grouping = group(
            alarm,
            self._open(alarm.subject),
            self.resolved_by_subject.get(alarm.subject),
            alarm.received_at,
        )
        self._take(alarm, item, grouping)
        return Recorded(item, grouping.incident, grouping.cause, alarm)

    def _told_apart(self, item: AlarmItem) -> Alarm:
        """Presses without an id: the occurrence decides which press this is."""
        if not item.derived:
            return item.alarm
        base, received_at = item.alarm.id, item.alarm.received_at
        last, began_at, _ = self.occurrences.get(base, (0, None, ""))
        since = None if began_at is None else (received_at - began_at).total_seconds()
        number = occurrence(last, since, marked_duplicate=False)
        if number != last:
            self.occurrences[base] = (number, received_at, item.alarm.area_id)
        return replace(item.alarm, id=occurrence_id(base, number))

    def _take(self, alarm: Alarm, item: AlarmItem, grouping: Grouping) -> None:
        incident = grouping.incident
        if incident is not None:
            self._put(incident)
        self.incident_of_alarm[alarm.id] = incident.id if incident else None
        values = alarm_values(alarm)
        self.alarms.append(
            values
            | {
                "incident_id": incident.id if incident else None,
                "grouping_reason": grouping.reason.value,
            }
        )
        if item.window_json is not None:
            self.windows.append(values | {"window_json": item.window_json.decode()})
        self._note(
            alarm.received_at,
            alarm.area_id,
            incident,
            "alarm",
            grouping.reason.value,
            {"alarm_id": alarm.id, "kind": alarm.kind, "flags": values["flags"]},
            actor=("device", alarm.device_id, None),
        )

    def _action(self, item: ActionItem) -> Recorded:
        action = item.action
        incident = self.by_id.get(self._resolved_id(action.incident_id))
        if action.id in self.known_actions:
            told = _refusal_of(self.known_actions[action.id])
            cause = "refreshed" if told is None else None
            return Recorded(item, incident, cause, duplicate=True, refusal=told)
        if incident is None:
            return Recorded(item, None, None, refusal=AlertsError("there is no such incident"))
        refusal: AlertsError | None = None
        after = incident
        try:
            policy = policy_for(incident.category, incident.priority)
            after = perform(incident, action, policy)
        except AlertsError as error:
            refusal = error
        self._save_action(incident, action, refusal)
        if refusal is not None:
            return Recorded(item, incident, None, refusal=refusal)
        if after is not incident:
            self._put(after)
            self.acted.append((after.id, action))
        return Recorded(item, after, _CAUSES[action.verb])

    def _save_action(self, incident: Incident, action: Action, refusal: AlertsError | None) -> None:
        stored = f"{type(refusal).__name__}: {refusal}" if refusal else None
        self.known_actions[action.id] = stored
        self.actions.append(
            {
                "action_id": action.id,
                "area_id": incident.area_id,
                "incident_id": incident.id,
                "verb": action.verb.value,
                "account_id": action.by.account_id,
                "at": action.at,
                "refusal": stored,
            }
        )
        detail = {
            "outcome": action.outcome,
            "note": action.note,
            "expected_arrival_s": action.expected_arrival_s,
        }
        self._note(
            action.at,
            incident.area_id,
            incident,
            action.verb.value if refusal is None else f"{action.verb.value}_refused",
            str(refusal) if refusal else None,
            {key: value for key, value in detail.items() if value is not None},
            actor=("account", action.by.account_id, action.by.name),
        )

    def _clear(self, item: ClearItem) -> Recorded:
        incident = self._open(item.subject)
        if incident is None or incident.kind != item.alarm.kind:
            return Recorded(item, None, None)
        try:
            state = next_state(incident, Event.CLEAR)
        except AlertsError as error:
            return Recorded(item, incident, None, refusal=error)
        at = item.alarm.received_at
        cleared = replace(
            incident,
            state=state,
            outcome=Outcome.CLEARED,
            resolved_at=at,
            next_deadline_at=None,
            revision=incident.revision + 1,
        )
        self._put(cleared)
        self._note(
            at, cleared.area_id, cleared, "clear", item.alarm.text, {}, actor=("hub", None, None)
        )
        return Recorded(item, cleared, "resolved")

    def _open(self, subject: Subject) -> Incident | None:
        known = self.open_by_subject.get(subject)
        return self.by_id[known] if known is not None else None

    def _resolved_id(self, incident_id: IncidentId) -> IncidentId:
        """A provisional incident may have been merged into another: its alarm tells which."""
        if incident_id in self.by_id:
            return incident_id
        return self.incident_of_alarm.get(incident_id) or incident_id

    def _put(self, incident: Incident) -> None:
        self.by_id[incident.id] = incident
        self.changed[incident.id] = None
        if incident.open:
            self.open_by_subject[incident.subject] = incident.id
        elif self.open_by_subject.get(incident.subject) == incident.id:
            del self.open_by_subject[incident.subject]
            self.resolved_by_subject[incident.subject] = incident

    def _note(
        self,
        at: Any,
        area_id: str,
        incident: Incident | None,
        action: str,
        reason: str | None,
        detail: dict[str, Any],
        *,
        actor: tuple[str, str | None, str | None],
    ) -> None:
        self.log.append(
            log_values(
                at, area_id, incident.id if incident else None, action, reason, detail, actor
            )
        )

    async def save(self) -> None:
        """Write everything; incidents first, since alarms refer to them. Closed ones before open
        ones, since the subject's place must be free."""
        changed = sorted((self.by_id[i] for i in self.changed), key=lambda i: i.open)
        await _many(self.cursor, "save_incident", [incident_values(i) for i in changed])
        await _many(self.cursor, "insert_alarm", self.alarms)
        await _many(self.cursor, "insert_window", self.windows)
        await _many(self.cursor, "save_action", self.actions)
        await _many(self.cursor, "log", self.log)
        await _many(
            self.cursor,
            "save_occurrence",
            [
                {"derived_id": key, "area_id": area, "occurrence": n, "began_at": at}
                for key, (n, at, area) in self.occurrences.items()
            ],
        )
        if self.repeats:
            await self.cursor.execute(_SQL["count_repeats"], {"ids": self.repeats})
        for incident_id, action in self.acted:
            parameters = {"incident_id": incident_id, "at": action.at, "verb": action.verb.value}
            await self.cursor.execute(_SQL["supersede"], parameters)
            if stage := _STAGES.get(action.verb):
                rows = await told_notifications(
                    self.cursor, self.by_id[incident_id], stage, action.at, self.language
                )
                await _many(self.cursor, "add_notification", rows)


_STAGES = {Verb.ACKNOWLEDGE: ReceiptStage.COMING, Verb.RESOLVE: ReceiptStage.OVER}
_CAUSES = {Verb.ACKNOWLEDGE: "acknowledged", Verb.ATTEND: "attended", Verb.RESOLVE: "resolved"}


_REFUSALS = {error.__name__: error for error in (AlreadyOwned, IllegalTransition, OutcomeMissing)}


def _refusal_of(stored: str | None) -> AlertsError | None:
    """The refusal as it was told the first time: who asks again must not hear that it worked."""
    if stored is None:
        return None
    name, _, text = stored.partition(": ")
    return _REFUSALS.get(name, AlertsError)(text)


def log_values(
    at: Any,
    area_id: str,
    incident_id: str | None,
    action: str,
    reason: str | None,
    detail: dict[str, Any],
    actor: tuple[str, str | None, str | None],
) -> dict[str, Any]:
    """An entry of the audit log as parameters of `log`; the actor is kind, id and name."""
    kind, actor_id, actor_name = actor
    return {
        "at": at,
        "area_id": area_id,
        "incident_id": incident_id,
        "actor_kind": kind,
        "actor_id": actor_id,
        "actor_name": actor_name,
        "action": action,
        "reason": reason,
        "detail": msgspec.json.encode(detail).decode(),
    }


async def _many(
    cursor: psycopg.AsyncCursor[dict[str, Any]], name: str, rows: list[dict[str, Any]]
) -> None:
    if len(rows) == 1:
        await cursor.execute(_SQL[name], rows[0])
    elif rows:
        await cursor.executemany(_SQL[name], rows)


async def _open_book(
    cursor: psycopg.AsyncCursor[dict[str, Any]], items: Sequence[Item], language: str
) -> _Book:
    book = _Book(cursor, language)
    alarms = [item for item in items if isinstance(item, AlarmItem)]
    actions = [item.action for item in items if isinstance(item, ActionItem)]
    await _load_occurrences(book, [item for item in alarms if item.derived])
    wanted = {_final_id(book, item) for item in alarms} | {a.incident_id for a in actions}
    await cursor.execute(_SQL["incident_of_alarm"], {"ids": list(wanted)})
    async for row in cursor:
        book.incident_of_alarm[row["alarm_id"]] = row["incident_id"]
    subjects = {item.alarm.subject for item in alarms}
    subjects |= {item.subject for item in items if isinstance(item, ClearItem)}
    await _load_subjects(book, subjects)
    ids = {a.incident_id for a in actions} | {i for i in book.incident_of_alarm.values() if i}
    if missing := list(ids - book.by_id.keys()):
        await cursor.execute(_SQL["lock_by_id"], {"ids": missing})
        async for row in cursor:
            _remember(book, incident_of(row))
    if actions:
        await cursor.execute(_SQL["known_actions"], {"ids": [a.id for a in actions]})
        async for row in cursor:
            book.known_actions[row["action_id"]] = row["refusal"]
    return book


async def _load_occurrences(book: _Book, derived: Iterable[AlarmItem]) -> None:
    ids = [item.alarm.id for item in derived]
    if not ids:
        return
    await book.cursor.execute(_SQL["occurrences"], {"ids": ids})
    async for row in book.cursor:
        known = (row["occurrence"], row["began_at"], row["area_id"])
        book.occurrences[row["derived_id"]] = known


def _final_id(book: _Book, item: AlarmItem) -> AlarmId:
    """The id under which an alarm would be a repeat."""
    if not item.derived or item.alarm.id not in book.occurrences:
        return item.alarm.id
    return occurrence_id(item.alarm.id, book.occurrences[item.alarm.id][0])


async def _load_subjects(book: _Book, subjects: set[Subject]) -> None:
    if not subjects:
        return
    parameters = {
        "kinds": [subject.kind.value for subject in subjects],
        "ids": [subject.id for subject in subjects],
    }
    await book.cursor.execute(_SQL["lock_open_by_subject"], parameters)
    async for row in book.cursor:
        _remember(book, incident_of(row))
    await book.cursor.execute(_SQL["last_resolved_by_subject"], parameters)
    async for row in book.cursor:
        incident = incident_of(row)
        book.resolved_by_subject[incident.subject] = incident


def _remember(book: _Book, incident: Incident) -> None:
    book.by_id[incident.id] = incident
    if incident.open:
        book.open_by_subject[incident.subject] = incident.id
