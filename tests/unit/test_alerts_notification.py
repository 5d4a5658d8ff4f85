"""Attempts come quickly, never further apart than a minute, and end when they make no sense."""

from datetime import timedelta

import pytest

from alerts.alarm import Priority
from alerts.notification import (
    FIRST_RETRY_S,
    LONGEST_RETRY_S,
    MOST_URGENT,
    SENSIBLE_FOR_S,
    NotificationKind,
    retry_at,
    urgency_of,
)
from tests.scenes import START


def waits_s(kind: NotificationKind) -> list[float]:
    """The pauses of a notification whose provider never comes back."""
    found: list[float] = []
    now = START
    while (due := retry_at(kind, START, len(found) + 1, now)) is not None:
        found.append((due - now).total_seconds())
        now = due
    return found


def test_the_pauses_double_up_to_a_minute() -> None:
    waits = waits_s(NotificationKind.RING)
    assert waits[:6] == [2, 4, 8, 16, 32, 60]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_RETRY_S, LONGEST_RETRY_S)


@pytest.mark.parametrize("kind", list(NotificationKind))
def test_it_is_given_up_when_it_makes_no_sense_any_more(kind: NotificationKind) -> None:
    tried_for_s = sum(waits_s(kind))
    assert SENSIBLE_FOR_S[kind] - LONGEST_RETRY_S < tried_for_s <= SENSIBLE_FOR_S[kind]
    assert retry_at(kind, START, 1, START + timedelta(seconds=SENSIBLE_FOR_S[kind])) is None


def test_a_first_ring_goes_before_everything_and_priorities_never_mix() -> None:
    ring = NotificationKind.RING
    assert urgency_of(Priority.HIGH, ring, first=True) == MOST_URGENT
    for priority in Priority:
        others = [urgency_of(priority, kind) for kind in NotificationKind]
        assert urgency_of(priority, ring, first=True) <= min(others)
        assert urgency_of(priority, ring) < urgency_of(priority, NotificationKind.OVER)
    highest = max(urgency_of(Priority.HIGH, kind) for kind in NotificationKind)
    assert highest < urgency_of(Priority.MEDIUM, ring, first=True)
