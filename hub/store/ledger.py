"""What one transaction writes besides incidents: gathered while it decides, written at its end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString

import msgspec
import psycopg

from alerts.incident import Incident
from hub.store import queries

_SQL = queries.load("incidents")
_FINDINGS = queries.load("findings")

Row = dict[str, Any]
Actor = tuple[str, str | None, str | None]
"""Kind, id and name of who did it."""


@dataclass(slots=True)
class Ledger:
    """Parameters of the named queries, in the order in which they came."""

    alarms: list[Row] = field(default_factory=list)
    windows: list[Row] = field(default_factory=list)
    repeats: list[str] = field(default_factory=list)
    actions: list[Row] = field(default_factory=list)
    findings: list[Row] = field(default_factory=list)
    occurrences: dict[str, tuple[int, Any, str]] = field(default_factory=dict)
    """By derived id: the last occurrence, when it was first delivered, the area."""
    log: list[Row] = field(default_factory=list)

    def note(
        self,
        at: Any,
        area_id: str,
        incident: Incident | None,
        action: str,
        reason: str | None,
        detail: Mapping[str, Any],
        *,
        actor: Actor,
    ) -> None:
        """An entry of the audit log."""
        incident_id = incident.id if incident else None
        self.log.append(log_values(at, area_id, incident_id, action, reason, detail, actor))

    async def save(self, cursor: psycopg.AsyncCursor[Row]) -> None:
        """Write everything; what refers to incidents finds them there already."""
        await many(cursor, _SQL["insert_alarm"], self.alarms)
        await many(cursor, _SQL["insert_window"], self.windows)
        await many(cursor, _FINDINGS["save"], self.findings)
        await many(cursor, _SQL["save_action"], self.actions)
        await many(cursor, _SQL["log"], self.log)
        await many(
            cursor,
            _SQL["save_occurrence"],
            [
                {"derived_id": key, "area_id": area, "occurrence": n, "began_at": at}
                for key, (n, at, area) in self.occurrences.items()
            ],
        )
        if self.repeats:
            await cursor.execute(_SQL["count_repeats"], {"ids": self.repeats})


def log_values(
    at: Any,
    area_id: str,
    incident_id: str | None,
    action: str,
    reason: str | None,
    detail: Mapping[str, Any],
    actor: Actor,
) -> Row:
    """An entry of the audit log as parameters of `log`; the actor is kind, id and name."""
    kind, actor_id, actor_name = actor
    return {
        "at": at,
        "area_id": area_id,
        "incident_id": incident_id,
        "actor_kind": kind,
        "actor_id": actor_id,
        "actor_name": actor_name,
        "action": action,
        "reason": reason,
        "detail": msgspec.json.encode(detail).decode(),
    }


async def many(cursor: psycopg.AsyncCursor[Row], query: LiteralString, rows: list[Row]) -> None:
    """The query once for every row."""
    if len(rows) == 1:
        await cursor.execute(query, rows[0])
    elif rows:
        await cursor.executemany(query, rows)
