"""Homes, and how to get into them."""

from fastapi import APIRouter, Response

from hub.api.gate import Browsing, PartsOf, Registering, Revealing
from hub.api.register_models import (
    KeySafe,
    KeySafeView,
    NewPremisesBody,
    PremisesCard,
    PremisesChanges,
    PremisesItem,
    PremisesPage,
    Resident,
)
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
    area_of_home,
    card_of,
    changed,
    check_place,
    merged,
    own_area,
    page_of,
    shown,
    unknown,
)
from hub.view import View

router = APIRouter(prefix="/api/v1/premises", tags=["premises"])


@router.get("", responses=FOUND)
async def list_premises(
    account: Browsing,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    q: Search = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PremisesPage:
    """Homes of your area and below; `q` looks in id, address and phone. The search is logged."""
    rows, after = await page_of(
        parts, account, "premises", area_id=area_id, q=q, cursor=cursor, limit=limit, look=True
    )
    items = [PremisesItem.model_validate(row) for row in rows]
    return PremisesPage(items=items, next_cursor=after)


@router.post("", status_code=201, responses=ADDED)
async def add_premises(body: NewPremisesBody, account: Registering, parts: PartsOf) -> PremisesCard:
    """Register a home in an area of yours."""
    own_area(parts, account, body.area_id)
    values = body.model_dump(mode="json", exclude={"id"})
    check_place(values)
    entry = parts.entry(account, "add", body.area_id, {})
    adding = parts.register.add("premises", body.id, values, entry)
    return _card(await added("premises", body.id, adding))


@router.get("/{premises_id}", responses=FOUND)
async def read_premises(premises_id: NounId, account: Browsing, parts: PartsOf) -> PremisesCard:
    """A home with who lives there. The look is logged."""
    row = await card_of(parts, account, "premises", premises_id)
    look = {"noun": "premises", "id": premises_id}
    await parts.store.log([parts.entry(account, "look", row["area_id"], look)])
    return _card(row)


@router.patch("/{premises_id}", responses=CHANGED)
async def change_premises(
    premises_id: NounId, body: PremisesChanges, account: Registering, parts: PartsOf
) -> PremisesCard:
    """Change a home; in another area of yours its people and devices belong there too."""
    card = await card_of(parts, account, "premises", premises_id)
    changes = body.said()
    if "area_id" in changes:
        own_area(parts, account, changes["area_id"])
    check_place(merged("premises", card, changes))
    entry = parts.entry(account, "change", card["area_id"], {})
    changing = parts.register.change("premises", premises_id, changes, entry)
    return _card(await changed("premises", premises_id, changing))


@router.delete("/{premises_id}", status_code=204, response_class=Response, responses=CHANGED)
async def remove_premises(premises_id: NounId, account: Registering, parts: PartsOf) -> None:
    """Remove a home in which nobody lives and nothing stands any more."""
    area_id = await area_of_home(parts, account, premises_id)
    entry = parts.entry(account, "remove", area_id, {})
    await changed("premises", premises_id, parts.register.remove("premises", premises_id, entry))


@router.put("/{premises_id}/key-safe", status_code=204, response_class=Response, responses=FOUND)
async def set_key_safe(
    premises_id: NounId, body: KeySafe, account: Registering, parts: PartsOf
) -> None:
    """Keep the code of the key safe. It stands in no list and in no log."""
    area_id = await area_of_home(parts, account, premises_id)
    entry = parts.entry(account, "set_key_safe", area_id, {"noun": "key safe", "id": premises_id})
    keeping = parts.register.set_key_safe(premises_id, body.code, body.place, entry)
    await changed("premises", premises_id, keeping)


@router.get("/{premises_id}/key-safe", responses=FOUND)
async def reveal_key_safe(premises_id: NounId, account: Revealing, parts: PartsOf) -> KeySafeView:
    """The code, for somebody who has to go in. The look is logged before it is answered."""
    area_id = await area_of_home(parts, account, premises_id)
    look = parts.entry(account, "reveal", area_id, {"noun": "key safe", "id": premises_id})
    row = await parts.register.key_safe(premises_id, look)
    if row is None:
        raise unknown("key safe", premises_id)
    return KeySafeView.model_validate(row)


@router.delete("/{premises_id}/key-safe", status_code=204, response_class=Response, responses=FOUND)
async def remove_key_safe(premises_id: NounId, account: Registering, parts: PartsOf) -> None:
    """There is no key safe any more."""
    area_id = await area_of_home(parts, account, premises_id)
    entry = parts.entry(
        account, "remove_key_safe", area_id, {"noun": "key safe", "id": premises_id}
    )
    await changed(
        "key safe", premises_id, parts.register.set_key_safe(premises_id, None, None, entry)
    )


def _card(row: View) -> PremisesCard:
    residents = [Resident.model_validate(shown("person", r)) for r in row.get("residents", ())]
    return PremisesCard.model_validate({**shown("premises", row), "residents": residents})
