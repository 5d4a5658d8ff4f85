"""The words ingest, worker and API exchange over the broker's internal topics."""

from datetime import datetime
from typing import Any

import msgspec

from alerts.actions import Action, CallResult, Verb
from alerts.errors import (
    AlertsError,
    AlreadyOwned,
    IllegalTransition,
    Incomplete,
    NotTheirs,
    OutcomeMissing,
)
from alerts.handoff import HandOffRefused
from alerts.incident import Outcome
from alerts.policy import ChannelName
from alerts.responders import Actor, ActorKind, Way
from hub.view import View, iso
from schemas.codec import Malformed
from schemas.ids import IncidentId


class _By(msgspec.Struct, frozen=True):
    """Whoever did it; before there were responders it was an account alone."""

    name: str
    kind: ActorKind = ActorKind.ACCOUNT
    id: str | None = None
    account_id: str | None = None


class _Details(msgspec.Struct, frozen=True):
    expected_arrival_s: int | None = None
    outcome: Outcome | None = None
    note: str | None = None
    whom: Actor | None = None
    channels: tuple[ChannelName, ...] = ()
    service: str | None = None
    reference: str | None = None
    result: CallResult | None = None


class _ActionMessage(msgspec.Struct, frozen=True):
    id: str
    incident_id: str
    verb: Verb
    by: _By
    at: datetime
    how: Way = Way.DESK
    details: _Details = _Details()
    expected_arrival_s: int | None = None
    outcome: Outcome | None = None
    note: str | None = None


def incident_announcement(
    cause: str,
    view: View,
    at: datetime,
    *,
    alarm: View | None = None,
    merged_from: str | None = None,
) -> bytes:
    """An incident is so now; `alarm` is the one that changed it."""
    return msgspec.json.encode(
        {
            "type": "incident",
            "cause": cause,
            "incident": view,
            "alarm": alarm,
            "merged_from": merged_from,
            "at": iso(at),
        }
    )


def changed_announcement(
    incident_id: str, cause: str, detail: dict[str, Any], at: datetime
) -> bytes:
    """An incident changed in the database; whoever shows it reads it there."""
    return msgspec.json.encode(
        {
            "type": "changed",
            "incident_id": incident_id,
            "cause": cause,
            "detail": detail,
            "at": iso(at),
        }
    )


def action_result(
    action_id: str, view: View | None, *, refusal: AlertsError | None = None, pending: bool = False
) -> bytes:
    """What became of a dispatcher's action."""
    told = None if refusal is None else {"kind": _kind(refusal), "title": str(refusal)}
    return msgspec.json.encode(
        {
            "type": "action_result",
            "action_id": action_id,
            "ok": refusal is None,
            "refusal": told,
            "incident": view,
            "pending": pending,
        }
    )


def read_action(payload: bytes) -> Action:
    """A desk action. Raises Malformed."""
    try:
        message = msgspec.json.decode(payload, type=_ActionMessage)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed(str(error)) from None
    by_id = message.by.id or message.by.account_id
    if by_id is None:
        raise Malformed("an action has an actor with an id")
    details = message.details
    return Action(
        id=message.id,
        incident_id=IncidentId(message.incident_id),
        verb=message.verb,
        by=Actor(message.by.kind, by_id, message.by.name),
        at=message.at,
        how=message.how,
        whom=details.whom,
        expected_arrival_s=_given(details.expected_arrival_s, message.expected_arrival_s),
        outcome=details.outcome or message.outcome,
        note=_storable(details.note or message.note),
        channels=details.channels,
        service=_storable(details.service),
        reference=_storable(details.reference),
        result=details.result,
    )


def action_message(action: Action, area_id: str) -> bytes:
    """A human's deed on its way to ingest. An ingest process of the release before reads what it
    knows of it: that one is older than this one for the length of an upgrade."""
    by = {"kind": action.by.kind, "id": action.by.id, "name": action.by.name}
    if action.by.kind is ActorKind.ACCOUNT:
        by["account_id"] = action.by.id
    plain = {
        "expected_arrival_s": action.expected_arrival_s,
        "outcome": action.outcome,
        "note": action.note,
    }
    details = plain | {
        "whom": action.whom,
        "channels": action.channels,
        "service": action.service,
        "reference": action.reference,
        "result": action.result,
    }
    return msgspec.json.encode(
        {
            "id": action.id,
            "incident_id": action.incident_id,
            "area_id": area_id,
            "verb": action.verb,
            "by": by,
            "how": action.how,
            "at": iso(action.at),
            "details": details,
            **plain,
        }
    )


def _given(new: int | None, old: int | None) -> int | None:
    return old if new is None else new


def _storable(text: str | None) -> str | None:
    """PostgreSQL keeps no NUL in text."""
    return text.replace("\0", "") if text else None


def _kind(refusal: AlertsError) -> str:
    match refusal:
        case AlreadyOwned():
            return "already_owned"
        case IllegalTransition():
            return "illegal_transition"
        case OutcomeMissing():
            return "outcome_missing"
        case NotTheirs():
            return "not_theirs"
        case Incomplete() | HandOffRefused():
            return "incomplete"
        case _:
            return "not_found"
