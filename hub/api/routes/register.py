"""Homes and people: just enough to register a home over HTTP."""

from collections.abc import Awaitable
from zoneinfo import available_timezones

from fastapi import APIRouter

from alerts.people import Account
from hub.api.gate import Parts, PartsOf, Provisioning
from hub.api.models import (
    NewPersonBody,
    NewPremisesBody,
    ProblemObject,
    RegisteredPerson,
    RegisteredPremises,
    Responses,
)
from hub.api.problems import Problem
from hub.desk import AlreadyThere, NewPerson, NewPremises, NotThere

router = APIRouter(prefix="/api/v1", tags=["register"])

_ADDED: Responses = {
    404: {"model": ProblemObject, "description": "What it refers to does not exist."},
    409: {"model": ProblemObject, "description": "The id is taken."},
}


@router.post("/premises", status_code=201, responses=_ADDED)
async def add_premises(
    body: NewPremisesBody, account: Provisioning, parts: PartsOf
) -> RegisteredPremises:
    """Register a home in an area of yours."""
    if not parts.switchboard.tree.sees(account.area_id, body.area_id):
        raise _unknown("area", body.area_id)
    if body.time_zone is not None and body.time_zone not in available_timezones():
        raise Problem(422, "The request makes no sense", "time_zone: for example Asia/Shanghai")
    if (body.latitude is None) != (body.longitude is None):
        raise Problem(422, "The request makes no sense", "latitude and longitude, or neither")
    premises = NewPremises(**body.model_dump())
    entry = parts.entry(account, "provision", body.area_id, {"noun": "premises", "id": body.id})
    await added("premises", body.id, parts.store.add_premises(premises, entry))
    return RegisteredPremises(**body.model_dump())


@router.post("/people", status_code=201, responses=_ADDED)
async def add_person(
    body: NewPersonBody, account: Provisioning, parts: PartsOf
) -> RegisteredPerson:
    """Register somebody who lives in a home of yours."""
    area_id = await area_of_home(parts, account, body.premises_id)
    person = NewPerson(area_id=area_id, **body.model_dump())
    entry = parts.entry(account, "provision", area_id, {"noun": "person", "id": body.id})
    await added("person", body.id, parts.store.add_person(person, entry))
    return RegisteredPerson(area_id=area_id, **body.model_dump())


async def area_of_home(parts: Parts, account: Account, premises_id: str) -> str:
    """The area of a home the account sees; Problem 404 if there is no such home."""
    return await _area_of(parts, account, "premises", premises_id)


async def area_of_person(parts: Parts, account: Account, person_id: str) -> str:
    """The same for a person."""
    return await _area_of(parts, account, "person", person_id)


async def area_of_device(parts: Parts, account: Account, device_id: str) -> str:
    """The same for a device."""
    return await _area_of(parts, account, "device", device_id)


async def added(noun: str, noun_id: str, adding: Awaitable[None]) -> None:
    """Wait for an insert; Problem 409 or 404 where it was not possible."""
    try:
        await adding
    except AlreadyThere:
        raise Problem(409, f"There is already a {noun} with this id", noun_id) from None
    except NotThere as error:
        raise Problem(404, "Something it refers to does not exist", str(error)) from None


async def _area_of(parts: Parts, account: Account, noun: str, noun_id: str) -> str:
    area_id = await parts.store.area_of(noun, noun_id)
    if area_id is None or not parts.switchboard.tree.sees(account.area_id, area_id):
        raise _unknown(noun, noun_id)
    return area_id


def _unknown(noun: str, noun_id: str) -> Problem:
    return Problem(404, f"There is no such {noun}", noun_id)
