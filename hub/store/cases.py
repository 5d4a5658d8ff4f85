"""Alarms, findings, desk actions and ended conditions become incidents in one transaction.

Everything is idempotent by id: a batch that is tried again after a lost connection changes
nothing that the first try already did.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from alerts.actions import Action, Verb
from alerts.alarm import Subject
from alerts.grouping import home_subject
from alerts.incident import Incident
from alerts.rendering import CHINESE
from hub.store import queries
from hub.store.asking import askable
from hub.store.book import Book
from hub.store.items import (
    ActionItem,
    AlarmItem,
    ClearItem,
    Found,
    Item,
    NoteItem,
    Recorded,
)
from hub.store.ledger import log_values
from hub.store.muting import muting_for
from hub.store.policies import ladders_for
from hub.store.rows import alarm_of, incident_of
from hub.store.stands_for import stands_for
from hub.store.whereabouts import whereabouts
from schemas.identity import occurrence_id
from schemas.ids import AlarmId, IncidentId

__all__ = [
    "ActionItem",
    "AlarmItem",
    "ClearItem",
    "Connection",
    "Found",
    "Item",
    "NoteItem",
    "Recorded",
    "log_values",
    "record",
]

_SQL = queries.load("incidents")
_FINDINGS = queries.load("findings")
_GROUPING_LOCK = 0x6772_6F75
"""Advisory lock key: `grou` in ASCII."""

SHOWN_AGAIN = 20
"""Alarms shown of an incident (`hub.view.ALARMS_SHOWN`)."""

Connection = psycopg.AsyncConnection[Any]


async def record(
    connection: Connection, items: Sequence[Item], language: str = CHINESE
) -> list[Recorded]:
    """Record items in order inside the caller's transaction; one result an item.

    `language` is what people are told in of whom nobody wrote down which they speak.
    """
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["lock_grouping"], {"key": _GROUPING_LOCK})
        book = await _open_book(Book(cursor, language), items)
        results = [book.apply(item) for item in items]
        await book.save()
        targets = await book.targets()
        return [_with_target(result, targets) for result in results] if targets else results


def _with_target(result: Recorded, targets: Mapping[IncidentId, datetime]) -> Recorded:
    """Who is told of a new incident is told when somebody should be there, too."""
    incident = result.incident
    if incident is None or incident.id not in targets:
        return result
    return replace(result, incident=replace(incident, arrive_by=targets[incident.id]))


async def _open_book(book: Book, items: Sequence[Item]) -> Book:
    """Everything the items may touch, held until commit."""
    alarms = [item for item in items if isinstance(item, AlarmItem)]
    actions = [item.action for item in items if isinstance(item, ActionItem)]
    found = [one for item in items if (one := _found_of(item)) is not None]
    book.muting = await muting_for(book.cursor, (item.alarm for item in alarms))
    book.whereabouts = await whereabouts(book.cursor, found)
    book.askable = await askable(book.cursor, (item.alarm for item in alarms))
    await _load_occurrences(book, [item for item in alarms if item.derived])
    wanted = {_final_id(book, item) for item in alarms} | {a.incident_id for a in actions}
    await book.cursor.execute(_SQL["incident_of_alarm"], {"ids": list(wanted)})
    async for row in book.cursor:
        book.incident_of_alarm[row["alarm_id"]] = row["incident_id"]
    await _load_subjects(book, {subject for item in items for subject in _subjects(item)})
    await _load_ladders(book, alarms)
    if found:
        await _load_findings(book, found)
    ids = {a.incident_id for a in actions} | {i for i in book.incident_of_alarm.values() if i}
    ids |= {*book.incident_of_episode.values(), *filter(None, book.known_findings.values())}
    if missing := list(ids - book.by_id.keys()):
        await book.cursor.execute(_SQL["lock_by_id"], {"ids": missing})
        async for row in book.cursor:
            _remember(book, incident_of(row))
    await _load_reopened(book, actions)
    if found:
        await _load_holding(book)
    if actions:
        book.stands_for = await stands_for(book.cursor, actions)
        await book.cursor.execute(_SQL["known_actions"], {"ids": [a.id for a in actions]})
        async for row in book.cursor:
            book.known_actions[row["action_id"]] = row["refusal"]
    return book


def _found_of(item: Item) -> Found | None:
    return None if isinstance(item, ActionItem) else item.found


def _subjects(item: Item) -> Iterable[Subject]:
    """Whose open incident an item may touch."""
    match item:
        case AlarmItem(alarm=alarm):
            yield alarm.subject
            if (home := home_subject(alarm)) is not None:
                yield home
        case ClearItem(subject=subject):
            yield subject
        case NoteItem(found=found):
            yield found.finding.within or found.finding.subject
        case _:
            return


async def _load_ladders(book: Book, alarms: Sequence[AlarmItem]) -> None:
    """The policies that may hold for what opens now, and who else is in trouble at these homes."""
    ringing = [item.alarm for item in alarms if item.alarm.rings]
    if not ringing:
        return
    book.ladders = await ladders_for(book.cursor, {alarm.area_id for alarm in ringing})
    homes = {alarm.premises_id for alarm in ringing if alarm.premises_id is not None}
    await book.cursor.execute(_SQL["open_at_premises"], {"homes": sorted(homes)})
    async for row in book.cursor:
        incident = incident_of(row)
        if incident.premises_id is not None:
            book.neighbours.setdefault(incident.premises_id, []).append(incident)


async def _load_reopened(book: Book, actions: Sequence[Action]) -> None:
    """What may stand in the way of reopening, and the alarms to show again."""
    reopened = [a.incident_id for a in actions if a.verb is Verb.REOPEN]
    ids = {book.incident_of_alarm.get(each) or each for each in reopened}
    found = [book.by_id[each] for each in ids if each in book.by_id]
    if not found:
        return
    await _load_subjects(book, {incident.subject for incident in found} - set(book.open_by_subject))
    await book.cursor.execute(
        _SQL["newest_alarms"], {"ids": [i.id for i in found], "each": SHOWN_AGAIN}
    )
    async for row in book.cursor:
        book.shown.setdefault(row["incident_id"], []).append(alarm_of(row))


async def _load_occurrences(book: Book, derived: Iterable[AlarmItem]) -> None:
    """Which press the last one was; one that came at the very microsecond is the same: this batch
    is tried again after a lost answer to COMMIT."""
    came = {(item.alarm.id, item.alarm.received_at) for item in derived}
    if not came:
        return
    await book.cursor.execute(_SQL["occurrences"], {"ids": [base for base, _ in came]})
    async for row in book.cursor:
        known = (row["occurrence"], row["began_at"], row["area_id"])
        book.ledger.occurrences[row["derived_id"]] = known
        if (row["derived_id"], row["began_at"]) in came:
            book.again[row["derived_id"]] = row["began_at"]


def _final_id(book: Book, item: AlarmItem) -> AlarmId:
    """The id under which an alarm would be a repeat."""
    if not item.derived or item.alarm.id not in book.ledger.occurrences:
        return item.alarm.id
    return occurrence_id(item.alarm.id, book.ledger.occurrences[item.alarm.id][0])


async def _load_subjects(book: Book, subjects: set[Subject]) -> None:
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


async def _load_findings(book: Book, found: Sequence[Found]) -> None:
    """What is known of these findings, and of the episodes that end."""
    await book.cursor.execute(_FINDINGS["known"], {"ids": [one.id for one in found]})
    async for row in book.cursor:
        book.known_findings[row["finding_id"]] = row["incident_id"]
    detectors, subjects, keys = zip(*{one.episode for one in found}, strict=True)
    parameters = {"detectors": list(detectors), "subjects": list(subjects), "keys": list(keys)}
    await book.cursor.execute(_FINDINGS["incidents_of_episodes"], parameters)
    async for row in book.cursor:
        episode = (row["detector"], row["subject_id"], row["key"])
        book.incident_of_episode[episode] = row["incident_id"]


async def _load_holding(book: Book) -> None:
    """What else the incidents rest on that a finding may end."""
    ids = list(set(book.by_id))
    if not ids:
        return
    await book.cursor.execute(_FINDINGS["holding"], {"ids": ids})
    async for row in book.cursor:
        episode = (row["detector"], row["subject_id"], row["key"])
        book.holding.setdefault(row["incident_id"], set()).add(episode)


def _remember(book: Book, incident: Incident) -> None:
    book.by_id[incident.id] = incident
    if incident.open:
        book.open_by_subject[incident.subject] = incident.id
