"""Calls to the hotline: whose number it is, and an incident, with and without a device."""

import hashlib
import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from alerts.address import masked
from alerts.people import Account
from hub.api.access import Whose as Place
from hub.api.call_in_models import (
    CallerList,
    CallerView,
    CallHeard,
    CallInAddress,
    CallInBody,
    CallInDone,
    Number,
)
from hub.api.gate import Acting, Operating, Parts, PartsOf
from hub.api.models import IncidentView, ProblemObject, Responses
from hub.api.ports import CallerStore
from hub.api.problems import Problem
from hub.api.routes.callbacks import WRONG_TOKENS, AnswersOf
from hub.api.routes.register import card_of
from hub.api.throttle import Key
from hub.call_in import Aim, Caller, CallInOrder, aim
from hub.callback_key import PATH, TOKEN_LENGTH, is_right, token_of

router = APIRouter(prefix="/api/v1/calls-in", tags=["calls in"])
heard_router = APIRouter(prefix=PATH, tags=["calls in"])

PROVIDER = "calls-in"
"""What the telephone system's token is derived from; no gateway may have this name."""
TELEPHONE_SYSTEM = "telephone system"
_BEGUN: Responses = {
    202: {"model": CallInDone, "description": "Kept by the broker; the desks show it soon."},
    404: {"model": ProblemObject},
}


@router.get("")
async def find_callers(
    account: Acting, parts: PartsOf, number: Annotated[Number, Query()]
) -> CallerList:
    """Whom a call from this number may be about, in your area and below. The look is logged."""
    told = {"noun": "caller", "q": masked(number)}
    await parts.store.log([parts.entry(account, "search", account.area_id, told)])
    return CallerList(
        items=[CallerView.model_validate(one) for one in await _seen(parts, account, number)]
    )


@router.post("", responses=_BEGUN)
async def begin_call_in(
    body: CallInBody, account: Acting, parts: PartsOf, response: Response
) -> CallInDone:
    """Somebody is on the telephone: an incident that rings like a press. The same `call_id` again
    is the same call. Without a person or home, whoever the number belongs to; a number of nobody's
    opens an incident of its own."""
    about = await _said(body, account, parts)
    order = CallInOrder(
        id=_call_of(f"account {account.id}", body.call_id),
        area_id=about.area_id,
        person_id=about.person_id,
        premises_id=about.premises_id,
        number=body.number or "",
        caller=about.caller,
        by_id=account.id,
        by_name=account.name,
        at=parts.clock.now(),
    )
    view = await parts.deeds.begin_call_in(order)
    if view is not None and not parts.switchboard.sight(account)(Place.of(view)):
        view = None
    response.status_code = 202 if view is None else 200
    shown = None if view is None else IncidentView.model_validate(view)
    return CallInDone(incident=shown, pending=view is None)


@router.get("/address")
async def read_address(account: Operating, answers: AnswersOf) -> CallInAddress:
    """Where your telephone system reports calls, below the hub's address (docs/callbacks.md)."""
    del account
    return CallInAddress(path=f"{PATH}/{PROVIDER}/{token_of(answers.key, PROVIDER)}")


@heard_router.post(f"/{PROVIDER}/{{token}}", status_code=202)
async def hear_call(
    token: Annotated[str, Path(min_length=TOKEN_LENGTH, max_length=TOKEN_LENGTH)],
    body: CallHeard,
    request: Request,
    parts: PartsOf,
    answers: AnswersOf,
) -> Response:
    """A telephone system reports a call: it rings at the desks at once. The same call again changes
    nothing; report it again where the answer is not 202."""
    address = request.client.host if request.client else ""
    keys = [Key(f"call-back {address}", WRONG_TOKENS)]
    now_s = parts.clock.monotonic_s()
    if (wait_s := parts.throttle.wait_s(keys, now_s)) > 0:
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise Problem(429, "Too many wrong addresses", headers=headers)
    if not is_right(answers.key, PROVIDER, token):
        parts.throttle.count(keys, now_s)
        raise Problem(404, "There is no such page")
    root = parts.dependencies.root_area_id
    about = aim(await _callers(parts).by_number(body.number), root) if body.number else Aim(root)
    order = CallInOrder(
        id=_call_of(PROVIDER, body.call_id),
        area_id=about.area_id,
        person_id=about.person_id,
        premises_id=about.premises_id,
        number=body.number,
        caller=about.caller,
        by_id=None,
        by_name=TELEPHONE_SYSTEM,
        at=parts.clock.now(),
    )
    await parts.deeds.begin_call_in(order)
    return Response(status_code=202)


async def _said(body: CallInBody, account: Account, parts: Parts) -> Aim:
    found = await _seen(parts, account, body.number) if body.number else []
    if body.person_id is not None:
        person = await card_of(parts, account, "person", body.person_id)
        mine = [one for one in found if one.person_id == body.person_id]
        caller = aim(mine, account.area_id).caller
        return Aim(person["area_id"], body.person_id, person["premises_id"], caller)
    if body.premises_id is not None:
        home = await card_of(parts, account, "premises", body.premises_id)
        return Aim(home["area_id"], None, body.premises_id)
    return aim(found, account.area_id)


async def _seen(parts: Parts, account: Account, number: str) -> list[Caller]:
    tree = parts.switchboard.tree
    found = await _callers(parts).by_number(number)
    return [caller for caller in found if tree.sees(account.area_id, caller.area_id)]


def _callers(parts: Parts) -> CallerStore:
    if parts.dependencies.callers is None:
        raise Problem(404, "There is no such page")
    return parts.dependencies.callers


def _call_of(teller: str, call_id: str | None) -> str:
    """Ids of different tellers never meet."""
    if call_id is None:
        return secrets.token_hex(16)
    return hashlib.sha256(f"{teller}\n{call_id}".encode()).hexdigest()[:32]
