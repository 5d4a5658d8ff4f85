"""Messages that could not be read."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub.api import pages
from hub.api.gate import Inspecting, PartsOf
from hub.api.models import QuarantinedView, QuarantinePage

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])

_BEYOND = 2**63 - 1


@router.get("")
async def list_quarantined(
    account: Inspecting,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> QuarantinePage:
    """Quarantined messages of your area and below, newest first."""
    before = _BEYOND
    if cursor:
        text = pages.decode(cursor)
        if not text.isascii() or not text.isdigit() or int(text) > _BEYOND:
            raise pages.not_ours()
        before = int(text)
    areas = parts.switchboard.tree.below(account.area_id)
    rows = await parts.store.quarantine(areas, before, limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    return QuarantinePage(
        items=[QuarantinedView.model_validate(row) for row in rows],
        next_cursor=pages.encode(str(rows[-1]["id"])) if more else None,
    )
