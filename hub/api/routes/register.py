"""What the routes of the register share: whose area a row is in, pages, and what cannot be done.

A row outside the account's areas is told apart from none by nobody: both answer 404.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from zoneinfo import available_timezones

from fastapi import Path, Query

from alerts.people import Account
from hub.api import pages
from hub.api.gate import Parts
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.desk import AlreadyThere, AreaMisplaced, LastAdministrator, NotThere, StillHolds
from hub.register_nouns import NOUNS
from hub.view import View
from schemas.ids import ID_PATTERN

Result = TypeVar("Result")

NounId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$")]
IdQuery = Annotated[str | None, Query(pattern=f"^{ID_PATTERN}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=200)]
Search = Annotated[str, Query(max_length=100)]

ADDED: Responses = {
    404: {"model": ProblemObject, "description": "What it refers to does not exist."},
    409: {"model": ProblemObject, "description": "The id is taken."},
}
CHANGED: Responses = {
    404: {"model": ProblemObject, "description": "It, or what it refers to, does not exist."},
    409: {"model": ProblemObject, "description": "Something stands against it; the title says."},
}
FOUND: Responses = {404: {"model": ProblemObject}}


async def area_of_home(parts: Parts, account: Account, premises_id: str) -> str:
    """The area of a home the account sees; Problem 404 if there is no such home."""
    return await area_of(parts, account, "premises", premises_id)


async def area_of_person(parts: Parts, account: Account, person_id: str) -> str:
    """The same for a person."""
    return await area_of(parts, account, "person", person_id)


async def area_of_device(parts: Parts, account: Account, device_id: str) -> str:
    """The same for a device."""
    return await area_of(parts, account, "device", device_id)


async def area_of(parts: Parts, account: Account, noun: str, noun_id: str) -> str:
    """The same for any noun."""
    area_id = await parts.store.area_of(noun, noun_id)
    if area_id is None or not parts.switchboard.tree.sees(account.area_id, area_id):
        raise unknown(noun, noun_id)
    return area_id


def own_area(parts: Parts, account: Account, area_id: str) -> str:
    """An area the account sees; Problem 404 if there is none."""
    tree = parts.switchboard.tree
    if not tree.knows(area_id) or not tree.sees(account.area_id, area_id):
        raise unknown("area", area_id)
    return area_id


async def check_named(parts: Parts, account: Account, noun: str, noun_id: str | None) -> None:
    """Problem 404 for an account or responder of neither your areas nor those above: whoever names
    one by guessing learns nothing of them. One that nobody knows is for the caller to judge."""
    area_id = None if noun_id is None else await parts.store.area_of(noun, noun_id)
    tree, seat = parts.switchboard.tree, account.area_id
    if noun_id is None or area_id is None or tree.sees(seat, area_id):
        return
    if area_id not in tree.above(seat):
        raise unknown(noun, noun_id)


def areas_within(parts: Parts, account: Account, area_id: str | None) -> list[str] | None:
    """The areas a list may show: the account's, or those below one of them. None: all."""
    seat = account.area_id if area_id is None else own_area(parts, account, area_id)
    return parts.switchboard.tree.below(seat)


async def card_of(parts: Parts, account: Account, noun: str, noun_id: str) -> View:
    """A row the account sees; Problem 404 if there is none."""
    row = await parts.register.card(noun, noun_id)
    if row is None or not parts.switchboard.tree.sees(account.area_id, row["area_id"]):
        raise unknown(noun, noun_id)
    return shown(noun, row)


async def page_of(
    parts: Parts,
    account: Account,
    noun: str,
    *,
    area_id: str | None,
    q: str,
    cursor: str | None,
    limit: int,
    filters: Mapping[str, str | None] | None = None,
    look: bool = False,
) -> tuple[list[View], str | None]:
    """A page of rows the account sees, and the cursor of the next one."""
    areas = areas_within(parts, account, area_id)
    after = pages.decode(cursor) if cursor else ""
    sought = q.strip().replace("\x00", "")
    entry = None
    if look:
        told = {"noun": noun, "q": sought, "area_id": area_id, **(filters or {})}
        entry = parts.entry(account, "search", account.area_id, told)
    rows = await parts.register.page(noun, areas, sought, filters or {}, after, limit + 1, entry)
    return cut(noun, rows, limit)


def cut(noun: str, rows: Sequence[View], limit: int) -> tuple[list[View], str | None]:
    """A page without the row that says that there are more."""
    items = [shown(noun, row) for row in rows[:limit]]
    return items, pages.encode(items[-1]["id"]) if len(rows) > limit else None


def shown(noun: str, row: View) -> View:
    """A row with its id under the name that every list uses."""
    return {**row, "id": row[f"{noun}_id"]}


def merged(noun: str, card: View, changes: Mapping[str, Any]) -> View:
    """The row as it would be, to be checked as a whole."""
    return {column: changes.get(column, card[column]) for column in NOUNS[noun].columns}


def check_zone(values: Mapping[str, Any]) -> None:
    """Problem 422 for a time zone nobody knows."""
    zone = values.get("time_zone")
    if zone is not None and zone not in available_timezones():
        raise senseless("time_zone: for example Asia/Shanghai")


def check_place(values: Mapping[str, Any]) -> None:
    """Problem 422 for half a position or a time zone nobody knows."""
    check_zone(values)
    if (values.get("latitude") is None) != (values.get("longitude") is None):
        raise senseless("latitude and longitude, or neither")


async def added(noun: str, noun_id: str, adding: Awaitable[Result]) -> Result:
    """Wait for an insert; Problem 409 or 404 where it was not possible."""
    try:
        return await adding
    except AlreadyThere:
        raise Problem(409, f"There is already a {noun} with this id", noun_id) from None
    except NotThere as error:
        raise Problem(404, "Something it refers to does not exist", str(error)) from None
    except AreaMisplaced as error:
        raise Problem(409, str(error)) from None


async def changed(noun: str, noun_id: str, changing: Awaitable[Result]) -> Result:
    """Wait for a change or removal; Problem 404 or 409 where it was not possible."""
    try:
        return await changing
    except NotThere as error:
        raise Problem(404, f"There is no such {noun}", str(error)) from None
    except StillHolds as error:
        more = {"holds": error.holds}
        raise Problem(409, "Something still belongs to it", str(error), more=more) from None
    except (AreaMisplaced, LastAdministrator) as error:
        raise Problem(409, str(error), noun_id) from None


def unknown(noun: str, noun_id: str) -> Problem:
    """There is none, or none that the account may know of."""
    return Problem(404, f"There is no such {noun}", noun_id)


def senseless(detail: str) -> Problem:
    """Each part makes sense, together they do not."""
    return Problem(422, "The request makes no sense", detail)
