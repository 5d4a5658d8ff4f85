"""Practice: an alarm that a human begins at the desk. It takes the way of a real one from ingest
on, and is marked on every step."""

from datetime import datetime

import msgspec

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from hub.register import Register
from hub.view import iso
from schemas import identity
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId

DRILL_DEVICE = DeviceId("drill")
"""No device was pressed."""
_CATEGORIES = {"press": Category.PERSONAL, "hazard": Category.HAZARD}


class DrillOrder(msgspec.Struct, frozen=True):
    """What is practised, on its way from the API to ingest."""

    id: str
    person_id: str
    area_id: str
    premises_id: str | None
    kind: str
    priority: Priority
    by_id: str
    by_name: str
    at: datetime


class _Message(msgspec.Struct, frozen=True):
    drill: DrillOrder


def drill_message(order: DrillOrder) -> bytes:
    """For the desk bus. A release that knows no drills finds no action in it and leaves it."""
    built = msgspec.to_builtins(order) | {"at": iso(order.at)}
    return msgspec.json.encode({"id": order.id, "drill": built})


def read_drill(payload: bytes) -> DrillOrder | None:
    """The order in a message of the desk bus; None: it is something else."""
    if b'"drill"' not in payload:
        return None
    try:
        return msgspec.json.decode(payload, type=_Message).drill
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def drill_alarm(order: DrillOrder, register: Register, received_at: datetime) -> Alarm:
    """The alarm of a drill. Its subject is the drill's own: a real press of the same person never
    joins practice."""
    person_id = PersonId(order.person_id)
    person = register.people.get(person_id)
    return Alarm(
        id=identity.unreadable_alarm_id(f"drill/{order.id}", b""),
        area_id=person.area_id if person else AreaId(order.area_id),
        subject=Subject(SubjectKind.DRILL, order.person_id),
        device_id=DRILL_DEVICE,
        person_id=person_id,
        premises_id=PremisesId(order.premises_id) if order.premises_id else None,
        kind=order.kind,
        category=_CATEGORIES.get(order.kind, Category.PHYSIOLOGICAL),
        priority=order.priority,
        action=None,
        message_id=None,
        observed_at=order.at,
        received_at=received_at,
        evidence={"by": order.by_name, "by_id": order.by_id},
        drill=True,
    )
