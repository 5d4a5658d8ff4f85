"""Figures of the service from the log, and one incident as a report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from alerts.people import Account
from hub.api import pages
from hub.api.access import Deed, may
from hub.api.gate import Parts, PartsOf, Reporting
from hub.api.models import ProblemObject, Responses
from hub.api.problems import later
from hub.api.record_models import (
    FalseAlarmReport,
    PresserReport,
    ServiceReport,
    UndeliveredReport,
)
from hub.api.routes.history import senseless
from hub.api.routes.register import FOUND, Cursor, IdQuery, own_area, unknown
from hub.csv_file import csv_of
from hub.report.html import html_of
from hub.report.page import NotPrinted
from hub.report.service_page import Figures, page_of_service
from hub.report.story import page_of
from hub.service_report import (
    FIRST_DAY,
    LAST_DAY,
    LONGEST_DAYS,
    SERVICE_COLUMNS,
    By,
    Concern,
    Question,
    Report,
    percent,
)
from hub.visits import Round, rounded
from schemas.ids import ID_PATTERN

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])
case_router = APIRouter(prefix="/api/v1/incidents", tags=["reports"])

ROWS = 400
"""Of one answer: a year of days; further ones by cursor."""
_USUAL = timedelta(days=30)
_FILES: Responses = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
    404: {"model": ProblemObject},
}

Format = Annotated[Literal["json", "csv"], Query(description="CSV: RFC 4180, UTF-8.")]
Bom = Annotated[bool, Query(description="Begin the CSV with a byte order mark, for spreadsheets.")]


def asked(
    account: Reporting,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    since: Annotated[date | None, Query(alias="from", description="A day of the area.")] = None,
    until: Annotated[date | None, Query(alias="to", description="Included.")] = None,
    concern: Concern = Concern.PEOPLE,
    cursor: Cursor = None,
) -> Question:
    """What every report is asked: an area with all below, and a span of days."""
    seat = account.area_id if area_id is None else own_area(parts, account, area_id)
    if any(day is not None and not FIRST_DAY <= day <= LAST_DAY for day in (since, until)):
        raise senseless(f"from, to: days from {FIRST_DAY} to {LAST_DAY}")
    ends = until or parts.clock.now().date() + timedelta(days=1)
    begins = since or ends - _USUAL
    if begins > ends:
        raise senseless("from, to: from must not be later")
    if (ends - begins).days > LONGEST_DAYS:
        raise senseless(f"from, to: at most {LONGEST_DAYS} days")
    after = pages.decode(cursor) if cursor else None
    return Question(seat, parts.switchboard.tree.below(seat), begins, ends, concern, after, ROWS)


Asked = Annotated[Question, Depends(asked)]


@router.get("/service", responses=_FILES, response_model=ServiceReport)
async def read_service(
    account: Reporting,
    parts: PartsOf,
    question: Asked,
    *,
    by: By = By.TOTAL,
    output: Annotated[Format, Query(alias="format")] = "json",
    bom: Bom = False,
) -> ServiceReport | Response:
    """Answered within 60 and 180 s, attended within the target of the circle, dwell time, false
    alarms, re-alarms, undelivered: together, by day, area (each with what lies below) or dispatcher
    (who answered first). Drills are never counted, tests apart; days are those of each area."""
    more = replace(question, limit=ROWS + 1)
    report = await parts.record.figures.service(more, by, _look(parts, account, question, by.value))
    rows = report.rows[:ROWS]
    if output == "csv":
        return _file("service", SERVICE_COLUMNS, rows, bom=bom)
    after = pages.encode(rows[-1]["key"]) if len(report.rows) > ROWS else None
    told = _about(question, report) | {"by": by, "items": rows, "next_cursor": after}
    return ServiceReport.model_validate(told)


@router.get("/false-alarms", responses=_FILES, response_model=FalseAlarmReport)
async def read_false_alarms(
    account: Reporting,
    parts: PartsOf,
    question: Asked,
    *,
    output: Annotated[Format, Query(alias="format")] = "json",
    bom: Bom = False,
) -> FalseAlarmReport | Response:
    """False alarms by kind, model and firmware of device and by detector, the most first."""
    look = _look(parts, account, question, "false_alarms")
    report = await parts.record.figures.false_alarms(question, look)
    rows = [_judged(row) for row in report.rows]
    if output == "csv":
        columns = ("device_kind", "device_model", "firmware", "detector", "devices", "incidents",
                   "judged", "false_alarms", "false_alarm_percent", "unfounded",
                   "withdrawn")  # fmt: skip
        return _file("false-alarms", columns, rows, bom=bom)
    return FalseAlarmReport.model_validate(_about(question, report) | {"items": rows})


@router.get("/pressers", responses=_FILES, response_model=PresserReport)
async def read_pressers(
    account: Reporting,
    parts: PartsOf,
    question: Asked,
    *,
    least: Annotated[int | None, Query(ge=2, le=1000)] = None,
    output: Annotated[Format, Query(alias="format")] = "json",
    bom: Bom = False,
) -> PresserReport | Response:
    """People who press falsely again and again: perhaps a visit and another button help."""
    look = _look(parts, account, question, "pressers")
    many = least or parts.record.frequent_false_presses
    report = await parts.record.figures.pressers(question, many, look)
    if output == "csv":
        columns = ("person_id", "name", "area_id", "state", "false_presses", "presses", "last_day",
                   "device_id")  # fmt: skip
        return _file("pressers", columns, report.rows, bom=bom)
    told = _about(question, report) | {"least": many, "items": report.rows}
    return PresserReport.model_validate(told)


@router.get("/undelivered", responses=_FILES, response_model=UndeliveredReport)
async def read_undelivered(
    account: Reporting,
    parts: PartsOf,
    question: Asked,
    *,
    output: Annotated[Format, Query(alias="format")] = "json",
    bom: Bom = False,
) -> UndeliveredReport | Response:
    """Notifications that reached nobody, by channel, state and reason."""
    look = _look(parts, account, question, "undelivered")
    report = await parts.record.figures.undelivered(question, look)
    if output == "csv":
        columns = ("channel", "state", "reason", "kind", "notifications", "incidents")
        return _file("undelivered", columns, report.rows, bom=bom)
    return UndeliveredReport.model_validate(_about(question, report) | {"items": report.rows})


@router.get(
    "/printed",
    response_class=Response,
    responses={
        200: {"content": {"application/pdf": {}, "text/html": {}}},
        **FOUND,
        503: {"model": ProblemObject, "description": "No font, or too many reports at once."},
    },
)
async def print_service(
    account: Reporting,
    parts: PartsOf,
    question: Asked,
    *,
    output: Annotated[Literal["pdf", "html"], Query(alias="format")] = "pdf",
    language: Annotated[Literal["zh-CN", "en"] | None, Query()] = None,
) -> Response:
    """The figures of the service on paper: summary, by day with a chart, by area and dispatcher,
    false alarms by model and detector, who presses by mistake, overdue tests and visits."""
    figures = await _printed(account, parts, question)
    page = page_of_service(figures, language or account.language)
    name = f"service_{question.since}_{question.until}"
    if output == "html":
        return _attached(f"{name}.html", "text/html; charset=utf-8", html_of(page).encode())
    try:
        printed = await parts.record.printer.pdf(page)
    except NotPrinted as error:
        raise later("The report was not printed", str(error)) from None
    return _attached(f"{name}.pdf", "application/pdf", printed)


@case_router.get(
    "/{incident_id}/report",
    response_class=Response,
    responses={
        200: {"content": {"text/html": {}, "application/pdf": {}, "application/json": {}}},
        **FOUND,
        503: {"model": ProblemObject, "description": "No font, or too many reports at once."},
    },
)
async def read_case(
    incident_id: Annotated[str, Path(pattern=f"^{ID_PATTERN}$")],
    account: Reporting,
    parts: PartsOf,
    *,
    output: Annotated[Literal["html", "pdf", "json"], Query(alias="format")] = "html",
    language: Annotated[Literal["zh-CN", "en"] | None, Query()] = None,
) -> Response:
    """One incident with everything that is known of it: who, what, when, every notification and
    delivery, decisions with their reasons, times against targets, and the log's entries with proof.
    The export is logged."""
    shown = (await parts.store.glances([incident_id])).get(incident_id)
    found = await parts.store.views([incident_id]) if shown is not None else {}
    view = found.get(incident_id)
    if view is None or not parts.switchboard.tree.sees(account.area_id, view["area_id"]):
        raise unknown("incident", incident_id)
    look = parts.entry(account, "report", view["area_id"], {"format": output}, view["id"])
    case = await parts.record.cases.case(
        view["id"], parts.clock.now(), look, observations=may(account.role, Deed.HISTORY)
    )
    if case is None:
        raise unknown("incident", incident_id)
    name = f"incident-{view['id']}"
    if output == "json":
        return _attached(f"{name}.json", "application/json", msgspec.json.encode(case))
    page = page_of(case, language or account.language)
    if output == "html":
        return _attached(f"{name}.html", "text/html; charset=utf-8", html_of(page).encode())
    try:
        printed = await parts.record.printer.pdf(page)
    except NotPrinted as error:
        raise later("The report was not printed", str(error)) from None
    return _attached(f"{name}.pdf", "application/pdf", printed)


async def _printed(account: Account, parts: Parts, question: Question) -> Figures:
    told, store = parts.record, parts.record.figures
    total = await store.service(question, By.TOTAL, _look(parts, account, question, "printed"))
    by = {each: (await store.service(question, each, None)).rows for each in
          (By.DAY, By.AREA, By.DISPATCHER)}  # fmt: skip
    false = (await store.false_alarms(question, None)).rows
    pressers = (await store.pressers(question, told.frequent_false_presses, None)).rows
    now = parts.clock.now()
    late = Round(
        question.areas, now - timedelta(days=told.button_test_every_days),
        now - timedelta(days=told.visit_every_days), None, "", ROWS,
    )  # fmt: skip
    area = await parts.register.card("area", question.seat)
    return Figures(
        question=question,
        area_name=area["name"] if area else question.seat,
        total=total,
        days=by[By.DAY],
        areas=by[By.AREA],
        dispatchers=by[By.DISPATCHER],
        false_alarms=[_judged(row) for row in false],
        pressers=pressers,
        rounds=[rounded(row) for row in await told.visits.summary(late)],
        made_at=now,
        made_by=account.name,
    )


def _judged(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"false_alarm_percent": percent(row["false_alarms"], row["judged"])}


def _look(parts: Parts, account: Account, question: Question, what: str) -> Any:
    detail = {"noun": "service_figures", "what": what, "area_id": question.seat,
              "from": question.since.isoformat(), "to": question.until.isoformat()}  # fmt: skip
    return parts.entry(account, "look", question.seat, detail)


def _about(question: Question, report: Report) -> dict[str, Any]:
    return {
        "area_id": question.seat,
        "since": question.since,
        "until": question.until,
        "concern": question.concern,
        "time_zone": report.time_zone,
        "as_of": report.as_of,
    }


def _file(
    name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]], *, bom: bool
) -> Response:
    return _attached(f"{name}.csv", "text/csv; charset=utf-8", csv_of(columns, rows, bom=bom))


def _attached(name: str, media_type: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)
