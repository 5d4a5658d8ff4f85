"""Calls to the home of an incident: to talk, or a robot that asks how they are."""

import secrets

from fastapi import APIRouter

from alerts.home_call import CallKind
from hub.api.channel_models import (
    CallBody,
    CallList,
    CallView,
    VoiceNumberBody,
    VoiceNumberView,
)
from hub.api.gate import Acting, Looking, PartsOf, Provisioning
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.routes.consent import ChannelsOf
from hub.api.routes.register import FOUND, NounId, area_of_device, unknown
from hub.desk import NotThere, StillHolds
from hub.home_calls import NotCallable
from hub.view import iso
from hub.voice_number import dialled

router = APIRouter(prefix="/api/v1/incidents/{incident_id}/calls", tags=["incidents"])
device_router = APIRouter(prefix="/api/v1/devices/{device_id}/voice-number", tags=["devices"])
_PLACED: Responses = {
    404: {"model": ProblemObject},
    409: {"model": ProblemObject, "description": "This home cannot be called now; why is said."},
}


@router.post("", status_code=202, responses=_PLACED)
async def place_call(
    incident_id: str, body: CallBody, account: Acting, parts: PartsOf, channels: ChannelsOf
) -> CallList:
    """Dial. How it goes comes by call-back, and stands on the incident."""
    view = await parts.deeds.find(incident_id, account)
    call_id = f"call-{secrets.token_hex(8)}"
    detail = {"call_id": call_id, "kind": body.kind.value}
    entry = parts.entry(account, "call_home", view["area_id"], detail, view["id"])
    try:
        await channels.calls.place(CallKind(body.kind), view["id"], call_id, entry)
    except NotCallable as error:
        raise Problem(409, "This home cannot be called now", str(error)) from error
    except StillHolds as error:
        raise Problem(409, "A call to this home is under way", str(error)) from error
    return await _list(channels, view["id"])


@router.get("", responses={404: {"model": ProblemObject}})
async def list_calls(
    incident_id: str, account: Looking, parts: PartsOf, channels: ChannelsOf
) -> CallList:
    """Calls to the home and how they went, the newest first."""
    view = await parts.deeds.find(incident_id, account)
    return await _list(channels, view["id"])


async def _list(channels: ChannelsOf, incident_id: str) -> CallList:
    rows = await channels.calls.of_incident(incident_id)
    timed = [
        row | {"asked_at": iso(row["asked_at"]), "ended_at": iso(row["ended_at"])}  # type: ignore[arg-type]
        for row in rows
    ]
    number = await channels.calls.number_of(incident_id)
    return CallList(number=number, items=[CallView.model_validate(row) for row in timed])


@device_router.put("", responses=FOUND)
async def set_voice_number(
    device_id: NounId, body: VoiceNumberBody, account: Provisioning, parts: PartsOf,
    channels: ChannelsOf,
) -> VoiceNumberView:  # fmt: skip
    """Where one talks to the home through this device."""
    area_id = await area_of_device(parts, account, device_id)
    number = None if body.voice_number is None else dialled(body.voice_number)
    entry = parts.entry(account, "set_voice_number", area_id, {"device_id": device_id})
    try:
        await channels.calls.set_voice_number(device_id, number, entry)
    except NotThere:
        raise unknown("device", device_id) from None
    return VoiceNumberView(device_id=device_id, voice_number=number)
