"""What detectors said, whether or not it woke anybody, with the reason for either."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from alerts.grouping import Reason
from hub.api import pages
from hub.api.access import within
from hub.api.gate import PartsOf, Recalling
from hub.api.models import Id, Moment, SubjectView

router = APIRouter(prefix="/api/v1/findings", tags=["findings"])


class FindingView(BaseModel):
    """A detector's claim with its evidence."""

    model_config = ConfigDict(title="Finding")

    id: str
    detector: str
    kind: str
    phase: str
    """candidate, confirmed or withdrawn."""
    category: str
    priority: str
    area_id: str
    subject: SubjectView
    device_id: str
    person_id: str | None
    premises_id: str | None
    at: Moment
    evidence: dict[str, Any]
    texts: dict[str, str]
    """The evidence in words, by language; empty where only the detector's own words are known."""
    text: str
    """The detector's own words."""
    incident_id: str | None
    """The incident it opened, joined or was noted on."""
    reason: str
    """Why it woke somebody, or nobody."""


class FindingPage(BaseModel):
    """Findings, newest first."""

    items: list[FindingView]
    next_cursor: str | None


@router.get("")
async def list_findings(
    account: Recalling,
    parts: PartsOf,
    reason: Annotated[Reason | None, Query()] = None,
    person_id: Annotated[Id | None, Query()] = None,
    premises_id: Annotated[Id | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> FindingPage:
    """Findings of your area and below. `reason=worth_a_look` is the list of what is not urgent
    but should be looked at by day. Looks at one person's findings are logged."""
    look = None
    if person_id is not None:
        detail = {"noun": "findings", "person_id": person_id}
        look = parts.entry(account, "look", account.area_id, detail)
    found = await parts.dependencies.findings.page(
        within(account, parts.switchboard.tree),
        pages.incident_place(cursor),
        limit + 1,
        person_id=person_id,
        premises_id=premises_id,
        reason=reason.value if reason else None,
        look=look,
    )
    more, found = len(found) > limit, found[:limit]
    after = pages.encode(f"{found[-1]['at']} {found[-1]['id']}") if more else None
    items = [FindingView.model_validate(view) for view in found]
    return FindingPage(items=items, next_cursor=after)
