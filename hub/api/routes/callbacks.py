"""What gateways call back: receipts, digits pressed, short messages that came in."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from alerts.address import masked
from alerts.answers import Result
from alerts.delivery import DeliveryState
from alerts.gateway import TemplateFault, Vendor, filled
from alerts.gateway_words import call_backs
from alerts.notification import NotificationState
from hub.api import pages
from hub.api.answering import Answering
from hub.api.gate import Acting, Inspecting, PartsOf
from hub.api.models import Moment, ProblemObject
from hub.api.ports_answers import AnswerParts
from hub.api.problems import Problem
from hub.api.routes.quarantine import before_of, operator_of, with_moments
from hub.api.signature import SIGNATURE_HEADER, TWILIO_HEADER, is_signed, is_twilios
from hub.api.throttle import Key
from hub.callback_key import TOKEN_LENGTH, callback_url, is_right
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1", tags=["answers"])

WRONG_TOKENS = 20
"""From one address in five minutes: a gateway knows its token, whoever tries does not."""
SECRET = "secret"  # noqa: S105 - the name of the value, not the value
"""Of a vendor's values: what it signs its call-backs with, where it can."""

TOKEN = "token"  # noqa: S105 - likewise
"""Of Twilio's values: the account's token, under which it signs."""

Provider = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,32}$")]
Token = Annotated[str, Path(min_length=TOKEN_LENGTH, max_length=TOKEN_LENGTH)]


def answers_of(parts: PartsOf) -> AnswerParts:
    """Raises Problem 404 where nothing of this is wired."""
    if parts.dependencies.answers is None:
        raise Problem(404, "There is no such page")
    return parts.dependencies.answers


AnswersOf = Annotated[AnswerParts, Depends(answers_of)]


def admitted(
    provider: Provider, token: Token, request: Request, parts: PartsOf, answers: AnswersOf
) -> Vendor:
    """The vendor whose address this is. Raises Problem 404, or 429 after too many wrong ones."""
    address = request.client.host if request.client else ""
    keys = [Key(f"call-back {address}", WRONG_TOKENS)]
    now_s = parts.clock.monotonic_s()
    if (wait_s := parts.throttle.wait_s(keys, now_s)) > 0:
        headers = {"Retry-After": str(int(wait_s) + 1)}
        raise Problem(429, "Too many wrong addresses", headers=headers)
    vendor = answers.vendors.get(provider)
    if vendor is None or not is_right(answers.key, provider, token):
        parts.throttle.count(keys, now_s)
        raise Problem(404, "There is no such page")
    return vendor


Admitted = Annotated[Vendor, Depends(admitted)]


@router.post("/callbacks/{provider}/{token}", responses={200: {"content": {"text/plain": {}}}})
async def call_back(
    vendor: Admitted, request: Request, parts: PartsOf, answers: AnswersOf
) -> Response:
    """A gateway reports. The answer is what the vendor's file says it wants to hear; for the
    generic gateway that is what is to be said to whoever answered.

    Answered with 503 while nothing can be recorded: report it again.
    """
    body = await request.body()
    if not _vouched(vendor, request, body, answers):
        raise Problem(401, "The signature is wrong")
    try:
        words = call_backs(vendor.call_back, request.headers.get("content-type", ""), body)
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem(422, "The call-back makes no sense", str(error)[:200]) from error
    answering = Answering(answers, parts.deeds, parts.clock, parts.dependencies.root_area_id)
    said = [await answering.hear(vendor, word) for word in words]
    return _reply(vendor, " ".join(filter(None, said)))


def _vouched(vendor: Vendor, request: Request, body: bytes, answers: AnswerParts) -> bool:
    """Whether the vendor's own signature is there and right, where its file names one the hub can
    check; else ours, where it is sent: the address has proven the sender already."""
    if vendor.call_back.signed == "twilio":
        url = callback_url(answers.public_url, answers.key, vendor.name)
        said = request.headers.get(TWILIO_HEADER, "")
        return bool(url) and is_twilios(url, body, vendor.values.get(TOKEN, ""), said)
    given = request.headers.get(SIGNATURE_HEADER)
    return given is None or is_signed(body, vendor.values.get(SECRET, ""), given)


def _reply(vendor: Vendor, said: str) -> Response:
    rules = vendor.call_back
    context = {"say": said, "values": dict(vendor.values)}
    try:
        content = filled(rules.reply, context, "call_back.reply")
    except TemplateFault:
        content = rules.reply
    return Response(content, media_type=rules.reply_type)


class ReplyView(BaseModel):
    """What somebody answered by telephone, and what became of it."""

    model_config = ConfigDict(title="Reply")

    id: int
    area_id: str
    provider: str
    way: Literal["sms", "voice"]
    sender: str
    """The number it came from, masked."""
    text: str
    received_at: Moment
    incident_id: str | None
    recipient: str | None
    verb: str | None
    result: Result
    answer: str
    """What they heard back."""


class ReplyPage(BaseModel):
    """Replies, newest first."""

    items: list[ReplyView]
    next_cursor: str | None


@router.get("/replies")
async def list_replies(
    account: Inspecting,
    parts: PartsOf,
    answers: AnswersOf,
    result: Result | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ReplyPage:
    """What people answered, newest first; `unknown_sender` are those nobody could be found for."""
    operator = operator_of(parts, account)
    rows = await answers.deliveries.replies(operator.areas, result, before_of(cursor), limit + 1)
    more = len(rows) > limit
    rows = rows[:limit]
    items = [
        ReplyView.model_validate(
            with_moments(row) | {"id": row["reply_id"], "sender": masked(row["sender"])}
        )
        for row in rows
    ]
    return ReplyPage(items=items, next_cursor=pages.encode(str(items[-1].id)) if more else None)


class DeliveryView(BaseModel):
    """One attempt to tell somebody."""

    model_config = ConfigDict(title="Delivery")

    id: int
    notification_id: int
    kind: str
    channel: str
    recipient: str
    attempt: int
    address: str
    """Masked."""
    state: DeliveryState
    began_at: Moment
    at: Moment
    receipt_at: Moment | None
    detail: str
    notification_state: NotificationState
    reason: str


class Deliveries(BaseModel):
    """Every attempt, oldest first; at most 500."""

    items: list[DeliveryView]


@router.get("/incidents/{incident_id}/deliveries", responses={404: {"model": ProblemObject}})
async def list_deliveries(
    incident_id: Annotated[str, Path(pattern=f"^{ID_PATTERN}$")],
    account: Acting,
    parts: PartsOf,
    answers: AnswersOf,
) -> Deliveries:
    """Whom the hub told of an incident, by which way, and what the providers said."""
    view = await parts.deeds.find(incident_id, account)
    rows = await answers.deliveries.of_incident(view["id"])
    return Deliveries(
        items=[
            DeliveryView.model_validate(with_moments(row) | {"id": row["delivery_id"]})
            for row in rows
        ]
    )
