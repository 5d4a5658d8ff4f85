"""Policies as rows: which holds for an incident, and who may be named by one that is saved."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError
from alerts.incident import Incident
from alerts.ladders import Scope, choose
from alerts.policy import Policy, from_data
from hub.store import queries
from hub.store.whereabouts import Cursor

_SQL = queries.load("ladder")

Row = Mapping[str, Any]


async def lineages(cursor: Cursor, area_ids: Iterable[str]) -> dict[str, list[str]]:
    """Each area with those it lies in, the nearest first; one that is not in the tree is alone."""
    wanted = sorted(set(area_ids))
    found: dict[str, list[str]] = {area_id: [] for area_id in wanted}
    await cursor.execute(_SQL["lineages"], {"areas": wanted})
    for row in await cursor.fetchall():
        if row["area_id"] not in found[row["of"]]:
            found[row["of"]].append(row["area_id"])
    return {area_id: above or [area_id] for area_id, above in found.items()}


class Ladders:
    """The areas' own policies, as far as some incidents may need them."""

    def __init__(
        self,
        own: Mapping[str, tuple[Scope, Policy]] | None = None,
        above: Mapping[str, list[str]] | None = None,
    ) -> None:
        self._own = own or {}
        self._above = above or {}

    def given(self, incident: Incident) -> Incident:
        """The incident with its ladder."""
        areas = self._above.get(incident.area_id, [incident.area_id])
        policy = choose(incident, self._own.values(), {area: n for n, area in enumerate(areas)})
        return replace(incident, policy=policy)

    def id_for(self, incident: Incident) -> str | None:
        """The id of the policy it would get; None: a shipped one."""
        chosen = self.given(incident).policy
        return next((i for i, (_, policy) in self._own.items() if policy is chosen), None)


async def ladders_for(cursor: Cursor, area_ids: Iterable[str]) -> Ladders:
    """Everything that may hold for incidents in these areas."""
    above = await lineages(cursor, area_ids)
    everywhere = sorted({area for areas in above.values() for area in areas})
    if not everywhere:
        return Ladders()
    await cursor.execute(_SQL["own"], {"areas": everywhere})
    rows = await cursor.fetchall()
    own = {row["policy_id"]: pair for row in rows if (pair := _readable(row)) is not None}
    return Ladders(own, above)


def scope_of(row: Row) -> Scope:
    """What a policy's row is for."""
    return Scope(
        area_id=row["area_id"],
        kind=row["kind"],
        category=None if row["category"] is None else Category(row["category"]),
        priority=None if row["priority"] is None else Priority(row["priority"]),
        person_id=row["person_id"],
    )


def _readable(row: Row) -> tuple[Scope, Policy] | None:
    """One that this release cannot read gives way to the next: somebody is called all the same."""
    try:
        policy = from_data(row["ladder"])
    except PolicyError:
        return None
    return scope_of(row), replace(policy, name=policy.name or row["policy_id"])
