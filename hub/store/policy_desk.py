"""Policies as somebody writes them; implements `hub.api.ports_ladder.PolicyStore`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg.errors import ForeignKeyViolation, UniqueViolation

from alerts.alarm import Subject, SubjectKind
from alerts.incident import Incident, State
from alerts.ladders import Scope, ladder_of
from alerts.policy import ChannelName, to_data
from alerts.policy_check import Complaint, Known, complaints
from alerts.selection import select
from hub.desk import NotThere
from hub.policies import POLICIES_LIMIT, BadPolicy, Case, Draft, Preview
from hub.quarantine import Operator
from hub.store import queries, rota
from hub.store.ladder import every_rung, rosters
from hub.store.ledger import log_values
from hub.store.policies import Ladders, ladders_for, lineages
from hub.store.reach import Cursor, Reach
from hub.store.rows import incident_of
from hub.view import View
from schemas.ids import AreaId, IncidentId, PersonId, PremisesId

_SQL = queries.load("ladder")
_INCIDENTS = queries.load("incidents")

MAY_ACKNOWLEDGE = ("administrator", "dispatcher")
"""Roles that answer at a desk."""
SAME_MOMENT = timedelta(minutes=1)
"""Who sits at a desk is known of now alone."""


class PostgresPolicies:
    """List, check, save, drop; and whom a ladder would call. Every change is logged. Raises
    DatabaseAway."""

    def __init__(self, reach: Reach, reachable: frozenset[ChannelName]) -> None:
        """`reachable` are the channels that are configured."""
        self._reach = reach
        self._reachable = reachable

    async def page(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]:
        """Policies by id; `areas` None: all."""
        values = {"areas": None if areas is None else list(areas), "after": after, "limit": limit}

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["policies"], values)
            rows = await cursor.fetchall()
            names = await _names(cursor, (who for row in rows for who in _written(row)))
            return [
                _view(row)
                | {"target_names": {who: names[who] for who in _written(row) if who in names}}
                for row in rows
            ]

        return await self._reach.run(read)

    async def read(self, policy_id: str) -> View | None:
        """One policy; None: there is none."""

        async def read(cursor: Cursor) -> View | None:
            await cursor.execute(_SQL["policy"], {"id": policy_id})
            row = await cursor.fetchone()
            if row is None:
                return None
            return _view(row) | {"target_names": await _names(cursor, _written(row))}

        return await self._reach.run(read)

    async def check(self, draft: Draft, now: datetime) -> list[Complaint]:
        """What stands against it, and what its author should know. Raises NotThere."""

        async def read(cursor: Cursor) -> list[Complaint]:
            return await self._check(cursor, draft, now)

        return await self._reach.run(read)

    async def put(self, draft: Draft, operator: Operator, now: datetime) -> View:
        """Save it; raises BadPolicy, NotThere."""

        async def write(cursor: Cursor) -> View:
            await cursor.execute(_SQL["hold_policy"], {"id": draft.id})
            before = await cursor.fetchone()
            seat = operator.seat
            if before is not None and seat is not None and before["area_id"] not in seat:
                raise NotThere(draft.id)
            if before is None:
                await cursor.execute(_SQL["count_policies"])
                (counted,) = await cursor.fetchall()
                if counted["policies"] >= POLICIES_LIMIT:
                    raise BadPolicy(f"there are {POLICIES_LIMIT} policies already")
            found = await self._check(cursor, draft, now)
            if any(complaint.fatal for complaint in found):
                raise BadPolicy(found)
            await cursor.execute(_SQL["put_policy"], _values(draft, operator, now))
            (row,) = await cursor.fetchall()
            detail = {"policy_id": draft.id, "revision": row["revision"], "scope": draft.scope,
                      "before": before["ladder"] if before else None,
                      "after": to_data(draft.policy)}  # fmt: skip
            await _note(cursor, operator, now, "policy_saved", row["area_id"], detail)
            return _view(row)

        try:
            return await self._reach.run(write)
        except UniqueViolation:
            raise BadPolicy(
                "another policy is for exactly this area, kind, category, priority and person"
            ) from None
        except ForeignKeyViolation as error:
            raise NotThere(str(error.diag.message_detail or draft.scope.area_id)) from None

    async def drop(self, policy_id: str, operator: Operator, now: datetime) -> bool:
        """Take it away: the next one holds for what opens from now on. False: there is none."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(_SQL["drop_policy"], {"id": policy_id, "areas": operator.seat})
            row = await cursor.fetchone()
            if row is None:
                return False
            detail = {"policy_id": policy_id, "before": row["ladder"]}
            await _note(cursor, operator, now, "policy_dropped", row["area_id"], detail)
            return True

        return await self._reach.run(write)

    async def preview(self, case: Case, now: datetime, draft: Draft | None = None) -> Preview:
        """Whom an incident of this person would call then; with a draft, by that one, saved or
        not. Raises NotThere."""

        async def read(cursor: Cursor) -> Preview:
            await cursor.execute(_SQL["person_place"], {"id": case.person_id})
            row = await cursor.fetchone()
            if row is None:
                raise NotThere(case.person_id)
            incident = _imagined(case, row)
            if draft is not None:
                incident = replace(incident, policy=draft.policy)
                return await self._shown(cursor, incident, None, case.at, now, draft.id)
            ladders = await ladders_for(cursor, [row["area_id"]])
            return await self._shown(cursor, incident, ladders, case.at, now)

        return await self._reach.run(read)

    async def ladder(self, incident_id: str, now: datetime) -> Preview | None:
        """Whom the ladder of an incident would call from now on; None: there is no such one."""

        async def read(cursor: Cursor) -> Preview | None:
            await cursor.execute(_SQL["incident"], {"id": incident_id})
            row = await cursor.fetchone()
            if row is None:
                return None
            return await self._shown(cursor, incident_of(row), None, now, now)

        return await self._reach.run(read)

    async def _shown(
        self, cursor: Cursor, incident: Incident, ladders: Ladders | None, at: datetime,
        now: datetime, policy_id: str | None = None,
    ) -> Preview:  # fmt: skip
        if ladders is not None:
            policy_id = ladders.id_for(incident)
            incident = ladders.given(incident)
        policy = ladder_of(incident)
        (roster,) = await rosters(cursor, [incident], at, self._reachable, every_rung)
        if abs(at - now) > SAME_MOMENT:
            roster = replace(roster, at_desk=True)
        rungs = tuple(select(step, incident, policy, roster, at) for step in policy.steps)
        missed = (each.who for rung in rungs for each in rung.nobody)
        return Preview(policy, policy_id, rungs, incident.step, await _names(cursor, missed))

    async def _check(self, cursor: Cursor, draft: Draft, now: datetime) -> list[Complaint]:
        scope = draft.scope
        above = (await lineages(cursor, [scope.area_id]))[scope.area_id]
        await cursor.execute(_SQL["answering"], {"areas": above, "roles": list(MAY_ACKNOWLEDGE)})
        (answering,) = await cursor.fetchall()
        if not answering["area_known"]:
            raise NotThere(scope.area_id)
        contacts = None
        if scope.person_id is not None:
            await cursor.execute(_SQL["person_place"], {"id": scope.person_id})
            person = await cursor.fetchone()
            if person is None or person["area_id"] != scope.area_id:
                raise NotThere(scope.person_id)
            await cursor.execute(_SQL["contacts"], {"people": [scope.person_id]})
            contacts = len(await cursor.fetchall())
        ids = _named(target.who for step in draft.policy.steps for target in step.targets)
        await cursor.execute(_SQL["accounts"], {"ids": ids["accounts"]})
        named = {f"account:{row['account_id']}" for row in await cursor.fetchall()}
        await cursor.execute(_SQL["responders"], {"ids": ids["responders"]})
        named |= {f"responder:{row['responder_id']}" for row in await cursor.fetchall()}
        await cursor.execute(_SQL["twin"], {"id": draft.id, **_scope(draft.scope)})
        twin = await cursor.fetchone()
        duties = {duty.value for _, duty in await rota.planned(cursor, above, now)}
        known = Known(
            dispatchers=answering["dispatchers"],
            duties=frozenset(duties),
            contacts=contacts,
            responders=answering["responders"],
            named=frozenset(named),
            reachable=self._reachable,
            twin=twin["policy_id"] if twin else None,
        )
        return complaints(draft.policy, scope, known)


def _written(row: View) -> list[str]:
    """Whom the ladder of a stored policy names, as selectors; each once."""
    who = (target["who"] for step in row["ladder"]["steps"] for target in step["targets"])
    return list(dict.fromkeys(who))


async def _names(cursor: Cursor, targets: Iterable[str]) -> dict[str, str]:
    """What the accounts, contacts and responders among targets are called."""
    ids = _named(targets)
    if not any(ids.values()):
        return {}
    await cursor.execute(_SQL["target_names"], ids)
    return {each["who"]: each["name"] for each in await cursor.fetchall()}


def _named(targets: Iterable[str]) -> dict[str, list[str]]:
    """The ids of accounts, contacts and responders among targets."""
    who = set(targets)
    return {
        f"{noun}s": [each.partition(":")[2] for each in who if each.startswith(f"{noun}:")]
        for noun in ("account", "contact", "responder")
    }


def _imagined(case: Case, person: View) -> Incident:
    """An incident as it would be: raised, and not climbed yet."""
    return Incident(
        id=IncidentId(""),
        area_id=AreaId(person["area_id"]),
        subject=Subject(SubjectKind.PERSON, case.person_id),
        state=State.RAISED,
        category=case.category,
        priority=case.priority,
        kind=case.kind,
        opened_at=case.at,
        last_alarm_at=case.at,
        person_id=PersonId(case.person_id),
        premises_id=PremisesId(person["premises_id"]) if person["premises_id"] else None,
        next_deadline_at=case.at,
    )


def _values(draft: Draft, operator: Operator, now: datetime) -> dict[str, Any]:
    return {
        "policy_id": draft.id,
        **_scope(draft.scope),
        "ladder": msgspec.json.encode(to_data(draft.policy)).decode(),
        "changed_at": now,
        "changed_by": operator.name or operator.id,
    }


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "area_id": scope.area_id,
        "kind": scope.kind,
        "category": scope.category,
        "priority": scope.priority,
        "person_id": scope.person_id,
    }


def _view(row: View) -> View:
    return {
        "id": row["policy_id"],
        "area_id": row["area_id"],
        "kind": row["kind"],
        "category": row["category"],
        "priority": row["priority"],
        "person_id": row["person_id"],
        "person_name": row.get("person_name"),
        "ladder": row["ladder"],
        "revision": row["revision"],
        "changed_at": row["changed_at"],
        "changed_by": row["changed_by"],
    }


async def _note(
    cursor: Cursor, operator: Operator, now: datetime, action: str, area_id: str, detail: Any
) -> None:
    actor = (operator.kind, operator.id, operator.name)
    await cursor.execute(
        _INCIDENTS["log"], log_values(now, area_id, None, action, None, detail, actor)
    )
