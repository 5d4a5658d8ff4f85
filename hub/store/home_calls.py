"""Calls to homes: a row each, settled once by the word of the gateway or by its silence."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerts.home_call import (
    AT_ONCE,
    DIALS_FOR_S,
    CallKind,
    CallState,
    Consequence,
    HomeCall,
    HomeResult,
    consequence,
    heard,
    overdue,
)
from hub.desk import Entry, NotThere, StillHolds
from hub.home_calls import Home, Placed, Tell
from hub.store import queries
from hub.store.desk import log_line
from hub.store.reach import Cursor, Reach
from schemas.topics import device_prefix

_SQL = queries.load("home_calls")
_LOG = queries.load("incidents")["log"]
OVERDUE_LIMIT = 20

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Change:
    before: HomeCall
    after: HomeCall


class PostgresHomeCalls:
    """Every method raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def home(self, incident_id: str) -> Home | None:
        """How the home of an incident is called; None: there is no such incident."""

        async def read(cursor: Cursor) -> Home | None:
            await cursor.execute(_SQL["whom_to_call"], {"incident_id": incident_id})
            row = await cursor.fetchone()
            if row is None:
                return None
            return Home(
                row["area_id"], row["number"], row["whom"], row["language"], row["silent"],
                row["drill"], _prefix(row),
            )  # fmt: skip

        return await self._reach.run(read)

    async def own_number(self, account_id: str) -> str | None:
        """The telephone of an account."""

        async def read(cursor: Cursor) -> str | None:
            await cursor.execute(_SQL["own_number"], {"account_id": account_id})
            row = await cursor.fetchone()
            return None if row is None else row["phone"]

        return await self._reach.run(read)

    async def set_voice_number(self, device_id: str, number: str | None, entry: Entry) -> None:
        """The SIM or SIP number of a device one can talk through. Raises NotThere."""

        async def write(cursor: Cursor) -> None:
            values = {"device_id": device_id, "voice_number": number}
            await cursor.execute(_SQL["set_voice_number"], values)
            if cursor.rowcount == 0:
                raise NotThere(device_id)
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def begin(self, call: Placed, entry: Entry) -> None:
        """Keep it before the gateway is asked. Raises StillHolds with too many under way."""

        async def write(cursor: Cursor) -> None:
            await cursor.execute(_SQL["under_way"], {"incident_id": call.incident_id})
            row = await cursor.fetchone()
            if row is not None and row["calls"] >= AT_ONCE:
                raise StillHolds({"calls": row["calls"]})
            due_at = entry.at + timedelta(seconds=DIALS_FOR_S)
            await cursor.execute(
                _SQL["add"],
                {
                    "call_id": call.call_id, "area_id": call.area_id,
                    "incident_id": call.incident_id, "kind": call.kind.value,
                    "number": call.number, "bridge_to": call.bridge_to,
                    "prefix": call.prefix, "whom": call.whom,
                    "by_id": call.by_id, "by_name": call.by_name,
                    "asked_at": entry.at, "due_at": due_at,
                },
            )  # fmt: skip
            await cursor.execute(_LOG, log_line(entry))

        await self._reach.run(write)

    async def placed(self, call_id: str, provider_id: str | None, detail: str) -> None:
        """The gateway dials."""

        async def write(cursor: Cursor) -> None:
            values = {"call_id": call_id, "provider_id": provider_id, "detail": detail[:300]}
            await cursor.execute(_SQL["placed"], values)

        await self._reach.run(write)

    async def settle(
        self,
        reference: str | None,
        provider_id: str | None,
        state: str | None,
        digits: str | None,
        now: datetime,
        tell: Tell,
    ) -> bool:
        """What the gateway said; False: it is about no call to a home. `tell` runs while the row
        is held and before the result counts: what it hands over may come twice, never not at all.
        """

        async def work(cursor: Cursor) -> bool:
            values = {"reference": reference, "provider_id": provider_id}
            await cursor.execute(_SQL["lock"], values)
            row = await cursor.fetchone()
            if row is None:
                return False
            before = _call_of(row)
            await _save(cursor, row, _Change(before, heard(before, state, digits)), now, tell)
            return True

        return await self._reach.run(work)

    async def end_overdue(self, now: datetime, tell: Tell) -> int:
        """Calls of which the gateway said nothing more; how many."""

        async def work(cursor: Cursor) -> int:
            await cursor.execute(_SQL["overdue"], {"now": now, "limit": OVERDUE_LIMIT})
            rows = await cursor.fetchall()
            for row in rows:
                before = _call_of(row)
                await _save(cursor, row, _Change(before, overdue(before)), now, tell)
            return len(rows)

        return await self._reach.run(work)

    async def of_incident(self, incident_id: str) -> list[Row]:
        """The newest calls first."""

        async def read(cursor: Cursor) -> list[Row]:
            await cursor.execute(_SQL["of_incident"], {"incident_id": incident_id})
            return await cursor.fetchall()

        return await self._reach.run(read)


def _prefix(row: Row) -> str:
    if row["device_id"] is None:
        return ""
    return device_prefix(row["device_area_id"], row["premises_id"], row["device_id"])


def _call_of(row: Row) -> HomeCall:
    result = HomeResult(row["result"]) if row["result"] else None
    return HomeCall(CallKind(row["kind"]), CallState(row["state"]), result)


async def _save(cursor: Cursor, row: Row, change: _Change, now: datetime, tell: Tell) -> None:
    if change.after == change.before:
        return
    follows: Consequence | None = consequence(change.before, change.after)
    if follows is not None:
        await tell(
            Placed(
                row["call_id"], row["area_id"], row["incident_id"], CallKind(row["kind"]),
                row["number"], row["bridge_to"], row["whom"], row["by_id"], row["by_name"],
                row["prefix"],
            ),
            change.after,
            follows,
        )  # fmt: skip
    ended = change.after.state is CallState.ENDED
    result = change.after.result
    await cursor.execute(
        _SQL["settle"],
        {
            "call_id": row["call_id"],
            "state": change.after.state.value,
            "result": None if result is None else result.value,
            "ended_at": now if ended else None,
        },
    )
