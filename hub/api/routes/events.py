"""The live feed as server-sent events."""

import asyncio
import contextlib
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from hub.api.gate import Looking, Parts, PartsOf, SignedIn
from hub.api.listeners import Listener
from hub.api.switchboard import Switchboard

router = APIRouter(prefix="/api/v1/events", tags=["events"])

LOADED_WITHIN_S = 3.0
"""How long a desk waits for what was open before the API started; then it listens all the same."""


class EventStream(Response):
    """Sends a listener's events until the desk hangs up or is cut off."""

    media_type = "text/event-stream"

    def __init__(self, switchboard: Switchboard, listener: Listener) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._switchboard = switchboard
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Three tasks, of which whichever ends first ends the others."""
        del scope
        tasks = [
            asyncio.create_task(self._send_all(send)),
            asyncio.create_task(self._listener.cut_off.wait()),
            asyncio.create_task(_hung_up(receive)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._switchboard.leave(self._listener)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._listener.cut_because is not None:
            # A desk that reads nothing cannot be told; its connection is dropped below.
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(0.1):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        while True:
            some = await self._listener.next_bytes()
            await send({"type": "http.response.body", "body": some, "more_body": True})


@router.get(
    "",
    response_class=Response,
    responses={
        200: {
            "description": "Events `snapshot`, `incident`, `ring` and, every 2 s, `stats`.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def listen(
    account: Looking,
    session: SignedIn,
    parts: PartsOf,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
) -> EventStream:
    """Everything that happens in your area, as it happens. Resumes after `Last-Event-ID`."""
    await _wait_until_loaded(parts)
    listener = parts.switchboard.join(account, session.token_sha256, last_event_id)
    return EventStream(parts.switchboard, listener)


async def _wait_until_loaded(parts: Parts) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LOADED_WITHIN_S):
            await parts.switchboard.loaded.wait()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
