"""The simulated body: plausible, healthy at rest, in bed at night, ill when the story says so."""

from datetime import datetime, timedelta
from statistics import mean
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_sim.day import Doing
from device_sim.resident import (
    EPISODE_RAMP_S,
    Episode,
    EpisodeKind,
    ResidentState,
    resident_at,
    suffer,
)
from schemas.vocabulary import MEASURE_BY_KEY

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 3, 1, tzinfo=SHANGHAI)
VITALS = [measure.key for measure in MEASURE_BY_KEY.values() if measure.vital]

# NEWS2, Royal College of Physicians 2017: values with score 0.
NEWS2_ZERO = {
    "respiratory_rate_per_min": (12, 20),
    "oxygen_saturation_percent": (96, 100),
    "systolic_blood_pressure_mmhg": (111, 219),
    "heart_rate_per_min": (51, 90),
    "body_temperature_c": (36.1, 38.0),
}
SEEDS = st.text(min_size=1, max_size=8)
MINUTES = st.integers(0, 400 * 1440)


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


@given(SEEDS, MINUTES)
def test_always_plausible_and_the_same_again(seed: str, minute: int) -> None:
    state = resident_at(seed, at(minute))
    assert state == resident_at(seed, at(minute))
    for key in VITALS:
        measure = MEASURE_BY_KEY[key]
        assert measure.low <= getattr(state, key) <= measure.high
    assert state.diastolic_blood_pressure_mmhg < state.systolic_blood_pressure_mmhg
    assert 0 <= state.movement_percent <= 100
    assert state.steps_per_min >= 0


@given(SEEDS, MINUTES)
def test_healthy_at_rest(seed: str, minute: int) -> None:
    state = resident_at(seed, at(minute))
    if state.moving:
        return
    for key, (low, high) in NEWS2_ZERO.items():
        assert low <= round(getattr(state, key), 1) <= high, key


@settings(max_examples=20)
@given(SEEDS)
def test_asleep_in_bed_at_night_and_about_by_day(seed: str) -> None:
    night = [resident_at(seed, at(minute)) for minute in range(0, 300, 5)]
    morning = [resident_at(seed, at(minute)) for minute in range(430, 700, 5)]
    assert mean(state.in_bed for state in night) > 0.85
    assert not any(state.in_bed for state in morning)
    assert any(state.steps_per_min > 0 for state in morning)
    assert mean(s.heart_rate_per_min for s in night) < mean(s.heart_rate_per_min for s in morning)
    assert mean(s.body_temperature_c for s in night) < mean(s.body_temperature_c for s in morning)


def test_people_differ() -> None:
    states = {resident_at(f"person-{number}", at(600)).heart_rate_per_min for number in range(50)}
    assert len(states) == 50


@pytest.mark.parametrize("kind", EpisodeKind)
@given(SEEDS)
def test_every_failure_leaves_the_healthy_band(kind: EpisodeKind, seed: str) -> None:
    rested = next(
        state
        for state in (resident_at(seed, at(minute)) for minute in range(0, 1440, 10))
        if state.doing is Doing.SITTING
    )
    ill = suffer(rested, (Episode(kind, began_s=0.0),), EPISODE_RAMP_S)
    assert suffer(rested, (Episode(kind, began_s=0.0),), 0.0) == rested
    assert any(_outside(ill, key) for key in NEWS2_ZERO)
    for key in VITALS:
        assert MEASURE_BY_KEY[key].low <= getattr(ill, key) <= MEASURE_BY_KEY[key].high


def _outside(state: ResidentState, key: str) -> bool:
    low, high = NEWS2_ZERO[key]
    return not low <= getattr(state, key) <= high
