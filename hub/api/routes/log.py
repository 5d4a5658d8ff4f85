"""The log: who looked at what, and who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api import pages
from hub.api.account_models import LogEntry, LogPage
from hub.api.gate import Inspecting, PartsOf
from hub.api.routes.register import FOUND, Cursor, IdQuery, Limit, areas_within

router = APIRouter(prefix="/api/v1/log", tags=["log"])

_BEYOND = 2**63 - 1


@router.get("", responses=FOUND)
async def read_log(
    account: Inspecting,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    actor_id: IdQuery = None,
    action: Annotated[str | None, Query(pattern="^[a-z_]{1,64}$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> LogPage:
    """The log of your area and below, newest first. It is append-only."""
    before = pages.number(cursor, _BEYOND)
    areas = areas_within(parts, account, area_id)
    rows = await parts.register.log_page(areas, actor_id, action, before, limit + 1)
    more = len(rows) > limit
    items = [LogEntry.model_validate({**row, "id": row["entry_id"]}) for row in rows[:limit]]
    return LogPage(items=items, next_cursor=pages.encode(str(items[-1].id)) if more else None)
