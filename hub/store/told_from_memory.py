"""What ingest told a fallback contact while the database was away, written down afterwards: as
notifications that are sent, and as the place on the ladder from which it goes on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg.rows import dict_row

from alerts.escalation import Decision, decide
from alerts.incident import Incident, State
from alerts.ladders import ladder_of
from alerts.notification import NotificationKind, NotificationState
from alerts.policy import FALLBACK_CONTACT, ChannelName
from hub.database import Connection, Session
from hub.fallback_calls import Call
from hub.store import queries
from hub.store.ladder import keep, rosters
from hub.store.ledger import log_values, many
from hub.store.rows import incident_of, incident_values
from hub.store.whereabouts import Cursor

_SQL = queries.load("told_from_memory")
_INCIDENTS = queries.load("incidents")

Row = dict[str, Any]


class MemoryRecord:
    """Implements `hub.fallback_voice.Recorder` on a connection of its own."""

    def __init__(self, session: Session, reachable: frozenset[ChannelName]) -> None:
        """`reachable` are the channels that the worker has."""
        self._session = session
        self._reachable = reachable

    async def record(self, incident_id: str, calls: Sequence[Call], now: datetime) -> bool:
        """One transaction an incident; whoever records twice changes nothing."""

        async def write(connection: Connection) -> bool:
            async with connection.cursor(row_factory=dict_row) as cursor:
                return await _record(cursor, incident_id, calls, now, self._reachable)

        return await self._session.run(write)


async def _record(
    cursor: Cursor,
    incident_id: str,
    calls: Sequence[Call],
    now: datetime,
    reachable: frozenset[ChannelName],
) -> bool:
    await cursor.execute(_SQL["hold_incident"], {"id": incident_id})
    row = await cursor.fetchone()
    if row is None:
        return False
    incident = incident_of(row)
    fresh = [call for call in calls if await _first_time(cursor, incident, call)]
    await many(cursor, _SQL["add_told"], [_notification(incident, call) for call in fresh])
    await many(cursor, _INCIDENTS["log"], [_entry(incident, call) for call in fresh])
    rings = [call for call in fresh if call.kind is NotificationKind.RING]
    if rings and incident.state is State.RAISED:
        await _catch_up(cursor, incident, rings[-1], now, reachable)
    return True


async def _first_time(cursor: Cursor, incident: Incident, call: Call) -> bool:
    values = {"call_id": call.id, "incident_id": incident.id, "area_id": incident.area_id}
    await cursor.execute(_SQL["note_call"], values)
    return cursor.rowcount == 1


async def _catch_up(
    cursor: Cursor,
    incident: Incident,
    last: Call,
    now: datetime,
    reachable: frozenset[ChannelName],
) -> None:
    """Climb to the rung that was rung from memory, at once, and tell everybody on the way but the
    fallback contact, who knows; the next rung waits its time from that call."""
    ladder = ladder_of(incident)
    climbed: list[Decision] = []
    while incident.step < last.step:
        (roster,) = await rosters(cursor, [incident], now, reachable)
        decision = decide(replace(incident, next_deadline_at=now), ladder, now, roster)
        told = tuple(each for each in decision.told if each.recipient != FALLBACK_CONTACT)
        climbed.append(replace(decision, told=told))
        incident = decision.incident
    if incident.step == last.step:
        wait = timedelta(seconds=ladder.steps[incident.step - 1].wait_s)
        due_at = max(now, last.ended_at + wait)
        if not climbed and due_at <= (incident.next_deadline_at or now):
            return
        incident = replace(incident, next_deadline_at=due_at, revision=incident.revision + 1)
    if not climbed and incident.step != last.step:
        return
    await many(cursor, _INCIDENTS["save_incident"], [incident_values(incident)])
    await keep(cursor, climbed, now)


def _notification(incident: Incident, call: Call) -> Row:
    body = {"reason": "from_memory", "rung": call.rung, "call_id": call.id}
    sent = call.state is NotificationState.SENT
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": call.channel.value,
        "recipient": FALLBACK_CONTACT,
        "kind": call.kind.value,
        "urgency": call.urgency,
        "body": msgspec.json.encode(body).decode(),
        "state": call.state.value,
        "created_at": call.began_at,
        "settled_at": call.ended_at,
        "sent_at": call.ended_at if sent else None,
        "detail": call.word,
        "step": call.step or None,
    }


def _entry(incident: Incident, call: Call) -> Row:
    detail = {
        "told": [f"{call.channel}:{FALLBACK_CONTACT}"],
        "kind": call.kind,
        "state": call.state,
        "rung": call.rung,
        "word": call.word,
    }
    return log_values(
        call.ended_at, incident.area_id, incident.id, "told_from_memory", call.state.value, detail,
        ("hub", "ingest", None),
    )  # fmt: skip
