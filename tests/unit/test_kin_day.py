"""Somebody's day and nights as a family is told them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hub.api.kin_day import day_of

ZONE = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 4, 12, 30, tzinfo=ZONE)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZONE)


def every(start: datetime, end: datetime, minutes: int = 10) -> list[datetime]:
    step = timedelta(minutes=minutes)
    return [start + n * step for n in range(int((end - start) / step) + 1)]


def test_a_usual_day_after_a_night_with_one_visit_to_the_bathroom() -> None:
    signs = [
        *every(at(3, 7), at(3, 22, 10)), at(4, 2, 5), at(4, 2, 12), *every(at(4, 6, 50), at(4, 12)),
    ]  # fmt: skip
    day = day_of(signs, NOON, ZONE)
    assert day.last_active_at == at(4, 12)
    assert day.up_since == at(4, 6, 50)
    assert day.active_hours == (2, 6, 7, 8, 9, 10, 11, 12)
    last = day.nights[0]
    assert (last.evening, last.quiet_from, last.quiet_until, last.times_up) == (
        date(2026, 3, 3), at(3, 22, 10), at(4, 6, 50), 1,
    )  # fmt: skip
    assert day.nights[1].quiet_from is None, "nothing is known of the night before"


def test_by_night_it_lasts_and_nobody_is_called_up_yet() -> None:
    day = day_of(every(at(3, 7), at(3, 22)), at(4, 3, 30), ZONE)
    assert day.up_since is None
    assert day.nights[0].quiet_from == at(3, 22)
    assert day.nights[0].quiet_until is None


def test_an_evening_is_this_night_and_a_nap_is_none() -> None:
    signs = [*every(at(4, 7), at(4, 13)), *every(at(4, 15), at(4, 20, 40))]
    day = day_of(signs, at(4, 21), ZONE)
    assert [night.evening.day for night in day.nights] == [4, 3, 2]
    assert all(night.quiet_from is None for night in day.nights)


def test_a_clock_that_is_ahead_makes_nobody_active_in_the_future() -> None:
    assert day_of([at(5, 9)], NOON, ZONE).last_active_at is None
