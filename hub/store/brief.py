"""What a message may say, read when it is sent; implements `alerts.ports.Wording`."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from psycopg_pool import AsyncConnectionPool

from alerts.address import ACCOUNT, CONTACT, RESPONDER, Address
from alerts.brief import Brief, Going, Purpose, Where, Whom, anonymous, permitted
from alerts.consent import Audience, DataType, Decision, allowed
from alerts.errors import LookUpFailed
from alerts.evidence import sentences
from alerts.incident import Incident
from alerts.messages import Message, render
from alerts.notification import Notification
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Clock
from alerts.responders import Answer, first_there
from hub.map_links import map_link
from hub.store import queries
from hub.store.gathered import AWAY, Gathered, all_by_key, by_key
from hub.store.rows import incident_of
from schemas.alarms import PositionSource

_SQL = queries.load("brief")

Row = dict[str, Any]
V = TypeVar("V")
LinkFor = Callable[[Notification, Address], Awaitable[str | None]]
"""A one-time link for one recipient; None: there are no links."""
_CARRIED = frozenset({"wristband", "phone"})
"""Devices that say nothing about where in the home somebody is."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """What every message has from the settings."""

    service: str
    hotline: str
    zone: str
    """Of homes that name none."""
    map_service: str
    answers: frozenset[ChannelName] = frozenset()
    """Channels whose replies and digits come back to the hub."""


class PostgresWords:
    """Loads the brief, takes out what may not be told, renders."""

    def __init__(
        self,
        pool: AsyncConnectionPool[Any],
        speaker: Speaker,
        clock: Clock,
        link_for: LinkFor | None = None,
    ) -> None:
        self._cases = Gathered(partial(by_key, pool, _SQL["cases"], column="incident_id"))
        self._decisions = Gathered(
            partial(all_by_key, pool, _SQL["decisions"], column="incident_id")
        )
        self._speaker = speaker
        self._clock = clock
        self._link_for = link_for

    async def words_for(self, notification: Notification, address: Address) -> Message:
        """Raises LookUpFailed while the database is away, or if it may not be told any more."""
        brief = await self.brief_for(notification, address)
        told = permitted(brief, await self.told_to(notification, address))
        if told is None and address.recipient == FALLBACK_CONTACT:
            told = anonymous(brief)
        if told is None:
            raise LookUpFailed("not to be told any more")
        return render(told, notification.channel, address.language)

    async def brief_for(self, notification: Notification, address: Address) -> Brief:
        """Everything that could be said."""
        purpose = Purpose(notification.kind.value)
        row = await self._case(notification)
        link = await self._link_for(notification, address) if self._link_for else None
        answers = notification.channel in self._speaker.answers
        given = notification.body
        brief = Brief(
            purpose=purpose,
            now=self._clock.now(),
            service=self._speaker.service,
            hotline=self._speaker.hotline,
            zone=ZoneInfo((row or {}).get("time_zone") or self._speaker.zone),
            link=link,
            reply=str(given.get("code") or "1") if answers else None,
            presses=answers,
            notice=given.get("texts"),
        )
        return brief if row is None else about(brief, row, self._speaker.map_service)

    async def told_to(self, notification: Notification, address: Address) -> frozenset[DataType]:
        """What this recipient may be told of the incident's person."""
        audience = audience_of(address)
        if not notification.incident_id:
            return allowed(audience, ())
        rows = await _asked(self._decisions, notification.incident_id)
        return allowed(audience, decisions_for(audience, rows or ()))

    async def _case(self, notification: Notification) -> Row | None:
        if not notification.incident_id:
            return None
        return await _asked(self._cases, notification.incident_id)


async def _asked(question: Gathered[str, V], incident_id: str) -> V | None:
    try:
        return await question.ask(incident_id)
    except AWAY as error:
        raise LookUpFailed(type(error).__name__) from error


def decisions_for(audience: Audience, rows: Iterable[Row]) -> list[Decision]:
    """What a person decided for one audience, from their decisions for all."""
    return [
        Decision(audience, DataType(row["data_type"]), row["allowed"])
        for row in rows
        if row["audience"] == audience
    ]


def audience_of(address: Address) -> Audience:
    """What a recipient is to the person, as consent knows it."""
    if address.recipient == FALLBACK_CONTACT:
        return Audience.OUTSIDE
    if address.recipient.startswith(CONTACT) or address.relation == "family":
        return Audience.FAMILY
    if address.recipient.startswith(RESPONDER) or address.relation == "responder":
        return Audience.RESPONDERS
    return Audience.DISPATCHERS if address.recipient.startswith(ACCOUNT) else Audience.OUTSIDE


def about(brief: Brief, row: Row, map_service: str) -> Brief:
    """The brief with an incident's facts."""
    incident = incident_of(row)
    whom = None
    if row["person_name"]:
        whom = Whom(row["person_name"], row["birth_year"], row["person_phone"],
                    row["medical_notes"])  # fmt: skip
    evidence = row["alarm_evidence"] or {}
    # Who once had it stays named, and must be said neither to have it nor to come.
    first = first_there(incident.responders)
    held_until = None if incident.free else incident.expected_at
    return replace(
        brief,
        incident_id=incident.id,
        area_id=incident.area_id,
        kind=incident.kind,
        action=evidence.get("hazard") or row["alarm_action"],
        category=incident.category,
        priority=incident.priority,
        state=incident.state,
        opened_at=incident.opened_at,
        drill=incident.drill,
        silent=incident.silent,
        subject=row["device_label"] or row["area_name"],
        whom=whom,
        where=_where(incident, row, map_service),
        details=sentences(incident.kind, evidence) if evidence else None,
        owner=incident.owner.name if incident.owner and not incident.free else None,
        expected_at=first.expected_at if first and incident.free else held_until,
        going=_going(incident),
        outcome=incident.outcome,
    )


def _where(incident: Incident, row: Row, map_service: str) -> Where | None:
    position = incident.position
    fix_map, fixed_at, accuracy_m = None, None, None
    if position is not None and position.source is not PositionSource.PREMISES:
        fix_map = map_link(map_service, position.latitude, position.longitude)
        fixed_at, accuracy_m = _moment(position.fixed_at), position.accuracy_m
    home_map = None
    if row["latitude"] is not None and row["longitude"] is not None:
        home_map = map_link(map_service, row["latitude"], row["longitude"])
    if row["address"] is None and fix_map is None:
        return None
    indoor = row["device_label"] if row["device_kind"] not in _CARRIED else None
    return Where(
        address=row["address"],
        access_notes=row["access_notes"],
        indoor=indoor or None,
        phone=row["voice_number"] or row["home_phone"] or row["person_phone"],
        home_map=home_map,
        fix_map=fix_map,
        fixed_at=fixed_at,
        accuracy_m=accuracy_m,
    )


def _moment(fixed_at: object) -> datetime | None:
    return fixed_at if isinstance(fixed_at, datetime) else None


def _going(incident: Incident) -> tuple[Going, ...]:
    there = (Answer.GOING, Answer.ARRIVED)
    return tuple(
        Going(one.who.name, one.expected_at, one.answer is Answer.ARRIVED)
        for one in incident.responders
        if one.answer in there
    )
