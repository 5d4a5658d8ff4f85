"""Who is on duty, when nobody is, and the hand-over of what is open."""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic.types import AwareDatetime

from alerts.actions import Verb
from alerts.people import Account
from alerts.rota import HORIZON, Gap
from hub.api.gate import Acting, Browsing, Parts, PartsOf, Planning
from hub.api.models import Id
from hub.api.ports_assurance import AssurancePorts
from hub.api.problems import Problem
from hub.api.rota_models import (
    AnswerBody,
    CandidateList,
    CandidateView,
    ChangeBody,
    ChangeView,
    DeskView,
    DutyNow,
    EndBody,
    GapView,
    HandoverList,
    HandoverView,
    Numbers,
    OfferBody,
    RotaView,
    Settled,
    ShiftView,
    WeeklyBody,
    WeeklyView,
)
from hub.api.routes.quarantine import RowId, operator_of, with_moments
from hub.api.routes.register import check_named
from hub.desk import NotThere
from hub.keys.key import time_zone_name
from hub.rota import BadHandover, BadRota, PlannedChange, PlannedWeekly, hours, weekdays

router = APIRouter(prefix="/api/v1/rota", tags=["rota"])
handovers_router = APIRouter(prefix="/api/v1/handovers", tags=["rota"])

LONGEST_LOOK = timedelta(days=92)
SEEN_AHEAD = timedelta(days=1)
"""Ours: how far ahead the end of a shift that runs now is looked for."""


@router.get("")
async def show_rota(
    account: Browsing,
    parts: PartsOf,
    since: Annotated[AwareDatetime | None, Query()] = None,
    until: Annotated[AwareDatetime | None, Query()] = None,
) -> RotaView:
    """The rota of your area and below, with the shifts and holes that come of it; a week from now
    unless said otherwise."""
    begin = since or parts.clock.now()
    end = until or begin + HORIZON
    if not timedelta(0) < end - begin <= LONGEST_LOOK:
        raise Problem(422, "Ask for a time between a moment and 92 days")
    areas, store = _areas(parts, account), _ports(parts).rota
    rows = await store.show(areas, begin, end)
    holes = await store.gaps(areas, begin, end)
    return RotaView(
        weekly=[WeeklyView.model_validate(_row(row, "weekly_id")) for row in rows["weekly"]],
        changes=[ChangeView.model_validate(_row(row, "change_id")) for row in rows["changes"]],
        shifts=[ShiftView.model_validate(_row(row)) for row in rows["shifts"]],
        gaps=[_gap(hole) for hole in holes],
    )


@router.get("/now")
async def show_duty(account: Browsing, parts: PartsOf) -> DutyNow:
    """Who is on duty for your area, below and above it, and who sits at a desk there."""
    now, ports = parts.clock.now(), _ports(parts)
    above = _areas_with_above(parts, account)
    rows = await ports.rota.show(above, now, now + SEEN_AHEAD)
    desks = await ports.presence.listed(above, now)
    here = {desk["account_id"] for desk in desks}
    return DutyNow(
        on_duty=[
            ShiftView.model_validate(_row(row) | {"at_desk": row["account_id"] in here})
            for row in rows["shifts"]
            if row["from_at"] <= now
        ],
        at_desk=[DeskView.model_validate(_row(row)) for row in desks],
    )


@router.get("/gaps")
async def list_gaps(
    account: Browsing, parts: PartsOf, days: Annotated[int, Query(ge=1, le=92)] = 7
) -> list[GapView]:
    """When nobody will be on duty, the earliest first."""
    now = parts.clock.now()
    holes = await _ports(parts).rota.gaps(_areas(parts, account), now, now + timedelta(days=days))
    return [_gap(hole) for hole in holes]


@router.get("/candidates")
async def find_candidates(
    account: Browsing,
    parts: PartsOf,
    area_id: Id,
    q: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CandidateList:
    """Who can be on duty for an area of yours: accounts with a desk there or above, up to your own
    area."""
    _must_see(parts, account, area_id)
    asked = q.strip().replace("\x00", "")
    rows = await _ports(parts).rota.candidates(area_id, account.area_id, asked, limit)
    return CandidateList(items=[CandidateView.model_validate(row) for row in rows])


@router.post("/weekly", status_code=201)
async def plan_weekly(body: WeeklyBody, account: Planning, parts: PartsOf) -> Numbers:
    """Somebody is on duty every week again; a row a weekday."""
    _must_see(parts, account, body.area_id)
    await check_named(parts, account, "account", body.account_id)
    now, ports = parts.clock.now(), _ports(parts)
    try:
        zone = time_zone_name(body.time_zone or ports.time_zone)
        today = now.astimezone(ZoneInfo(zone)).date()
        begin, end = hours(body.hours)
        planned = PlannedWeekly(
            body.area_id, body.duty, body.account_id, weekdays(body.weekdays), begin, end, zone,
            body.valid_from or today, body.valid_until,
        ).checked(today)  # fmt: skip
        ids = await ports.rota.plan(planned, operator_of(parts, account), now)
    except (BadRota, ValueError) as error:
        raise Problem(422, "The rota cannot be planned like this", str(error)) from error
    except NotThere as error:
        raise Problem(404, "There is no such area or account", str(error)) from error
    return Numbers(ids=ids)


@router.post("/weekly/{weekly_id}/end", status_code=204)
async def end_weekly(weekly_id: RowId, body: EndBody, account: Planning, parts: PartsOf) -> None:
    """A weekly shift is not repeated any more after that day."""
    now, ports = parts.clock.now(), _ports(parts)
    today = now.astimezone(ZoneInfo(ports.time_zone)).date()
    last_day = body.last_day or today - timedelta(days=1)
    if not await ports.rota.end(weekly_id, last_day, operator_of(parts, account), now):
        raise Problem(404, "There is no such shift")


@router.post("/changes", status_code=201)
async def change_rota(body: ChangeBody, account: Planning, parts: PartsOf) -> Numbers:
    """An additional shift, a swap, or somebody who is away: once."""
    _must_see(parts, account, body.area_id)
    await check_named(parts, account, "account", body.account_id)
    await check_named(parts, account, "account", body.instead_of)
    now = parts.clock.now()
    try:
        planned = PlannedChange(**body.model_dump()).checked(now)
        number = await _ports(parts).rota.change(planned, operator_of(parts, account), now)
    except BadRota as error:
        raise Problem(422, "The rota cannot be changed like this", str(error)) from error
    except NotThere as error:
        raise Problem(404, "There is no such area or account", str(error)) from error
    return Numbers(ids=[number])


@router.delete("/changes/{change_id}", status_code=204)
async def drop_change(change_id: RowId, account: Planning, parts: PartsOf) -> None:
    """Take a change back."""
    now = parts.clock.now()
    if not await _ports(parts).rota.drop(change_id, operator_of(parts, account), now):
        raise Problem(404, "There is no such change")


@handovers_router.get("")
async def list_handovers(
    account: Acting, parts: PartsOf, *, past: Annotated[bool, Query()] = False
) -> HandoverList:
    """Yours and your area's, open ones first; with `past` also those that are settled."""
    rows = await _ports(parts).handovers.list(account, _areas(parts, account), 100, past=past)
    return HandoverList(items=[_handover(row) for row in rows])


@handovers_router.post("", status_code=201)
async def offer_handover(body: OfferBody, account: Acting, parts: PartsOf) -> HandoverView:
    """Your shift ends: leave what is open to somebody who confirms that they have it. Until then
    it stays yours."""
    await check_named(parts, account, "account", body.to_account_id)
    store, now = _ports(parts).handovers, parts.clock.now()
    try:
        row = await store.offer(account, body.to_account_id, body.note, body.incident_ids, now)
    except BadHandover as error:
        raise Problem(409, "This cannot be handed over like this", str(error)) from error
    except NotThere as error:
        raise Problem(404, "There is no such account") from error
    rows = await store.list(account, [], 100, past=False)
    return _handover(next(one for one in rows if one["handover_id"] == row["handover_id"]))


@handovers_router.post("/{handover_id}/answer")
async def answer_handover(
    handover_id: Annotated[str, "A hand-over's id"], body: AnswerBody, account: Acting,
    parts: PartsOf,
) -> Settled:  # fmt: skip
    """Confirm, and every incident of it is yours; decline; or withdraw what you offered."""
    store = _ports(parts).handovers
    row = await store.settle(handover_id, body.state, account, parts.clock.now())
    if row is None:
        raise Problem(404, "There is no such hand-over that waits for your answer")
    results: dict[str, str] = {}
    if body.state == "confirmed":
        for incident_id in row["incident_ids"]:
            results[incident_id] = await _take_over(parts, account, incident_id, row)
        await store.note_result(handover_id, results)
    return Settled(state=row["state"], results=results)


async def _take_over(parts: Parts, account: Account, incident_id: str, row: dict[str, Any]) -> str:
    """One refusal keeps nothing of the rest back."""
    note = f"{row['from_name']} > {row['to_name']}: {row['note']}".strip()
    try:
        done = await parts.deeds.perform(Verb.TAKE_OVER, incident_id, account, {"note": note})
    except Problem as problem:
        return str(problem.title)[:200]
    return "pending" if done.pending else "taken"


def _ports(parts: Parts) -> AssurancePorts:
    return parts.dependencies.assurance


def _areas(parts: Parts, account: Account) -> list[str] | None:
    return parts.switchboard.tree.below(account.area_id)


def _areas_with_above(parts: Parts, account: Account) -> list[str] | None:
    """Whoever is on duty for the county is for its streets."""
    tree = parts.switchboard.tree
    below = tree.below(account.area_id)
    return None if below is None else sorted({*below, *tree.above(account.area_id)})


def _must_see(parts: Parts, account: Account, area_id: str) -> None:
    if not parts.switchboard.tree.sees(account.area_id, area_id):
        raise Problem(404, "There is no such area")


def _row(row: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    found = with_moments(row)
    return found if key is None else found | {"id": row[key]}


def _gap(hole: Gap) -> GapView:
    return GapView.model_validate(
        {"area_id": hole.area_id, "duty": hole.duty}
        | with_moments({"from_at": hole.from_at, "until_at": hole.until_at})
    )


def _handover(row: dict[str, Any]) -> HandoverView:
    return HandoverView.model_validate(_row(row, "handover_id"))
