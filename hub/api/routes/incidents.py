"""Incidents: what is open (from memory) and what was (from the database)."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from hub.api import pages
from hub.api.access import within
from hub.api.gate import Looking, PartsOf
from hub.api.kin import as_is, steps_for_family
from hub.api.models import (
    IncidentDetail,
    IncidentPage,
    IncidentView,
    ProblemObject,
)
from hub.desk import DatabaseAway
from hub.view import View
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

IncidentId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$")]


@router.get("")
async def list_incidents(
    account: Looking,
    parts: PartsOf,
    state: Literal["open", "resolved", "all"] = "open",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> IncidentPage:
    """Incidents of your area and below, newest first. What is open is there in any outage."""
    before = pages.incident_place(cursor)
    sight = parts.switchboard.sight(account)
    if state == "open":
        views = [v for v in parts.switchboard.feed.open_views(sight) if _place(v) < before]
        views = views[: limit + 1]
    else:
        scope = within(account, parts.switchboard.tree)
        views = await parts.store.incidents(state, scope, before, limit + 1)
    more = len(views) > limit
    views = views[:limit]
    cursor = pages.encode(f"{views[-1]['opened_at']} {views[-1]['id']}") if more else None
    shown = parts.switchboard.shown_to(account)
    items = [IncidentView.model_validate(shown(view)) for view in views]
    return IncidentPage(items=items, next_cursor=cursor)


@router.get("/{incident_id}", responses={404: {"model": ProblemObject}})
async def read_incident(
    incident_id: IncidentId, account: Looking, parts: PartsOf
) -> IncidentDetail:
    """An incident with its log. The look is logged too."""
    view = await parts.deeds.find(incident_id, account)
    look = parts.entry(account, "look", view["area_id"], {"noun": "incident"}, view["id"])
    available = True
    timeline: list[View] = []
    try:
        timeline = await parts.store.timeline(view["id"], look)
    except DatabaseAway:
        available = False
        parts.switchboard.note_look(look)
    shown = parts.switchboard.shown_to(account)
    if shown is not as_is:
        timeline = steps_for_family(timeline)
    more = {"timeline": timeline, "timeline_available": available}
    return IncidentDetail.model_validate(shown(view) | more)


def _place(view: View) -> tuple[datetime, str]:
    return datetime.fromisoformat(view["opened_at"]), view["id"]
