"""The rota's rows: who is on duty for the ladder, and what people plan."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg.errors import ForeignKeyViolation

from alerts.assurance import chain
from alerts.rota import Change, Duty, DutyRole, Gap, Rota, Weekly, gaps, spans
from alerts.rota import on_duty as duties_at
from hub.desk import NotThere
from hub.quarantine import Operator
from hub.rota import MAY_SERVE, BadRota, PlannedChange, PlannedWeekly
from hub.store import queries
from hub.store.desk import like
from hub.store.ledger import log_values
from hub.store.reach import Reach
from hub.view import View

_SQL = queries.load("rota")
_LOG = queries.load("incidents")["log"]

MOMENT = timedelta(seconds=1)

Result = TypeVar("Result")
Cursor = psycopg.AsyncCursor[dict[str, Any]]


async def load(
    cursor: Cursor, areas: Sequence[str] | None, since: datetime, until: datetime
) -> Rota:
    """What is planned for these areas (None: all) and may touch the time."""
    values = {"areas": None if areas is None else list(areas), "since": since, "until": until}
    await cursor.execute(_SQL["weekly"], values)
    weekly = [_weekly(row) for row in await cursor.fetchall()]
    await cursor.execute(_SQL["changes"], values)
    return Rota(weekly, [_change(row) for row in await cursor.fetchall()])


async def on_duty(cursor: Cursor, area_ids: Sequence[str], at: datetime) -> list[Duty]:
    """Who is on duty for one of these areas at an instant.

    For an incident pass its area with every area it lies in: who is on duty for the county is for
    its streets too. Accounts that may not log in any more are left out.
    """
    return duties_at(await load(cursor, area_ids, at, at + MOMENT), at)


async def planned(
    cursor: Cursor, areas: Sequence[str] | None, now: datetime
) -> list[tuple[str, DutyRole]]:
    """Which duty is planned in which area; without a plan there is no hole."""
    values = {"areas": None if areas is None else list(areas), "since": now}
    await cursor.execute(_SQL["planned"], values)
    return [(row["area_id"], DutyRole(row["duty"])) for row in await cursor.fetchall()]


async def parents(cursor: Cursor) -> dict[str, str | None]:
    """The tree of areas."""
    await cursor.execute(_SQL["parents"])
    return {row["area_id"]: row["parent_id"] for row in await cursor.fetchall()}


async def all_gaps(
    cursor: Cursor, areas: Sequence[str] | None, now: datetime, until: datetime
) -> list[Gap]:
    """Every hole in what is planned for these areas; the earliest first."""
    tree = await parents(cursor)
    rota = await load(cursor, None, now, until)
    found: list[Gap] = []
    for area_id, duty in await planned(cursor, areas, now):
        found += gaps(rota, area_id, chain(area_id, tree)[1:], duty, now, until)
    return sorted(found, key=lambda gap: (gap.from_at, gap.area_id, gap.duty))


class PostgresRota:
    """Implements `hub.api.ports_assurance.RotaStore`: show, plan, change; every deed is logged.
    Raises DatabaseAway."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def show(self, areas: Sequence[str] | None, since: datetime, until: datetime) -> View:
        """The rows, and the shifts that come of them; cut to the time."""
        values = {"areas": None if areas is None else list(areas), "since": since, "until": until}

        async def read(cursor: Cursor) -> View:
            await cursor.execute(_SQL["weekly"], values)
            weekly = await cursor.fetchall()
            await cursor.execute(_SQL["changes"], values)
            changes = await cursor.fetchall()
            rota = Rota([_weekly(row) for row in weekly], [_change(row) for row in changes])
            names = {row["account_id"]: row["account_name"] for row in (*weekly, *changes)}
            shifts = [
                {"area_id": span.area_id, "duty": span.duty.value, "from_at": span.from_at,
                 "until_at": span.until_at, "account_id": span.account_id,
                 "account_name": names.get(span.account_id, span.account_id)}
                for span in spans(rota, since, until)
            ]  # fmt: skip
            return {"weekly": weekly, "changes": changes, "shifts": shifts}

        return await self._reach.run(read)

    async def gaps(self, areas: Sequence[str] | None, now: datetime, until: datetime) -> list[Gap]:
        """When nobody is on duty, before it comes true."""

        async def read(cursor: Cursor) -> list[Gap]:
            return await all_gaps(cursor, areas, now, until)

        return await self._reach.run(read)

    async def candidates(self, area_id: str, up_to: str, q: str, limit: int) -> list[View]:
        """Who can be on duty for an area, by name; nobody from above the area `up_to`."""

        async def read(cursor: Cursor) -> list[View]:
            values = {"area_id": area_id, "up_to": up_to, "like": like(q), "limit": limit}
            await cursor.execute(_SQL["candidates"], values | {"roles": list(MAY_SERVE)})
            return await cursor.fetchall()

        return await self._reach.run(read)

    async def plan(self, planned: PlannedWeekly, operator: Operator, now: datetime) -> list[int]:
        """Store a checked shift of every week, a row a weekday; their numbers. Raises NotThere,
        BadRota."""

        async def write(cursor: Cursor) -> list[int]:
            await _serves(cursor, planned.account_id, planned.area_id)
            numbers = []
            for weekday in planned.weekdays:
                values = {
                    "area_id": planned.area_id, "duty": planned.duty.value, "weekday": weekday,
                    "account_id": planned.account_id, "from_min": planned.from_min,
                    "until_min": planned.until_min, "time_zone": planned.time_zone,
                    "valid_from": planned.valid_from, "valid_until": planned.valid_until,
                    "now": now, "by": operator.id,
                }  # fmt: skip
                await cursor.execute(_SQL["add_weekly"], values)
                (row,) = await cursor.fetchall()
                numbers.append(int(row["weekly_id"]))
            detail = {"weekly_ids": numbers, "account_id": planned.account_id,
                      "duty": planned.duty, "weekdays": planned.weekdays,
                      "from_min": planned.from_min, "until_min": planned.until_min}  # fmt: skip
            await _note(cursor, operator, now, "rota_planned", planned.area_id, detail)
            return numbers

        return await self._run(write, planned.area_id)

    async def end(self, weekly_id: int, last_day: date, operator: Operator, now: datetime) -> bool:
        """A shift is repeated until that day and no longer; False: there is no such shift."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(
                _SQL["end_weekly"],
                {"id": weekly_id, "last_day": last_day, "areas": operator.seat},
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            detail = {"weekly_id": weekly_id, "account_id": row["account_id"],
                      "duty": row["duty"], "last_day": last_day}  # fmt: skip
            await _note(cursor, operator, now, "rota_ended", row["area_id"], detail)
            return True

        return await self._reach.run(write)

    async def change(self, planned: PlannedChange, operator: Operator, now: datetime) -> int:
        """Store what holds once; its number. Raises NotThere, BadRota."""

        async def write(cursor: Cursor) -> int:
            if planned.account_id is not None:
                await _serves(cursor, planned.account_id, planned.area_id)
            if planned.instead_of is not None:
                await _has_shift(cursor, planned)
            values = {
                "area_id": planned.area_id, "duty": planned.duty.value,
                "account_id": planned.account_id, "instead_of": planned.instead_of,
                "from_at": planned.from_at, "until_at": planned.until_at, "why": planned.why,
                "now": now, "by": operator.id,
            }  # fmt: skip
            await cursor.execute(_SQL["add_change"], values)
            (row,) = await cursor.fetchall()
            detail = {"change_id": row["change_id"], "duty": planned.duty,
                      "account_id": planned.account_id, "instead_of": planned.instead_of,
                      "from_at": planned.from_at, "until_at": planned.until_at}  # fmt: skip
            await _note(cursor, operator, now, "rota_changed", planned.area_id, detail, planned.why)
            return int(row["change_id"])

        return await self._run(write, planned.area_id)

    async def drop(self, change_id: int, operator: Operator, now: datetime) -> bool:
        """Take back what was to hold once; False: there is no such change."""

        async def write(cursor: Cursor) -> bool:
            await cursor.execute(_SQL["drop_change"], {"id": change_id, "areas": operator.seat})
            row = await cursor.fetchone()
            if row is None:
                return False
            await _note(cursor, operator, now, "rota_change_dropped", row["area_id"],
                        {"change_id": change_id} | row)  # fmt: skip
            return True

        return await self._reach.run(write)

    async def _run(self, write: Callable[[Cursor], Awaitable[Result]], area_id: str) -> Result:
        try:
            return await self._reach.run(write)
        except ForeignKeyViolation:
            raise NotThere(area_id) from None


async def _serves(cursor: Cursor, account_id: str, area_id: str) -> None:
    """Whether that account can be on duty there at all. Raises NotThere, BadRota."""
    await cursor.execute(_SQL["account"], {"id": account_id})
    account = await cursor.fetchone()
    if account is None:
        raise NotThere(account_id)
    if account["disabled"]:
        raise BadRota(f"{account_id} may not log in any more")
    if account["role"] not in MAY_SERVE:
        raise BadRota(f"{account_id} is {account['role']}: on duty can be {', '.join(MAY_SERVE)}")
    await cursor.execute(_SQL["may_serve"], {"area_id": area_id, "seat": account["area_id"]})
    row = await cursor.fetchone()
    if row is None or not row["known"]:
        raise NotThere(area_id)
    if not row["serves"]:
        raise BadRota(f"{account_id} belongs to {account['area_id']} and does not see {area_id}")


async def _has_shift(cursor: Cursor, planned: PlannedChange) -> None:
    """A swap of a shift that nobody has would look like one and change nothing."""
    rota = await load(cursor, [planned.area_id], planned.from_at, planned.until_at)
    theirs = (
        span
        for span in spans(rota, planned.from_at, planned.until_at)
        if (span.account_id, span.duty) == (planned.instead_of, planned.duty)
    )
    if next(theirs, None) is None:
        raise BadRota(f"{planned.instead_of} has no shift as {planned.duty} there in that time")


async def _note(
    cursor: Cursor,
    operator: Operator,
    now: datetime,
    action: str,
    area_id: str,
    detail: Mapping[str, Any],
    reason: str = "",
) -> None:
    actor = (operator.kind, operator.id, operator.name)
    entry = log_values(now, area_id, None, action, reason or None, detail, actor)
    await cursor.execute(_LOG, entry)


def _weekly(row: Mapping[str, Any]) -> Weekly:
    return Weekly(
        area_id=row["area_id"],
        duty=DutyRole(row["duty"]),
        account_id=row["account_id"],
        weekday=row["weekday"],
        from_min=row["from_min"],
        until_min=row["until_min"],
        zone=ZoneInfo(row["time_zone"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
    )


def _change(row: Mapping[str, Any]) -> Change:
    return Change(
        area_id=row["area_id"],
        duty=DutyRole(row["duty"]),
        account_id=row["account_id"],
        instead_of=row["instead_of"],
        from_at=row["from_at"],
        until_at=row["until_at"],
    )
