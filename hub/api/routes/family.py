"""What a family sees of its people: how they are as far as they share it, and what they share."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from fastapi import APIRouter

from alerts.consent import Audience, DataType
from alerts.people import Account
from hub.api.channel_models import ConsentView
from hub.api.family_models import FamilyConsentBody, GlanceView, NightView, TodayView
from hub.api.gate import Kin, Parts, PartsOf
from hub.api.kin import shared_always, told
from hub.api.kin_day import LOOK_BACK, Day, day_of
from hub.api.models import ProblemObject, Responses
from hub.api.problems import Problem
from hub.api.register_models import Relative, Relatives
from hub.api.routes.consent import ChannelsOf, view_of
from hub.api.routes.register import FOUND, NounId, shown, unknown
from hub.register import zone_named
from hub.view import iso
from schemas.ids import PersonId

router = APIRouter(prefix="/api/v1/family", tags=["family"])

LOCATION_WITHIN = timedelta(hours=24)
"""Ours: an older place says nothing about now."""
_DECIDED: Responses = {403: {"model": ProblemObject}, **FOUND}


@router.get("/people")
async def list_kin(account: Kin, parts: PartsOf) -> Relatives:
    """The people your account is linked to, and how they are."""
    rows = await parts.register.kin(account.id)
    return Relatives(items=[_relative(account, shown("person", row)) for row in rows])


@router.get("/people/{person_id}/glance", responses=FOUND)
async def read_glance(person_id: NounId, account: Kin, parts: PartsOf) -> GlanceView:
    """Today, the last nights and where they are: each only if the person shares it outside of
    incidents too. What is looked at is logged."""
    card = await _card(parts, account, person_id)
    zone = await _zone(parts, card)
    now = parts.clock.now()
    found: dict[str, Any] = {"activity": "not_shared"}
    if shared_always(account, person_id, DataType.ACTIVITY):
        found = await _activity(parts, account, card, now, zone)
    if shared_always(account, person_id, DataType.LOCATION):
        look = parts.entry(account, "look", card["area_id"],
                           {"noun": "location", "person_id": person_id})  # fmt: skip
        place = await parts.history.place(person_id, now - LOCATION_WITHIN, now, look)
        found |= {"location": "unknown" if place is None else "shared", "position": place}
    return GlanceView.model_validate(
        {"person_id": person_id, "at": iso(now), "time_zone": str(zone), **found}
    )


@router.get("/people/{person_id}/consent", responses=FOUND)
async def read_family_consent(
    person_id: NounId, account: Kin, parts: PartsOf, channels: ChannelsOf
) -> ConsentView:
    """What your person shares with their family, and who said so."""
    card = await _card(parts, account, person_id)
    look = parts.entry(account, "look", card["area_id"],
                       {"noun": "consent", "person_id": person_id})  # fmt: skip
    view = view_of(person_id, await channels.consent.decided(person_id, look))
    own = [item for item in view.items if item.audience is Audience.FAMILY]
    return view.model_copy(update={"items": own})


@router.patch("/people/{person_id}/consent", responses=_DECIDED)
async def change_family_consent(
    person_id: NounId,
    body: FamilyConsentBody,
    account: Kin,
    parts: PartsOf,
    channels: ChannelsOf,
) -> ConsentView:
    """Decide what the family may know: for whoever was given that right, which the person
    themselves may be. It holds within a second, and is logged."""
    card = await _card(parts, account, person_id)
    if PersonId(person_id) not in account.decides_for:
        raise Problem(
            403,
            "Somebody else decides that",
            "The person, or whoever they have named, says what is shared.",
        )
    said = [change.model_dump(mode="json") for change in body.changes]
    detail = {"person_id": person_id, "changes": said, "ground": "family page"}
    entry = parts.entry(account, "set_consent", card["area_id"], detail)
    changes = [(Audience.FAMILY, change.data, change.allowed) for change in body.changes]
    await channels.consent.decide(person_id, changes, "family page", entry)
    return await read_family_consent(person_id, account, parts, channels)


def _relative(account: Account, row: dict[str, Any]) -> Relative:
    """Whoever shares no incidents is not betrayed by their number either."""
    shares = DataType.INCIDENTS in told(account, row["id"])
    open_incidents = row["open_incidents"] if shares else 0
    return Relative.model_validate(
        row | {"shares_incidents": shares, "open_incidents": open_incidents}
    )


async def _card(parts: Parts, account: Account, person_id: str) -> dict[str, Any]:
    """Somebody the account is linked to, whatever they share; Problem 404 for anybody else."""
    row = await parts.register.card("person", person_id)
    if row is None or PersonId(person_id) not in account.people:
        raise unknown("person", person_id)
    return row


async def _zone(parts: Parts, card: dict[str, Any]) -> tzinfo:
    home = await parts.register.card("premises", card["premises_id"] or "")
    own = zone_named(home["time_zone"]) if home else None
    return own or zone_named(parts.dependencies.page_settings.time_zone) or UTC


async def _activity(
    parts: Parts, account: Account, card: dict[str, Any], now: datetime, zone: tzinfo
) -> dict[str, Any]:
    premises_id = card["premises_id"]
    if premises_id is None:
        return {"activity": "nothing_measured"}
    look = parts.entry(account, "look", card["area_id"],
                       {"noun": "activity", "premises": premises_id})  # fmt: skip
    signs = await parts.learned.signs_of_life(premises_id, now - LOOK_BACK, now, look)
    if not signs:
        return {"activity": "nothing_measured"}
    day = day_of([sign["at"] for sign in signs], now, zone)
    return {"activity": "shared", **_told(day, now.astimezone(zone))}


def _told(day: Day, here: datetime) -> dict[str, Any]:
    return {
        "last_active_at": iso(day.last_active_at),
        "today": TodayView(
            up_since=iso(day.up_since),
            active_hours=list(day.active_hours),
            hours_so_far=here.hour + 1,
        ),
        "nights": [
            NightView(
                evening=night.evening,
                quiet_from=iso(night.quiet_from),
                quiet_until=iso(night.quiet_until),
                times_up=night.times_up,
            )
            for night in day.nights
        ],
    }
