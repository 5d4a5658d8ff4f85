"""Policies: the ladders of areas and people, and whom they would call."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from alerts.alarm import Category, Priority
from alerts.people import Account
from hub.api import pages
from hub.api.gate import Browsing, Parts, PartsOf, Registering
from hub.api.models import CategoryName, PriorityName, ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.responsibility_models import (
    LadderView,
    PolicyBody,
    PolicyCheck,
    PolicyPage,
    PolicyTrial,
    PolicyView,
    ShippedPolicies,
)
from hub.api.routes.register import (
    FOUND,
    Cursor,
    IdQuery,
    Limit,
    NounId,
    area_of_person,
    areas_within,
    check_named,
    own_area,
)
from hub.desk import NotThere
from hub.policies import BadPolicy, Case, Draft, Preview, draft_of, shipped_rows
from hub.quarantine import Operator
from hub.view import View, iso

router = APIRouter(prefix="/api/v1", tags=["policies"])

_SAVED: Responses = {
    404: {"model": ProblemObject, "description": "Area or person do not exist."},
    422: {"model": ProblemObject, "description": "It names nobody who exists; the title says."},
}


@router.get("/policies")
async def list_policies(
    account: Browsing,
    parts: PartsOf,
    *,
    area_id: IdQuery = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> PolicyPage:
    """The policies of your area and below."""
    areas = areas_within(parts, account, area_id)
    rows = await parts.policies.page(areas, pages.decode(cursor) if cursor else "", limit + 1)
    more = pages.encode(rows[limit - 1]["id"]) if len(rows) > limit else None
    items = [_shown(row) for row in rows[:limit]]
    return PolicyPage.model_validate({"items": items, "next_cursor": more})


@router.get("/policies/shipped")
async def list_shipped(account: Browsing) -> ShippedPolicies:
    """The ladders that hold where no policy is for an incident."""
    del account
    return ShippedPolicies.model_validate({"items": shipped_rows()})


@router.get("/policies/preview", responses=FOUND)
async def preview(
    account: Browsing,
    parts: PartsOf,
    person_id: Annotated[str, Query(min_length=1, max_length=64)],
    at: datetime | None = None,
    kind: Annotated[str, Query(pattern=r"^[a-z_]{1,64}$")] = "press",
    category: CategoryName = "personal",
    priority: PriorityName = "high",
) -> LadderView:
    """Whom an incident of this person would call at that time (now unless said otherwise)."""
    await area_of_person(parts, account, person_id)
    now = parts.clock.now()
    if at is not None and at.tzinfo is None:
        raise Problem(422, "at: a time with its offset is wanted")
    case = Case(person_id, at or now, kind, Category(category), Priority(priority))
    return _ladder_view(await parts.policies.preview(case, now), case.at)


@router.get("/policies/{policy_id}", responses=FOUND)
async def read_policy(policy_id: NounId, account: Browsing, parts: PartsOf) -> PolicyView:
    """One policy."""
    row = await parts.policies.read(policy_id)
    if row is None or not parts.switchboard.tree.sees(account.area_id, row["area_id"]):
        raise Problem(404, "There is no such policy")
    return PolicyView.model_validate(_shown(row))


@router.post("/policies/{policy_id}/check", responses=_SAVED)
async def check_policy(
    policy_id: NounId, body: PolicyBody, account: Registering, parts: PartsOf
) -> PolicyCheck:
    """Whether it could be saved, and what its author should know; nothing is saved."""
    draft = await _draft(policy_id, body, account, parts)
    try:
        found = await parts.policies.check(draft, parts.clock.now())
    except NotThere as error:
        raise Problem(404, "Something it refers to does not exist", str(error)) from None
    return PolicyCheck.model_validate(
        {"ok": not any(c.fatal for c in found), "complaints": [asdict(c) for c in found]}
    )


@router.post("/policies/{policy_id}/preview", responses=_SAVED)
async def try_policy(
    policy_id: NounId, body: PolicyTrial, account: Registering, parts: PartsOf
) -> LadderView:
    """Whom this ladder would call for an incident of that person then; nothing is saved."""
    draft = await _draft(policy_id, body.policy, account, parts)
    await area_of_person(parts, account, body.person_id)
    now = parts.clock.now()
    case = Case(
        body.person_id, body.at or now, body.kind, Category(body.category), Priority(body.priority)
    )
    return _ladder_view(await parts.policies.preview(case, now, draft), case.at)


@router.put("/policies/{policy_id}", responses=_SAVED)
async def put_policy(
    policy_id: NounId, body: PolicyBody, account: Registering, parts: PartsOf
) -> PolicyView:
    """Save it. Incidents that are open keep the ladder they have."""
    draft = await _draft(policy_id, body, account, parts)
    try:
        row = await parts.policies.put(draft, _operator(account, parts), parts.clock.now())
    except BadPolicy as error:
        raise Problem(422, error.text) from None
    except NotThere as error:
        raise Problem(404, "Something it refers to does not exist", str(error)) from None
    return PolicyView.model_validate(_shown(row))


@router.delete("/policies/{policy_id}", status_code=204, responses=FOUND)
async def drop_policy(policy_id: NounId, account: Registering, parts: PartsOf) -> Response:
    """Take it away: the next one holds for what opens from now on."""
    if not await parts.policies.drop(policy_id, _operator(account, parts), parts.clock.now()):
        raise Problem(404, "There is no such policy")
    return Response(status_code=204)


@router.get("/incidents/{incident_id}/ladder", responses=FOUND)
async def read_ladder(
    incident_id: Annotated[str, Path(min_length=1, max_length=64)],
    account: Browsing,
    parts: PartsOf,
) -> LadderView:
    """The ladder an incident keeps, and whom each rung would call now."""
    view = await parts.deeds.find(incident_id, account)
    now = parts.clock.now()
    found = await parts.policies.ladder(view["id"], now)
    if found is None:
        raise Problem(409, "The incident is not recorded yet")
    return _ladder_view(found, now)


async def _draft(policy_id: str, body: PolicyBody, account: Account, parts: Parts) -> Draft:
    own_area(parts, account, body.area_id)
    try:
        draft = draft_of({"id": policy_id, **body.model_dump()})
    except BadPolicy as error:
        raise Problem(422, error.text) from None
    for who in {target.who for step in draft.policy.steps for target in step.targets}:
        noun, _, noun_id = who.partition(":")
        if noun in ("account", "responder"):
            await check_named(parts, account, noun, noun_id)
    return draft


def _operator(account: Account, parts: Parts) -> Operator:
    areas = parts.switchboard.tree.below(account.area_id)
    return Operator("account", account.id, account.name, None if areas is None else tuple(areas))


def _shown(row: View) -> View:
    return {**row, "changed_at": iso(row["changed_at"])}


def _ladder_view(preview: Preview, at: datetime) -> LadderView:
    policy, after_s = preview.policy, 0
    rungs: list[dict[str, Any]] = []
    for number, (step, rung) in enumerate(zip(policy.steps, preview.rungs, strict=True), 1):
        passed = not rung.reaches and number < len(policy.steps)
        rungs.append(
            {
                "step": number,
                "after_s": after_s,
                "wait_s": step.wait_s,
                "passed": passed,
                "told": [
                    {
                        "recipient": each.recipient,
                        "name": each.actor.name if each.actor else None,
                        "channels": [channel.value for channel in each.channels],
                        "prompt": each.prompt,
                    }
                    for each in rung.told
                ],
                "nobody": [
                    {"who": n.who, "name": preview.names.get(n.who), "reason": n.reason.value}
                    for n in rung.nobody
                ],
            }
        )
        after_s += 0 if passed else step.wait_s
    return LadderView.model_validate(
        {
            "name": policy.name,
            "policy_id": preview.policy_id,
            "at": iso(at),
            "step": preview.step,
            "rungs": rungs,
            "acknowledged_lease_s": policy.acknowledged_lease_s,
            "attended_lease_s": policy.attended_lease_s,
            "responder_stops_ladder": policy.responder_stops_ladder,
        }
    )
