"""The wall board: how the service does just now, in one answer that names nobody who is served."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter

from alerts.people import Account
from hub.api.access import Deed, may
from hub.api.gate import Browsing, Parts, PartsOf
from hub.api.routes.assurance import press_state
from hub.api.routes.rota import show_duty
from hub.api.wall_models import HomesView, SquareView, WallView
from hub.service_report import By, Question
from hub.view import iso

router = APIRouter(prefix="/api/v1/wall", tags=["wall"])

HOMES_SHOWN = 200
"""Far more than a board has lines for."""
_NOTHING = {"rang": 0, "answered_60": 0, "answered_60_percent": None}


@router.get("")
async def read_wall(account: Browsing, parts: PartsOf) -> WallView:
    """Answered within 60 s today, who is on duty and at a desk, and how the hub's own press does,
    for your area and below. A board that is left open is one look, logged once an hour."""
    now = parts.clock.now()
    today = now.astimezone(ZoneInfo(parts.dependencies.assurance.time_zone)).date()
    areas = parts.switchboard.tree.below(account.area_id)
    question = Question(account.area_id, areas, today, today)
    report = await parts.record.figures.service(question, By.TOTAL, None)
    counted = report.rows[0] if report.rows else _NOTHING
    duty = await show_duty(account, parts)
    word = parts.switchboard.assurance_word
    return WallView.model_validate(
        {
            "at": iso(now),
            "counted_at": iso(report.as_of),
            "rang": counted["rang"],
            "answered_60": counted["answered_60"],
            "answered_60_percent": counted["answered_60_percent"],
            "on_duty": duty.on_duty,
            "at_desk": duty.at_desk,
            "synthetic_press": press_state(word),
            "last_press_age_s": word.get("press_age_s"),
            "last_press_took_s": word.get("press_took_s"),
            "video_links": await _video_links(account, parts),
            "conditions_ringing": sum(one["raised"] for one in word.get("conditions", {}).values()),
        }
    )


@router.get("/homes")
async def read_homes(account: Browsing, parts: PartsOf) -> HomesView:
    """Where the homes of your area and below are, for a map of all of them. Counted with the look
    at the board."""
    rows = await parts.register.where_homes_are(parts.switchboard.tree.below(account.area_id))
    return HomesView(squares=[SquareView.model_validate(row) for row in rows])


async def _video_links(account: Account, parts: Parts) -> dict[str, str]:
    """A camera in a home is nobody's business while nothing is wrong there."""
    if not may(account.role, Deed.LOOK):
        return {}
    open_ones = parts.switchboard.feed.open_among(parts.switchboard.sight(account))
    homes = {view["premises"]["id"] for view in open_ones if view.get("premises")}
    return await parts.register.video_links(sorted(homes)[:HOMES_SHOWN]) if homes else {}
