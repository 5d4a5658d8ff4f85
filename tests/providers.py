"""Fake phones that are real servers on loopback: SMS and voice, mail, web push, webhook.

Each speaks the wire of the real thing and does what a story tells it: answer, refuse, limit, hang,
die, report a receipt, reply, press a digit. What they heard is what a story looks at.

    async with running_providers() as town:
        daughter = town.gateway.phone("+8613800000001")
        ...                                   # the hub sends
        assert "Anna" in daughter.inbox[-1].text
        await daughter.reply("1")             # call-back to the hub
        await daughter.calls[-1].presses("1")
        town.gateway.fails(429, after=2)
"""

import asyncio
import base64
import hmac
import json
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import http_ece
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from hub.demo_exchange import SIGNATURE, Call, Exchange, Text, signed

__all__ = [
    "SECRET", "SIGNATURE", "Browser", "Call", "Exchange", "Gateway", "Hook", "MailServer", "Phone",
    "Providers", "PushService", "Server", "Text", "running_providers", "signed",
]  # fmt: skip

SECRET = "shared-with-the-provider"


@dataclass(slots=True)
class Fault:
    """What a provider does instead of answering."""

    status: int = 500
    after: int = 0
    """How many requests it still takes first."""
    times: int | None = None
    """How many it then spoils; None: all."""
    retry_after_s: int | None = None
    body: dict[str, Any] | None = None
    hangs: bool = False


@dataclass(slots=True)
class Server:
    """An HTTP server that can be told to misbehave."""

    port: int = 0
    faults: list[Fault] = field(default_factory=list)
    asked: int = 0
    """Requests that came, taken or not."""
    _runner: web.AppRunner | None = None
    _release: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fails(
        self,
        status: int = 500,
        *,
        after: int = 0,
        times: int | None = None,
        retry_after_s: int | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        """Answer with this status, after so many good answers, so many times."""
        self.faults.append(Fault(status, after, times, retry_after_s, body))

    def hangs(self, *, after: int = 0, times: int | None = None) -> None:
        """Take the request and never answer."""
        self.faults.append(Fault(after=after, times=times, hangs=True))

    def recovers(self) -> None:
        """Behave again; whoever hangs is let go."""
        self.faults.clear()
        self._release.set()
        self._release = asyncio.Event()

    async def dies(self) -> None:
        """Close the port; whoever is connected is cut off."""
        if self._runner is not None:
            self._release.set()
            await self._runner.cleanup()
            self._runner = None

    async def lives(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._taken)
        self._release = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """What the provider says when it behaves."""
        raise NotImplementedError

    async def _taken(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked += 1
        fault = self._due_fault()
        if fault is None:
            return await self.answer(request, body)
        if fault.hangs:
            await self._release.wait()
        headers = {}
        if fault.retry_after_s is not None:
            headers["Retry-After"] = str(fault.retry_after_s)
        return web.json_response(fault.body or {"error": "on command"}, status=fault.status,
                                 headers=headers)  # fmt: skip

    def _due_fault(self) -> Fault | None:
        for fault in self.faults:
            if fault.after > 0:
                fault.after -= 1
                return None
            if fault.times is None:
                return fault
            if fault.times > 0:
                fault.times -= 1
                return fault
        return None


@dataclass(slots=True)
class Phone:
    """One number at the gateway."""

    number: str
    gateway: "Gateway"
    inbox: list[Text] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)

    async def reply(self, text: str, *, to: Text | None = None) -> int:
        """A short message back; the call-back's status is returned."""
        newest = to or self.inbox[-1]
        body = {"event": "inbound", "from": self.number, "text": text, "in_reply_to": newest.id}
        return await self.gateway.tells(newest, body)

    async def presses(self, digits: str) -> int:
        """Answers the newest call and presses a key."""
        return await self.calls[-1].presses(digits)


@dataclass
class Gateway(Exchange, Server):
    """The HTTP gateway of docs/gateway.md: short messages and calls, with call-backs."""

    secret: str = SECRET
    phones: dict[str, Phone] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Whatever was taken, also what came again."""
    told: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """Call-backs: what the hub answered, and what it was told."""
    immediate_receipts: str | None = None
    """A state that is reported as soon as something was taken."""
    _later: set[asyncio.Task[int]] = field(default_factory=set)

    def phone(self, number: str) -> Phone:
        """The phone with this number; it is there from the first time it is asked for."""
        return self.phones.setdefault(number, Phone(number, self))

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """As the exchange does, and written down."""
        answer = await super().answer(request, body)
        if answer.status < 300:
            self.requests.append(json.loads(body))
        return answer

    def rings(self, about: Text | Call) -> None:
        """Into the inbox, or onto the list of calls."""
        phone = self.phone(about.to)
        if isinstance(about, Text):
            phone.inbox.append(about)
        else:
            phone.calls.append(about)
        self._receipt_soon(about)

    async def receipts(self, state: str = "delivered", *, number: str | None = None) -> int:
        """A status call-back for every short message so far (of one number); how many."""
        texts = [t for p in self.phones.values() if number in (None, p.number) for t in p.inbox]
        for text in texts:
            await self.status(text, state)
        return len(texts)

    async def tells(self, about: Text | Call, said: dict[str, Any]) -> int:
        """Writes down what was told and what the hub answered."""
        status = await super().tells(about, said)
        self.told.append((status, {"id": about.id, "reference": about.reference, **said}))
        return status

    def _receipt_soon(self, about: Text | Call) -> None:
        if self.immediate_receipts is not None:
            task = asyncio.ensure_future(self.status(about, self.immediate_receipts))
            self._later.add(task)
            task.add_done_callback(self._later.discard)


@dataclass(slots=True)
class Browser:
    """One subscription to web push, as a browser makes it; only it can read what is sent."""

    endpoint: str
    _key: ec.EllipticCurvePrivateKey
    _auth: bytes
    inbox: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)

    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` gives."""
        point = self._key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )  # fmt: skip
        keys = {"p256dh": _unpadded(point), "auth": _unpadded(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypts(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self._key, auth_secret=self._auth, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


@dataclass(slots=True)
class PushService(Server):
    """A browser maker's push service: takes encrypted, VAPID-signed messages (RFC 8030, 8292)."""

    browsers: dict[str, Browser] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def subscribes(self) -> Browser:
        """A new browser gives its permission."""
        name = secrets.token_hex(6)
        key = ec.generate_private_key(ec.SECP256R1())
        browser = Browser(f"{self.url}/push/{name}", key, secrets.token_bytes(16))
        self.browsers[name] = browser
        return browser

    def forgets(self, browser: Browser) -> None:
        """The permission was taken back: from now on 410."""
        self.gone.add(browser.endpoint.rsplit("/", 1)[1])

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Verifies the signature, decrypts for the browser."""
        name = request.path.rsplit("/", 1)[1]
        browser = self.browsers.get(name)
        if browser is None or name in self.gone:
            return web.Response(status=410 if browser else 404)
        if not self._vouched(request.headers.get("Authorization", "")):
            return web.Response(status=403)
        if request.headers.get("Content-Encoding") != "aes128gcm" or "TTL" not in request.headers:
            return web.Response(status=400)
        browser.inbox.append(browser.decrypts(body))
        browser.headers.append(dict(request.headers))
        browser.sizes_bytes.append(len(body))
        return web.Response(status=201, headers={"Location": f"{self.url}/message/{name}"})

    def _vouched(self, authorization: str) -> bool:
        found = re.fullmatch(r"vapid t=([^,]+),\s*k=(\S+)", authorization)
        if found is None or not Vapid02.verify(authorization):
            return False
        claims = json.loads(base64.urlsafe_b64decode(found[1].split(".")[1] + "=="))
        return bool(claims["aud"] == self.url and claims["sub"].startswith(("mailto:", "https:")))


@dataclass(slots=True)
class Hook(Server):
    """Receives signed webhooks and says whether the signature fits."""

    secret: str | None = SECRET
    """None: takes whatever comes, as a group robot does."""
    inbox: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Takes what is signed."""
        if self.secret is not None and not hmac.compare_digest(
            request.headers.get(SIGNATURE, ""), signed(body, self.secret)
        ):
            self.forged += 1
            return web.Response(status=401)
        self.inbox.append(json.loads(body))
        return web.Response(status=204)


@dataclass(slots=True)
class MailServer:
    """An SMTP server with a mailbox for every address."""

    port: int = 0
    mailboxes: dict[str, list[EmailMessage]] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    """By recipient: the SMTP answer, e.g. `550 no such mailbox`; `*` for everybody."""
    asked: int = 0
    _server: asyncio.Server | None = None

    def mailbox(self, address: str) -> list[EmailMessage]:
        """What came to an address."""
        return self.mailboxes.setdefault(address, [])

    def refuses(self, answer: str, address: str = "*") -> None:
        """Say this to RCPT: 4xx try later, 5xx never."""
        self.refusals[address] = answer

    async def lives(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def dies(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        self.asked += 1
        refusal = self.refusals.get(address) or self.refusals.get("*")
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        for recipient in envelope.rcpt_tos:
            self.mailbox(recipient).append(mail)
        return "250 taken as m-1"


@dataclass(slots=True)
class Providers:
    """Everything outside the hub that a notification can go through."""

    gateway: Gateway
    second_gateway: Gateway
    """Another vendor, for what happens when the first one fails."""
    mail: MailServer
    push: PushService
    hook: Hook


@asynccontextmanager
async def running_providers() -> AsyncIterator[Providers]:
    """All of them on ports of their own; none is left behind."""
    town = Providers(Gateway(), Gateway(), MailServer(), PushService(), Hook())
    async with AsyncExitStack() as stack:
        for server in (town.gateway, town.second_gateway, town.mail, town.push, town.hook):
            await server.lives()
            stack.push_async_callback(server.dies)
        yield town


def _unpadded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
