"""The small neighbourhood that tests live in: three homes, their devices, a clock moved by hand."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import sql

from alerts.actions import Action, Verb
from alerts.alarm import Alarm, Bearing, Category, Flag, Priority, Subject, SubjectKind
from alerts.incident import Outcome, Owner
from alerts.responders import Actor, ActorKind, Way
from hub.board import Board
from hub.clock import SystemClock
from hub.ingest import ALARM_STEPS, Desk, Incoming
from hub.register import Register
from hub.sources.mqtt import Delivery
from hub.store.cases import AlarmItem
from schemas.alarms import PressAction
from schemas.ids import AccountId, AlarmId, AreaId, DeviceId, IncidentId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ROOT = AreaId("city")
LIN = Owner(AccountId("lin"), "Lin")
WU = Owner(AccountId("wu"), "Wu")

HOMES = ("home-1", "home-2", "home-3")
PEOPLE = {"anna": ("home-1", "en"), "bo": ("home-2", "zh-CN")}
DEVICES: dict[str, tuple[DeviceKind, str, str | None]] = {
    "button-1": (DeviceKind.BUTTON, "home-1", "anna"),
    "band-1": (DeviceKind.WRISTBAND, "home-1", "anna"),
    "button-2": (DeviceKind.BUTTON, "home-2", "bo"),
    "smoke-3": (DeviceKind.HAZARD_SENSOR, "home-3", None),
}
"""By device id: its kind, home and person."""


class HandClock(SystemClock):
    """Moves only when a test moves it."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._now.timestamp()

    def move_to(self, moment: datetime) -> None:
        """Jump; backwards too, as a machine's clock may."""
        self._now = moment

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)


def rows() -> list[tuple[str, dict[str, Any]]]:
    """The register's rows as (noun, row), referenced nouns first."""
    found: list[tuple[str, dict[str, Any]]] = []
    for home in HOMES:
        place = {"access_notes": None, "latitude": None, "longitude": None, "phone": None}
        row = {"premises_id": home, "area_id": ROOT, "address": f"1 {home} street"}
        found.append(("premises", row | place | {"time_zone": "Asia/Shanghai"}))
    for person, (home, language) in PEOPLE.items():
        row = {"person_id": person, "area_id": ROOT, "premises_id": home, "name": person.title()}
        found.append(
            (
                "person",
                row
                | {"birth_year": 1940, "language": language, "phone": None, "medical_notes": None},
            )
        )
    for device, (kind, home, owner) in DEVICES.items():
        known = {"device_id": device, "area_id": ROOT, "premises_id": home, "person_id": owner}
        found.append(
            (
                "device",
                known
                | {"kind": kind.value, "label": "", "secret_sha256": "00" * 32, "revoked": False},
            )
        )
    return found


def register() -> Register:
    """The neighbourhood in memory."""
    known = Register()
    for noun, row in rows():
        known.put(noun, row)
    return known


def settle_in(database_url: str) -> None:
    """The neighbourhood in the database."""
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO area (area_id, name) VALUES (%s, %s)", (ROOT, ROOT))
        for noun, row in rows():
            query = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(noun),
                sql.SQL(", ").join(map(sql.Identifier, row)),
                sql.SQL(", ").join(map(sql.Placeholder, row)),
            )
            connection.execute(query, row)


def topic(device: str, kind: str = "press", lane: str = "alarm") -> str:
    """The topic of a device of the neighbourhood, or of a stranger."""
    home = DEVICES[device][1] if device in DEVICES else "nowhere"
    return f"care/v1/{ROOT}/{home}/{device}/{lane}/{kind}"


def delivery(
    device: str,
    kind: str = "press",
    *,
    lane: str = "alarm",
    payload: bytes | None = None,
    mid: int = 1,
    duplicate: bool = False,
    **fields: Any,
) -> Delivery:
    """A message as the broker delivers it."""
    content = json.dumps(fields).encode() if payload is None else payload
    return Delivery(topic(device, kind, lane), content, (1, mid), 1, duplicate, retained=False)


def taken(message: Delivery, at: datetime, known: Register | None = None) -> AlarmItem:
    """What ingest's steps make of a message of the alarm lane."""
    incoming = Incoming(message, at)
    desk = Desk(known or register(), Board(), ROOT)
    for step in ALARM_STEPS:
        step(incoming, desk)
    assert incoming.alarm is not None
    return AlarmItem(incoming.alarm, incoming.derived, found=incoming.found)


def alarm(
    number: int = 1,
    *,
    at: datetime = START,
    action: PressAction | None = PressAction.EMERGENCY,
    kind: str = "press",
    category: Category = Category.PERSONAL,
    priority: Priority = Priority.HIGH,
    flags: tuple[Flag, ...] = (),
    subject: Subject | None = None,
    ends_hazard: bool = False,
    ask_s: int = 0,
    bearing: Bearing = Bearing.RINGS,
) -> Alarm:
    """An alarm of Anna's button, unless said otherwise."""
    return Alarm(
        id=AlarmId(f"{number:030x}"),
        area_id=ROOT,
        subject=subject or Subject(SubjectKind.PERSON, "anna"),
        device_id=DeviceId("button-1"),
        person_id=PersonId("anna"),
        premises_id=PremisesId("home-1"),
        kind=kind,
        category=category,
        priority=priority,
        action=action,
        message_id=str(number),
        observed_at=at,
        received_at=at,
        flags=flags,
        reply_prefix=f"care/v1/{ROOT}/home-1/button-1",
        ends_hazard=ends_hazard,
        ask_s=ask_s,
        bearing=bearing,
    )


def action(
    verb: Verb,
    incident_id: str,
    at: datetime,
    *,
    by: Owner | Actor = LIN,
    number: int = 1,
    outcome: Outcome | None = Outcome.HELPED,
    **fields: Any,
) -> Action:
    """A human's deed: a dispatcher's, unless said otherwise."""
    actor = actor_of(by)
    way = Way.DESK if actor.kind is ActorKind.ACCOUNT else Way.SMS
    return Action(
        id=f"{verb}-{actor.id}-{number}",
        incident_id=IncidentId(incident_id),
        verb=verb,
        by=actor,
        at=at,
        outcome=outcome if verb is Verb.RESOLVE else None,
        **{"how": way} | fields,
    )


def actor_of(by: Owner | Actor) -> Actor:
    """A dispatcher as whoever acts."""
    return by if isinstance(by, Actor) else Actor(ActorKind.ACCOUNT, by.account_id, by.name)
