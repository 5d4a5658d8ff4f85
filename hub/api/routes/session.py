"""Log-in and log-out."""

import ipaddress
import math

from fastapi import APIRouter, Request, Response

from alerts.people import Account
from hub.api.gate import PartsOf, SignedIn
from hub.api.models import AccountView, LogIn, SessionView
from hub.api.problems import Problem
from hub.api.sessions import COOKIE, LIFETIME

router = APIRouter(prefix="/api/v1/session", tags=["session"])


@router.post("")
async def log_in(body: LogIn, request: Request, response: Response, parts: PartsOf) -> SessionView:
    """Log in; the answer sets the cookie that every other request needs."""
    keys = (f"name {body.username.casefold()}", f"address {_address(request)}")
    now_s = parts.clock.monotonic_s()
    if wait_s := parts.throttle.wait_s(keys, now_s):
        parts.figures.log_ins.labels("throttled").inc()
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise Problem(429, "Too many wrong tries", "Wait, then try again.", headers=headers)
    parts.throttle.count(keys, now_s)
    made = await parts.sessions.log_in(body.username, body.password)
    if made is None:
        parts.figures.log_ins.labels("wrong").inc()
        raise Problem(401, "Name or password is wrong")
    parts.throttle.forgive(keys)
    parts.figures.log_ins.labels("done").inc()
    token, session = made
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _view(session.account)


@router.get("")
async def who_am_i(session: SignedIn) -> SessionView:
    """Whoever the cookie stands for."""
    return _view(session.account)


@router.delete("", status_code=204)
async def log_out(request: Request, response: Response, parts: PartsOf, _session: SignedIn) -> None:
    """End the log-in everywhere; its live feeds are cut."""
    ended = await parts.sessions.end(request.cookies[COOKIE])
    parts.switchboard.cut("signed_out", ended)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _view(account: Account) -> SessionView:
    return SessionView(
        account=AccountView(
            id=account.id,
            name=account.name,
            role=account.role,
            area_id=account.area_id,
            language=account.language,
        )
    )


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
