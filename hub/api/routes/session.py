"""Log-in and log-out, one's own log-ins and password."""

import ipaddress
import math
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from hub import passwords
from hub.api import throttle
from hub.api.access import MAY
from hub.api.account_models import LogInList, PasswordChange
from hub.api.gate import Human, Parts, PartsOf, SignedIn
from hub.api.models import AccountView, LogIn, ProblemObject, SessionView
from hub.api.problems import Problem
from hub.api.routes.accounts import SHOWN_OF_HASH, ended, log_ins
from hub.api.routes.register import FOUND, senseless
from hub.api.sessions import BROWSER_COOKIE, COOKIE, LIFETIME, browser_mark, known_browser
from hub.desk import DeskSession, Origin

router = APIRouter(prefix="/api/v1/session", tags=["session"])

BROWSER_KNOWN_S = 180 * 24 * 3600
"""Half a year: longer than a dispatcher's longest leave."""
AGENT_KEPT = 200
"""Characters of what a browser calls itself."""

LogInId = Annotated[str, Path(pattern=f"^[0-9a-f]{{{SHOWN_OF_HASH}}}$")]


@router.post("")
async def log_in(body: LogIn, request: Request, response: Response, parts: PartsOf) -> SessionView:
    """Log in; the answer sets the cookie that every other request needs."""
    credential = await parts.sessions.credential(body.username)
    browser = known_browser(credential, request.cookies.get(BROWSER_COOKIE))
    keys = throttle.keys(body.username, _address(request), browser)
    _not_too_often(parts, keys)
    made = await parts.sessions.log_in(
        credential, body.password, _origin(request, parts), known=browser is not None
    )
    if made is None or credential is None:
        parts.figures.log_ins.labels("wrong").inc()
        raise Problem(401, "Name or password is wrong")
    parts.throttle.forgive(keys)
    parts.figures.log_ins.labels("done").inc()
    token, session = made
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    response.set_cookie(
        BROWSER_COOKIE,
        browser_mark(credential),
        max_age=BROWSER_KNOWN_S,
        path=router.prefix,
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return _view(session, parts)


@router.get("")
async def who_am_i(session: SignedIn, parts: PartsOf) -> SessionView:
    """Whoever the cookie or token stands for, and what they may do."""
    return _view(session, parts)


@router.delete("", status_code=204)
async def log_out(request: Request, response: Response, parts: PartsOf, _session: Human) -> None:
    """End the log-in everywhere; its live feeds are cut."""
    key = await parts.sessions.end(request.cookies[COOKIE])
    parts.switchboard.cut("signed_out", key)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


@router.post(
    "/password",
    status_code=204,
    response_class=Response,
    responses={409: {"model": ProblemObject, "description": "The current password is wrong."}},
)
async def change_password(
    body: PasswordChange, request: Request, session: Human, parts: PartsOf
) -> None:
    """Choose another password; every other log-in of yours ends."""
    account = session.account
    username = await _username(parts, account.id)
    keys = throttle.keys(username, _address(request), f"change {session.token_sha256}")
    _not_too_often(parts, keys)
    if complaint := passwords.complaint(body.new, username, account.name):
        parts.throttle.forgive(keys)
        raise senseless(f"new: {complaint}")
    credential = await parts.accounts.credential(username)
    if not await parts.sessions.proves(credential, body.current, known=True):
        raise Problem(409, "The current password is wrong")
    parts.throttle.forgive(keys)
    told = {"noun": "account", "id": account.id}
    gone = await parts.accounts.set_password(
        account.id,
        await parts.sessions.hashed(body.new),
        must_change=False,
        keep=session.token_sha256,
        entry=parts.entry(account, "change_password", account.area_id, told),
    )
    ended(parts, gone)
    parts.sessions.doubt([account.id], ())


@router.get("/all")
async def list_my_sessions(session: Human, parts: PartsOf) -> LogInList:
    """Where you are logged in."""
    rows = await parts.accounts.sessions_of(session.account.id, parts.clock.now())
    return log_ins(rows, current=session.token_sha256)


@router.delete("/all", status_code=204, response_class=Response)
async def end_my_other_sessions(session: Human, parts: PartsOf) -> None:
    """Log yourself out everywhere else."""
    await _end(parts, session, "", keep=session.token_sha256)


@router.delete("/all/{session_id}", status_code=204, response_class=Response, responses=FOUND)
async def end_one_of_my_sessions(session_id: LogInId, session: Human, parts: PartsOf) -> None:
    """End one of your log-ins; its live feeds are cut."""
    if not await _end(parts, session, session_id, keep=None):
        raise Problem(404, "There is no such log-in", session_id)


async def _end(parts: Parts, session: DeskSession, prefix: str, keep: str | None) -> list[str]:
    account = session.account
    entry = parts.entry(
        account, "end_sessions", account.area_id, {"noun": "account", "id": account.id}
    )
    gone = await parts.accounts.close_sessions_of(account.id, prefix, keep, entry)
    ended(parts, gone)
    return gone


def _not_too_often(parts: Parts, keys: tuple[throttle.Key, ...]) -> None:
    """Count a try. Raises Problem 429."""
    now_s = parts.clock.monotonic_s()
    if wait_s := parts.throttle.wait_s(keys, now_s):
        parts.figures.log_ins.labels("throttled").inc()
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise Problem(429, "Too many wrong tries", "Wait, then try again.", headers=headers)
    parts.throttle.count(keys, now_s)


async def _username(parts: Parts, account_id: str) -> str:
    card = await parts.register.card("account", account_id)
    return str(card["username"]) if card else account_id


def _view(session: DeskSession, parts: Parts) -> SessionView:
    account = session.account
    role = MAY.get(account.role)
    return SessionView(
        account=AccountView(
            id=account.id,
            name=account.name,
            role=account.role,
            area_id=account.area_id,
            language=account.language,
        ),
        must_change_password=session.must_change_password,
        deeds=sorted(role.deeds) if role else [],
        page=parts.dependencies.page_settings,
    )


def _origin(request: Request, parts: Parts) -> Origin:
    agent = request.headers.get("user-agent", "")[:AGENT_KEPT]
    return Origin(parts.clock.now(), _address(request), agent)


def _address(request: Request) -> str:
    """Who tries; one IPv6 customer owns a /64, and must not have 2^64 goes."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
