"""What was measured of one device or one person. Every look is logged."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.gate import Looking, PartsOf
from hub.api.models import ObservationList, ObservationView, ProblemObject
from hub.api.problems import Problem
from hub.api.routes.register import area_of_device, area_of_person
from hub.desk import Span
from schemas.ids import ID_PATTERN
from schemas.vocabulary import MEASURE_BY_KEY

router = APIRouter(prefix="/api/v1/observations", tags=["observations"])

SPAN = timedelta(hours=24)
"""What is shown unless asked otherwise: the last day."""

IdQuery = Annotated[str | None, Query(pattern=f"^{ID_PATTERN}$")]


@router.get("", responses={404: {"model": ProblemObject}})
async def list_observations(
    account: Looking,
    parts: PartsOf,
    *,
    device_id: IdQuery = None,
    person_id: IdQuery = None,
    measure: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> ObservationList:
    """Observations, newest first, positions left out; `from` is included, `to` is not."""
    if measure is not None and measure not in MEASURE_BY_KEY:
        raise _senseless(f"measure: one of {', '.join(sorted(MEASURE_BY_KEY))}")
    if device_id is not None and person_id is None:
        area_id = await area_of_device(parts, account, device_id)
    elif person_id is not None and device_id is None:
        area_id = await area_of_person(parts, account, person_id)
    else:
        raise _senseless("device_id or person_id, one of the two")
    end = _utc(until) or parts.clock.now() + timedelta(minutes=5)
    span = Span(
        device_id=device_id,
        person_id=person_id,
        measure=MEASURE_BY_KEY[measure].code if measure else None,
        since=_utc(since) or end - SPAN,
        until=end,
        limit=limit,
    )
    detail = {"noun": "observations", "device_id": device_id, "person_id": person_id}
    look = parts.entry(account, "look", area_id, detail | {"measure": measure})
    rows = await parts.store.observations(span, look)
    return ObservationList(items=[ObservationView.model_validate(row) for row in rows])


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise _senseless("from, to: with an offset from UTC, for example 2026-01-31T08:00:00Z")
    return moment.astimezone(UTC)


def _senseless(detail: str) -> Problem:
    return Problem(422, "The request makes no sense", detail)
