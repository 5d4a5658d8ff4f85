"""Incidents: what is open (from memory), what was (from the database), and what is done to them."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from alerts.actions import Verb
from hub.api import pages
from hub.api.access import within
from hub.api.deeds import Done
from hub.api.gate import Acting, Looking, PartsOf
from hub.api.kin import for_family, steps_for_family
from hub.api.models import (
    Acknowledge,
    Attend,
    IncidentDetail,
    IncidentPage,
    IncidentView,
    ProblemObject,
    Resolve,
    Responses,
)
from hub.desk import DatabaseAway
from hub.view import View
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

IncidentId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$")]
_ACTED: Responses = {
    202: {"model": IncidentView, "description": "Kept by the broker, recorded later."},
    404: {"model": ProblemObject},
    409: {"model": ProblemObject, "description": "Somebody else has it, or its state forbids it."},
}


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
    if shown is for_family:
        timeline = steps_for_family(timeline)
    more = {"timeline": timeline, "timeline_available": available}
    return IncidentDetail.model_validate(shown(view) | more)


@router.post("/{incident_id}/acknowledge", responses=_ACTED)
async def acknowledge(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Acknowledge | None = None,
) -> IncidentView:
    """Take responsibility; the person hears that help is coming."""
    details = body.model_dump() if body else {}
    done = await parts.deeds.perform(Verb.ACKNOWLEDGE, incident_id, account, details)
    return _answer(done, response)


@router.post("/{incident_id}/attend", responses=_ACTED)
async def attend(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Attend | None = None,
) -> IncidentView:
    """Somebody is with the person."""
    details = body.model_dump() if body else {}
    return _answer(await parts.deeds.perform(Verb.ATTEND, incident_id, account, details), response)


@router.post("/{incident_id}/resolve", responses=_ACTED)
async def resolve(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: Resolve
) -> IncidentView:
    """Close it with an outcome; everybody who was told is told that it is over."""
    details = body.model_dump()
    return _answer(await parts.deeds.perform(Verb.RESOLVE, incident_id, account, details), response)


def _answer(done: Done, response: Response) -> IncidentView:
    response.status_code = 202 if done.pending else 200
    return IncidentView.model_validate(done.view)


def _place(view: View) -> tuple[datetime, str]:
    return datetime.fromisoformat(view["opened_at"]), view["id"]
