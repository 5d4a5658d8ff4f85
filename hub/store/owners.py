"""Who owns which areas, by heartbeat: the table `ingest_owner`."""

import os
from dataclasses import dataclass
from typing import Any

from psycopg.rows import dict_row

from hub.database import Connection
from hub.ownership import OwnedElsewhere, Territory, UnknownAreas
from hub.store import queries

_SQL = queries.load("owners")

ALIVE_S = 15.0
"""Ours: five heartbeats. A machine that lost its power is succeeded after this long by another; on
its own machine an owner starts again at once, the folder's lock says that the old one is gone."""
BEAT_EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One process's claim; `instance` is its data folder."""

    territory: Territory
    instance: str

    def _values(self) -> dict[str, Any]:
        return {
            "owner": self.territory.name,
            "area_ids": list(self.territory.area_ids),
            "instance": self.instance,
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "alive_s": ALIVE_S,
        }

    async def take(self, connection: Connection) -> None:
        """Claim inside the caller's transaction. Raises OwnedElsewhere or UnknownAreas."""
        values = self._values()
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["lock"])
            await cursor.execute(_SQL["unknown_areas"], values)
            if unknown := [row["id"] for row in await cursor.fetchall()]:
                raise UnknownAreas(", ".join(unknown))
            await cursor.execute(_SQL["overlapping"], values)
            if rows := await cursor.fetchall():
                raise OwnedElsewhere(*(_said(row) for row in rows))
            await cursor.execute(_SQL["claim"], values)

    async def beat(self, connection: Connection, *, has_sessions: bool) -> None:
        """Say that we are here, and look who else is. Raises OwnedElsewhere if succeeded."""
        values = self._values() | {"has_sessions": has_sessions}
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["beat"], values)
            if await cursor.fetchone() is None:
                raise OwnedElsewhere(f"{self.territory.name}: taken over while we were away")
            await cursor.execute(_SQL["others"], values)
            self.territory.others = {
                row["owner"]: tuple(row["area_ids"]) for row in await cursor.fetchall()
            }


async def forget(connection: Connection, owner: str) -> bool:
    """Let go of an owner that will not come back; False if it lives, or never was."""
    cursor = await connection.execute(_SQL["forget"], {"owner": owner, "alive_s": ALIVE_S})
    return await cursor.fetchone() is not None


def _said(row: dict[str, Any]) -> str:
    areas = ", ".join(row["area_ids"]) or "everything"
    return (
        f"{areas}: owned by process {row['pid']} on {row['host']} since {row['since']:%F %T} UTC, "
        f"heard {row['silent_s']:.0f} s ago. Stop it; {ALIVE_S:.0f} s after its last word the "
        "areas are free."
    )
