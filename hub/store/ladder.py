"""Whom the ladders mean just now, and what follows from a rung that was climbed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, Protocol

import msgspec

from alerts.escalation import Decision, Reason
from alerts.incident import Incident
from alerts.ladders import ladder_of
from alerts.notification import NotificationKind, NotificationState, urgency_of
from alerts.people import PersonState
from alerts.policy import DISPATCHERS, ChannelName, Policy, Step
from alerts.responders import Actor, ActorKind
from alerts.selection import Recipient, Roster
from hub.register import zone_named
from hub.store import presence, queries, reach_responders, rota
from hub.store.ledger import log_values
from hub.store.policies import lineages
from hub.store.whereabouts import Cursor

_SQL = queries.load("incidents")
_LADDER = queries.load("ladder")

FIRST_NOTICE = (Reason.FIRST_STEP, Reason.NO_ANSWER, Reason.LEASE_LAPSED)
"""Why a ring overtakes the rest of its priority: nobody has heard of it yet, or not since."""
NEAREST_LIMIT = 9
"""As many as `nearest:9` asks for."""

Row = dict[str, Any]
Preferred = tuple[ChannelName, ...]


class _Ahead(Protocol):
    """What decides how much of the roster is looked up."""

    def __call__(self, incident: Incident, policy: Policy) -> Sequence[Step]: ...


def next_rungs(incident: Incident, policy: Policy) -> Sequence[Step]:
    """The rungs that a decision may climb now: the next one, and those behind it, should it reach
    nobody."""
    lapses = incident.held and incident.lease_until is None
    starts = 0 if lapses else min(incident.step, len(policy.steps) - 1)
    return policy.steps[starts:]


def every_rung(incident: Incident, policy: Policy) -> Sequence[Step]:
    """For a preview."""
    del incident
    return policy.steps


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which lists the rungs ahead of one incident need."""

    family: bool
    nearest: bool
    on_duty: bool
    named: frozenset[str]


async def rosters(
    cursor: Cursor,
    incidents: Sequence[Incident],
    now: datetime,
    reachable: frozenset[ChannelName],
    ahead: _Ahead = next_rungs,
) -> list[Roster]:
    """A roster for each incident, in the same order; what no rung ahead names is not looked up."""
    above = await lineages(cursor, {each.area_id for each in incidents})
    everywhere = {area for areas in above.values() for area in areas}
    feeds = await presence.feeds(cursor, now)
    sitting = {each.area_id for each in await presence.present(cursor, sorted(everywhere), now)}
    manned = [feeds == 0 or not sitting.isdisjoint(above[each.area_id]) for each in incidents]
    wanted = [
        _wanted(_certain(ahead(each, ladder_of(each)), at_desk=at_desk and ahead is next_rungs))
        for each, at_desk in zip(incidents, manned, strict=True)
    ]
    contacts, preferred, states, zones = await _people(cursor, incidents)
    duties = await _on_duty(cursor, sorted(everywhere), now) if _any(wanted, "on_duty") else {}
    named = await _named(cursor, {who for each in wanted for who in each.named})
    found = []
    for incident, want, at_desk in zip(incidents, wanted, manned, strict=True):
        areas = above[incident.area_id]
        nearest: tuple[Actor, ...] = ()
        if want.nearest and incident.premises_id is not None:
            sought = incident if incident.id else incident.premises_id
            near = await reach_responders.nearest(cursor, sought, NEAREST_LIMIT, now)
            nearest = tuple(
                Actor(ActorKind.RESPONDER, str(each.responder_id), each.name) for each in near
            )
        found.append(
            Roster(
                reachable=reachable,
                at_desk=at_desk,
                on_duty=_nearest_duty(duties, areas),
                contacts=contacts.get(incident.person_id or "", {}),
                preferred=preferred,
                nearest=nearest,
                named=named,
                served=states.get(incident.person_id or "", PersonState.HOME).served,
                zone=zone_named(zones.get(incident.premises_id or "")),
            )
        )
    return found


def _certain(steps: Sequence[Step], *, at_desk: bool) -> Sequence[Step]:
    """Of the rungs ahead those that may be climbed now: a rung that rings at a desk where somebody
    sits reaches them, and none behind it is climbed with it. In an earthquake the lists of later
    rungs would cost ten times what the first one does."""
    rings = bool(steps) and any(target.who == DISPATCHERS for target in steps[0].targets)
    return steps[:1] if at_desk and rings else steps


def _wanted(steps: Iterable[Step]) -> _Wanted:
    who = {target.who for step in steps for target in step.targets}
    return _Wanted(
        family=any(each.startswith("family") for each in who),
        nearest=any(each.startswith("nearest") for each in who),
        on_duty=any(each.startswith("on_duty") for each in who),
        named=frozenset(each for each in who if each.startswith(("account:", "responder:"))),
    )


def _any(wanted: Iterable[_Wanted], noun: str) -> bool:
    return any(getattr(each, noun) for each in wanted)


async def _people(
    cursor: Cursor, incidents: Sequence[Incident]
) -> tuple[
    dict[str, dict[int, Actor]], dict[str, Preferred], dict[str, PersonState], dict[str, str]
]:
    """Contacts by person and place, how they want to be told, where people are, and the zones of
    homes."""
    people = sorted({each.person_id for each in incidents if each.person_id})
    homes = sorted({each.premises_id for each in incidents if each.premises_id})
    contacts: dict[str, dict[int, Actor]] = {}
    preferred: dict[str, Preferred] = {}
    await cursor.execute(_LADDER["contacts"], {"people": people})
    for row in await cursor.fetchall():
        theirs = contacts.setdefault(row["person_id"], {})
        actor = Actor(ActorKind.CONTACT, row["contact_id"], row["name"])
        theirs[len(theirs) + 1] = actor
        if row["channels"]:
            preferred[actor.recipient] = tuple(ChannelName(name) for name in row["channels"])
    await cursor.execute(_LADDER["states"], {"people": people})
    states = {row["person_id"]: PersonState(row["state"]) for row in await cursor.fetchall()}
    await cursor.execute(_LADDER["zones"], {"homes": homes})
    zones = {row["premises_id"]: row["time_zone"] for row in await cursor.fetchall()}
    return contacts, preferred, states, zones


async def _on_duty(
    cursor: Cursor, areas: Sequence[str], now: datetime
) -> dict[tuple[str, str], list[Actor]]:
    duties = await rota.on_duty(cursor, areas, now)
    names = await _accounts(cursor, {duty.account_id for duty in duties})
    found: dict[tuple[str, str], list[Actor]] = {}
    for duty in duties:
        if (actor := names.get(duty.account_id)) is not None:
            found.setdefault((duty.area_id, duty.role_on_duty.value), []).append(actor)
    return found


def _nearest_duty(
    duties: dict[tuple[str, str], list[Actor]], areas: Sequence[str]
) -> dict[str, tuple[Actor, ...]]:
    """By role: whoever is on duty for the nearest area that has somebody."""
    found: dict[str, tuple[Actor, ...]] = {}
    for area in areas:
        for (where, role), actors in duties.items():
            if where == area:
                found.setdefault(role, tuple(actors))
    return found


async def _named(cursor: Cursor, who: Iterable[str]) -> dict[str, Actor]:
    """The accounts and responders that exist and may be called."""
    ids: dict[str, list[str]] = {"account": [], "responder": []}
    for each in who:
        noun, _, one = each.partition(":")
        ids[noun].append(one)
    if not any(ids.values()):
        return {}
    found = list((await _accounts(cursor, ids["account"])).values())
    await cursor.execute(_LADDER["responders"], {"ids": ids["responder"]})
    found += [
        Actor(ActorKind.RESPONDER, row["responder_id"], row["name"])
        for row in await cursor.fetchall()
    ]
    return {actor.recipient: actor for actor in found}


async def _accounts(cursor: Cursor, ids: Iterable[str]) -> dict[str, Actor]:
    await cursor.execute(_LADDER["accounts"], {"ids": sorted(ids)})
    return {
        row["account_id"]: Actor(ActorKind.ACCOUNT, row["account_id"], row["name"])
        for row in await cursor.fetchall()
    }


async def keep(cursor: Cursor, decisions: Sequence[Decision], now: datetime) -> None:
    """Log and outbox of rungs that were climbed; the incidents are saved already."""
    entries = [_entry(decision, now) for decision in decisions if decision.worth_logging]
    await _at_once(cursor, _LADDER["log_climbs"], entries, "detail")
    rings = [
        (_ring(decision, recipient, now), decision.reason is Reason.LAST_STEP_REPEATED)
        for decision in decisions
        for recipient in decision.told
    ]
    repeated = [row for row, again in rings if again]
    unrung = await _rung_again(cursor, repeated)
    new = [row for row, again in rings if not again]
    await _at_once(cursor, _LADDER["ring"], [*new, *unrung], "body")
    if len(unrung) < len(repeated):
        await cursor.execute(_LADDER["wake_courier"])


async def _at_once(cursor: Cursor, query: LiteralString, rows: Sequence[Row], json: str) -> None:
    """Insert all rows as one statement; `json` names the column that is JSON already."""
    if rows:
        packed = [row | {json: msgspec.Raw(row[json].encode())} for row in rows]
        await cursor.execute(query, {"rows": msgspec.json.encode(packed).decode()})


async def _rung_again(cursor: Cursor, rows: Sequence[Row]) -> list[Row]:
    """Ring the last rung's rows once more; those that were never rung."""
    if not rows:
        return []
    await cursor.executemany(_SQL["ring_again"], rows, returning=True)
    unrung = []
    for row in rows:
        if await cursor.fetchone() is None:
            unrung.append(row)
        cursor.nextset()
    return unrung


def _entry(decision: Decision, now: datetime) -> Row:
    incident = decision.incident
    detail: Row = {
        "step": incident.step,
        "told": [f"{each.channels[0]}:{each.recipient}" for each in decision.told],
        "nobody": [{"who": each.who, "reason": each.reason} for each in decision.nobody],
        "next_deadline_at": incident.next_deadline_at,
    }
    if decision.reason is Reason.LAST_STEP_REPEATED:
        detail["repeats"] = incident.repeats
    if decision.reason is Reason.LEASE_LAPSED and incident.owner is not None:
        detail["owner"] = incident.owner.name
    return log_values(
        now, incident.area_id, incident.id, "escalate", decision.reason.value, detail,
        ("hub", "escalator", None),
    )  # fmt: skip


def _ring(decision: Decision, recipient: Recipient, now: datetime) -> Row:
    incident = decision.incident
    body = {
        "priority": incident.priority,
        "category": incident.category,
        "alarm_kind": incident.kind,
        "area_id": incident.area_id,
        "subject": {"kind": incident.subject.kind, "id": incident.subject.id},
        "opened_at": incident.opened_at,
        "step": incident.step,
        "reason": decision.reason,
        "prompt": recipient.prompt,
        "drill": incident.drill,
    }
    return {
        "area_id": incident.area_id,
        "incident_id": incident.id,
        "channel": recipient.channels[0].value,
        "channels": [channel.value for channel in recipient.channels[1:]],
        "recipient": recipient.recipient,
        "kind": NotificationKind.RING.value,
        "urgency": urgency_of(
            incident.priority, NotificationKind.RING, first=decision.reason in FIRST_NOTICE
        ),
        "body": msgspec.json.encode(body).decode(),
        "state": NotificationState.PENDING.value,
        "at": now,
        "settled_at": None,
        "detail": "",
        "step": incident.step,
    }
