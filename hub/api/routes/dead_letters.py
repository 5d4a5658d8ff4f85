"""Notifications that were given up, and what an operator does with them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from hub.api import pages
from hub.api.gate import Inspecting, Operating, PartsOf
from hub.api.models import Moment
from hub.api.problems import Problem
from hub.api.routes.quarantine import RowId, before_of, operator_of, with_moments
from hub.quarantine import GIVEN_UP, NothingToDo

router = APIRouter(prefix="/api/v1/dead-letters", tags=["quarantine"])


class DeadLetterView(BaseModel):
    """A notification that no channel took, over which the hub itself stumbled, of which nobody
    knows whether it arrived, or (only where asked for) whose recipient had no way to be told."""

    model_config = ConfigDict(title="DeadLetter")

    id: int
    area_id: str
    incident_id: str | None
    incident_state: str | None
    channel: str
    """The last one that was tried."""
    recipient: str
    kind: str
    state: Literal["failed", "poisoned", "unconfirmed", "nobody"]
    reason: str
    """Why, as a name of the table in docs/callbacks.md."""
    attempts: int
    created_at: Moment
    settled_at: Moment | None
    detail: str
    """What the provider said, or why there was no answer."""


class DeadLetterPage(BaseModel):
    """Dead letters, newest first."""

    items: list[DeadLetterView]
    next_cursor: str | None


@router.get("")
async def list_dead_letters(
    account: Inspecting,
    parts: PartsOf,
    state: Literal["failed", "poisoned", "unconfirmed", "nobody"] | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> DeadLetterPage:
    """Dead letters of your area and below, newest first; `state=nobody` shows those whose
    recipient had no way to be told."""
    operator = operator_of(parts, account)
    store = parts.dependencies.quarantine
    states = GIVEN_UP if state is None else (state,)
    rows = await store.dead_letters(operator.areas, before_of(cursor), limit + 1, states)
    more = len(rows) > limit
    rows = rows[:limit]
    return DeadLetterPage(
        items=[DeadLetterView.model_validate(with_moments(row)) for row in rows],
        next_cursor=pages.encode(str(rows[-1]["id"])) if more else None,
    )


@router.post("/{letter_id}/retry", status_code=202)
async def retry_dead_letter(letter_id: RowId, account: Operating, parts: PartsOf) -> None:
    """Send it again, from the first attempt: whom it is for, and how they are reached, is looked up
    anew. Refused for what is not true any more: a ring, or word that somebody comes, of an incident
    that is over."""
    store, now = parts.dependencies.quarantine, parts.clock.now()
    try:
        found = await store.send_again(letter_id, operator_of(parts, account), now)
    except NothingToDo as error:
        raise Problem(409, "It is not sent again", str(error)) from error
    if not found:
        raise _none()


@router.post("/{letter_id}/discard", status_code=204)
async def discard_dead_letter(letter_id: RowId, account: Operating, parts: PartsOf) -> None:
    """It is not to be sent."""
    store, now = parts.dependencies.quarantine, parts.clock.now()
    try:
        found = await store.give_up(letter_id, operator_of(parts, account), now)
    except NothingToDo as error:
        raise Problem(409, "There is nothing to discard", str(error)) from error
    if not found:
        raise _none()


def _none() -> Problem:
    return Problem(404, "There is no such notification")
