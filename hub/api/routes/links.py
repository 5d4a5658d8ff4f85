"""One-time links: a page that shows, and a form that acts. Looking never does anything: mail
scanners and messengers fetch every link they see."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse

from alerts.actions import Verb
from alerts.responders import Actor, ActorKind, Way
from hub.answered import Shown
from hub.api.gate import Parts, PartsOf
from hub.api.link_page import ALLOWED, HEADERS, MOST_MINUTES, page, stranger, text
from hub.api.ports_answers import AnswerParts
from hub.api.problems import Problem
from hub.api.routes.callbacks import AnswersOf
from hub.api.throttle import Key
from hub.desk import DatabaseAway

router = APIRouter(prefix="/l", include_in_schema=False)

WRONG_LINKS = 20
"""From one address in five minutes: with 128 bit nobody guesses, and nobody is to try."""
MAX_FORM_BYTES = 2048

Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{22}$")]


@router.get("/{token}")
async def show(token: Token, request: Request, parts: PartsOf, answers: AnswersOf) -> HTMLResponse:
    """What it is about, who has it, and what can be answered. The look is logged."""
    try:
        shown = await _found(token, request, parts, answers)
    except DatabaseAway:
        return _page(stranger("away", answers.language, answers.hotline), 503)
    if shown is None:
        return _page(stranger("unknown", answers.language, answers.hotline), 404)
    return _page(page(shown, token, parts.clock.now(), answers.hotline), 200)


@router.post("/{token}")
async def act(token: Token, request: Request, parts: PartsOf, answers: AnswersOf) -> HTMLResponse:
    """The one action. Afterwards the page shows who has it."""
    try:
        shown = await _found(token, request, parts, answers)
        if shown is None:
            return _page(stranger("unknown", answers.language, answers.hotline), 404)
        verb, details = await _wanted(request)
        note, status = await _done(shown, token, verb, details, parts, answers)
        after = await answers.links.look(token, parts.clock.now(), _address(request)) or shown
    except DatabaseAway:
        return _page(stranger("away", answers.language, answers.hotline), 503)
    return _page(page(after, token, parts.clock.now(), answers.hotline, note=note), status)


async def _done(
    shown: Shown,
    token: str,
    verb: Verb,
    details: dict[str, int],
    parts: Parts,
    answers: AnswerParts,
) -> tuple[str, int]:
    """What is said about it; empty where the page itself says why it was not possible."""
    if shown.state == "resolved":
        return "", 200
    if not await answers.links.take(token, verb.value, parts.clock.now()):
        return "", 410
    kind, _, actor_id = shown.recipient.partition(":")
    actor = Actor(ActorKind(kind), actor_id, shown.name)
    try:
        await parts.deeds.perform_as(actor, Way.LINK, verb, shown.incident_id, dict(details))
    except Problem as problem:
        await answers.links.give_back(token)
        if problem.status_code >= 500:
            return text("away", shown.language, hotline=answers.hotline), 503
        return text("refused", shown.language, why=problem.title), 409
    return text(f"done_{verb}", shown.language), 200


async def _wanted(request: Request) -> tuple[Verb, dict[str, int]]:
    body = await request.body()
    if len(body) > MAX_FORM_BYTES:
        raise Problem(413, "The request is too large")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    wanted = (fields.get("verb") or [""])[0]
    if wanted not in ALLOWED:
        raise Problem(422, "The request makes no sense", "verb: acknowledge, going or decline")
    minutes = (fields.get("minutes") or [""])[0].strip()
    details: dict[str, int] = {}
    counts = minutes.isascii() and minutes.isdigit() and len(minutes) <= 3
    if wanted != Verb.DECLINE and counts and 0 < int(minutes) <= MOST_MINUTES:
        details["expected_arrival_s"] = int(minutes) * 60
    return Verb(wanted), details


async def _found(token: str, request: Request, parts: Parts, answers: AnswerParts) -> Shown | None:
    """Raises Problem 429 after too many that do not exist."""
    keys = [Key(f"link {_address(request)}", WRONG_LINKS)]
    now_s = parts.clock.monotonic_s()
    if (wait_s := parts.throttle.wait_s(keys, now_s)) > 0:
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise Problem(429, "Too many wrong links", headers=headers)
    shown = await answers.links.look(token, parts.clock.now(), _address(request))
    if shown is None:
        parts.throttle.count(keys, now_s)
    return shown


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _page(content: str, status: int) -> HTMLResponse:
    return HTMLResponse(content, status, headers=dict(HEADERS))
