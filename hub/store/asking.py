"""The question to the person as outbox rows: who can ask, what is asked, what ends it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from alerts.alarm import Alarm
from alerts.incident import Incident
from alerts.notification import NotificationKind, NotificationState, urgency_of
from alerts.policy import ChannelName
from alerts.rendering import calling, check_in, question_answered
from hub.store import queries
from hub.store.whereabouts import Cursor
from schemas import topics
from schemas.ids import IncidentId
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

_SQL = queries.load("findings")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """An incident that asks its person."""

    incident: Incident
    alarm: Alarm
    devices: Sequence[Row]
    asked: bool
    """From memory already; only the record of it is missing."""


@dataclass(frozen=True, slots=True)
class Askable:
    """Devices that can show or speak a question, by person and by home."""

    rows: Sequence[Row] = ()

    def of(self, alarm: Alarm) -> list[Row]:
        """Those of the alarm's person; where it has none, everybody's in the home."""
        if alarm.person_id is not None:
            return [row for row in self.rows if row["person_id"] == alarm.person_id]
        return [row for row in self.rows if row["premises_id"] == alarm.premises_id]


async def askable(cursor: Cursor, alarms: Iterable[Alarm]) -> Askable:
    """Everything that could ask about these alarms."""
    asking = [alarm for alarm in alarms if alarm.ask_s]
    if not asking:
        return Askable()
    parameters = {
        "people": list({alarm.person_id for alarm in asking if alarm.person_id}),
        "premises": list({alarm.premises_id for alarm in asking if alarm.premises_id}),
    }
    await cursor.execute(_SQL["askable"], parameters)
    rows = await cursor.fetchall()
    return Askable([row for row in rows if DEVICE_CLASSES[DeviceKind(row["kind"])].shows_receipt])


def questions(question: Question, at: datetime, language: str) -> list[dict[str, Any]]:
    """One outbox row a device; settled already where the person was asked from memory."""
    incident, alarm = question.incident, question.alarm
    rows = []
    for device in question.devices:
        said = check_in(
            incident.id,
            at,
            kind=alarm.kind,
            answer_within_s=alarm.ask_s,
            language=device["language"] or language,
        )
        rows.append(
            _row(incident, device, NotificationKind.CHECK_IN, at, "check_in", said)
            | (_SETTLED | {"settled_at": at} if question.asked else {})
        )
    return rows


_SETTLED = {"state": NotificationState.SENT.value, "detail": "asked from memory"}


async def told_calling(
    cursor: Cursor, incident: Incident, at: datetime, language: str
) -> list[dict[str, Any]]:
    """The person did not answer: where they were asked, they hear that somebody is called."""
    return [
        _row(
            incident,
            device,
            NotificationKind.CALLING,
            at,
            "receipt",
            calling(at, language=device["language"] or language, incident_id=incident.id),
        )
        for device in await asked_devices(cursor, incident.id)
    ]


async def told_answered(
    cursor: Cursor, incident: Incident, at: datetime, language: str
) -> list[dict[str, Any]]:
    """What was asked about has passed: the question goes from the devices that show it."""
    return [
        _row(
            incident,
            device,
            NotificationKind.OVER,
            at,
            "receipt",
            question_answered(at, language=device["language"] or language, incident_id=incident.id),
        )
        for device in await asked_devices(cursor, incident.id)
    ]


async def asked_devices(cursor: Cursor, incident_id: IncidentId) -> list[dict[str, Any]]:
    """The devices on which the person was asked about this incident."""
    await cursor.execute(_SQL["asked"], {"incident_id": incident_id})
    return await cursor.fetchall()


async def settle_questions(
    cursor: psycopg.AsyncCursor[dict[str, Any]], ids: Sequence[IncidentId], at: datetime
) -> None:
    """These incidents are not being asked about any more."""
    await cursor.execute(_SQL["supersede_questions"], {"ids": list(ids), "at": at})


def _row(
    incident: Incident,
    device: Row,
    kind: NotificationKind,
    at: datetime,
    command: str,
    said: msgspec.Struct,
) -> dict[str, Any]:
    topic = topics.command(device["area_id"], device["premises_id"], device["device_id"], command)
    body = {"messages": [{"topics": [topic], "said": msgspec.to_builtins(said)}]}
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": ChannelName.DEVICE.value,
        "channels": [],
        "step": None,
        "recipient": device["device_id"],
        "kind": kind.value,
        "urgency": urgency_of(incident.priority, kind),
        "body": msgspec.json.encode(body).decode(),
        "state": NotificationState.PENDING.value,
        "at": at,
        "settled_at": None,
        "detail": "",
    }
