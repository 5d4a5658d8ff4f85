"""Learning the line is pure, bounded, and follows habits; other homes fill in what is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.detect.inactivity_history import DAY_MIN, Place, silences, tallies
from hub.detect.inactivity_line import (
    LIMITS_MIN,
    SLOTS,
    Line,
    Tally,
    allowed_min,
    learn,
    line_from,
)
from hub.detect.inactivity_prior import TUNING, prior


def home(days: int, nap_min: int = 0, seed: int = 3) -> list[Tally]:
    """Somebody who moves every few minutes from 7 to 22 h, sleeps, and may nap after lunch."""
    rng = np.random.default_rng(seed)
    minutes: list[int] = []
    for day in range(days):
        at = day * DAY_MIN + 7 * 60 + int(rng.integers(0, 30))
        while at < day * DAY_MIN + 22 * 60:
            minutes.append(at)
            lunch = nap_min and abs(at % DAY_MIN - 13 * 60) < 5
            at += nap_min if lunch else int(rng.integers(1, 12))
    found = silences(np.array(minutes), np.full(len(minutes), Place.ROOM, dtype=np.int8))
    return tallies(found, days)


def at_hour(line: Line, hour: float) -> int:
    return allowed_min(line, hour * 60, near_bed=False)


def test_short_by_day_long_by_night() -> None:
    line = learn(home(28), prior(), TUNING)
    assert at_hour(line, 10) <= 180
    assert at_hour(line, 21.9) >= 9 * 60


def test_a_daily_nap_is_learned() -> None:
    napping = learn(home(40, nap_min=240), prior(), TUNING)
    assert at_hour(napping, 13) >= 270
    assert at_hour(napping, 9) <= 180


def test_the_same_history_gives_the_same_small_integers() -> None:
    days = home(28)
    line, again = learn(days, prior(), TUNING), learn(list(days), prior(), TUNING)
    assert line == again
    assert line_from(line.flat()) == line
    assert len(line.flat()) == 2 * SLOTS + 2
    assert all(isinstance(number, int) for number in line.flat())


def test_without_any_history_the_prior_alone_gives_a_line() -> None:
    line = learn([], prior(), TUNING)
    assert set(line.day_rooms_min) <= {int(limit) for limit in LIMITS_MIN}
    assert at_hour(line, 11) < at_hour(line, 23.5)


def test_a_day_with_an_incident_and_paused_silences_are_not_learned() -> None:
    minutes = np.array([0, 5, 600, 605, DAY_MIN + 1, DAY_MIN + 300])
    found = silences(minutes, np.zeros(len(minutes), dtype=np.int8))
    assert [t.ended.sum() for t in tallies(found, 2)] == [2, 1]
    assert [t.days for t in tallies(found, 2, without=[0])] == [0, 1]
    paused = found.end - found.start > 500
    assert tallies(found, 2, paused=paused)[0].ended.sum() == 0


def test_door_to_door_is_away_and_counts_as_an_outing() -> None:
    minutes = np.array([0, 3, 240, 242, 300, 310])
    places = np.array(
        [Place.ROOM, Place.OUTSIDE_DOOR, Place.OUTSIDE_DOOR, Place.ROOM, Place.ROOM, Place.ROOM],
        dtype=np.int8,
    )
    found = silences(minutes, places)
    assert found.away.tolist() == [False, True, False, False, False]
    assert found.departure.tolist() == [False, True, False, False, False]
    assert tallies(found, 1)[0].outings == 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 20 * DAY_MIN), st.integers(0, 2)), min_size=3, max_size=300)
)
def test_any_history_gives_a_bounded_line(signs: list[tuple[int, int]]) -> None:
    signs.sort()
    minutes = np.array([at for at, _ in signs])
    places = np.array([place for _, place in signs], dtype=np.int8)
    if len(np.unique(minutes)) < 2:
        return
    found = silences(minutes, places)
    line = learn(tallies(found, int(minutes[-1]) // DAY_MIN + 1), prior(), TUNING)
    for minute in range(0, DAY_MIN, 7):
        assert LIMITS_MIN[0] <= allowed_min(line, minute, near_bed=False) <= LIMITS_MIN[-1]


@pytest.mark.parametrize("length", [1, 47, 96, 97, 99])
def test_a_line_of_another_length_is_no_line(length: int) -> None:
    assert line_from([60] * length) is None
