"""Where people are, from the register's rows; which findings that mutes is `alerts.muting`'s."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from alerts.grouping import Reason
from alerts.muting import muted
from alerts.people import PersonState
from hub.store import queries
from hub.store.items import Found
from schemas.ids import PersonId, PremisesId

_SQL = queries.load("findings")

Cursor = psycopg.AsyncCursor[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """People of one batch, by themselves and by home."""

    by_person: Mapping[PersonId, PersonState] = field(default_factory=dict)
    by_home: Mapping[PremisesId, Sequence[PersonId]] = field(default_factory=dict)

    def mutes(self, found: Found) -> Reason | None:
        """Why this finding wakes nobody; None: it may."""
        finding = found.finding
        people = [found.person_id] if found.person_id else self._residents(found.premises_id)
        states = [self.by_person[person] for person in people if person in self.by_person]
        return muted(finding.kind, finding.category, states,
                     carried=found.carried)  # fmt: skip

    def only_resident(self, premises_id: PremisesId | None) -> PersonId | None:
        """Who lives there, if it is one person alone."""
        served = [
            person for person in self._residents(premises_id) if self.by_person[person].served
        ]
        return served[0] if len(served) == 1 else None

    def _residents(self, premises_id: PremisesId | None) -> Sequence[PersonId]:
        return self.by_home.get(premises_id, ()) if premises_id else ()


async def whereabouts(cursor: Cursor, found: Sequence[Found]) -> Whereabouts:
    """Everybody these findings are about."""
    if not found:
        return Whereabouts()
    parameters = {
        "people": list({one.person_id for one in found if one.person_id}),
        "premises": list({one.premises_id for one in found if one.premises_id}),
    }
    await cursor.execute(_SQL["states"], parameters)
    states: dict[PersonId, PersonState] = {}
    homes: dict[PremisesId, list[PersonId]] = {}
    for row in await cursor.fetchall():
        states[row["person_id"]] = PersonState(row["state"])
        if row["premises_id"] is not None:
            homes.setdefault(row["premises_id"], []).append(row["person_id"])
    return Whereabouts(states, homes)
