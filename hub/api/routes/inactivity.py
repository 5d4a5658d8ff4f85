"""What the hub has learned of a home: the inactivity line and the day so far, the bed's habits."""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta

from fastapi import APIRouter, Response

from hub.api.gate import Caring, PartsOf, Recalling
from hub.api.models_care import BedHabit, BedHabits, LineView, SilenceOfDay
from hub.api.routes.register import FOUND, NounId, area_of_home, area_of_person, unknown
from hub.detect.bed_hours import LEARNED_AFTER, limit_of_part
from hub.detect.inactivity import LEARNING_DAYS, learning_limit_min
from hub.detect.inactivity_line import SLOT_MIN, Line, allowed_min, line_from
from hub.view import View, iso

router = APIRouter(prefix="/api/v1", tags=["inactivity"])

SHORTEST_MIN = 10
"""Shorter silences are how people move: nobody wants to see them drawn."""


@router.get("/premises/{premises_id}/inactivity", responses=FOUND)
async def read_line(premises_id: NounId, account: Recalling, parts: PartsOf) -> LineView:
    """The alert line of a home and today's silences, ready to be drawn. The look is logged."""
    area_id = await area_of_home(parts, account, premises_id)
    row = await parts.learned.line(premises_id)
    if row is None:
        raise unknown("premises", premises_id)
    now, zone = parts.clock.now(), row["zone"]
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone)
    look = parts.entry(account, "look", area_id, {"noun": "inactivity", "premises": premises_id})
    # A silence that runs over midnight began the day before.
    signs = await parts.learned.signs_of_life(
        premises_id, midnight - timedelta(days=1), now + timedelta(minutes=5), look
    )
    line, percent = line_from(row["minutes"] or ()), row["limit_percent"] or 100
    silences = [
        SilenceOfDay(
            began_at=iso(start) or "",
            ended_at=None if end is None else iso(end),
            near_bed=near_bed,
            limit_min=_limit_min(line, start.astimezone(zone), near_bed, percent),
        )
        for start, end, near_bed in _silences(signs, now)
        if (end or now) > midnight
    ]
    return LineView(
        premises_id=premises_id,
        learning=line is None,
        days=row["days"] or 0,
        days_needed=LEARNING_DAYS,
        learned_on=row["learned_on"],
        time_zone=row["time_zone"] or str(zone),
        slot_min=SLOT_MIN,
        day_rooms_min=list(line.day_rooms_min) if line else [],
        bed_rooms_min=list(line.bed_rooms_min) if line else [],
        limit_percent=percent,
        last_sign_at=iso(signs[-1]["at"]) if signs else None,
        silences=silences,
    )


@router.delete(
    "/premises/{premises_id}/inactivity",
    status_code=204,
    response_class=Response,
    responses=FOUND,
)
async def forget_line(premises_id: NounId, account: Caring, parts: PartsOf) -> None:
    """Forget what was learned of a home: new people live there, or they want it so. The hub learns
    anew from the observations it still keeps."""
    area_id = await area_of_home(parts, account, premises_id)
    entry = parts.entry(account, "forget_line", area_id, {"premises": premises_id})
    await parts.learned.forget(premises_id, entry)


@router.get("/people/{person_id}/bed", responses=FOUND)
async def read_bed_habits(person_id: NounId, account: Recalling, parts: PartsOf) -> BedHabits:
    """How long this person may be out of bed by the time of night, as learned so far."""
    area_id = await area_of_person(parts, account, person_id)
    look = {"noun": "bed_habits", "person_id": person_id}
    rows = await parts.learned.bed_habits(person_id)
    await parts.store.log([parts.entry(account, "look", area_id, look)])
    return BedHabits(items=[_habit(row) for row in rows])


def _habit(row: View) -> BedHabit:
    habit = row["habit"]
    evening, night, morning = (limit_of_part(habit, part) for part in range(3))
    return BedHabit(
        device_id=row["device_id"],
        evening_limit_min=evening,
        night_limit_min=night,
        morning_limit_min=morning,
        learned=min(habit.counts) >= LEARNED_AFTER,
        usual_rising=f"{habit.rise_min // 60:02}:{habit.rise_min % 60:02}",
    )


def _silences(
    signs: Sequence[View], now: datetime
) -> Iterator[tuple[datetime, datetime | None, bool]]:
    """From one sign of life to the next: begin, end (None: it lasts), near the bed."""
    shortest = timedelta(minutes=SHORTEST_MIN)
    # The last one has none after it; a home that never gave a sign has neither.
    for sign, after in zip(signs, [*signs[1:], None], strict=False):
        end = after["at"] if after is not None else None
        if (end or now) - sign["at"] >= shortest:
            yield sign["at"], end, sign["near_bed"]


def _limit_min(line: Line | None, local: datetime, near_bed: bool, percent: int) -> int:
    if line is None:
        return learning_limit_min(local) * percent // 100
    return allowed_min(line, local.hour * 60 + local.minute, near_bed) * percent // 100
