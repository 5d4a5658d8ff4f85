"""Who is on duty: weeks in local time, changes, holes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from alerts.rota import Change, Duty, DutyRole, Rota, Weekly, gaps, on_duty, spans
from hub.rota import BadRota, PlannedChange, hours, weekdays

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
DISPATCHER = DutyRole.DISPATCHER
FIRST = date(2026, 1, 1)


def weekly(
    account: str, day: int, begin: int, end: int, zone: ZoneInfo = SHANGHAI, area: str = "city"
) -> Weekly:
    return Weekly(area, DISPATCHER, account, day, begin * 60, end * 60 % 1440, zone, FIRST)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def daily(account: str, begin: int, end: int, zone: ZoneInfo = SHANGHAI) -> list[Weekly]:
    return [weekly(account, day, begin, end, zone) for day in range(7)]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    rota = Rota([weekly("mei", 0, 22, 6)])  # Monday night
    assert on_duty(rota, at("2026-03-02T23:00")) == [Duty("mei", DISPATCHER, "city")]
    assert on_duty(rota, at("2026-03-03T05:59")) == [Duty("mei", DISPATCHER, "city")]
    assert on_duty(rota, at("2026-03-03T06:00")) == []
    assert on_duty(rota, at("2026-03-02T05:00")) == [], "Sunday's night is nobody's"


@pytest.mark.parametrize(
    ("night", "worked_h"),
    [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-06", 8)],
    ids=["clocks go forward", "clocks go back", "an ordinary night"],
)
def test_the_clocks_change_and_nobody_is_missing(night: str, worked_h: int) -> None:
    rota = Rota([*daily("night", 22, 6, BERLIN), *daily("day", 6, 22, BERLIN)])
    since = at(f"{night}T12:00", BERLIN)
    until = since + timedelta(days=2)
    worked = next(s for s in spans(rota, since, until) if s.account_id == "night")
    assert worked.until_at - worked.from_at == timedelta(hours=worked_h)
    assert gaps(rota, "city", [], DISPATCHER, since, until) == []
    edges = [s.until_at for s in spans(rota, since, until)][:-1]
    assert all(len(on_duty(rota, edge)) == 1 for edge in edges), "nobody twice either"


def test_a_shift_that_begins_in_the_hour_that_does_not_exist() -> None:
    """02:30 on the day the clocks go forward: both sides mean the same instant."""
    before = Weekly("city", DISPATCHER, "one", 6, 0, 150, BERLIN, FIRST)
    after = Weekly("city", DISPATCHER, "two", 6, 150, 600, BERLIN, FIRST)
    since, until = at("2026-03-29T00:00", BERLIN), at("2026-03-29T10:00", BERLIN)
    assert gaps(Rota([before, after]), "city", [], DISPATCHER, since, until) == []
    one, two = spans(Rota([before, after]), since, until)
    assert one.until_at == two.from_at


def test_a_swap_takes_the_shift_and_nothing_else() -> None:
    rota = Rota(
        [weekly("mei", 0, 8, 16)],
        [Change("city", DISPATCHER, "lin", "mei", at("2026-03-02T00:00"), at("2026-03-02T12:00"))],
    )
    assert [d.account_id for d in on_duty(rota, at("2026-03-02T09:00"))] == ["lin"]
    assert [d.account_id for d in on_duty(rota, at("2026-03-02T13:00"))] == ["mei"]
    assert on_duty(rota, at("2026-03-02T07:00")) == [], "a swap adds no hour"
    assert [d.account_id for d in on_duty(rota, at("2026-03-09T09:00"))] == ["mei"]


def test_a_swapped_shift_can_be_swapped_on() -> None:
    day = at("2026-03-02T00:00"), at("2026-03-03T00:00")
    rota = Rota(
        [weekly("mei", 0, 8, 16)],
        [Change("city", DISPATCHER, "lin", "mei", *day),
         Change("city", DISPATCHER, "wu", "lin", *day)],
    )  # fmt: skip
    assert [d.account_id for d in on_duty(rota, at("2026-03-02T09:00"))] == ["wu"]


def test_somebody_is_away_and_the_hole_is_known_before_it_comes() -> None:
    ill = Change("city", DISPATCHER, None, "mei", at("2026-03-08T10:00"), at("2026-03-08T12:00"))
    rota = Rota(daily("mei", 0, 24), [ill])
    now = at("2026-03-02T08:00")
    (hole,) = gaps(rota, "city", [], DISPATCHER, now, now + timedelta(days=7))
    assert (hole.from_at, hole.until_at) == (ill.from_at, ill.until_at)
    filled = Change("city", DISPATCHER, "wu", None, at("2026-03-08T09:00"), at("2026-03-08T13:00"))
    rota = Rota(daily("mei", 0, 24), [ill, filled])
    assert gaps(rota, "city", [], DISPATCHER, now, now + timedelta(days=7)) == []


def test_who_is_on_duty_for_the_county_is_for_its_streets() -> None:
    rota = Rota([weekly("mei", 0, 0, 24, area="county")])
    since, until = at("2026-03-02T00:00"), at("2026-03-03T00:00")
    assert gaps(rota, "street", ["county", "city"], DISPATCHER, since, until) == []
    assert gaps(rota, "elsewhere", ["city"], DISPATCHER, since, until) != []
    assert gaps(rota, "street", ["county"], DutyRole.SECOND, since, until) != []


def test_a_row_counts_while_it_is_valid() -> None:
    row = Weekly("city", DISPATCHER, "mei", 0, 480, 960, SHANGHAI, date(2026, 3, 9),
                 date(2026, 3, 16))  # fmt: skip
    found = [
        s.from_at.day for s in spans(Rota([row]), at("2026-03-01T00:00"), at("2026-04-01T00:00"))
    ]
    assert found == [9, 16]


@pytest.mark.parametrize("text", ["8-16", "08:00", "25:00-26:00", "08:00-24:30"])
def test_hours_that_make_no_sense(text: str) -> None:
    with pytest.raises(BadRota, match=r"08:00-16:00|24:00"):
        hours(text)


@pytest.mark.parametrize("text", ["", "monday", "mon-", "mon;tue"])
def test_weekdays_that_make_no_sense(text: str) -> None:
    with pytest.raises(BadRota, match="mon-fri"):
        weekdays(text)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"account_id": None, "instead_of": None}, "who comes"),
        ({"instead_of": "mei"}, "themselves"),
        ({"until_at": at("2026-03-02T07:00")}, "end after"),
        ({"from_at": at("2026-02-02T07:00"), "until_at": at("2026-02-02T08:00")}, "over already"),
        ({"until_at": at("2026-09-02T07:00")}, "at most 62 days"),
    ],
)
def test_a_change_that_cannot_be(changes: dict[str, object], why: str) -> None:
    given: dict[str, object] = {
        "area_id": "city", "duty": DISPATCHER, "account_id": "mei", "instead_of": None,
        "from_at": at("2026-03-02T08:00"), "until_at": at("2026-03-02T16:00"),
    }  # fmt: skip
    with pytest.raises(BadRota, match=why):
        PlannedChange(**(given | changes)).checked(at("2026-03-01T00:00"))  # type: ignore[arg-type]
