"""Areas that are silent, and their devices: the list behind one incident."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from hub.api import pages
from hub.api.gate import Browsing, PartsOf
from hub.api.models import ProblemObject
from hub.api.models_care import OutageDevice, OutageDevices, OutageList, OutageView
from hub.api.problems import Problem
from hub.api.routes.register import Cursor
from hub.view import View, iso

router = APIRouter(prefix="/api/v1/outages", tags=["outages"])

SHOWN_FOR = timedelta(days=7)
OutageId = Annotated[str, Path(max_length=64)]


@router.get("")
async def list_outages(
    account: Browsing, parts: PartsOf, *, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> OutageList:
    """Silent areas of yours, and those of the last week."""
    areas = parts.switchboard.tree.below(account.area_id)
    rows = await parts.outages.outages(areas, parts.clock.now() - SHOWN_FOR, limit)
    return OutageList(items=[OutageView.model_validate(_timed(row)) for row in rows])


@router.get("/{outage_id}/devices", responses={404: {"model": ProblemObject}})
async def list_outage_devices(
    outage_id: OutageId,
    account: Browsing,
    parts: PartsOf,
    *,
    silent: Annotated[bool, Query(description="Only those that are silent now.")] = True,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Cursor = None,
) -> OutageDevices:
    """The devices of an outage by id; it shrinks as they are heard again."""
    area_id = await parts.outages.area_of_outage(outage_id)
    if area_id is None or not parts.switchboard.tree.sees(account.area_id, area_id):
        raise Problem(404, "There is no such outage", outage_id)
    after = pages.decode(cursor) if cursor else ""
    rows = await parts.outages.outage_devices(outage_id, after, limit + 1, silent=silent)
    items = [OutageDevice.model_validate(_timed(row)) for row in rows[:limit]]
    more = pages.encode(items[-1].device_id) if len(rows) > limit else None
    return OutageDevices(items=items, next_cursor=more)


def _timed(row: View) -> View:
    return {name: iso(value) if name.endswith("_at") else value for name, value in row.items()}
