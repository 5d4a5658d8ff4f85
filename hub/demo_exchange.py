"""A telephone exchange on loopback: the other side of docs/gateway.md, for the demo and the tests.

It takes short messages and calls as a gateway does, once for each idempotency key, and reports back
what became of them. Who has the telephones and what they do with them is a subclass's business.
"""

import hashlib
import hmac
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from aiohttp import web

SIGNATURE = "Carebell-Signature"
KEYS_KEPT = 10_000
"""Idempotency keys; the hub tries a message again for minutes, not for so many others."""
BODY_MAX = 65_536
CALL_BACK_WITHIN_S = 5.0


def signed(body: bytes, secret: str) -> str:
    """What stands in the signature header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Text:
    """A short message as it came."""

    id: str
    key: str
    """The idempotency key: one for each notification, channel and number."""
    reference: str
    """What the hub calls it; call-backs give it back."""
    to: str
    text: str
    language: str
    callback_url: str


@dataclass(slots=True)
class Call:
    """A call as it came; whoever has the telephone picks it up, or not."""

    id: str
    key: str
    """The idempotency key: one for each notification, channel and number."""
    reference: str
    """What the hub calls it; call-backs give it back."""
    to: str
    say: list[str]
    language: str
    digits: str
    """The keys that are listened for."""
    bridge_to: str | None
    callback_url: str
    exchange: "Exchange"

    @property
    def spoken(self) -> str:
        """The sentences, read out once."""
        return " ".join(self.say)

    async def answered(self) -> int:
        """Picked up."""
        return await self.exchange.status(self, "answered")

    async def presses(self, digits: str) -> int:
        """Picked up, and a key pressed."""
        await self.answered()
        return await self.exchange.tells(self, {"event": "digits", "digits": digits})

    async def silent(self) -> int:
        """Picked up, and nothing pressed until the gateway hung up."""
        await self.answered()
        return await self.exchange.status(self, "completed")

    async def no_answer(self) -> int:
        """Rang until the gateway gave up."""
        return await self.exchange.status(self, "no_answer")

    async def busy(self) -> int:
        """Somebody else was on the line."""
        return await self.exchange.status(self, "busy")


@dataclass
class Exchange(ABC):
    """The gateway. `rings` is told of whatever came."""

    secret: str
    unsigned: int = 0
    """Requests whose signature was wrong or missing; they were answered 401."""
    _ids: dict[str, str] = field(default_factory=dict)
    """By idempotency key, the oldest first."""

    @abstractmethod
    def rings(self, about: Text | Call) -> None:
        """Something came for a telephone; returns at once."""

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Takes a message or call once for each idempotency key."""
        if not hmac.compare_digest(request.headers.get(SIGNATURE, ""), signed(body, self.secret)):
            self.unsigned += 1
            return web.json_response({"error": "signature"}, status=401)
        key = request.headers.get("Idempotency-Key", "")
        if key in self._ids:
            return web.json_response({"id": self._ids[key], "state": "accepted"})
        try:
            about = self._read(key, json.loads(body))
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=422)
        self._ids[key] = about.id
        if len(self._ids) > KEYS_KEPT:
            del self._ids[next(iter(self._ids))]
        self.rings(about)
        return web.json_response({"id": about.id, "state": "accepted"}, status=202)

    def _read(self, key: str, said: dict[str, Any]) -> Text | Call:
        # Drawn, not counted: after a restart no message has the id of an earlier one.
        whose = f"g-{secrets.token_hex(8)}", key, said["reference"], said["to"]
        if said["kind"] == "sms":
            return Text(*whose, said["text"], said["language"], said["callback_url"])
        return Call(*whose, said["say"], said["language"], said.get("digits", ""),
                    said.get("bridge_to"), said["callback_url"], self)  # fmt: skip

    async def status(self, about: Text | Call, state: str) -> int:
        """A status call-back; the hub's answer."""
        return await self.tells(about, {"event": "status", "state": state})

    async def tells(self, about: Text | Call, said: dict[str, Any]) -> int:
        """A signed call-back to the address that came with the message; the hub's answer.

        Raises httpx.HTTPError where the hub cannot be reached.
        """
        content = {"id": about.id, "reference": about.reference, **said}
        body = json.dumps(content, ensure_ascii=False).encode()
        headers = {SIGNATURE: signed(body, self.secret), "content-type": "application/json"}
        async with httpx.AsyncClient(timeout=CALL_BACK_WITHIN_S) as client:
            answer = await client.post(about.callback_url, content=body, headers=headers)
        return answer.status_code


@asynccontextmanager
async def listening(exchange: Exchange) -> AsyncIterator[str]:
    """Serves it on loopback, on a free port, until left; its address."""

    async def taken(request: web.Request) -> web.StreamResponse:
        return await exchange.answer(request, await request.read())

    app = web.Application(client_max_size=BODY_MAX)
    app.router.add_post("/", taken)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
