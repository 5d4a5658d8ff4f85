"""An alarm before the emergency: what is wrong, who has nobody, which ways are proven."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from alerts.assurance import Concern, sentence
from alerts.people import Account
from alerts.policy import ChannelName
from alerts.rendering import ENGLISH, language_of
from alerts.watches import MISSED_PRESSES
from hub.api import pages
from hub.api.assurance_models import (
    AlonePage,
    AlonePerson,
    AskBody,
    Asked,
    Assured,
    CampaignBody,
    CampaignList,
    CampaignMade,
    CampaignView,
    ConditionList,
    ConditionView,
    OverdueContact,
    OverduePage,
    PressList,
    SyntheticPress,
)
from hub.api.gate import Browsing, Looking, Operating, Parts, PartsOf
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem, later
from hub.api.routes.quarantine import RowId, operator_of, with_moments
from hub.desk import NotThere
from hub.proof import CannotAsk

router = APIRouter(prefix="/api/v1/assurance", tags=["assurance"])
health_router = APIRouter(prefix="/api/v1/health", tags=["health"])

CONDITIONS_SHOWN = 500
_FAILING: Responses = {503: {"model": ProblemObject, "description": "What did not come through."}}
_FOR_EVER = timedelta(days=36_500)


@health_router.get("/assurance", responses=_FAILING)
async def assured(parts: PartsOf) -> Assured:
    """The hub's own press came through broker, hub, database and a live feed not long ago."""
    word = parts.switchboard.assurance_word
    state = press_state(word)
    found = Assured(
        synthetic_press=state,
        last_press_age_s=word.get("press_age_s"),
        last_press_took_s=word.get("press_took_s"),
        watcher=_watcher_state(word),
        watcher_age_s=word.get("watcher_age_s"),
        conditions_ringing=sum(one["raised"] for one in word.get("conditions", {}).values()),
    )
    if state in ("missing", "unknown"):
        title = "The hub's own press does not come through"
        raise later(title, f"synthetic press: {state}", failing=["synthetic_press"],
                    **found.model_dump())  # fmt: skip
    return found


@router.get("/conditions")
async def list_conditions(
    account: Looking, parts: PartsOf, language: Literal["zh-CN", "en"] | None = None
) -> ConditionList:
    """What is wrong in your area and below, before anybody presses; what rings first. In your
    account's language unless said otherwise."""
    areas = _areas(parts, account)
    rows = await _conditions(parts).conditions(areas, CONDITIONS_SHOWN)
    chinese = language_of(language or account.language) != ENGLISH
    return ConditionList(items=[_condition(row, chinese=chinese) for row in rows])


@router.get("/presses")
async def list_presses(
    account: Browsing, parts: PartsOf, limit: Annotated[int, Query(ge=1, le=1500)] = 60
) -> PressList:
    """The hub's own presses, newest first."""
    del account
    rows = await _conditions(parts).presses(limit)
    return PressList(items=[SyntheticPress.model_validate(with_moments(row)) for row in rows])


@router.get("/people-without-responder")
async def list_alone(
    account: Browsing,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> AlonePage:
    """People of your area and below for whom nobody could be reached to go there."""
    areas = _areas(parts, account)
    rows = await _conditions(parts).alone(areas, _after(cursor), limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    return AlonePage(
        items=[AlonePerson.model_validate(row) for row in rows],
        next_cursor=pages.encode(rows[-1]["person_id"]) if more else None,
    )


@router.get("/contacts")
async def list_overdue(
    account: Browsing,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> OverduePage:
    """Contacts and responders of your area and below whose ways were not proven in time."""
    ports = parts.dependencies.assurance
    days = ports.verify_contacts_every_days
    since = parts.clock.now() - (timedelta(days=days) if days else _FOR_EVER)
    rows = await ports.proofs.overdue(_areas(parts, account), since, _after(cursor), limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    return OverduePage(
        items=[
            OverdueContact.model_validate(
                with_moments(row) | {"waiting": row["answer_due_at"] is not None}
            )
            for row in rows
        ],
        next_cursor=pages.encode(rows[-1]["recipient"]) if more else None,
    )


@router.post("/contacts/test", status_code=202)
async def ask_contact(body: AskBody, account: Operating, parts: PartsOf) -> Asked:
    """Send a test message; the way is proven when somebody answers it."""
    try:
        number = await parts.dependencies.assurance.proofs.ask(
            body.recipient, ChannelName(body.channel), operator_of(parts, account),
            parts.clock.now(),
        )  # fmt: skip
    except CannotAsk as error:
        raise Problem(422, "Nobody can be asked like this", str(error)) from error
    except NotThere as error:
        raise Problem(404, "There is nobody of that name", str(error)) from error
    return Asked(notification_id=number)


@router.post("/contacts/verified", status_code=204)
async def verify_contact(body: AskBody, account: Operating, parts: PartsOf) -> None:
    """You spoke to them by this way, which was asked before: it is proven."""
    try:
        done = await parts.dependencies.assurance.proofs.verify_by_hand(
            body.recipient, ChannelName(body.channel), operator_of(parts, account),
            parts.clock.now(),
        )  # fmt: skip
    except NotThere:
        done = False
    if not done:
        raise Problem(404, "Nobody was asked by this way yet", "Send a test message first.")


@router.get("/campaigns")
async def list_campaigns(account: Browsing, parts: PartsOf) -> CampaignList:
    """Test messages to many, newest first."""
    rows = await parts.dependencies.assurance.proofs.campaigns(_areas(parts, account), 100)
    views = [with_moments(row) | {"id": row["campaign_id"]} for row in rows]
    return CampaignList(items=[CampaignView.model_validate(view) for view in views])


@router.post("/campaigns", status_code=201)
async def start_campaign(body: CampaignBody, account: Operating, parts: PartsOf) -> CampaignMade:
    """Send test messages to everybody of the area and below who is not proven, so many a minute."""
    if not parts.switchboard.tree.sees(account.area_id, body.area_id):
        raise Problem(404, "There is no such area")
    try:
        number = await parts.dependencies.assurance.proofs.start(
            body.area_id, [ChannelName(one) for one in dict.fromkeys(body.channels)],
            body.per_minute, operator_of(parts, account), parts.clock.now(),
        )  # fmt: skip
    except NotThere as error:
        raise Problem(404, "There is no such area") from error
    return CampaignMade(id=number)


@router.post("/campaigns/{campaign_id}/stop", status_code=204)
async def stop_campaign(campaign_id: RowId, account: Operating, parts: PartsOf) -> None:
    """Send no further ones."""
    operator, now = operator_of(parts, account), parts.clock.now()
    if not await parts.dependencies.assurance.proofs.stop(campaign_id, operator, now):
        raise Problem(404, "There is no such campaign under way")


def _condition(row: dict[str, Any], *, chinese: bool) -> ConditionView:
    concern = Concern(row["concern"])
    return ConditionView.model_validate(
        with_moments(row)
        | {
            "text": sentence(concern, row["evidence"], chinese=chinese),
            "ending": row["gone_since"] is not None,
        }
    )


def press_state(word: dict[str, Any]) -> Literal["ok", "missing", "off", "unknown"]:
    """How the hub's own press does, by what the assurance loop said last."""
    if not word:
        return "unknown"
    every_s = word.get("every_s", 0)
    if not every_s:
        return "off"
    age_s = word.get("press_age_s")
    if age_s is None:
        return "unknown"
    return "ok" if age_s <= MISSED_PRESSES * every_s else "missing"


def _watcher_state(word: dict[str, Any]) -> str:
    if not word:
        return "unknown"
    if not word.get("watcher"):
        return "off"
    return "unreachable" if word.get("watcher_failing") else "ok"


def _areas(parts: Parts, account: Account) -> list[str] | None:
    return parts.switchboard.tree.below(account.area_id)


def _conditions(parts: Parts) -> Any:
    return parts.dependencies.assurance.conditions


def _after(cursor: str | None) -> str:
    return pages.decode(cursor) if cursor else ""
