"""Between rows and the values of the core. One place knows the column order of an incident."""

from collections.abc import Mapping
from typing import Any

import msgspec

from alerts.alarm import Alarm, Category, Flag, Priority, Subject, SubjectKind
from alerts.grouping import Reason
from alerts.incident import Incident, Outcome, Owner, State
from hub.store.items import Found
from hub.store.responsibility import (
    hand_offs_of,
    json_of,
    ladder_from,
    ladder_json,
    responders_of,
)
from schemas.alarms import Position, PressAction
from schemas.ids import AccountId, AlarmId, AreaId, DeviceId, IncidentId, PersonId, PremisesId

Row = Mapping[str, Any]


def position_json(position: Position | None) -> str | None:
    """A position as the text of a jsonb column."""
    return None if position is None else msgspec.json.encode(position).decode()


def position_of(value: Any) -> Position | None:
    """A position from a jsonb column."""
    return None if value is None else msgspec.convert(value, Position)


def incident_of(row: Row) -> Incident:
    """An incident from a row with all its columns; a snapshot of an earlier release has fewer."""
    owner = None
    if row["owner_id"] is not None:
        owner = Owner(AccountId(row["owner_id"]), row["owner_name"] or "")
    return Incident(
        id=IncidentId(row["incident_id"]),
        area_id=AreaId(row["area_id"]),
        subject=Subject(SubjectKind(row["subject_kind"]), row["subject_id"]),
        state=State(row["state"]),
        category=Category(row["category"]),
        priority=Priority(row["priority"]),
        kind=row["kind"],
        opened_at=row["opened_at"],
        last_alarm_at=row["last_alarm_at"],
        alarm_count=row["alarm_count"],
        person_id=_id(PersonId, row["person_id"]),
        premises_id=_id(PremisesId, row["premises_id"]),
        device_id=_id(DeviceId, row["device_id"]),
        position=position_of(row["position"]),
        owner=owner,
        acknowledged_at=row["acknowledged_at"],
        attended_at=row["attended_at"],
        resolved_at=row["resolved_at"],
        expected_at=row["expected_at"],
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        note=row["note"],
        step=row["step"],
        next_deadline_at=row["next_deadline_at"],
        follows=_id(IncidentId, row["follows"]),
        silent=row["silent"],
        repeats=row.get("repeats", 0),
        lease_until=row.get("lease_until"),
        policy=ladder_from(row.get("ladder"), row["incident_id"]),
        responders=responders_of(row.get("responders")),
        hand_offs=hand_offs_of(row.get("hand_offs")),
        same_address=_id(IncidentId, row.get("same_address")),
        drill=row.get("drill", False),
        arrive_by=row.get("arrive_by"),
        revision=row["revision"],
    )


def incident_values(incident: Incident) -> dict[str, Any]:
    """An incident as parameters of `save_incident`."""
    return {
        "incident_id": incident.id,
        "area_id": incident.area_id,
        "subject_kind": incident.subject.kind.value,
        "subject_id": incident.subject.id,
        "state": incident.state.value,
        "category": incident.category.value,
        "priority": incident.priority.value,
        "kind": incident.kind,
        "opened_at": incident.opened_at,
        "last_alarm_at": incident.last_alarm_at,
        "alarm_count": incident.alarm_count,
        "person_id": incident.person_id,
        "premises_id": incident.premises_id,
        "device_id": incident.device_id,
        "position": position_json(incident.position),
        "owner_id": incident.owner.account_id if incident.owner else None,
        "owner_name": incident.owner.name if incident.owner else None,
        "acknowledged_at": incident.acknowledged_at,
        "attended_at": incident.attended_at,
        "resolved_at": incident.resolved_at,
        "expected_at": incident.expected_at,
        "outcome": incident.outcome.value if incident.outcome else None,
        "note": incident.note,
        "step": incident.step,
        "next_deadline_at": incident.next_deadline_at,
        "follows": incident.follows,
        "silent": incident.silent,
        "repeats": incident.repeats,
        "lease_until": incident.lease_until,
        "ladder": ladder_json(incident.policy),
        "responders": json_of(incident.responders),
        "hand_offs": json_of(incident.hand_offs),
        "same_address": incident.same_address,
        "drill": incident.drill,
        "revision": incident.revision,
    }


def alarm_of(row: Row) -> Alarm:
    """An alarm from a row with all its columns."""
    return Alarm(
        id=AlarmId(row["alarm_id"]),
        area_id=AreaId(row["area_id"]),
        subject=Subject(SubjectKind(row["subject_kind"]), row["subject_id"]),
        device_id=DeviceId(row["device_id"]),
        person_id=_id(PersonId, row["person_id"]),
        premises_id=_id(PremisesId, row["premises_id"]),
        kind=row["kind"],
        category=Category(row["category"]),
        priority=Priority(row["priority"]),
        action=None if row["action"] is None else PressAction(row["action"]),
        message_id=row["message_id"],
        observed_at=row["observed_at"],
        received_at=row["received_at"],
        flags=tuple(Flag(flag) for flag in row["flags"]),
        position=position_of(row["position"]),
        text=row["text"],
        reply_prefix=row["reply_prefix"],
        evidence=row["evidence"],
        drill=row.get("drill", False),
    )


def alarm_values(alarm: Alarm) -> dict[str, Any]:
    """An alarm as parameters of `insert_alarm` (without incident and reason)."""
    return {
        "alarm_id": alarm.id,
        "area_id": alarm.area_id,
        "subject_kind": alarm.subject.kind.value,
        "subject_id": alarm.subject.id,
        "device_id": alarm.device_id,
        "person_id": alarm.person_id,
        "premises_id": alarm.premises_id,
        "kind": alarm.kind,
        "category": alarm.category.value,
        "priority": alarm.priority.value,
        "action": alarm.action.value if alarm.action else None,
        "message_id": alarm.message_id,
        "observed_at": alarm.observed_at,
        "received_at": alarm.received_at,
        "flags": [flag.value for flag in alarm.flags],
        "position": position_json(alarm.position),
        "text": alarm.text,
        "reply_prefix": alarm.reply_prefix,
        "evidence": msgspec.json.encode(alarm.evidence).decode(),
        "drill": alarm.drill,
    }


def finding_values(found: Found, incident_id: IncidentId | None, reason: Reason) -> dict[str, Any]:
    """A finding as parameters of `save`."""
    finding = found.finding
    return {
        "finding_id": found.id,
        "area_id": found.area_id,
        "detector": finding.detector,
        "kind": finding.kind,
        "phase": finding.phase.value,
        "category": finding.category.value,
        "priority": finding.priority.value,
        "subject_kind": finding.subject.kind.value,
        "subject_id": finding.subject.id,
        "key": finding.key,
        "device_id": found.device_id,
        "person_id": found.person_id,
        "premises_id": found.premises_id,
        "at": finding.at,
        "ask_s": finding.ask_s,
        "evidence": msgspec.json.encode(finding.evidence).decode(),
        "text": finding.text,
        "incident_id": incident_id,
        "reason": reason.value,
    }


def _id(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)
