"""History of one person or one device as points: what curves and reports are drawn from."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from alerts.people import Account
from hub.api.gate import Parts, PartsOf, Recalling
from hub.api.models import ProblemObject
from hub.api.models_history import HistoryPoints, LastValues, Report, SilentDevices
from hub.api.problems import Problem
from hub.api.routes.register import area_of_device, area_of_person
from hub.history import Recall, Resolution, SpanTooLong, resolution_for
from hub.view import iso
from schemas.ids import ID_PATTERN
from schemas.vocabulary import MEASURE_BY_KEY, MEASURES

router = APIRouter(prefix="/api/v1/history", tags=["history"])

SPAN = timedelta(hours=24)
"""What is shown unless asked otherwise: the last day."""
REPORT_SPAN = timedelta(days=31)
LONGEST_REPORT = timedelta(days=366)
"""Ours: a year, leap years too."""
CLOCK_AHEAD = timedelta(minutes=5)
"""Ours: a device clock that is a little ahead still belongs to now."""
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before that there are only clocks that were never set."""

IdQuery = Annotated[str | None, Query(pattern=f"^{ID_PATTERN}$")]
_KEYS = sorted(measure.key for measure in MEASURES if measure.key != "position")


@router.get("", responses={404: {"model": ProblemObject}})
async def read_history(
    account: Recalling,
    parts: PartsOf,
    *,
    measure: Annotated[str, Query(max_length=64)],
    device_id: IdQuery = None,
    person_id: IdQuery = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    resolution: Literal["auto", "raw", "hour", "day"] = "auto",
) -> HistoryPoints:
    """Points, oldest first; `from` is included, `to` is not.

    `auto` takes single observations up to a day, hours up to 31 days, else days. Longer spans than
    48 hours of single observations, 92 days of hours or 3,660 days are refused. A bucket that
    `from` cuts is whole in the answer. Days are those of the hub's zone. Of a device you see what
    it measured in your area and below, not what it measured elsewhere before it came.
    """
    if measure not in _KEYS:
        raise senseless(f"measure: one of {', '.join(_KEYS)}")
    area_id = await area_of_subject(parts, account, device_id, person_id)
    begins, ends = span_of(parts, since, until)
    asked = None if resolution == "auto" else Resolution(resolution)
    oldest = parts.clock.now() - parts.history.keep_observations
    try:
        found = resolution_for(asked, begins, ends, oldest)
    except SpanTooLong as error:
        raise senseless(str(error)) from None
    recall = Recall(device_id, person_id, MEASURE_BY_KEY[measure].code, begins, ends, found)
    detail = {"noun": "history", "device_id": device_id, "person_id": person_id}
    look = parts.entry(account, "look", area_id, detail | {"measure": measure})
    areas = parts.switchboard.tree.below(account.area_id)
    answer = await parts.history.points(recall, look, areas)
    known = MEASURE_BY_KEY[measure]
    return HistoryPoints.model_validate(
        answer
        | {
            "device_id": device_id,
            "person_id": person_id,
            "measure": measure,
            "unit": known.unit if known.numeric else None,
            "resolution": found.value,
        }
    )


@router.get("/last", responses={404: {"model": ProblemObject}})
async def read_last(
    account: Recalling, parts: PartsOf, *, device_id: IdQuery = None, person_id: IdQuery = None
) -> LastValues:
    """The newest value of every measure within a week, without positions: of a device, or of every
    device somebody has; not what the device measured of somebody else or in another area."""
    area_id = await area_of_subject(parts, account, device_id, person_id)
    detail = {"noun": "last_values", "device_id": device_id, "person_id": person_id}
    look = parts.entry(account, "look", area_id, detail)
    areas = parts.switchboard.tree.below(account.area_id)
    items = await parts.history.last(device_id, person_id, parts.clock.now(), look, areas)
    return LastValues.model_validate({"items": items})


@router.get("/silent")
async def read_silent(
    account: Recalling,
    parts: PartsOf,
    *,
    for_s: Annotated[int, Query(ge=60, le=31_536_000)] = 86_400,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> SilentDevices:
    """Devices of your area and below that said nothing for so long, the longest first. Devices that
    never said anything are not among them."""
    areas = parts.switchboard.tree.below(account.area_id)
    before = parts.clock.now() - timedelta(seconds=for_s)
    items, as_of = await parts.history.silent(areas, before, limit)
    return SilentDevices.model_validate({"items": items, "as_of": iso(as_of)})


@router.get("/report", responses={404: {"model": ProblemObject}})
async def read_report(
    account: Recalling,
    parts: PartsOf,
    *,
    measure: Annotated[str, Query(max_length=64)],
    area_id: IdQuery = None,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
) -> Report:
    """One measure of everybody in an area and below, day by day, from daily aggregates; by default
    your own area and the last 31 days, at most 366."""
    if measure not in _KEYS:
        raise senseless(f"measure: one of {', '.join(_KEYS)}")
    tree = parts.switchboard.tree
    seat = area_id or account.area_id
    if not (tree.knows(seat) and tree.sees(account.area_id, seat)):
        raise Problem(404, "There is no such area", seat)
    begins, ends = span_of(parts, since, until, REPORT_SPAN)
    if ends - begins > LONGEST_REPORT:
        raise senseless("from, to: at most 366 days")
    known = MEASURE_BY_KEY[measure]
    detail = {"noun": "report", "area_id": seat, "measure": measure}
    await parts.store.log([parts.entry(account, "look", seat, detail)])
    items, zone = await parts.history.report(tree.below(seat), known.code, begins, ends)
    return Report.model_validate(
        {
            "area_id": seat,
            "measure": measure,
            "unit": known.unit if known.numeric else None,
            "time_zone": zone,
            "items": items,
        }
    )


async def area_of_subject(
    parts: Parts, account: Account, device_id: str | None, person_id: str | None
) -> str:
    """The area of the one device or person that is asked about; Problem 404 or 422."""
    if device_id is not None and person_id is None:
        return await area_of_device(parts, account, device_id)
    if person_id is not None and device_id is None:
        return await area_of_person(parts, account, person_id)
    raise senseless("device_id or person_id, one of the two")


def span_of(
    parts: Parts, since: datetime | None, until: datetime | None, usual: timedelta = SPAN
) -> tuple[datetime, datetime]:
    """From and to, by default the last day; Problem 422 where that is no span of time."""
    ends = _utc(until) or parts.clock.now() + CLOCK_AHEAD
    if ends < EARLIEST:
        raise senseless("to: after 2000-01-01")
    begins = _utc(since) or ends - usual
    if begins >= ends:
        raise senseless("from, to: from must be earlier")
    return max(begins, EARLIEST), ends


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise senseless("from, to: with an offset from UTC, for example 2026-01-31T08:00:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise senseless("from, to: outside the calendar") from None


def senseless(detail: str) -> Problem:
    """A question that cannot be answered as it stands."""
    return Problem(422, "The request makes no sense", detail)
