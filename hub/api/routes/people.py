"""The people the hub watches over: who they are, where they are, whom to call."""

from typing import Any

from fastapi import APIRouter, Response

from alerts.people import Account, PersonState
from hub.api.access import Deed, may
from hub.api.gate import Accounting, Browsing, Caring, PartsOf, Registering
from hub.api.register_models import (
    Contact,
    Contacts,
    Family,
    FamilyBody,
    FamilyMember,
    NewPersonBody,
    PersonCard,
    PersonChanges,
    PersonItem,
    PersonPage,
    StateBody,
    StateChange,
    StateHistory,
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
    area_of_home,
    area_of_person,
    card_of,
    changed,
    page_of,
    shown,
    unknown,
)
from hub.view import View

router = APIRouter(prefix="/api/v1/people", tags=["people"])


@router.get("", responses=FOUND)
async def list_people(
    account: Browsing,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    state: PersonState | None = None,
    q: Search = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PersonPage:
    """People of your area and below; `q` looks in name, phone, address and id. It is logged."""
    rows, after = await page_of(
        parts, account, "person", area_id=area_id, q=q, cursor=cursor, limit=limit,
        filters={"state": state.value if state else None}, look=True,
    )  # fmt: skip
    items = [PersonItem.model_validate(row) for row in rows]
    return PersonPage(items=items, next_cursor=after)


@router.post("", status_code=201, responses=ADDED)
async def add_person(body: NewPersonBody, account: Registering, parts: PartsOf) -> PersonCard:
    """Register somebody who lives in a home of yours."""
    area_id = await area_of_home(parts, account, body.premises_id)
    values = body.model_dump(mode="json", exclude={"id"}) | {"area_id": area_id}
    entry = parts.entry(account, "add", area_id, {})
    row = await added("person", body.id, parts.register.add("person", body.id, values, entry))
    return _card(account, shown("person", row))


@router.get("/{person_id}", responses=FOUND)
async def read_person(person_id: NounId, account: Browsing, parts: PartsOf) -> PersonCard:
    """Somebody we watch over. The look is logged."""
    row = await card_of(parts, account, "person", person_id)
    look = {"noun": "person", "id": person_id}
    await parts.store.log([parts.entry(account, "look", row["area_id"], look)])
    return _card(account, row)


@router.patch("/{person_id}", responses=CHANGED)
async def change_person(
    person_id: NounId, body: PersonChanges, account: Registering, parts: PartsOf
) -> PersonCard:
    """Change a person; in another home of yours they belong to its area. Their devices stay."""
    card = await card_of(parts, account, "person", person_id)
    changes: dict[str, Any] = body.said()
    if "premises_id" in changes:
        changes["area_id"] = await area_of_home(parts, account, changes["premises_id"])
    entry = parts.entry(account, "change", card["area_id"], {})
    changing = parts.register.change("person", person_id, changes, entry)
    return _card(account, shown("person", await changed("person", person_id, changing)))


@router.delete("/{person_id}", status_code=204, response_class=Response, responses=CHANGED)
async def remove_person(person_id: NounId, account: Registering, parts: PartsOf) -> None:
    """Remove somebody registered by mistake. Whose service ended is not removed: set the state."""
    area_id = await area_of_person(parts, account, person_id)
    entry = parts.entry(account, "remove", area_id, {})
    await changed("person", person_id, parts.register.remove("person", person_id, entry))


@router.put("/{person_id}/state", responses=CHANGED)
async def set_state(
    person_id: NounId, body: StateBody, account: Caring, parts: PartsOf
) -> PersonCard:
    """Home, away, in hospital, moved, service ended. After the last two nobody is called."""
    area_id = await area_of_person(parts, account, person_id)
    entry = parts.entry(account, "set_state", area_id, {})
    setting = parts.register.set_state(person_id, body.state, body.reason, entry)
    return _card(account, shown("person", await changed("person", person_id, setting)))


@router.get("/{person_id}/states", responses=FOUND)
async def list_states(person_id: NounId, account: Browsing, parts: PartsOf) -> StateHistory:
    """Where a person was, newest first."""
    await area_of_person(parts, account, person_id)
    rows = await parts.register.states(person_id)
    return StateHistory(items=[StateChange.model_validate(row) for row in rows])


@router.get("/{person_id}/contacts", responses=FOUND)
async def list_contacts(person_id: NounId, account: Browsing, parts: PartsOf) -> Contacts:
    """Whom to call for a person, in order. The look is logged."""
    area_id = await area_of_person(parts, account, person_id)
    look = {"noun": "contacts", "id": person_id}
    await parts.store.log([parts.entry(account, "look", area_id, look)])
    rows = await parts.register.contacts(person_id)
    return Contacts(items=[Contact.model_validate(row) for row in rows])


@router.put("/{person_id}/contacts", responses=FOUND)
async def set_contacts(
    person_id: NounId, body: Contacts, account: Registering, parts: PartsOf
) -> Contacts:
    """Whom to call for a person, in order: the whole list. Ids stay with whom they belong to."""
    area_id = await area_of_person(parts, account, person_id)
    for account_id in {contact.account_id for contact in body.items} - {None}:
        await area_of(parts, account, "account", str(account_id))
    entry = parts.entry(account, "set_contacts", area_id, {})
    contacts = [contact.model_dump() for contact in body.items]
    setting = parts.register.set_contacts(person_id, contacts, entry)
    await changed("person", person_id, setting)
    rows = await parts.register.contacts(person_id)
    return Contacts(items=[Contact.model_validate(row) for row in rows])


@router.get("/{person_id}/family", responses=FOUND)
async def list_family(person_id: NounId, account: Accounting, parts: PartsOf) -> Family:
    """Accounts that see a person."""
    await area_of_person(parts, account, person_id)
    rows = await parts.register.family(person_id)
    return Family(items=[FamilyMember.model_validate(row) for row in rows])


@router.put("/{person_id}/family/{account_id}", status_code=204, response_class=Response,
            responses=CHANGED)  # fmt: skip
async def link_family(
    person_id: NounId, account_id: NounId, body: FamilyBody, account: Accounting, parts: PartsOf
) -> None:
    """Let a family account of yours see a person of yours."""
    area_id = await area_of_person(parts, account, person_id)
    card = await card_of(parts, account, "account", account_id)
    if card["role"] != "family":
        raise unknown("family account", account_id)
    told = {"noun": "family link", "id": person_id, "account_id": account_id}
    entry = parts.entry(account, "link", area_id, told | body.model_dump())
    linking = parts.register.link_family(
        person_id, account_id, body.relation, entry, decides=body.decides
    )
    await changed("person", person_id, linking)


@router.delete("/{person_id}/family/{account_id}", status_code=204, response_class=Response,
               responses=CHANGED)  # fmt: skip
async def unlink_family(
    person_id: NounId, account_id: NounId, account: Accounting, parts: PartsOf
) -> None:
    """The account sees the person no longer; its live feed is cut within a second."""
    area_id = await area_of_person(parts, account, person_id)
    await area_of(parts, account, "account", account_id)
    told = {"noun": "family link", "id": person_id, "account_id": account_id}
    entry = parts.entry(account, "unlink", area_id, told)
    unlinking = parts.register.link_family(person_id, account_id, None, entry)
    await changed("family link", account_id, unlinking)


def _card(account: Account, row: View) -> PersonCard:
    """Medical notes are for those who see incidents, where they stand anyway."""
    if not may(account.role, Deed.LOOK):
        row = {**row, "medical_notes": None}
    return PersonCard.model_validate(row)
