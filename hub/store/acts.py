"""What follows from a human's deed: its record, whose calls stop, and who learns of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from alerts.actions import Action, Verb
from alerts.errors import (
    AlertsError,
    AlreadyOwned,
    IllegalTransition,
    Incomplete,
    NotTheirs,
    OutcomeMissing,
)
from alerts.handoff import HandOffRefused
from alerts.incident import Incident
from alerts.notification import NotificationKind, NotificationState, NotNeeded, urgency_of
from hub.store import queries
from hub.store.ledger import Row, many
from hub.store.receipts import told_it_is_over, told_notifications
from hub.store.whereabouts import Cursor
from schemas.commands import ReceiptStage

_SQL = queries.load("incidents")

CAUSES: Mapping[Verb, str] = {
    Verb.ACKNOWLEDGE: "acknowledged",
    Verb.TAKE_OVER: "taken_over",
    Verb.RELEASE: "released",
    Verb.GOING: "going",
    Verb.DECLINE: "declined",
    Verb.ATTEND: "attended",
    Verb.RESOLVE: "resolved",
    Verb.REOPEN: "reopened",
    Verb.NOTE: "noted",
    Verb.ESCALATE: "escalate_wanted",
    Verb.ADD_RESPONDER: "responder_added",
    Verb.HAND_OFF: "handed_off",
    Verb.CALL: "called",
}
"""What a deed means to those who watch the incident."""

_REFUSALS = {
    error.__name__: error
    for error in (
        AlreadyOwned, HandOffRefused, IllegalTransition, Incomplete, NotTheirs, OutcomeMissing,
    )
}  # fmt: skip

_RINGS = (NotificationKind.RING, NotificationKind.CHECK_IN, NotificationKind.CALLING)
_OF_AN_OPEN_ONE = (*_RINGS, NotificationKind.COMING)
_COMING = frozenset({Verb.ACKNOWLEDGE, Verb.TAKE_OVER, Verb.GOING})


def refusal_text(refusal: AlertsError | None) -> str | None:
    """How a refusal is stored."""
    return None if refusal is None else f"{type(refusal).__name__}: {refusal}"


def refusal_of(stored: str | None) -> AlertsError | None:
    """The refusal as it was told the first time: who asks again must not hear that it worked."""
    if stored is None:
        return None
    name, _, text = stored.partition(": ")
    return _REFUSALS.get(name, AlertsError)(text)


def action_values(incident: Incident, action: Action, refusal: str | None) -> Row:
    """A deed as parameters of `save_action`."""
    return {
        "action_id": action.id,
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "verb": action.verb.value,
        "account_id": action.by.id,
        "at": action.at,
        "refusal": refusal,
        "actor_kind": action.by.kind.value,
        "way": action.how.value,
        "detail": msgspec.json.encode(details_of(action)).decode(),
    }


def details_of(action: Action) -> Row:
    """What a deed says besides who, what and when; for the log."""
    said: Row = {
        "how": action.how.value,
        "whom": msgspec.to_builtins(action.whom) if action.whom else None,
        "expected_arrival_s": action.expected_arrival_s,
        "outcome": action.outcome,
        "note": action.note,
        "channels": [channel.value for channel in action.channels] or None,
        "service": action.service,
        "reference": action.reference,
        "result": action.result,
    }
    return {key: value for key, value in said.items() if value is not None}


async def ended_by_themselves(cursor: Cursor, ended: Sequence[tuple[Incident, datetime]]) -> None:
    """Nobody is woken for these any more, and whoever was rung learns that it is over. At once for
    all: ten thousand devices may come back together."""
    stopped = {
        "incident_ids": [incident.id for incident, _ in ended],
        "ats": [at for _, at in ended],
        "kinds": [kind.value for kind in _OF_AN_OPEN_ONE],
        "verb": "clear",
        "over": True,
        "reason": NotNeeded.CLEARED.value,
    }
    await cursor.execute(_SQL["supersede"], stopped)
    over = [(incident, at) for incident, at in ended if not incident.open]
    await many(cursor, _SQL["add_notification"], await told_it_is_over(cursor, over))


async def follow(
    cursor: Cursor, before: Incident, after: Incident, action: Action, language: str
) -> None:
    """Everything that follows in the same transaction; the incident is saved already."""
    if stopped := _stopped(before, after):
        parameters = {"incident_ids": [after.id], "ats": [action.at], "verb": action.verb.value,
                      "over": not after.open, "reason": NotNeeded.HUMAN_ACTED.value}  # fmt: skip
        await cursor.execute(_SQL["supersede"], parameters | {"kinds": stopped})
    if action.verb is Verb.ADD_RESPONDER and action.channels:
        await many(cursor, _SQL["add_notification"], [_call(after, action)])
    stage = _stage(before, after, action)
    if stage is not None:
        rows = await told_notifications(
            cursor, after, stage, action.at, language, but=action.by.recipient
        )
        await many(cursor, _SQL["add_notification"], rows)


def _stage(before: Incident, after: Incident, action: Action) -> ReceiptStage | None:
    """What the person and everybody who was told hears."""
    if not after.open:
        return ReceiptStage.OVER if before.open else None
    news = after.who_comes != before.who_comes or after.expected_at != before.expected_at
    said = action.verb in _COMING or (news and after.who_comes is not None)
    return ReceiptStage.COMING if said and after.who_comes is not None else None


def _stopped(before: Incident, after: Incident) -> list[str]:
    """The kinds of what is not sent any more, where it has not been yet."""
    if not after.open:
        return [kind.value for kind in _OF_AN_OPEN_ONE] if before.open else []
    if after.held and not before.held:
        return [kind.value for kind in _RINGS]
    if before.held and not after.held:
        return [NotificationKind.COMING.value]
    return []


def _call(incident: Incident, action: Action) -> Row:
    """A responder whom a dispatcher picked is called as the ladder would."""
    body: dict[str, Any] = {
        "priority": incident.priority,
        "category": incident.category,
        "alarm_kind": incident.kind,
        "area_id": incident.area_id,
        "reason": action.verb,
        "by": action.by.name,
        "drill": incident.drill,
    }
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": action.channels[0].value,
        "channels": [channel.value for channel in action.channels[1:]],
        "recipient": action.responder.recipient,
        "kind": NotificationKind.RING.value,
        "urgency": urgency_of(incident.priority, NotificationKind.RING, first=True),
        "body": msgspec.json.encode(body).decode(),
        "state": NotificationState.PENDING.value,
        "at": action.at,
        "settled_at": None,
        "detail": "",
        "step": None,
    }
