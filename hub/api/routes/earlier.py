"""What happened before, to a person and at an address: what a dispatcher asks first."""

from typing import Annotated

from fastapi import APIRouter, Query

from alerts.people import Account
from hub.api import pages
from hub.api.access import Whose
from hub.api.gate import Looking, Parts, PartsOf
from hub.api.models import IncidentPage, IncidentView
from hub.api.routes.register import FOUND, Cursor, NounId, unknown
from hub.desk import Within

router = APIRouter(prefix="/api/v1", tags=["incidents"])

Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/people/{person_id}/incidents", responses=FOUND)
async def list_incidents_of_person(
    person_id: NounId, account: Looking, parts: PartsOf, limit: Limit = 20, cursor: Cursor = None
) -> IncidentPage:
    """Incidents about a person, open ones too, newest first."""
    area_id = await parts.store.area_of("person", person_id)
    if area_id is None or not parts.switchboard.sight(account)(Whose(area_id, person_id)):
        raise unknown("person", person_id)
    return await _page(parts, account, Within(people=[person_id], homes=[]), limit, cursor)


@router.get("/premises/{premises_id}/incidents", responses=FOUND)
async def list_incidents_of_home(
    premises_id: NounId, account: Looking, parts: PartsOf, limit: Limit = 20, cursor: Cursor = None
) -> IncidentPage:
    """Incidents about a home itself, not about one of its people, newest first."""
    area_id = await parts.store.area_of("premises", premises_id)
    whose = Whose(area_id or "", None, premises_id)
    if area_id is None or not parts.switchboard.sight(account)(whose):
        raise unknown("premises", premises_id)
    return await _page(parts, account, Within(people=[], homes=[premises_id]), limit, cursor)


async def _page(
    parts: Parts, account: Account, within: Within, limit: int, cursor: str | None
) -> IncidentPage:
    before = pages.incident_place(cursor)
    views = await parts.store.incidents("all", within, before, limit + 1)
    more, views = len(views) > limit, views[:limit]
    after = pages.encode(f"{views[-1]['opened_at']} {views[-1]['id']}") if more else None
    shown = parts.switchboard.shown_to(account)
    items = [IncidentView.model_validate(shown(view)) for view in views]
    return IncidentPage(items=items, next_cursor=after)
