"""What every request and answer passes, whatever the route: the outermost layer of our own.

Checks where a request comes from and how large it is, adds the security headers, measures, and
turns what nobody expected into a problem that tells nothing.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.figures import Figures
from hub.api.looks import LOOK
from hub.api.ports import Clock
from hub.api.problems import Problem, asked_in_chinese, problem_response

MAX_BODY_BYTES = 64 * 1024
"""The largest request is a home with a page of notes."""
MAX_FILE_BYTES = 64 * 1024 * 1024
"""A register of 100,000 homes with people and devices has about 30 MB."""
FILE_ROUTES = frozenset({"/api/v1/imports/register", "/api/v1/visits/import"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
KNOWN_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_LIVE = "text/event-stream"
_REFUSED = 400

_log = structlog.get_logger("hub.api")


class Border:
    """ASGI middleware."""

    def __init__(
        self, app: ASGIApp, figures: Figures, clock: Clock, pictures_from: str = ""
    ) -> None:
        self._app = app
        self._headers = dict(SECURITY_HEADERS)
        if pictures_from:
            self._headers["Content-Security-Policy"] += f"; img-src 'self' {pictures_from}"
        self._figures = figures
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        crossing = _Crossing(scope, receive, send, self._headers)
        started_s = self._clock.monotonic_s()
        try:
            if (refusal := _refusal(scope)) is not None:
                chinese = asked_in_chinese(Headers(scope=scope))
                await refusal.response(chinese=chinese)(scope, receive, crossing.send)
            else:
                await self._app(scope, crossing.receive, crossing.send)
        except Exception:
            _log.exception("request_failed", method=scope["method"], route=_route(scope))
            if crossing.status is not None:
                raise
            answer = problem_response(
                500, "The hub made a mistake", "It has been logged.",
                chinese=asked_in_chinese(Headers(scope=scope)),
            )  # fmt: skip
            await answer(scope, receive, crossing.send)
        finally:
            if not crossing.live:
                took_s = self._clock.monotonic_s() - started_s
                method = scope["method"] if scope["method"] in KNOWN_METHODS else "other"
                status = str(crossing.status or 499)  # 499: the client left before the answer
                self._figures.requests.labels(method, _route(scope), status).observe(took_s)


class _Crossing:
    """One request on its way."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str]
    ) -> None:
        self.status: int | None = None
        self.live = False
        self._received_bytes = 0
        self._private = scope["path"].startswith("/api/")
        self._limit_bytes = _limit_bytes(scope)
        self._headers = headers
        self._scope = scope
        self._receive = receive
        self._send = send

    async def receive(self) -> Message:
        """Count the body, also where its length was not announced."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._received_bytes += len(message.get("body", b""))
            if self._received_bytes > self._limit_bytes:
                raise _too_large(self._limit_bytes)
        return message

    async def send(self, message: Message) -> None:
        """Add the headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if message["status"] < _REFUSED and (note := self._scope.get(LOOK)) is not None:
                note()
            headers = MutableHeaders(scope=message)
            self.live = headers.get("content-type", "").startswith(_LIVE)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            if self._private:
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def _refusal(scope: Scope) -> Problem | None:
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        return Problem(400, "The length of the request makes no sense")
    if int(length) > (limit_bytes := _limit_bytes(scope)):
        return _too_large(limit_bytes)
    if b"%00" in scope["query_string"] or "\0" in scope["path"]:
        return Problem(422, "The request makes no sense", "No text holds the character NUL.")
    if scope["method"] not in SAFE_METHODS and _is_foreign(headers):
        return Problem(
            403,
            "Another site must not act for you",
            "The request came from a page that is not the hub's.",
        )
    return None


def _limit_bytes(scope: Scope) -> int:
    return MAX_FILE_BYTES if scope["path"] in FILE_ROUTES else MAX_BODY_BYTES


def _too_large(limit_bytes: int) -> Problem:
    return Problem(413, "The request is too large", f"At most {limit_bytes} bytes.")


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page made the request.

    Programs send neither header; browsers send at least one of them with every POST.
    """
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def _route(scope: Scope) -> str:
    """The route's template: a label must never hold an id."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if path is None:
        return "unmatched"
    return str(path) or "page"
