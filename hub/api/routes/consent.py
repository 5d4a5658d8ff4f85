"""Who may be told what of a person."""

from typing import Annotated

from fastapi import APIRouter, Depends

from alerts.consent import ALWAYS, DEFAULTS, Audience, DataType
from hub.api.channel_models import ConsentBody, ConsentItem, ConsentView
from hub.api.gate import Browsing, Caring, PartsOf
from hub.api.ports_channels import ChannelPorts
from hub.api.problems import Problem
from hub.api.routes.register import FOUND, NounId, area_of_person, unknown
from hub.desk import NotThere
from hub.view import iso

router = APIRouter(prefix="/api/v1/people/{person_id}/consent", tags=["consent"])


def channels_of(parts: PartsOf) -> ChannelPorts:
    """Raises Problem 404 where nothing of this is wired."""
    if parts.dependencies.channels is None:
        raise Problem(404, "There is no such page")
    return parts.dependencies.channels


ChannelsOf = Annotated[ChannelPorts, Depends(channels_of)]


@router.get("", responses=FOUND)
async def read_consent(
    person_id: NounId, account: Browsing, parts: PartsOf, channels: ChannelsOf
) -> ConsentView:
    """Every audience and kind of data: what was decided, else the default. The look is logged."""
    area_id = await area_of_person(parts, account, person_id)
    look = parts.entry(account, "look", area_id, {"noun": "consent", "person_id": person_id})
    return view_of(person_id, await channels.consent.decided(person_id, look))


@router.patch("", responses=FOUND)
async def change_consent(
    person_id: NounId, body: ConsentBody, account: Caring, parts: PartsOf, channels: ChannelsOf
) -> ConsentView:
    """Write down what the person decided. It holds from the next message on."""
    fixed = [f"{c.audience} {c.data}" for c in body.changes if (c.audience, c.data) in ALWAYS]
    if fixed:
        raise Problem(409, "That is the service itself", f"End the service instead: {fixed[0]}.")
    area_id = await area_of_person(parts, account, person_id)
    said = [change.model_dump(mode="json") for change in body.changes]
    detail = {"person_id": person_id, "changes": said, "ground": body.ground}
    entry = parts.entry(account, "set_consent", area_id, detail)
    changes = [(change.audience, change.data, change.allowed) for change in body.changes]
    try:
        await channels.consent.decide(person_id, changes, body.ground, entry)
    except NotThere:
        raise unknown("person", person_id) from None
    return view_of(person_id, await channels.consent.decided(person_id, None))


def view_of(person_id: str, rows: list[dict[str, object]] | None) -> ConsentView:
    """The whole table: what was decided, else the default. Raises Problem 404 for None."""
    if rows is None:
        raise unknown("person", person_id)
    decided = {(row["audience"], row["data_type"]): row for row in rows}
    items = []
    for audience in Audience:
        for data in DataType:
            row = decided.get((audience.value, data.value))
            fixed = (audience, data) in ALWAYS
            known = {
                "decided_at": iso(row["decided_at"]),  # type: ignore[arg-type]
                "by_name": row["by_name"],
                "ground": row["ground"],
            } if row else {}  # fmt: skip
            said = DEFAULTS[audience, data] if row is None else row["allowed"]
            items.append(
                ConsentItem.model_validate(
                    {"audience": audience, "data": data, "allowed": fixed or said,
                     "decided": row is not None, "fixed": fixed, **known}
                )
            )  # fmt: skip
    return ConsentView(person_id=person_id, items=items)
