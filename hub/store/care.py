"""What clinicians and carers set for one person; implements `hub.api.ports_care.CareStore`."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.desk import Entry, NotThere
from hub.detect.fence import Circle, Polygon
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from hub.view import View

_SQL = queries.load("care")
_LOG = queries.load("incidents")["log"]


class PostgresCare:
    """Every change is one transaction with its line of the log. Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def care(self, person_id: str, look: Entry | None) -> View | None:
        """Limits, settings and fences; None if there is no such person. A look is logged."""
        whose = {"person_id": person_id}

        async def read(cursor: Cursor) -> View | None:
            await cursor.execute(_SQL["care"], whose)
            row = await cursor.fetchone()
            if row is None:
                return None
            await cursor.execute(_SQL["limits"], whose)
            row["limits"] = await cursor.fetchall()
            await cursor.execute(_SQL["fences"], whose)
            row["fences"] = await cursor.fetchall()
            if look is not None:
                await cursor.execute(_LOG, log_line(look))
            return row

        return await self._reach.run(read)

    async def put_limit(
        self, person_id: str, measure: str, low: float | None, high: float | None, entry: Entry
    ) -> None:
        """Set or replace the limit of one measure. Raises NotThere (the person)."""
        values = {"measure": measure, "low": low, "high": high}
        await self._write("put_limit", person_id, values, entry)

    async def drop_limit(self, person_id: str, measure: str, entry: Entry) -> None:
        """The general limit holds again. Raises NotThere."""
        await self._write("drop_limit", person_id, {"measure": measure}, entry)

    async def put_settings(
        self, person_id: str, settings: Mapping[str, bool | int], entry: Entry
    ) -> None:
        """Oxygen and patience. Raises NotThere (the person)."""
        await self._write("put_settings", person_id, settings, entry)

    async def put_fence(
        self,
        person_id: str,
        fence_id: str,
        label: str,
        shapes: tuple[Circle | Polygon, ...],
        active_min: tuple[int, int] | None,
        most: int,
        entry: Entry,
    ) -> None:
        """Set or replace a fence. Raises NotThere if the person has `most` others already."""
        start, end = active_min or (None, None)
        values = {
            "fence_id": fence_id,
            "label": label,
            "shapes": msgspec.json.encode(shapes).decode(),
            "active_from_min": start,
            "active_until_min": end,
            "most": most,
        }
        await self._write("put_fence", person_id, values, entry)

    async def drop_fence(self, person_id: str, fence_id: str, entry: Entry) -> None:
        """It holds no more. Raises NotThere."""
        await self._write("drop_fence", person_id, {"fence_id": fence_id}, entry)

    async def _write(
        self, query: str, person_id: str, values: Mapping[str, Any], entry: Entry
    ) -> None:
        signed = {"author": entry.account.name, "set_on": entry.at.date()}

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL[query], {**signed, **values, "person_id": person_id})
            if cursor.rowcount == 0:
                raise NotThere(person_id)
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)
