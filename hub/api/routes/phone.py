"""For people whose device is a phone: a door through which its page speaks the device contract.

No log-in: the phone shows its device's credential, and the broker judges it. Nothing here asks the
database, so a press passes while that is away. See docs/adr/0029.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from alerts.errors import SendFailed
from hub.api.feed import frame
from hub.api.gate import PartsOf
from hub.api.models import ProblemObject, Responses
from hub.api.ports_phone import NotAdmitted, PhoneDoor, PhoneLine, PhoneLogin
from hub.api.problems import Problem, later
from hub.view import iso
from schemas import topics
from schemas.ids import is_id
from schemas.topics import Lane

router = APIRouter(prefix="/api/v1/phone", tags=["phone"])

BEAT_S = 2.0
"""As on a desk: a cut line shows within five seconds."""
SECRET_MAX = 128
LANES = {"press": Lane.ALARM, "status": Lane.TELEMETRY, "location": Lane.TELEMETRY}
_ANSWERS: Responses = {
    401: {"model": ProblemObject, "description": "The broker does not let this device in."},
    503: {"model": ProblemObject, "description": "The broker is away: repeat."},
}


def door_of(parts: PartsOf) -> PhoneDoor:
    """Raises Problem 404 where nothing of this is wired."""
    if parts.dependencies.phones is None:
        raise Problem(404, "There is no such page")
    return parts.dependencies.phones


def login_of(authorization: Annotated[str, Header(max_length=400)] = "") -> PhoneLogin:
    """Device id and secret as RFC 7617 has them. Raises Problem 401, without the header that makes
    a browser ask the person for a password."""
    scheme, _, told = authorization.partition(" ")
    with suppress(binascii.Error, UnicodeDecodeError):
        device_id, _, secret = base64.b64decode(told, validate=True).decode().partition(":")
        if scheme.lower() == "basic" and is_id(device_id) and 0 < len(secret) <= SECRET_MAX:
            return PhoneLogin(device_id, secret)
    raise _stranger()


DoorOf = Annotated[PhoneDoor, Depends(door_of)]
LoginOf = Annotated[PhoneLogin, Depends(login_of)]


@router.post("/{kind}", status_code=202, response_class=Response, responses=_ANSWERS)
async def publish(
    kind: Literal["press", "status", "location"],
    request: Request,
    login: LoginOf,
    door: DoorOf,
    prefix: Annotated[str, Query(max_length=250)] = "",
) -> None:
    """Publish the body as this device's message of the contract (`docs/contract.md`), unread:
    whatever it holds, a press rings. 202 once the broker has it (PUBACK); that is not `received`,
    so a press is repeated with the same bytes until its receipt comes."""
    payload = await request.body()
    topic = topics.up(_prefix(prefix, login.device_id), LANES[kind], kind)
    try:
        async with door.line(login, listens=False) as line:
            await line.publish(topic, payload)
    except NotAdmitted:
        raise _stranger() from None
    except SendFailed as error:
        raise _away() from error


@router.get(
    "/events",
    response_class=Response,
    responses={
        **_ANSWERS,
        200: {
            "description": "Events `hello`, `command` (kind, body) and, every 2 s, `beat`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
    },
)
async def listen(login: LoginOf, door: DoorOf, parts: PartsOf) -> StreamingResponse:
    """What the hub tells this phone, as it happens. Whatever came while nobody listened is gone:
    send a press that is not over once more, and hear how far it has come."""
    opening = door.line(login, listens=True)
    try:
        line = await opening.__aenter__()
    except NotAdmitted:
        raise _stranger() from None
    except SendFailed as error:
        raise _away() from error
    hello = {
        "at": iso(parts.clock.now()),
        "hotline_number": parts.dependencies.page_settings.hotline_number,
    }
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _events(opening, line, hello), media_type="text/event-stream", headers=headers
    )


async def _events(
    opening: AbstractAsyncContextManager[PhoneLine], line: PhoneLine, hello: dict[str, str | None]
) -> AsyncIterator[bytes]:
    """Until the phone or the broker hangs up; then the broker's connection ends too."""
    coming: asyncio.Task[tuple[str, bytes]] | None = None
    try:
        yield frame("hello", hello)
        commands = aiter(line.commands())
        while True:
            coming = coming or asyncio.create_task(_next(commands))
            done, _ = await asyncio.wait({coming}, timeout=BEAT_S)
            if not done:
                yield frame("beat", {})
                continue
            task, coming = coming, None
            try:
                kind, payload = task.result()
            except StopAsyncIteration:
                return
            with suppress(msgspec.DecodeError):
                yield frame("command", {"kind": kind, "body": msgspec.json.decode(payload)})
    finally:
        if coming is not None:
            coming.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await coming
        await opening.__aexit__(None, None, None)


async def _next(commands: AsyncIterator[tuple[str, bytes]]) -> tuple[str, bytes]:
    return await anext(commands)


def _prefix(said: str, device_id: str) -> str:
    """Where the device believes that it is; without a usable word of it, it rings as well: only
    the device's id counts (docs/adr/0003).

    >>> _prefix("care/v1/city/home-1/phone-1", "phone-1")
    'care/v1/city/home-1/phone-1'
    >>> _prefix("care/v1/city/home-1/another", "phone-1")
    'care/v1/unknown/unknown/phone-1'
    """
    topic = topics.parse(topics.up(said, Lane.ALARM, "press"))
    if topic is None or topic.device_id != device_id:
        return topics.device_prefix("unknown", "unknown", device_id)
    return said


def _stranger() -> Problem:
    return Problem(
        401, "This phone is not let in", "Its code is wrong or revoked, or the hub just starts."
    )


def _away() -> Problem:
    return later("The broker is away", "Nothing was taken. Repeat it.")
