"""Somebody calls the hotline: from the number to whom it is about, and to an alarm that rings like
any other, with no device at all. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from hub.register import Register
from hub.view import iso
from schemas import identity
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId

TELEPHONE = DeviceId("telephone")
"""No device was pressed."""
KIND = "call_in"
MOST_FOUND = 20
"""Ours: a number that more people share belongs to an institution; nobody chooses from more."""


class Whose(StrEnum):
    """Whose number somebody calls from."""

    PERSON = "person"
    HOME = "home"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom a call from a number may be about."""

    whose: Whose
    area_id: str
    person_id: str | None
    premises_id: str | None
    name: str
    address: str | None
    contact_name: str | None
    relation: str | None


class CallInOrder(msgspec.Struct, frozen=True):
    """A call on its way from the API to ingest."""

    id: str
    """The same id again is the same call."""
    area_id: str
    person_id: str | None
    premises_id: str | None
    number: str
    caller: str
    """Who calls, where that is not the person: a contact's name."""
    by_id: str | None
    """The account that took the call; None: the telephone system said so."""
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom a call is about; nobody: it stands for itself."""

    area_id: str
    person_id: str | None = None
    premises_id: str | None = None
    caller: str = ""


class _Message(msgspec.Struct, frozen=True):
    call_in: CallInOrder


def aim(found: Sequence[Caller], area_id: str) -> Aim:
    """Whom the call is about, as far as the number says it: one person, else one home, else nobody
    whom the hub could name without guessing. `area_id` is where a call of nobody's rings."""
    contacts = {caller.contact_name for caller in found if caller.contact_name}
    by = next(iter(contacts)) if len(contacts) == 1 and len(contacts) == len(found) else ""
    people = {caller.person_id: caller for caller in found if caller.person_id}
    homes = {caller.premises_id: caller for caller in found if caller.premises_id}
    if len(people) == 1:
        (person,) = people.values()
        return Aim(person.area_id, person.person_id, person.premises_id, by)
    if len(homes) == 1:
        (home,) = homes.values()
        return Aim(home.area_id, None, home.premises_id, by)
    return Aim(area_id)


def call_in_message(order: CallInOrder) -> bytes:
    """For the desk bus. A release that knows no calls finds no action in it and leaves it."""
    built = msgspec.to_builtins(order) | {"at": iso(order.at)}
    return msgspec.json.encode({"id": order.id, "call_in": built})


def read_call_in(payload: bytes) -> CallInOrder | None:
    """The order in a message of the desk bus; None: it is something else."""
    if b'"call_in"' not in payload:
        return None
    try:
        return msgspec.json.decode(payload, type=_Message).call_in
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def call_in_alarm(order: CallInOrder, register: Register, received_at: datetime) -> Alarm:
    """The alarm of a call. It joins what is open of the person; a caller nobody knows has an
    incident a number, so that two of them never become one."""
    person_id = PersonId(order.person_id) if order.person_id else None
    premises_id = PremisesId(order.premises_id) if order.premises_id else None
    person = register.people.get(person_id) if person_id else None
    said = " ".join(part for part in (order.caller, order.number) if part)
    return Alarm(
        id=identity.unreadable_alarm_id(f"call_in/{order.id}", b""),
        area_id=person.area_id if person else AreaId(order.area_id),
        subject=_subject(order, person_id, premises_id),
        device_id=TELEPHONE,
        person_id=person_id,
        premises_id=premises_id,
        kind=KIND,
        category=Category.PERSONAL,
        priority=Priority.HIGH,
        action=None,
        message_id=None,
        observed_at=order.at,
        received_at=received_at,
        text=said,
        evidence={"by": order.by_name, "by_id": order.by_id, "number": order.number},
    )


def _subject(
    order: CallInOrder, person_id: PersonId | None, premises_id: PremisesId | None
) -> Subject:
    if person_id is not None:
        return Subject(SubjectKind.PERSON, person_id)
    if premises_id is not None:
        return Subject(SubjectKind.PREMISES, premises_id)
    digits = "".join(each for each in order.number if each.isdigit())
    return Subject(SubjectKind.DEVICE, f"{TELEPHONE}-{digits or order.id}"[:64])
