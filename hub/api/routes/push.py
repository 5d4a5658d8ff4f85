"""Web push: which of one's own browsers are written to."""

from fastapi import APIRouter, Request, Response

from alerts.browser import Browser
from hub.api.channel_models import EndpointBody, PushView, SubscriptionBody, SubscriptionView
from hub.api.gate import Looking, PartsOf
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.routes.consent import ChannelsOf
from hub.view import iso

router = APIRouter(prefix="/api/v1/push", tags=["push"])
_OFF: Responses = {409: {"model": ProblemObject, "description": "This hub sends no web push."}}


@router.get("")
async def read_push(account: Looking, channels: ChannelsOf) -> PushView:
    """The key to subscribe with, and your browsers."""
    rows = await channels.push.subscribed(account.id)
    items = [SubscriptionView.model_validate(r | {"since": iso(r["since"])}) for r in rows]
    return PushView(public_key=channels.push_public_key, items=items)


@router.post("", status_code=201, responses=_OFF)
async def subscribe(
    body: SubscriptionBody, request: Request, account: Looking, parts: PartsOf, channels: ChannelsOf
) -> PushView:
    """Write to this browser from now on; of one account the newest five are kept."""
    if not channels.push_public_key:
        raise Problem(409, "This hub sends no web push", "Set push_contact.")
    entry = parts.entry(account, "subscribe_push", account.area_id, {})
    browser = Browser(body.endpoint, body.keys.p256dh, body.keys.auth)
    await channels.push.subscribe(browser, request.headers.get("user-agent", ""), entry)
    return await read_push(account, channels)


@router.post("/unsubscribe", status_code=204, response_class=Response)
async def unsubscribe(
    body: EndpointBody, account: Looking, parts: PartsOf, channels: ChannelsOf
) -> None:
    """Write to this browser no more; whether it was known changes nothing."""
    entry = parts.entry(account, "unsubscribe_push", account.area_id, {})
    await channels.push.unsubscribe(body.endpoint, entry)


@router.post("/test", status_code=202, response_class=Response, responses=_OFF)
async def show_test(account: Looking, parts: PartsOf, channels: ChannelsOf) -> None:
    """A test message to all your browsers, the way every message goes."""
    if not channels.push_public_key:
        raise Problem(409, "This hub sends no web push", "Set push_contact.")
    await channels.push.show_test(parts.entry(account, "test_push", account.area_id, {}))
