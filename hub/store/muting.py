"""What planned maintenance keeps from ringing, in the transaction that records it.

Reads the windows that are open, remembers what they mute as conditions, and forgets a condition
that ended or rings. The rule itself is `alerts.maintenance`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from alerts.alarm import Alarm, Subject
from alerts.maintenance import Window, may_be_muted, muting
from hub.store import queries
from hub.store.ledger import many
from schemas.ids import AreaId

_SQL = queries.load("maintenance")

Cursor = psycopg.AsyncCursor[dict[str, Any]]
Condition = tuple[Subject, str]
"""What is wrong, and the kind of it."""


@dataclass(slots=True)
class Muting:
    """The windows that are open for one batch, and what they mute of it."""

    windows: Sequence[Window] = ()
    above: dict[AreaId, frozenset[AreaId]] = field(default_factory=dict)
    """Each alarm's area with every area it lies in."""
    muted: dict[Condition, tuple[Alarm, Window]] = field(default_factory=dict)
    gone: set[Condition] = field(default_factory=set)

    def mutes(self, alarm: Alarm) -> bool:
        """Whether the alarm only becomes a condition that is remembered."""
        if not may_be_muted(alarm):
            return False
        condition = (alarm.subject, alarm.kind)
        above = self.above.get(alarm.area_id, frozenset({alarm.area_id}))
        window = muting(alarm, self.windows, above, alarm.received_at)
        if window is None:
            self.ended(*condition)
            return False
        self.gone.discard(condition)
        self.muted[condition] = (alarm, window)
        return True

    def ended(self, subject: Subject, kind: str) -> None:
        """The condition is over, or it rings now."""
        self.muted.pop((subject, kind), None)
        self.gone.add((subject, kind))

    async def save(self, cursor: Cursor) -> None:
        """Remember and forget."""
        gone = [(subject.kind.value, subject.id, kind) for subject, kind in self.gone]
        await _forget(cursor, gone)
        rows = [
            {
                "subject_kind": subject.kind.value,
                "subject_id": subject.id,
                "kind": kind,
                "area_id": alarm.area_id,
                "maintenance_id": window.id,
                "muted_at": alarm.received_at,
                "alarm": msgspec.json.encode(alarm).decode(),
            }
            for (subject, kind), (alarm, window) in self.muted.items()
        ]
        await many(cursor, _SQL["mute"], rows)


async def muting_for(cursor: Cursor, alarms: Iterable[Alarm]) -> Muting:
    """The windows that may concern these alarms; asks nothing where none can be muted."""
    technical = [alarm for alarm in alarms if may_be_muted(alarm)]
    if not technical:
        return Muting()
    await cursor.execute(
        _SQL["open_windows"], {"now": max(alarm.received_at for alarm in technical)}
    )
    windows = [_window(row) for row in await cursor.fetchall()]
    above: dict[AreaId, set[AreaId]] = {}
    if windows:
        areas = list({alarm.area_id for alarm in technical})
        await cursor.execute(_SQL["areas_above"], {"ids": areas})
        for row in await cursor.fetchall():
            above.setdefault(AreaId(row["of_id"]), set()).add(AreaId(row["area_id"]))
    return Muting(windows, {area: frozenset(over) for area, over in above.items()})


async def conditions_over(cursor: Cursor, now: datetime, limit: int) -> list[Alarm]:
    """Take out what windows that are over had muted: the alarms as they would have rung."""
    await cursor.execute(_SQL["over"], {"now": now, "limit": limit})
    rows = await cursor.fetchall()
    await _forget(cursor, [(row["subject_kind"], row["subject_id"], row["kind"]) for row in rows])
    return [msgspec.convert(row["alarm"], Alarm) for row in rows]


async def _forget(cursor: Cursor, conditions: Sequence[tuple[str, str, str]]) -> None:
    """Subject's kind and id, and the kind of the condition; in one statement, however many."""
    if conditions:
        subject_kinds, subject_ids, kinds = map(list, zip(*conditions, strict=True))
        values = {"subject_kinds": subject_kinds, "subject_ids": subject_ids, "kinds": kinds}
        await cursor.execute(_SQL["forget"], values)


def _window(row: dict[str, Any]) -> Window:
    return Window(
        id=row["maintenance_id"],
        area_id=AreaId(row["area_id"]),
        from_at=row["from_at"],
        until_at=row["until_at"],
        kinds=frozenset(row["kinds"]),
        ended_at=row["ended_at"],
    )
