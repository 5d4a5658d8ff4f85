"""What a desk sees of an incident: one shape for the feed, the API and the snapshot. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerts.alarm import Alarm
from alerts.evidence import sentences
from alerts.handoff import HandOff
from alerts.incident import Incident
from alerts.ladders import ladder_of
from alerts.people import Person, Premises
from alerts.responders import Responding
from hub.device import Device

View = dict[str, Any]

ALARMS_SHOWN = 20
"""More repeats than this tell a dispatcher nothing new; the count says how many there were."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Who, where and with what; None where the register does not know."""

    person: Person | None = None
    premises: Premises | None = None
    device: Device | None = None
    area: str | None = None
    """The name of the incident's area: an incident of an area is about no home."""


def incident_view(
    incident: Incident,
    cards: Cards,
    alarms: Sequence[Alarm],
    *,
    provisional: bool = False,
    pending_action: str | None = None,
) -> View:
    """The incident as JSON-ready values; `alarms` oldest first, the newest are shown."""
    return {
        "id": incident.id,
        "revision": incident.revision,
        "state": incident.state.value,
        "provisional": provisional,
        "priority": incident.priority.value,
        "category": incident.category.value,
        "kind": incident.kind,
        "area_id": incident.area_id,
        "area_name": cards.area,
        "subject": {"kind": incident.subject.kind.value, "id": incident.subject.id},
        "person": _person(cards.person),
        "premises": _premises(cards.premises),
        "device": _device(cards.device, incident),
        "position": _position(incident, cards.premises),
        "alarms": [alarm_view(alarm) for alarm in alarms[-ALARMS_SHOWN:]],
        "alarm_count": incident.alarm_count,
        "owner": _owner(incident),
        "opened_at": iso(incident.opened_at),
        "last_alarm_at": iso(incident.last_alarm_at),
        "acknowledged_at": iso(incident.acknowledged_at),
        "attended_at": iso(incident.attended_at),
        "resolved_at": iso(incident.resolved_at),
        "expected_at": iso(incident.expected_at),
        "arrive_by": iso(incident.arrive_by),
        "outcome": incident.outcome.value if incident.outcome else None,
        "note": incident.note,
        "next_deadline_at": iso(incident.next_deadline_at),
        "step": incident.step,
        "follows": incident.follows,
        "silent": incident.silent,
        "repeats": incident.repeats,
        "who_comes": incident.who_comes,
        "responders": [_responding(each) for each in incident.responders],
        "hand_offs": [_handed(each) for each in incident.hand_offs],
        "ladder": ladder_of(incident).name,
        "same_address": incident.same_address,
        "drill": incident.drill,
        "pending_action": pending_action,
    }


def alarm_view(alarm: Alarm) -> View:
    """One alarm as JSON-ready values."""
    return {
        "id": alarm.id,
        "device_id": alarm.device_id,
        "message_id": alarm.message_id,
        "kind": alarm.kind,
        "category": alarm.category.value,
        "priority": alarm.priority.value,
        "action": alarm.action.value if alarm.action else None,
        "observed_at": iso(alarm.observed_at),
        "received_at": iso(alarm.received_at),
        "late": alarm.late,
        "flags": [flag.value for flag in alarm.flags],
        "text": alarm.text,
        "evidence": dict(alarm.evidence),
        "texts": sentences(alarm.kind, alarm.evidence) if alarm.evidence else {},
    }


def iso(moment: datetime | None) -> str | None:
    """UTC with a Z and milliseconds; None stays None."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _responding(responding: Responding) -> View:
    return {
        "kind": responding.who.kind.value,
        "id": responding.who.id,
        "name": responding.who.name,
        "answer": responding.answer.value,
        "way": responding.way.value if responding.way else None,
        "told_at": iso(responding.told_at),
        "answered_at": iso(responding.answered_at),
        "expected_at": iso(responding.expected_at),
        "arrived_at": iso(responding.arrived_at),
    }


def _handed(handed: HandOff) -> View:
    return {
        "service": handed.service.value,
        "number": handed.number,
        "reference": handed.reference,
        "at": iso(handed.at),
        "by": handed.by,
    }


def _owner(incident: Incident) -> View | None:
    if incident.owner is None:
        return None
    return {"account_id": incident.owner.account_id, "name": incident.owner.name}


def _person(person: Person | None) -> View | None:
    if person is None:
        return None
    return {
        "id": person.id,
        "name": person.name,
        "birth_year": person.birth_year,
        "language": person.language,
        "phone": person.phone,
        "medical_notes": person.medical_notes,
    }


def _premises(premises: Premises | None) -> View | None:
    if premises is None:
        return None
    return {
        "id": premises.id,
        "address": premises.address,
        "access_notes": premises.access_notes,
        "latitude": premises.latitude,
        "longitude": premises.longitude,
        "time_zone": premises.time_zone,
        "phone": premises.phone,
    }


def _device(device: Device | None, incident: Incident) -> View | None:
    """Under duress nothing may ring at the home, so nobody is shown where to call."""
    if device is not None:
        number = None if incident.silent else device.voice_number
        return {"id": device.id, "kind": device.kind.value, "label": device.label,
                "voice_number": number}  # fmt: skip
    if incident.device_id is None:
        return None
    return {"id": incident.device_id, "kind": None, "label": "", "voice_number": None}


def _position(incident: Incident, premises: Premises | None) -> View | None:
    """Where to go: the newest fix that came with an alarm, else the registered address."""
    position = incident.position
    if position is not None:
        return {
            "latitude": position.latitude,
            "longitude": position.longitude,
            "accuracy_m": position.accuracy_m,
            "source": position.source.value,
            "fixed_at": iso(position.fixed_at),
        }
    if premises is None or premises.latitude is None or premises.longitude is None:
        return None
    return {
        "latitude": premises.latitude,
        "longitude": premises.longitude,
        "accuracy_m": None,
        "source": "premises",
        "fixed_at": None,
    }
