"""What humans do to an incident: take it, go there, end it, and everything in between."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from alerts.actions import Verb
from alerts.alarm import Priority
from alerts.people import Account
from hub.api.gate import Acting, Going, Parts, PartsOf
from hub.api.models import Acknowledge, Attend, IncidentView, ProblemObject, Resolve, Responses
from hub.api.responsibility_models import (
    AddResponder,
    Call,
    Drill,
    DrillDone,
    HandOff,
    Note,
    OnTheWay,
    Remark,
    TakeOver,
)
from hub.api.routes.register import card_of
from hub.drill import DrillOrder
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])

IncidentId = Annotated[str, Path(pattern=f"^{ID_PATTERN}$")]
ACTED: Responses = {
    202: {"model": IncidentView, "description": "Kept by the broker, recorded later."},
    404: {"model": ProblemObject},
    409: {"model": ProblemObject, "description": "Somebody else has it, or its state forbids it."},
}


# ---- whose it is --------------------------------------------------------------------------------


@router.post("/{incident_id}/acknowledge", responses=ACTED)
async def acknowledge(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Acknowledge | None = None,
) -> IncidentView:
    """Take responsibility; the person hears that help is coming."""
    return await _done(Verb.ACKNOWLEDGE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/take-over", responses=ACTED)
async def take_over(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: TakeOver | None = None,
) -> IncidentView:
    """Take it from whoever has it; everybody told learns who has it now."""
    return await _done(Verb.TAKE_OVER, incident_id, account, parts, response, body)


@router.post("/{incident_id}/release", responses=ACTED)
async def release(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Remark | None = None,
) -> IncidentView:
    """Give it back: nobody has it, and it rings again from the first rung."""
    return await _done(Verb.RELEASE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/escalate", responses=ACTED)
async def escalate(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Remark | None = None,
) -> IncidentView:
    """Have the next rung told now. Whoever has the incident keeps it."""
    return await _done(Verb.ESCALATE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/resolve", responses=ACTED)
async def resolve(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: Resolve
) -> IncidentView:
    """Close it with an outcome; everybody who was told is told that it is over."""
    return await _done(Verb.RESOLVE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/reopen", responses=ACTED)
async def reopen(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Remark | None = None,
) -> IncidentView:
    """It was not over: it rings again, and nobody has it."""
    return await _done(Verb.REOPEN, incident_id, account, parts, response, body)


# ---- who goes there -----------------------------------------------------------------------------


@router.post("/{incident_id}/going", responses=ACTED)
async def say_going(
    incident_id: IncidentId,
    account: Going,
    parts: PartsOf,
    response: Response,
    body: OnTheWay | None = None,
) -> IncidentView:
    """You go there; the person hears who comes. Whether the ladder waits for you is the policy's
    decision."""
    return await _done(Verb.GOING, incident_id, account, parts, response, body)


@router.post("/{incident_id}/decline", responses=ACTED)
async def decline(
    incident_id: IncidentId,
    account: Going,
    parts: PartsOf,
    response: Response,
    body: Remark | None = None,
) -> IncidentView:
    """You cannot go there."""
    return await _done(Verb.DECLINE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/arrive", responses=ACTED)
async def arrive(
    incident_id: IncidentId,
    account: Going,
    parts: PartsOf,
    response: Response,
    body: Attend | None = None,
) -> IncidentView:
    """You are with the person."""
    return await _done(Verb.ATTEND, incident_id, account, parts, response, body)


@router.post("/{incident_id}/remark", responses=ACTED)
async def remark(
    incident_id: IncidentId, account: Going, parts: PartsOf, response: Response, body: Note
) -> IncidentView:
    """Something the desk should know."""
    return await _done(Verb.NOTE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/attend", responses=ACTED)
async def attend(
    incident_id: IncidentId,
    account: Acting,
    parts: PartsOf,
    response: Response,
    body: Attend | None = None,
) -> IncidentView:
    """Somebody is with the person."""
    return await _done(Verb.ATTEND, incident_id, account, parts, response, body)


@router.post("/{incident_id}/responders", responses=ACTED)
async def add_responder(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: AddResponder
) -> IncidentView:
    """Somebody goes there, or is called to."""
    return await _done(Verb.ADD_RESPONDER, incident_id, account, parts, response, body)


# ---- what else was done -------------------------------------------------------------------------


@router.post("/{incident_id}/note", responses=ACTED)
async def note(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: Note
) -> IncidentView:
    """For the record; the owner's lease begins anew."""
    return await _done(Verb.NOTE, incident_id, account, parts, response, body)


@router.post("/{incident_id}/hand-off", responses=ACTED)
async def hand_off(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: HandOff
) -> IncidentView:
    """120, 119 or 110 has it too, under their number. You keep it."""
    return await _done(Verb.HAND_OFF, incident_id, account, parts, response, body)


@router.post("/{incident_id}/call", responses=ACTED)
async def call(
    incident_id: IncidentId, account: Acting, parts: PartsOf, response: Response, body: Call
) -> IncidentView:
    """What became of a call you made; no reply is an outcome too."""
    return await _done(Verb.CALL, incident_id, account, parts, response, body)


@router.post("/drills", responses={202: {"model": DrillDone}, 404: {"model": ProblemObject}})
async def begin_drill(
    account: Acting, parts: PartsOf, response: Response, body: Drill
) -> DrillDone:
    """Practise with a person's ladder. Everybody it names is really called, and told that it is a
    drill; the person's own devices stay quiet."""
    person = await card_of(parts, account, "person", body.person_id)
    order = DrillOrder(
        id=secrets.token_hex(16),
        person_id=body.person_id,
        area_id=person["area_id"],
        premises_id=person["premises_id"],
        kind=body.kind,
        priority=Priority(body.priority),
        by_id=account.id,
        by_name=account.name,
        at=parts.clock.now(),
    )
    view = await parts.deeds.begin_drill(order)
    response.status_code = 202 if view is None else 200
    shown = None if view is None else IncidentView.model_validate(view)
    return DrillDone(incident=shown, pending=view is None)


async def _done(
    verb: Verb,
    incident_id: str,
    account: Account,
    parts: Parts,
    response: Response,
    body: Any,
) -> IncidentView:
    details = body.model_dump() if body else {}
    done = await parts.deeds.perform(verb, incident_id, account, details)
    response.status_code = 202 if done.pending else 200
    return IncidentView.model_validate(parts.switchboard.shown_to(account)(done.view))
