"""Maintenance mutes machines, never people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alarm import Alarm, Category, Priority, Subject, SubjectKind
from alerts.assurance import Concern
from alerts.maintenance import LONGEST, Window, muting
from hub.cli_maintenance import moment
from hub.maintenance import BadPlan, Planned
from schemas.ids import AlarmId, AreaId, DeviceId

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
ABOVE = (AreaId("street"), AreaId("county"), AreaId("city"))


def silent(**changes: object) -> Alarm:
    alarm = Alarm(
        id=AlarmId("a"), area_id=AreaId("street"), subject=Subject(SubjectKind.DEVICE, "d"),
        device_id=DeviceId("d"), person_id=None, premises_id=None, kind="device_silent",
        category=Category.TECHNICAL, priority=Priority.MEDIUM, action=None, message_id=None,
        observed_at=None, received_at=NOW,
    )  # fmt: skip
    return replace(alarm, **changes)  # type: ignore[arg-type]


def window(**changes: object) -> Window:
    return replace(Window(1, AreaId("county"), NOW - HOUR, NOW + HOUR), **changes)  # type: ignore[arg-type]


@given(
    st.sampled_from([c for c in Category if c is not Category.TECHNICAL]),
    st.sampled_from(list(Priority)),
    st.sampled_from(list(SubjectKind)),
    st.sampled_from(["press", "fall", "device_silent", "smoke", "bed_left"]),
)
def test_what_a_person_a_body_or_a_home_says_always_rings(
    category: Category, priority: Priority, kind: SubjectKind, what: str
) -> None:
    subject = Subject(kind, "x")
    alarm = silent(category=category, priority=priority, subject=subject, kind=what)
    assert muting(alarm, [window(), window(kinds=frozenset({what}))], ABOVE, NOW) is None


@pytest.mark.parametrize(
    ("changes", "muted"),
    [
        ({}, True),
        ({"area_id": AreaId("street")}, True),
        ({"area_id": AreaId("elsewhere")}, False),
        ({"from_at": NOW}, True),
        ({"from_at": NOW + timedelta(seconds=1)}, False),
        ({"until_at": NOW}, False),
        ({"ended_at": NOW}, False),
        ({"ended_at": NOW + timedelta(seconds=1)}, True),
        ({"kinds": frozenset({"device_silent"})}, True),
        ({"kinds": frozenset({"battery_low"})}, False),
    ],
)
def test_a_window_mutes_its_area_below_it_and_its_time(
    changes: dict[str, object], muted: bool
) -> None:
    assert (muting(silent(), [window(**changes)], ABOVE, NOW) is not None) == muted


def test_the_hub_itself_is_never_muted() -> None:
    lost = silent(subject=Subject(SubjectKind.HUB, "hub"), kind="session_lost")
    assert muting(lost, [window()], ABOVE, NOW) is None


def test_that_nobody_could_answer_is_never_muted() -> None:
    """Whoever changes a router does not plan that an SOS reaches nobody."""
    street = Subject(SubjectKind.AREA, "street")
    for concern in Concern:
        assert muting(silent(subject=street, kind=concern.value), [window()], ABOVE, NOW) is None
    outage = silent(subject=street, kind="area_silent")
    assert muting(outage, [window()], ABOVE, NOW) == window()


def test_of_two_windows_the_one_that_ends_last_keeps_it() -> None:
    longer = window(id=2, until_at=NOW + 2 * HOUR)
    assert muting(silent(), [longer, window()], ABOVE, NOW) == longer


@pytest.mark.parametrize(
    ("begin", "end", "why", "said"),
    [
        (NOW, NOW + HOUR, " ", "say why"),
        (NOW + HOUR, NOW, "router", "end after it begins"),
        (NOW - 2 * HOUR, NOW - HOUR, "router", "over already"),
        (NOW, NOW + LONGEST + HOUR, "router", "at most 7 days"),
    ],
)
def test_a_plan_that_makes_no_sense(begin: datetime, end: datetime, why: str, said: str) -> None:
    with pytest.raises(BadPlan, match=said):
        Planned("county", why, begin, end).checked(NOW)


@pytest.mark.parametrize("kind", ["device_slient", "press", "nobody_reachable"])
def test_a_kind_that_cannot_wait_is_refused_by_name(kind: str) -> None:
    with pytest.raises(BadPlan, match=f"{kind} is no kind that can wait.*device_silent"):
        Planned("county", "router", NOW, NOW + HOUR, (kind,)).checked(NOW)


@pytest.mark.parametrize(
    ("typed", "hour"), [("2026-03-02T08:00", 0), ("2026-03-02T08:00+00:00", 8)]
)
def test_a_beginning_is_in_the_hubs_zone_unless_it_names_another(typed: str, hour: int) -> None:
    begins = moment(typed, ZoneInfo("Asia/Shanghai"))
    assert begins.astimezone(UTC) == NOW.replace(hour=hour)
