"""How many a provider is given that says it is full."""

from datetime import timedelta

from alerts.courier import LEARNED_FOR_S, Pace
from tests.scenes import START


def full_after(count: int) -> Pace:
    """A provider that took so many within a second, and no more."""
    pace = Pace(0)
    for number in range(count):
        pace.taken(START + timedelta(milliseconds=number))
    pace.full(START + timedelta(milliseconds=count))
    return pace


def test_a_full_provider_is_given_as_many_a_second_as_it_took() -> None:
    pace = full_after(200)
    now = START + timedelta(seconds=1)
    assert pace.room(now, 1000) == 190
    pace.took(now, 150)
    later = now + timedelta(milliseconds=900)
    assert pace.room(later, 1000) == 40
    pace.took(later, 40)
    assert pace.room(later, 1000) == 0
    assert pace.room(now + timedelta(seconds=1), 1000) == 150


def test_after_a_while_it_is_tried_with_everything_again() -> None:
    pace = full_after(200)
    assert pace.room(START + timedelta(seconds=LEARNED_FOR_S + 1), 1000) == 1000


def test_one_that_is_full_at_once_says_nothing_about_what_it_takes() -> None:
    """A hiccup in a quiet night must not slow down the earthquake after it."""
    assert full_after(3).room(START + timedelta(seconds=1), 1000) == 1000
