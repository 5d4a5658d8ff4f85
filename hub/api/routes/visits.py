"""Rounds: button tests and visits of people, who is overdue, and the proof of each."""

import asyncio
import io
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from hub.api import pages
from hub.api.gate import Caring, PartsOf, Recalling, Registering
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.record_models import (
    NewVisit,
    RoundPage,
    RoundSummary,
    VisitImport,
    VisitMistake,
    VisitPage,
    VisitView,
    WithdrawVisit,
)
from hub.api.routes.history import senseless
from hub.api.routes.register import (
    ADDED,
    FOUND,
    Cursor,
    IdQuery,
    Limit,
    NounId,
    added,
    area_of_person,
    areas_within,
    unknown,
)
from hub.csv_file import csv_of
from hub.desk import NotThere
from hub.view import View
from hub.visits import (
    CLOCK_AHEAD,
    ROUND_COLUMNS,
    Brought,
    NotAVisitFile,
    Overdue,
    Round,
    Visit,
    read_file,
    rounded,
)

router = APIRouter(prefix="/api/v1", tags=["rounds"])

FILE_BYTES = 8 * 1024 * 1024
"""Of a file of visits: its rows are bounded too."""
FILE_ROWS = 5_000
"""Of a CSV of rounds in one answer; further ones by cursor (`X-Next-Cursor`)."""
_READ: Responses = {
    413: {"model": ProblemObject},
    422: {"model": ProblemObject, "description": "The file is no table of visits."},
}


@router.post("/people/{person_id}/visits", status_code=201, responses=ADDED)
async def add_visit(
    person_id: NounId, body: NewVisit, account: Caring, parts: PartsOf
) -> VisitView:
    """Record that somebody was with the person, with what proves it."""
    area_id = await area_of_person(parts, account, person_id)
    now = parts.clock.now()
    at = body.at or now
    if at.tzinfo is None or at > now + CLOCK_AHEAD:
        raise senseless("at: with an offset from UTC, and not in the future")
    if (body.latitude is None) != (body.longitude is None):
        raise senseless("latitude and longitude, or neither")
    visit = Visit(
        body.id or f"v-{secrets.token_hex(12)}", person_id, at, body.kind, body.visitor_name,
        body.visitor_id, body.note, body.photo_sha256, body.latitude, body.longitude,
        body.accuracy_m, body.signature_reference,
    )  # fmt: skip
    detail = {"noun": "visit", "id": visit.id, "person_id": person_id, "kind": visit.kind.value}
    entry = parts.entry(account, "add", area_id, detail)
    return VisitView.model_validate(
        await added("visit", visit.id, parts.record.visits.add(visit, entry))
    )


@router.post("/visits/{visit_id}/withdraw", responses=FOUND)
async def withdraw_visit(
    visit_id: NounId, body: WithdrawVisit, account: Caring, parts: PartsOf
) -> VisitView:
    """A visit that was recorded by mistake stays, and counts no more."""
    area_id = await parts.record.visits.area_of(visit_id)
    if area_id is None or not parts.switchboard.tree.sees(account.area_id, area_id):
        raise unknown("visit", visit_id)
    detail = {"noun": "visit", "id": visit_id, "reason": body.reason}
    entry = parts.entry(account, "withdraw", area_id, detail)
    try:
        row = await parts.record.visits.withdraw(visit_id, body.reason, entry)
    except NotThere:
        raise unknown("visit", visit_id) from None
    return VisitView.model_validate(row)


@router.get("/visits", responses=FOUND)
async def list_visits(
    account: Recalling,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    person_id: IdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> VisitPage:
    """Visits of your area and below, or of one person, newest first. The look is logged."""
    areas = areas_within(parts, account, area_id)
    seat = area_id or account.area_id
    if person_id is not None:
        seat = await area_of_person(parts, account, person_id)
    before = pages.incident_place(cursor)
    look = parts.entry(account, "look", seat, {"noun": "visits", "person_id": person_id})
    rows = await parts.record.visits.page(areas, person_id, before, limit + 1, look)
    more = len(rows) > limit
    items = [VisitView.model_validate(row) for row in rows[:limit]]
    after = f"{items[-1].at.isoformat()} {items[-1].visit_id}" if more else None
    return VisitPage(items=items, next_cursor=pages.encode(after) if after else None)


@router.post(
    "/visits/import",
    responses=_READ,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
async def import_visits(
    request: Request,
    account: Registering,
    parts: PartsOf,
    *,
    commit: Annotated[bool, Query(description="False: only say what would happen.")] = False,
) -> VisitImport:
    """Bring in a CSV of visits (docs/how-to/record.md): all of it, or nothing where a row is wrong.
    A file that is brought in twice adds nothing the second time."""
    content, brought = bytearray(), Brought()
    async for chunk in request.stream():
        content += chunk
        if len(content) > FILE_BYTES:
            raise Problem(413, "The request is too large", f"At most {FILE_BYTES} bytes.")
    now = parts.clock.now()
    try:
        # Not on the loop that passes presses on.
        visits = await asyncio.to_thread(_read, bytes(content), now, brought)
    except (NotAVisitFile, UnicodeDecodeError) as error:
        raise Problem(422, "The file was not read", str(error)) from None
    areas = parts.switchboard.tree.below(account.area_id)
    entry = parts.entry(account, "import", account.area_id, {"noun": "visits", "rows": len(visits)})
    await parts.record.visits.bring_in(visits, areas, brought, entry, commit=commit)
    return VisitImport(
        committed=commit and brought.mistake_count == 0,
        rows=brought.rows,
        added=brought.added,
        known=brought.known,
        errors=[VisitMistake(row=row, what=what) for row, what in sorted(brought.mistakes)],
        error_count=brought.mistake_count,
    )


@router.get(
    "/rounds",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **FOUND},
    response_model=RoundPage,
)
async def list_rounds(
    account: Recalling,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    overdue: Annotated[Overdue | None, Query(description="Only who is behind with it.")] = None,
    output: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    bom: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RoundPage | Response:
    """Everybody served in your area and below, with the last test of their button, the last visit
    and the proof of each. Who is away or in hospital is not overdue."""
    most = FILE_ROWS if output == "csv" else limit
    asked = _asked(parts, areas_within(parts, account, area_id), overdue, cursor, most)
    detail = {"noun": "rounds", "overdue": overdue.value if overdue else None}
    look = parts.entry(account, "look", area_id or account.area_id, detail)
    rows = await parts.record.visits.rounds(asked, look)
    more = len(rows) > most
    rows = rows[:most]
    after = pages.encode(rows[-1]["person_id"]) if more else None
    if output == "csv":
        headers = {"Content-Disposition": 'attachment; filename="rounds.csv"',
                   "Cache-Control": "no-store"}  # fmt: skip
        if after:
            headers["X-Next-Cursor"] = after
        content = csv_of(ROUND_COLUMNS, rows, bom=bom)
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)
    return RoundPage.model_validate(_terms(parts) | {"items": rows, "next_cursor": after})


@router.get("/rounds/summary", responses=FOUND)
async def read_rounds_summary(
    account: Recalling,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RoundSummary:
    """How many people of each area are up to date; each area counts what lies below it too."""
    asked = _asked(parts, areas_within(parts, account, area_id), None, cursor, limit)
    rows = await parts.record.visits.summary(asked)
    items = [rounded(row) for row in rows[:limit]]
    after = pages.encode(items[-1]["area_id"]) if len(rows) > limit else None
    return RoundSummary.model_validate(_terms(parts) | {"items": items, "next_cursor": after})


def _read(content: bytes, now: datetime, brought: Brought) -> list[tuple[int, Visit]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(read_file(text, now, brought))


def _asked(
    parts: PartsOf, areas: list[str] | None, overdue: Overdue | None, cursor: str | None, most: int
) -> Round:
    now = parts.clock.now()
    return Round(
        areas,
        now - timedelta(days=parts.record.button_test_every_days),
        now - timedelta(days=parts.record.visit_every_days),
        overdue,
        pages.decode(cursor) if cursor else "",
        most + 1,
    )


def _terms(parts: PartsOf) -> View:
    return {
        "button_test_every_days": parts.record.button_test_every_days,
        "visit_every_days": parts.record.visit_every_days,
    }
