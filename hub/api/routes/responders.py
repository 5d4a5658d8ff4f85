"""Who goes there: people, stations, teams."""

from fastapi import APIRouter, Response

from alerts.people import Account
from hub.api.gate import Browsing, Parts, PartsOf, Registering
from hub.api.register_models import (
    NewResponderBody,
    ResponderChanges,
    ResponderPage,
    ResponderView,
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
    area_of,
    card_of,
    changed,
    check_place,
    merged,
    own_area,
    page_of,
    shown,
)
from hub.register_nouns import Availability, ResponderKind

router = APIRouter(prefix="/api/v1/responders", tags=["responders"])


@router.get("", responses=FOUND)
async def list_responders(
    account: Browsing,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    kind: ResponderKind | None = None,
    availability: Availability | None = None,
    q: Search = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ResponderPage:
    """Responders of your area and below; `q` looks in id, name and phone."""
    rows, after = await page_of(
        parts, account, "responder", area_id=area_id, q=q, cursor=cursor, limit=limit,
        filters={
            "kind": kind.value if kind else None,
            "availability": availability.value if availability else None,
        },
    )  # fmt: skip
    items = [ResponderView.model_validate(row) for row in rows]
    return ResponderPage(items=items, next_cursor=after)


@router.post("", status_code=201, responses=ADDED)
async def add_responder(
    body: NewResponderBody, account: Registering, parts: PartsOf
) -> ResponderView:
    """Register a responder in an area of yours."""
    own_area(parts, account, body.area_id)
    values = body.model_dump(mode="json", exclude={"id"})
    check_place(values)
    await _own_account(parts, account, body.account_id)
    entry = parts.entry(account, "add", body.area_id, {})
    adding = parts.register.add("responder", body.id, values, entry)
    return ResponderView.model_validate(
        shown("responder", await added("responder", body.id, adding))
    )


@router.get("/{responder_id}", responses=FOUND)
async def read_responder(responder_id: NounId, account: Browsing, parts: PartsOf) -> ResponderView:
    """One responder."""
    return ResponderView.model_validate(await card_of(parts, account, "responder", responder_id))


@router.patch("/{responder_id}", responses=CHANGED)
async def change_responder(
    responder_id: NounId, body: ResponderChanges, account: Registering, parts: PartsOf
) -> ResponderView:
    """Change a responder, for example whether they can be sent."""
    card = await card_of(parts, account, "responder", responder_id)
    changes = body.said()
    if "area_id" in changes:
        own_area(parts, account, changes["area_id"])
    check_place(merged("responder", card, changes))
    await _own_account(parts, account, changes.get("account_id"))
    entry = parts.entry(account, "change", card["area_id"], {})
    changing = parts.register.change("responder", responder_id, changes, entry)
    row = await changed("responder", responder_id, changing)
    return ResponderView.model_validate(shown("responder", row))


@router.delete("/{responder_id}", status_code=204, response_class=Response, responses=CHANGED)
async def remove_responder(responder_id: NounId, account: Registering, parts: PartsOf) -> None:
    """Remove a responder."""
    area_id = await area_of(parts, account, "responder", responder_id)
    entry = parts.entry(account, "remove", area_id, {})
    await changed(
        "responder", responder_id, parts.register.remove("responder", responder_id, entry)
    )


async def _own_account(parts: Parts, account: Account, account_id: str | None) -> None:
    if account_id is not None:
        await area_of(parts, account, "account", account_id)
