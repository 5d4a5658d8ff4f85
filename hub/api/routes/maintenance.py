"""Planned maintenance: technical alarms of an area wait until the work is done."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.types import AwareDatetime

from hub.api import pages
from hub.api.gate import Browsing, Operating, PartsOf
from hub.api.models import Moment
from hub.api.problems import Problem
from hub.api.routes.quarantine import RowId, before_of, operator_of, with_moments
from hub.desk import NotThere
from hub.maintenance import BadPlan, Planned
from hub.quarantine import Row
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1/maintenance", tags=["maintenance"])

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]


class PlanBody(BaseModel):
    """When, where and why."""

    model_config = ConfigDict(title="MaintenancePlan", extra="forbid")

    area_id: Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
    """With everything below it."""
    why: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    from_at: AwareDatetime
    until_at: AwareDatetime
    kinds: list[Kind] = []
    """Kinds of technical alarms that do not ring; empty: all of them."""


class MaintenanceView(BaseModel):
    """A window of planned work."""

    model_config = ConfigDict(title="Maintenance")

    id: int
    area_id: str
    why: str
    kinds: list[str]
    by_name: str | None
    from_at: Moment
    until_at: Moment
    created_at: Moment
    ended_at: Moment | None
    """When it was ended early."""
    open: bool
    """Whether it mutes just now."""
    muted: int
    """Conditions that are true and will raise when it ends."""


class MaintenancePage(BaseModel):
    """Windows, newest first."""

    items: list[MaintenanceView]
    next_cursor: str | None


class PlannedMaintenance(BaseModel):
    """Its number."""

    id: int


@router.get("")
async def list_maintenance(
    account: Browsing,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    past: Annotated[bool, Query()] = False,
) -> MaintenancePage:
    """Maintenance of your area and below; with `past` also what is over."""
    operator, now = operator_of(parts, account), parts.clock.now()
    store = parts.dependencies.maintenance
    rows = await store.list(operator.areas, before_of(cursor), limit + 1, None if past else now)
    more = len(rows) > limit
    rows = rows[:limit]
    return MaintenancePage(
        items=[_view(row, now) for row in rows],
        next_cursor=pages.encode(str(rows[-1]["id"])) if more else None,
    )


@router.post("", status_code=201)
async def plan_maintenance(
    body: PlanBody, account: Operating, parts: PartsOf
) -> PlannedMaintenance:
    """Technical alarms of the area do not ring in that time; what is still true at its end does.

    What a person, a body or a home says always rings.
    """
    if not parts.switchboard.tree.sees(account.area_id, body.area_id):
        raise Problem(404, "There is no such area")
    now = parts.clock.now()
    plan = Planned(body.area_id, body.why, body.from_at, body.until_at, tuple(body.kinds))
    try:
        checked = plan.checked(now)
        number = await parts.dependencies.maintenance.plan(
            checked, operator_of(parts, account), now
        )
    except BadPlan as error:
        raise Problem(422, "Maintenance cannot be planned like this", str(error)) from error
    except NotThere as error:
        raise Problem(404, "There is no such area") from error
    return PlannedMaintenance(id=number)


@router.post("/{maintenance_id}/end", status_code=204)
async def end_maintenance(maintenance_id: RowId, account: Operating, parts: PartsOf) -> None:
    """The work is done: what is still true raises now."""
    store, now = parts.dependencies.maintenance, parts.clock.now()
    if not await store.end(maintenance_id, operator_of(parts, account), now):
        raise Problem(404, "There is no such maintenance that is not over")


def _view(row: Row, now: datetime) -> MaintenanceView:
    until_at = row["ended_at"] or row["until_at"]
    is_open = row["from_at"] <= now < until_at
    return MaintenanceView.model_validate(with_moments(row) | {"open": is_open})
