"""Which incident does an alarm belong to?"""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.alarm import Category, Flag, Priority
from alerts.grouping import FOLLOW_WITHIN, Cause, Reason, group
from alerts.incident import Incident, Outcome, State, opened_by
from schemas.alarms import PressAction
from tests.scenes import START, alarm

OPEN = opened_by(alarm(1), START)
OTHER = opened_by(alarm(9), START)


def resolved(hours_ago: float) -> Incident:
    at = START - timedelta(hours=hours_ago)
    return replace(
        OTHER,
        state=State.RESOLVED,
        outcome=Outcome.HELPED,
        resolved_at=at,
        next_deadline_at=None,
    )


def test_the_first_alarm_opens() -> None:
    grouping = group(alarm(1), None, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.OPENED, Cause.RAISED)
    assert grouping.incident is not None
    assert grouping.incident.follows is None


def test_a_press_joins_the_open_incident_and_raises_it() -> None:
    grouping = group(alarm(2), OPEN, resolved(1), START)
    assert (grouping.reason, grouping.cause) == (Reason.JOINED, Cause.REALARMED)
    assert grouping.incident is not None
    assert grouping.incident.id == OPEN.id


@pytest.mark.parametrize(
    ("hours_ago", "reason"), [(0, Reason.FOLLOWS), (24, Reason.FOLLOWS), (24.1, Reason.OPENED)]
)
def test_a_press_after_a_resolve_opens_a_new_one_that_follows(
    hours_ago: float, reason: Reason
) -> None:
    assert timedelta(hours=24) == FOLLOW_WITHIN
    grouping = group(alarm(2), None, resolved(hours_ago), START)
    assert grouping.reason is reason
    assert grouping.incident is not None
    assert grouping.incident.id != OTHER.id
    assert grouping.incident.follows == (OTHER.id if reason is Reason.FOLLOWS else None)


@pytest.mark.parametrize("open_incident", [None, OPEN])
def test_a_test_press_and_raw_motion_touch_no_incident(open_incident: Incident | None) -> None:
    test = alarm(2, action=PressAction.TEST, priority=Priority.LOW)
    assert group(test, open_incident, None, START).incident is None
    assert group(test, open_incident, None, START).reason is Reason.TEST_RECORDED
    motion = alarm(3, kind="motion", action=None)
    assert group(motion, open_incident, None, START).incident is None
    assert group(motion, open_incident, None, START).reason is Reason.MOTION_RECORDED


def test_a_cancel_with_nothing_to_cancel_stands_alone() -> None:
    grouping = group(alarm(2, action=PressAction.CANCEL), None, None, START)
    assert (grouping.incident, grouping.reason) == (None, Reason.CANCEL_ALONE)


def test_a_cancel_after_the_raise_is_only_noted() -> None:
    grouping = group(alarm(2, action=PressAction.CANCEL), OPEN, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.CANCEL_NOTED, Cause.NOTED)


def test_a_cancel_under_duress_rings_like_a_press() -> None:
    forced = alarm(2, action=PressAction.CANCEL, flags=(Flag.DURESS,))
    assert group(forced, OPEN, None, START).cause is Cause.REALARMED
    alone = group(forced, None, None, START)
    assert alone.cause is Cause.RAISED
    assert alone.incident is not None
    assert alone.incident.silent


def test_the_end_of_a_hazard_is_noted_and_a_human_decides() -> None:
    end = alarm(2, kind="hazard", category=Category.HAZARD, action=None, ends_hazard=True)
    grouping = group(end, OPEN, None, START)
    assert (grouping.reason, grouping.cause) == (Reason.HAZARD_ENDED, Cause.NOTED)
    assert grouping.incident is not None
    assert grouping.incident.open
    assert group(end, None, None, START).incident is None
