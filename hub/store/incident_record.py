"""Loads one incident with everything that is known of it; implements
`hub.api.ports_record.CaseStore`. The look is logged in the same transaction."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub import __version__
from hub.audit_chain import EntryRow
from hub.desk import Entry
from hub.report.case import (
    ALARMS_LIMIT,
    LOG_LIMIT,
    NOTIFICATIONS_LIMIT,
    OBSERVATIONS_LIMIT,
    Case,
)
from hub.store import queries
from hub.store.audit import proofs, seal_state
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.view import View
from schemas.vocabulary import MEASURE_BY_CODE, MEASURE_BY_KEY, Quality

_SQL = queries.load("incident_record")
_AUDIT = queries.load("audit")
_INCIDENTS = queries.load("incidents")

ROUND_IT = timedelta(minutes=30)
"""Ours: half an hour before and after shows how somebody was, and is not their day."""
_QUALITIES = {quality.code: quality.value for quality in Quality}
_CALLED = frozenset({
    "opened", "follows", "same_address", "joined", "raises_priority", "realarms", "cannot_ask",
    "unanswered",
})  # fmt: skip
"""Reasons of an alarm that call a human (the same as in facts.sql)."""
_HUMAN = frozenset({"account", "contact", "responder"})
_ANSWERS = frozenset({"acknowledge", "take_over", "attend", "resolve"})


class PostgresCases:
    """Over the connections of the reports."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def seal(self, now: datetime) -> dict[str, Any]:
        """The head of the log, and what waits."""

        async def read(cursor: Cursor) -> dict[str, Any]:
            return await seal_state(cursor, now)

        return await self._reach.run(read)

    async def case(
        self, incident_id: str, now: datetime, look: Entry, *, observations: bool
    ) -> Case | None:
        """The incident, or the one its alarm went into; None: there is none. The look is logged as
        one at that incident, in its area, whatever id was asked for."""

        async def read(cursor: Cursor) -> Case | None:
            await cursor.execute(_SQL["incident"], {"id": incident_id})
            incident = await cursor.fetchone()
            if incident is None:
                return None
            case = await _loaded(cursor, incident, now, look, observations=observations)
            seen = replace(look, incident_id=incident["incident_id"], area_id=incident["area_id"])
            await cursor.execute(_INCIDENTS["log"], log_line(seen))
            return case

        return await self._reach.run(read)


async def _loaded(
    cursor: Cursor, incident: View, now: datetime, look: Entry, *, observations: bool
) -> Case:
    incident.pop("changed_txid", None)
    own = {"id": incident["incident_id"]}
    alarms = await _rows(cursor, "alarms", own | {"limit": ALARMS_LIMIT + 1})
    findings = await _rows(cursor, "findings", own | {"limit": ALARMS_LIMIT + 1})
    notifications = await _rows(cursor, "notifications", own | {"limit": NOTIFICATIONS_LIMIT + 1})
    log = await _log(cursor, incident["incident_id"])
    place = {"premises_id": incident["premises_id"], "area_id": incident["area_id"]}
    (zone,) = await _rows(cursor, "zone", place)
    path = await _rows(cursor, "area_path", place)
    device_id = incident["device_id"] or next((a["device_id"] for a in alarms), None)
    measured = await _observations(cursor, incident, device_id) if observations else None
    lists = {
        "alarms": (alarms, ALARMS_LIMIT), "findings": (findings, ALARMS_LIMIT),
        "notifications": (notifications, NOTIFICATIONS_LIMIT), "timeline": (log, LOG_LIMIT),
        "observations": (measured or [], OBSERVATIONS_LIMIT),
    }  # fmt: skip
    left_out = tuple(name for name, (rows, limit) in lists.items() if len(rows) > limit)
    for rows, limit in lists.values():
        del rows[limit:]
    await _with_deliveries(cursor, notifications)
    return Case(
        incident=incident,
        area_path=tuple(row["name"] for row in path),
        person=await _card(cursor, "person", incident["person_id"]),
        premises=await _card(cursor, "premises", incident["premises_id"]),
        device=await _card(cursor, "device", device_id),
        time_zone=zone["zone"],
        made_at=now,
        made_by=look.account.name,
        release=__version__,
        answered=_answer(log),
        rang_at=_rang_at(incident, log),
        alarms=alarms,
        findings=findings,
        log=log,
        notifications=notifications,
        names=await _names(cursor, notifications),
        responders=await _rows(cursor, "responders", own),
        hand_offs=await _rows(cursor, "hand_offs", own),
        calls=await _rows(cursor, "calls", own),
        observations=measured,
        seal=await seal_state(cursor, now),
        left_out=left_out,
    )


async def _rows(cursor: Cursor, query: str, values: dict[str, Any]) -> list[View]:
    await cursor.execute(_SQL[query], values)
    return await cursor.fetchall()


async def _card(cursor: Cursor, noun: str, noun_id: str | None) -> View | None:
    if noun_id is None:
        return None
    found = await _rows(cursor, noun, {"id": noun_id})
    return found[0] if found else None


async def _log(cursor: Cursor, incident_id: str) -> list[View]:
    """What the log says of it, each entry with its seal."""
    values = {"incident_id": incident_id, "limit": LOG_LIMIT + 1}
    await cursor.execute(_AUDIT["log_of_incident"], values)
    rows = await cursor.fetchall()
    sealed = await proofs(cursor, [
        EntryRow(r["entry_id"], r["at_us"], r["area_id"], r["incident_id"], r["actor_kind"],
                 r["actor_id"], r["actor_name"], r["action"], r["reason"], r["detail_text"])
        for r in rows
    ])  # fmt: skip
    for row, seal in zip(rows, sealed, strict=True):
        row["seal"] = seal
        del row["area_id"], row["incident_id"]
    return rows


async def _with_deliveries(cursor: Cursor, notifications: list[View]) -> None:
    ids = [row["notification_id"] for row in notifications]
    by_notification: defaultdict[int, list[View]] = defaultdict(list)
    for row in await _rows(cursor, "deliveries", {"ids": ids}):
        by_notification[row["notification_id"]].append(row)
    for row in notifications:
        row["deliveries"] = by_notification[row["notification_id"]]


async def _names(cursor: Cursor, notifications: list[View]) -> dict[str, str]:
    """What those who were told are called, by recipient as a notification has it."""
    told = {row["recipient"] for row in notifications}
    values = {
        "ids": sorted({each.partition(":")[2] for each in told} - {""}),
        "devices": sorted(each for each in told if ":" not in each),
    }
    return {row["recipient"]: row["name"] for row in await _rows(cursor, "names", values)}


async def _observations(cursor: Cursor, incident: View, device_id: str | None) -> list[View]:
    rows = await _rows(
        cursor,
        "observations",
        {
            "since": incident["opened_at"] - ROUND_IT,
            "until": incident["opened_at"] + ROUND_IT,
            "position": MEASURE_BY_KEY["position"].code,
            "device_id": device_id,
            "person_id": incident["person_id"],
            "limit": OBSERVATIONS_LIMIT + 1,
        },
    )
    for row in rows:
        known = MEASURE_BY_CODE.get(row["measure"])
        row["measure"] = known.key if known else str(row["measure"])
        row["quality"] = _QUALITIES.get(row["quality"], str(row["quality"]))
        if row["value"] is None:
            row["value"] = row["state"]
    return rows


def _answer(log: list[View]) -> View | None:
    """The first deed of a human that took it."""
    return next(
        (
            {key: row[key] for key in ("at", "actor_kind", "actor_id", "actor_name", "action")}
            for row in log
            if row["actor_kind"] in _HUMAN and row["action"] in _ANSWERS
        ),
        None,
    )


def _rang_at(incident: View, log: list[View]) -> datetime | None:
    """When a human was called first; while its person is asked nobody is."""
    first = next((row["reason"] for row in log if row["action"] == "alarm"), None)
    if first != "asked":
        opened_at: datetime = incident["opened_at"]
        return opened_at
    return next(
        (
            row["at"]
            for row in log
            if row["action"] == "escalate"
            or (row["action"] == "alarm" and row["reason"] in _CALLED)
        ),
        None,
    )
