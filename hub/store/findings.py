"""What detectors said, as a list; implements `hub.api.ports_findings.FindingStore`."""

from datetime import datetime
from typing import Any

from alerts.evidence import sentences
from hub.desk import Entry, Within
from hub.store import queries
from hub.store.ledger import log_values
from hub.store.reach import Cursor, Reach
from hub.view import View, iso

_SQL = queries.load("findings")
_INCIDENTS = queries.load("incidents")


class PostgresFindings:
    """Raises DatabaseAway, within two seconds, if there is no answer."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def page(
        self,
        within: Within,
        before: tuple[datetime, str],
        limit: int,
        *,
        person_id: str | None,
        premises_id: str | None,
        reason: str | None,
        look: Entry | None,
    ) -> list[View]:
        """Findings before a place, newest first; a look at one person's is logged with it."""
        parameters = {
            "areas": within.areas,
            "people": within.people,
            "homes": within.homes,
            "before_at": before[0],
            "before_id": before[1],
            "limit": limit,
            "person_id": person_id,
            "premises_id": premises_id,
            "reason": reason,
        }

        async def read(cursor: Cursor) -> list[View]:
            await cursor.execute(_SQL["page"], parameters)
            rows = await cursor.fetchall()
            if look is not None:
                actor = ("account", look.account.id, look.account.name)
                line = log_values(
                    look.at, look.area_id, None, look.action, None, look.detail, actor
                )
                await cursor.execute(_INCIDENTS["log"], line)
            return [_view(row) for row in rows]

        return await self._reach.run(read)


def _view(row: dict[str, Any]) -> View:
    names = (
        "detector", "kind", "phase", "category", "priority", "area_id", "device_id", "person_id",
        "premises_id", "evidence", "text", "incident_id", "reason",
    )  # fmt: skip
    over = row["phase"] == "withdrawn"
    return {name: row[name] for name in names} | {
        "id": row["finding_id"],
        "subject": {"kind": row["subject_kind"], "id": row["subject_id"]},
        "at": iso(row["at"]),
        "texts": sentences(row["kind"], row["evidence"], over=over),
    }


def told(action: str, detail: View) -> View:
    """The detail of a log entry; a finding's evidence also in words."""
    if action != "finding":
        return detail
    over = detail.get("phase") == "withdrawn"
    return detail | {"texts": sentences(detail["kind"], detail.get("evidence", {}), over=over)}
