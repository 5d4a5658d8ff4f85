"""Messages that could not be read, and what an operator does with them."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from alerts.people import Account
from hub import retry
from hub.api import pages
from hub.api.gate import Inspecting, Operating, Parts, PartsOf
from hub.api.models import Moment
from hub.api.problems import Problem
from hub.quarantine import (
    Kept,
    NothingToDo,
    NotSent,
    Operator,
    Question,
    Row,
    explained,
    reason_of,
)
from hub.view import iso

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])

_BEYOND = 2**63 - 1

State = Literal["waiting", "retried", "discarded"]
RowId = Annotated[int, Path(ge=1, le=_BEYOND)]


class QuarantinedView(BaseModel):
    """A message that could not be read."""

    model_config = ConfigDict(title="Quarantined")

    id: int
    received_at: Moment
    area_id: str
    lane: str
    topic: str
    device_id: str | None
    reason: str
    """As the hub wrote it down."""
    reason_code: str
    explanation: str
    """The reason for a human, in your language."""
    what_to_do: str
    state: State
    retries: int
    settled_at: Moment | None
    repeats: int
    """How often the same bytes came again."""
    size_bytes: int
    payload: str
    """At most 2,048 bytes, read as UTF-8; what is none shows as U+FFFD."""


class QuarantinePage(BaseModel):
    """Quarantined messages, newest first."""

    items: list[QuarantinedView]
    next_cursor: str | None


def operator_of(parts: Parts, account: Account) -> Operator:
    """An account with the areas it sees."""
    areas = parts.switchboard.tree.below(account.area_id)
    return Operator("account", account.id, account.name, None if areas is None else tuple(areas))


def with_moments(row: Row) -> Row:
    """A row with its times as the API writes them."""
    return {k: iso(v) if isinstance(v, datetime) else v for k, v in row.items()}


def before_of(cursor: str | None) -> int:
    """The row a page ends before. Raises Problem if the cursor is not one of ours."""
    if not cursor:
        return _BEYOND
    text = pages.decode(cursor)
    if not text.isascii() or not text.isdigit() or int(text) > _BEYOND:
        raise pages.not_ours()
    return int(text)


@router.get("")
async def list_quarantined(
    account: Inspecting,
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
    state: State = "waiting",
    lane: Literal["alarm", "telemetry"] | None = None,
    device_id: Annotated[str | None, Query(max_length=64)] = None,
) -> QuarantinePage:
    """Quarantined messages of your area and below, newest first."""
    operator = operator_of(parts, account)
    before = before_of(cursor)
    question = Question(operator.areas, before, limit + 1, state, lane, device_id)
    rows = await parts.dependencies.quarantine.page(question)
    more = len(rows) > limit
    rows = rows[:limit]
    return QuarantinePage(
        items=[_view(row, account.language) for row in rows],
        next_cursor=pages.encode(str(rows[-1]["id"])) if more else None,
    )


@router.get("/{quarantine_id}")
async def show_quarantined(
    quarantine_id: RowId, account: Inspecting, parts: PartsOf
) -> QuarantinedView:
    """One message; the look is logged."""
    store, now = parts.dependencies.quarantine, parts.clock.now()
    row = await store.one(quarantine_id, operator_of(parts, account), now)
    if row is None:
        raise _none()
    return _view(row, account.language)


@router.post("/{quarantine_id}/retry", status_code=202)
async def retry_quarantined(quarantine_id: RowId, account: Operating, parts: PartsOf) -> None:
    """Hand the message to its lane again. What it could not read this time either waits again.

    It keeps the time it first came; an alarm rings, flagged late. A second retry changes nothing.
    """

    async def send(kept: Kept) -> None:
        await retry.send(parts.dependencies.bus, kept)

    store, now = parts.dependencies.quarantine, parts.clock.now()
    try:
        found = await store.retry(quarantine_id, operator_of(parts, account), now, send)
    except NotSent as error:
        raise Problem(503, "The broker did not take it", str(error)) from error
    if not found:
        raise _none()


@router.post("/{quarantine_id}/discard", status_code=204)
async def discard_quarantined(quarantine_id: RowId, account: Operating, parts: PartsOf) -> None:
    """Nothing is to be done with it. The row stays until newer ones push it out."""
    store, now = parts.dependencies.quarantine, parts.clock.now()
    try:
        found = await store.discard(quarantine_id, operator_of(parts, account), now)
    except NothingToDo as error:
        raise Problem(409, "There is nothing to discard", str(error)) from error
    if not found:
        raise _none()


def _view(row: Row, language: str) -> QuarantinedView:
    words = explained(row["reason"], language)
    return QuarantinedView.model_validate(
        with_moments(row)
        | {
            "reason_code": reason_of(row["reason"]).value,
            "explanation": words.what,
            "what_to_do": words.to_do,
        }
    )


def _none() -> Problem:
    return Problem(404, "There is no such message")
