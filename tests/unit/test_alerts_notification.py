"""Attempts are bounded, and they never wait longer than a rung of the ladder."""

from datetime import timedelta

from alerts.notification import FIRST_RETRY_S, LONGEST_RETRY_S, MAX_ATTEMPTS, retry_at
from alerts.policy import URGENT
from tests.scenes import START


def waits_s() -> list[float]:
    found = []
    for attempts in range(1, MAX_ATTEMPTS):
        due = retry_at(attempts, START)
        assert due is not None
        found.append((due - START).total_seconds())
    return found


def test_the_pauses_double_up_to_a_minute() -> None:
    waits = waits_s()
    assert waits[:6] == [2, 4, 8, 16, 32, 60]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (FIRST_RETRY_S, LONGEST_RETRY_S)
    assert max(waits) <= max(step.wait_s for step in URGENT.steps)


def test_after_the_last_attempt_it_is_given_up() -> None:
    assert retry_at(MAX_ATTEMPTS, START) is None
    assert retry_at(MAX_ATTEMPTS + 1, START) is None
    assert timedelta(minutes=15) <= timedelta(seconds=sum(waits_s())) <= timedelta(minutes=20)
