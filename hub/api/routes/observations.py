"""What was measured of one device or one person, value by value. Every look is logged."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from hub.api.gate import PartsOf, Recalling
from hub.api.models import ObservationList, ObservationView, ProblemObject
from hub.api.routes.history import IdQuery, area_of_subject, senseless, span_of
from hub.desk import Span
from schemas.vocabulary import MEASURE_BY_KEY

router = APIRouter(prefix="/api/v1/observations", tags=["observations"])

LONGEST = timedelta(days=8)
"""Ours: a week and a bit. Longer looks are what GET /api/v1/history is for."""


@router.get("", responses={404: {"model": ProblemObject}})
async def list_observations(
    account: Recalling,
    parts: PartsOf,
    *,
    device_id: IdQuery = None,
    person_id: IdQuery = None,
    measure: Annotated[str | None, Query(max_length=64)] = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> ObservationList:
    """Observations, newest first, positions left out; `from` is included, `to` is not. At most
    eight days at once: for longer spans there is /api/v1/history."""
    if measure is not None and measure not in MEASURE_BY_KEY:
        raise senseless(f"measure: one of {', '.join(sorted(MEASURE_BY_KEY))}")
    area_id = await area_of_subject(parts, account, device_id, person_id)
    begins, ends = span_of(parts, since, until)
    if ends - begins > LONGEST:
        raise senseless("from, to: at most eight days; for longer spans ask /api/v1/history")
    span = Span(
        device_id=device_id,
        person_id=person_id,
        measure=MEASURE_BY_KEY[measure].code if measure else None,
        since=begins,
        until=ends,
        limit=limit,
    )
    detail = {"noun": "observations", "device_id": device_id, "person_id": person_id}
    look = parts.entry(account, "look", area_id, detail | {"measure": measure})
    areas = parts.switchboard.tree.below(account.area_id)
    rows = await parts.history.observations(span, look, areas)
    return ObservationList(items=[ObservationView.model_validate(row) for row in rows])
