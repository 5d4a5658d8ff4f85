"""What is set for one person: a clinician's limits, oxygen, fences, how soon to ask."""

from collections.abc import Awaitable, Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Response

from alerts.people import Account
from hub.api.gate import Browsing, Caring, Parts, PartsOf
from hub.api.models import ProblemObject, Responses
from hub.api.models_care import (
    CareView,
    CircleShape,
    FenceBody,
    LimitBody,
    LimitView,
    SettingsBody,
    Shape,
)
from hub.api.problems import Problem
from hub.api.routes.register import FOUND, NounId, area_of_person, unknown
from hub.desk import Entry, NotThere
from hub.detect.bed_hours import ABSENCE_LIMIT, DAY_STAY_LIMIT
from hub.detect.fence import Circle, Polygon, encloses
from hub.view import View
from schemas.vocabulary import MEASURES

router = APIRouter(prefix="/api/v1/people/{person_id}/care", tags=["care"])

MOST_FENCES = 8
"""Ours: home, family, park, market ... and the state of a detector stays small."""

UNITS: Mapping[str, tuple[str, float, float]] = {
    **{m.key: (m.unit, m.low, m.high) for m in MEASURES if m.vital},
    ABSENCE_LIMIT: ("min", 5, 240),
    DAY_STAY_LIMIT: ("min", 60, 1440),
}
"""What can be limited: unit, and the range in which a limit makes sense."""
_UPPER_ONLY = frozenset({ABSENCE_LIMIT, DAY_STAY_LIMIT})

FenceId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,16}$")]
MeasureKey = Annotated[str, Path(max_length=64)]
_CHANGED: Responses = {404: {"model": ProblemObject}, 409: {"model": ProblemObject}}


@router.get("", responses=FOUND)
async def read_care(person_id: NounId, account: Browsing, parts: PartsOf) -> CareView:
    """Everything that is set for a person. The look is logged."""
    entry = await _entry(parts, account, person_id, "look", {"noun": "care"})
    return _view(await parts.care.care(person_id, entry), person_id)


@router.put("/limits/{measure}", responses=FOUND)
async def set_limit(
    person_id: NounId, measure: MeasureKey, body: LimitBody, account: Caring, parts: PartsOf
) -> CareView:
    """A limit of your own for one measure; it replaces the general one on that side."""
    unit, lowest, highest = _limited(measure)
    for name, value in (("low", body.low), ("high", body.high)):
        if value is not None and not lowest <= value <= highest:
            raise _senseless(f"{name}: from {lowest:g} to {highest:g} {unit}")
    if body.low is None and body.high is None:
        raise _senseless("low or high, at least one of them")
    if body.low is not None and body.high is not None and body.low >= body.high:
        raise _senseless("low: less than high")
    if measure in _UPPER_ONLY and body.low is not None:
        raise _senseless(f"low: {measure} has only a high one")
    detail = {"measure": measure, "low": body.low, "high": body.high}
    entry = await _entry(parts, account, person_id, "set_limit", detail)
    return await _after(
        parts, person_id, parts.care.put_limit(person_id, measure, body.low, body.high, entry)
    )


@router.delete("/limits/{measure}", status_code=204, response_class=Response, responses=FOUND)
async def drop_limit(
    person_id: NounId, measure: MeasureKey, account: Caring, parts: PartsOf
) -> None:
    """The general limit holds again."""
    _limited(measure)
    entry = await _entry(parts, account, person_id, "drop_limit", {"measure": measure})
    await _done(parts.care.drop_limit(person_id, measure, entry), "limit", measure)


@router.put("/settings", responses=FOUND)
async def set_settings(
    person_id: NounId, body: SettingsBody, account: Caring, parts: PartsOf
) -> CareView:
    """Oxygen, and how soon a silent home is asked about."""
    values = body.model_dump()
    entry = await _entry(parts, account, person_id, "set_care", values)
    return await _after(parts, person_id, parts.care.put_settings(person_id, values, entry))


@router.put("/fences/{fence_id}", responses=_CHANGED)
async def set_fence(
    person_id: NounId, fence_id: FenceId, body: FenceBody, account: Caring, parts: PartsOf
) -> CareView:
    """Draw or redraw a fence; somebody who leaves it in its hours is looked for."""
    if (body.active_from_min is None) != (body.active_until_min is None):
        raise _senseless("active_from_min and active_until_min, or neither")
    hours = None
    if body.active_from_min is not None and body.active_until_min is not None:
        if body.active_from_min == body.active_until_min:
            raise _senseless("active_until_min: another minute than active_from_min")
        hours = (body.active_from_min, body.active_until_min)
    shapes = tuple(_shape(shape) for shape in body.shapes)
    entry = await _entry(parts, account, person_id, "set_fence", {"fence": fence_id})
    putting = parts.care.put_fence(
        person_id, fence_id, body.label, shapes, hours, MOST_FENCES, entry
    )
    try:
        return await _after(parts, person_id, putting)
    except NotThere:
        raise Problem(409, "There are enough fences", f"At most {MOST_FENCES}.") from None


@router.delete("/fences/{fence_id}", status_code=204, response_class=Response, responses=FOUND)
async def drop_fence(person_id: NounId, fence_id: FenceId, account: Caring, parts: PartsOf) -> None:
    """It holds no more; nobody is outside of it any more either."""
    entry = await _entry(parts, account, person_id, "drop_fence", {"fence": fence_id})
    await _done(parts.care.drop_fence(person_id, fence_id, entry), "fence", fence_id)


async def _entry(
    parts: Parts, account: Account, person_id: str, action: str, detail: Mapping[str, object]
) -> Entry:
    """A line for the log; Problem 404 if the account does not see the person."""
    area_id = await area_of_person(parts, account, person_id)
    return parts.entry(account, action, area_id, {"person_id": person_id, **detail})


async def _after(parts: Parts, person_id: str, change: Awaitable[None]) -> CareView:
    """What holds after a change; reading it back is part of the change and no look of its own."""
    await change
    return _view(await parts.care.care(person_id, None), person_id)


async def _done(change: Awaitable[None], noun: str, what: str) -> None:
    try:
        await change
    except NotThere:
        raise Problem(404, f"There is no such {noun}", what) from None


def _view(row: View | None, person_id: str) -> CareView:
    if row is None:
        raise unknown("person", person_id)
    limits = [
        LimitView(unit=UNITS[each["measure"]][0], **each)
        for each in row["limits"]
        if each["measure"] in UNITS
    ]
    return CareView.model_validate({**row, "limits": limits})


def _limited(measure: str) -> tuple[str, float, float]:
    if measure not in UNITS:
        raise Problem(404, "There is no such limit", f"One of {', '.join(sorted(UNITS))}.")
    return UNITS[measure]


def _shape(shape: Shape) -> Circle | Polygon:
    if isinstance(shape, CircleShape):
        return Circle(shape.latitude, shape.longitude, shape.radius_m)
    polygon = Polygon(tuple(shape.corners))
    if not encloses(polygon):
        raise _senseless(
            "corners: they enclose nothing; a polygon without crossing sides is wanted"
        )
    return polygon


def _senseless(detail: str) -> Problem:
    return Problem(422, "The request makes no sense", detail)
