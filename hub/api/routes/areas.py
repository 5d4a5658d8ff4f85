"""The tree of areas: city, county, street, community."""

from fastapi import APIRouter, Response

from hub.api.gate import Browsing, Parts, PartsOf, Registering
from hub.api.problems import Problem
from hub.api.register_models import AreaChanges, AreaPage, AreaView, NewAreaBody
from hub.api.routes.register import (
    ADDED,
    CHANGED,
    FOUND,
    Cursor,
    IdQuery,
    Limit,
    NounId,
    Search,
    added,
    card_of,
    changed,
    check_zone,
    own_area,
    page_of,
)

router = APIRouter(prefix="/api/v1/areas", tags=["areas"])


@router.get("", responses=FOUND)
async def list_areas(
    account: Browsing,
    parts: PartsOf,
    *,
    below: IdQuery = None,
    q: Search = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AreaPage:
    """Your area and those below it, or below another one of yours."""
    rows, after = await page_of(
        parts, account, "area", area_id=below, q=q, cursor=cursor, limit=limit
    )
    return AreaPage(items=[AreaView.model_validate(row) for row in rows], next_cursor=after)


@router.post("", status_code=201, responses=ADDED)
async def add_area(body: NewAreaBody, account: Registering, parts: PartsOf) -> AreaView:
    """Add an area below one of yours; its level must be lower than its parent's."""
    own_area(parts, account, body.parent_id)
    values = body.model_dump(mode="json", exclude={"id"})
    check_zone(values)
    entry = parts.entry(account, "add", body.parent_id, {})
    row = await added("area", body.id, parts.register.add("area", body.id, values, entry))
    await _replant(parts)
    return AreaView.model_validate({**row, "id": body.id})


@router.get("/{area_id}", responses=FOUND)
async def read_area(area_id: NounId, account: Browsing, parts: PartsOf) -> AreaView:
    """One area."""
    return AreaView.model_validate(await card_of(parts, account, "area", area_id))


@router.patch("/{area_id}", responses=CHANGED)
async def change_area(
    area_id: NounId, body: AreaChanges, account: Registering, parts: PartsOf
) -> AreaView:
    """Rename an area of yours, set its time zone, or hang it elsewhere among yours with all it
    holds."""
    await card_of(parts, account, "area", area_id)
    changes = body.said()
    check_zone(changes)
    if "parent_id" in changes:
        _movable(parts, account.area_id, area_id)
        own_area(parts, account, changes["parent_id"])
    entry = parts.entry(account, "change", area_id, {})
    row = await changed("area", area_id, parts.register.change("area", area_id, changes, entry))
    await _replant(parts)
    return AreaView.model_validate({**row, "id": area_id})


@router.delete("/{area_id}", status_code=204, response_class=Response, responses=CHANGED)
async def remove_area(area_id: NounId, account: Registering, parts: PartsOf) -> None:
    """Remove an area that holds nothing any more."""
    await card_of(parts, account, "area", area_id)
    _movable(parts, account.area_id, area_id)
    entry = parts.entry(account, "remove", area_id, {})
    await changed("area", area_id, parts.register.remove("area", area_id, entry))
    await _replant(parts)


def _movable(parts: Parts, seat: str, area_id: str) -> None:
    """Nobody saws off the branch they sit on; the root hangs nowhere."""
    if area_id in (seat, parts.dependencies.root_area_id):
        raise Problem(409, "Only somebody above can do this to your own area", area_id)


async def _replant(parts: Parts) -> None:
    """Every check from now on knows the new tree; other processes read it within a second."""
    parts.switchboard.plant(await parts.store.areas())
