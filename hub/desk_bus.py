"""The words ingest, worker and API exchange over the broker's internal topics."""

from datetime import datetime
from typing import Any

import msgspec

from alerts.actions import Action, Verb
from alerts.errors import (
    AlertsError,
    AlreadyOwned,
    IllegalTransition,
    OutcomeMissing,
)
from alerts.incident import Outcome, Owner
from hub.view import View, iso
from schemas.codec import Malformed
from schemas.ids import AccountId, IncidentId


class _By(msgspec.Struct, frozen=True):
    account_id: str
    name: str


class _ActionMessage(msgspec.Struct, frozen=True):
    id: str
    incident_id: str
    verb: Verb
    by: _By
    at: datetime
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
    return Action(
        id=message.id,
        incident_id=IncidentId(message.incident_id),
        verb=message.verb,
        by=Owner(AccountId(message.by.account_id), message.by.name),
        at=message.at,
        expected_arrival_s=message.expected_arrival_s,
        outcome=message.outcome,
        note=message.note.replace("\0", "") if message.note else None,
    )


def _kind(refusal: AlertsError) -> str:
    match refusal:
        case AlreadyOwned():
            return "already_owned"
        case IllegalTransition():
            return "illegal_transition"
        case OutcomeMissing():
            return "outcome_missing"
        case _:
            return "not_found"
