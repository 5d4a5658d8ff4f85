"""Who could go, where responders are, when somebody should be there, and hand-offs."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from alerts.handoff import NUMBERS, EmergencyService, HandOff, owed
from alerts.reach import Candidate
from hub.api.gate import Acting, Browsing, Going, PartsOf, Registering
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.reach_models import (
    AreaReachChanges,
    AreaReachView,
    AvailabilityReport,
    HandOffList,
    NearView,
    OwnResponderView,
    PositionReport,
    place_view,
)
from hub.api.routes.register import CHANGED, FOUND, NounId, own_area, unknown
from hub.desk import NotThere
from hub.geo import to_wgs84
from hub.reach import Near
from hub.view import View, iso
from schemas.alarms import Datum, Position

router = APIRouter(prefix="/api/v1", tags=["reach"])

CLOCK_AHEAD_S = 300
"""Ours, as for devices: a fix farther in the future is a clock that lies, and counts as now."""

IncidentId = Annotated[str, Path(min_length=1, max_length=64)]
HandOffId = Annotated[int, Path(ge=1, lt=2**63)]
NO_RESPONDER = "Your account is not linked to a responder"
_OWN: Responses = {404: {"model": ProblemObject, "description": "The account is no responder."}}


# ---- candidates ---------------------------------------------------------------------------------


@router.get("/incidents/{incident_id}/responders", responses=FOUND)
async def list_candidates(
    incident_id: IncidentId,
    account: Browsing,
    parts: PartsOf,
    *,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> NearView:
    """Responders by travel time: available ones first, then the engaged, the busy, those off duty;
    with what each has said to this incident. The look is logged."""
    view = await parts.deeds.find(incident_id, account)
    now = parts.clock.now()
    areas = parts.switchboard.tree.below(account.area_id)
    near = await parts.reach.near(view["id"], areas, limit, now)
    if near is None:
        raise Problem(
            409, "The incident is not recorded yet", "Responders are found as soon as it is."
        )
    found = near.candidates
    if parts.dependencies.routes is not None and near.target.point is not None:
        found = await parts.dependencies.routes.refine(found, near.target.point)
    parts.switchboard.note_look(
        parts.entry(account, "look", view["area_id"], {"noun": "responders"}, view["id"])
    )
    return _near_view(near, found)


def _near_view(near: Near, found: Any) -> NearView:
    answers = {a["actor_id"]: a for a in near.answers if a["actor_kind"] == "responder"}
    point = near.target.point
    return NearView.model_validate(
        {
            "arrive_by": iso(near.target.arrive_by),
            "arrival": near.target.arrival,
            "within_min": near.target.within_min,
            "settlement": near.target.settlement,
            "place": place_view(point.latitude, point.longitude) if point else None,
            "items": [_candidate(c, near, answers.get(c.responder_id)) for c in found],
            "told": [
                {
                    "kind": a["actor_kind"],
                    "id": a["actor_id"],
                    "name": a["name"],
                    "answer": a["answer"],
                    **{
                        key: iso(a[key])
                        for key in ("told_at", "answered_at", "expected_at", "arrived_at")
                    },
                }
                for a in near.answers
            ],
            "unplaced": [{**row, "id": row["responder_id"]} for row in near.unplaced],
        }
    )


def _candidate(found: Candidate, near: Near, answer: View | None) -> View:
    age_s = found.position_age_s
    return {
        "id": found.responder_id,
        "name": found.name,
        "kind": found.kind,
        "phone": near.phones.get(found.responder_id),
        "mode": found.mode,
        "standing": found.standing,
        "distance_m": round(found.distance_m),
        "travel_s": round(found.travel_s),
        "within_circle_min": found.within_circle_min,
        "within_target": found.travel_s <= near.target.within_min * 60,
        "by_route": found.by_route,
        "fixed": found.fixed,
        "position": place_view(found.position.latitude, found.position.longitude),
        "position_age_s": None if age_s is None else round(age_s),
        "answer": answer["answer"] if answer else None,
        "told_at": iso(answer["told_at"]) if answer else None,
        "expected_at": iso(answer["expected_at"]) if answer else None,
    }


# ---- what a responder says of themselves --------------------------------------------------------


@router.get("/own/responder", responses=_OWN)
async def read_own(account: Going, parts: PartsOf) -> OwnResponderView:
    """The responder you are, and where the hub believes you to be."""
    row = await parts.reach.own(account.id)
    if row is None:
        raise Problem(404, NO_RESPONDER)
    return _own(row)


@router.put("/own/responder/position", responses=_OWN)
async def report_position(body: PositionReport, account: Going, parts: PartsOf) -> OwnResponderView:
    """Say where you are; it counts for ten minutes, and is forgotten when you go off duty."""
    now = parts.clock.now()
    fixed_at = body.fixed_at or now
    if fixed_at - now > timedelta(seconds=CLOCK_AHEAD_S):
        fixed_at = now
    place = to_wgs84(Position(body.latitude, body.longitude, datum=Datum(body.datum)))
    position = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "accuracy_m": body.accuracy_m,
        "fixed_at": fixed_at,
    }
    entry = parts.entry(account, "report", account.area_id, {})
    try:
        return _own(await parts.reach.report_position(account.id, position, entry))
    except NotThere:
        raise Problem(404, NO_RESPONDER) from None


@router.put("/own/responder/availability", responses=_OWN)
async def report_availability(
    body: AvailabilityReport, account: Going, parts: PartsOf
) -> OwnResponderView:
    """Say whether you can be sent, and how you move."""
    mode = body.travel_mode.value if body.travel_mode else None
    entry = parts.entry(account, "change", account.area_id, {})
    try:
        row = await parts.reach.set_availability(account.id, body.availability.value, mode, entry)
    except NotThere:
        raise Problem(404, NO_RESPONDER) from None
    return _own(row)


def _own(row: View) -> OwnResponderView:
    return OwnResponderView.model_validate(
        {
            **row,
            "id": row["responder_id"],
            "registered": place_view(row["registered_latitude"], row["registered_longitude"]),
            "reported": place_view(row["latitude"], row["longitude"]),
            "fixed_at": iso(row["fixed_at"]),
        }
    )


# ---- circles and numbers of an area -------------------------------------------------------------


@router.get("/areas/{area_id}/reach", responses=FOUND)
async def read_area_reach(area_id: NounId, account: Browsing, parts: PartsOf) -> AreaReachView:
    """Service circle, kind of settlement and emergency numbers: its own, and what holds."""
    own_area(parts, account, area_id)
    found = await parts.reach.area_reach(area_id)
    if found is None:
        raise unknown("area", area_id)
    return _area(found)


@router.patch("/areas/{area_id}/reach", responses=CHANGED)
async def change_area_reach(
    area_id: NounId, body: AreaReachChanges, account: Registering, parts: PartsOf
) -> AreaReachView:
    """Change them for an area of yours and all below that say nothing else; targets of incidents
    that are open stay as they are."""
    own_area(parts, account, area_id)
    entry = parts.entry(account, "change", area_id, {})
    try:
        return _area(await parts.reach.set_area_reach(area_id, body.said(), entry))
    except NotThere:
        raise unknown("area", area_id) from None


def _area(found: tuple[View, View]) -> AreaReachView:
    own, holds = found
    numbers = {
        f"{service}_number": holds[f"{service}_number"] or NUMBERS[service]
        for service in EmergencyService
    }
    return AreaReachView.model_validate({**own, "holds": {**holds, **numbers}})


# ---- hand-offs ----------------------------------------------------------------------------------


@router.get("/incidents/{incident_id}/hand-offs", responses=FOUND)
async def list_hand_offs(incident_id: IncidentId, account: Browsing, parts: PartsOf) -> HandOffList:
    """Calls to 120, 119 and 110 with their reference numbers, and what is still to be done."""
    view = await parts.deeds.find(incident_id, account)
    rows = await parts.reach.hand_offs(view["id"])
    resolved = view["state"] == "resolved"
    return HandOffList.model_validate({"items": [_hand_off(row, resolved) for row in rows]})


@router.post(
    "/incidents/{incident_id}/hand-offs/{hand_off_id}/arrived",
    status_code=204,
    response_class=Response,
    responses=CHANGED,
)
async def hand_off_arrived(
    incident_id: IncidentId, hand_off_id: HandOffId, account: Acting, parts: PartsOf
) -> None:
    """The ambulance, the fire brigade or the police is there."""
    view = await parts.deeds.find(incident_id, account)
    told = {"noun": "hand_off", "id": hand_off_id}
    entry = parts.entry(account, "arrived", view["area_id"], told, view["id"])
    try:
        await parts.reach.hand_off_arrived(view["id"], hand_off_id, entry)
    except NotThere:
        raise Problem(404, "There is no such hand-off that is still on its way") from None


def _hand_off(row: View, resolved: bool) -> View:
    handed = HandOff(
        EmergencyService(row["service"]), row["number"], row["reference"], row["at"],
        row["by_name"],
        row["arrived_at"],
    )  # fmt: skip
    return {
        **row,
        "id": row["hand_off_id"],
        "at": iso(row["at"]),
        "arrived_at": iso(row["arrived_at"]),
        "owed": list(owed(handed, resolved=resolved)),
    }
