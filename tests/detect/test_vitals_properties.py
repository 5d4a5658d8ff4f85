"""Whatever order, damage or repetition: no crash, nothing twice, nothing from a bad value."""

from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.alarm import Category
from hub.detect.bed import BedDetector
from hub.detect.detector import Detector
from hub.detect.vitals import VITAL_DETECTORS
from hub.detect.vitals_review import ReviewDetector
from hub.detect.vitals_score import ScoreDetector
from hub.observation import Observation
from schemas.vocabulary import MEASURE_BY_KEY, Quality
from tests.detect.vital_stories import DEVICE, PULSE, START, Story, about, sample

DETECTORS: tuple[Detector[Any], ...] = (
    *VITAL_DETECTORS,
    ScoreDetector(),
    ReviewDetector(),
    BedDetector(),
)
EVERY = pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.name)
STATES = {"worn_state": ["worn", "off", "charging"], "bed_state": ["occupied", "empty"]}


def observations(detector: Detector[Any]) -> st.SearchStrategy[list[Observation]]:
    def one(measure: str, second: int, late: int, value: float, good: bool) -> Observation:
        at = START + timedelta(seconds=second)
        states = STATES.get(measure)
        return Observation(
            DEVICE,
            measure,
            at + timedelta(seconds=late),
            at,
            None if states else value,
            states[second % len(states)] if states else None,
            Quality.GOOD if good else Quality.IMPLAUSIBLE,
        )

    wild = st.floats(allow_nan=True, allow_infinity=True)
    usual = st.sampled_from([0, 35, 36.5, 40, 60, 85, 90, 97, 110, 120, 140, 165, 225])
    return st.lists(
        st.builds(
            one,
            st.sampled_from(sorted(detector.measures)),
            st.integers(0, 40_000),
            st.sampled_from([0, 1, 600, 90_000]),
            usual | wild,
            st.booleans(),
        ),
        max_size=60,
    )


@EVERY
@given(data=st.data())
def test_any_order_neither_crashes_nor_reports_twice(
    detector: Detector[Any], data: st.DataObject
) -> None:
    shown = data.draw(observations(detector))
    story = Story(detector).show(*shown, *shown[:20], *reversed(shown))
    keys = [(f.kind, f.key, f.phase, f.subject) for f in story.findings]
    assert len(keys) == len(set(keys))
    for finding in story.findings:
        assert msgspec.json.decode(msgspec.json.encode(finding.evidence)) == finding.evidence


@EVERY
@given(data=st.data())
def test_a_withdrawal_follows_its_claim(detector: Detector[Any], data: st.DataObject) -> None:
    standing = set()
    for finding in Story(detector).show(*data.draw(observations(detector))).findings:
        key = (finding.kind, finding.key)
        if finding.phase == "withdrawn":
            assert key in standing
            standing.discard(key)
        else:
            standing.add(key)


@EVERY
@given(data=st.data())
def test_state_survives_json_and_stays_small(detector: Detector[Any], data: st.DataObject) -> None:
    story = Story(detector)
    for observation in data.draw(observations(detector)):
        story.show(observation)
        if story.state is not None:
            stored = msgspec.json.encode(story.state)
            assert len(stored) < 200, stored
            assert msgspec.json.decode(stored, type=detector.state_type) == story.state


@pytest.mark.parametrize("detector", VITAL_DETECTORS, ids=lambda one: one.name)
@given(
    values=st.lists(
        st.sampled_from([float("nan"), float("inf"), -1.0, 0.0, 1e6]) | st.none(), max_size=80
    )
)
def test_bad_values_never_open_a_physiological_episode(
    detector: Detector[Any], values: list[float | None]
) -> None:
    measure = detector.rule.measure  # type: ignore[attr-defined]
    story = Story(detector)
    for minute, value in enumerate(values):
        at = START + timedelta(minutes=minute)
        story.show(Observation(DEVICE, measure, at, at, value, None, Quality.GOOD))
    assert not story.physiological


@pytest.mark.parametrize("detector", VITAL_DETECTORS, ids=lambda one: one.name)
@given(position=st.integers(0, 19), value=st.floats(0, 300))
def test_one_reading_among_many_never_pages(
    detector: Detector[Any], position: int, value: float
) -> None:
    measure = detector.rule.measure  # type: ignore[attr-defined]
    rest = {PULSE: 70.0, "respiratory_rate_per_min": 15.0, "oxygen_saturation_percent": 97.0,
            "systolic_blood_pressure_mmhg": 130.0, "body_temperature_c": 37.0}[measure]  # fmt: skip
    values = [rest + step / 10 for step in (0, 1, 0, 2, 1)] * 4
    values[position] = value
    assert not Story(detector).values(values, measure, 60).pages


@pytest.mark.parametrize("seed", range(5))
def test_shuffled_minutes_page_at_most_as_often(seed: int) -> None:
    readings = [
        sample(PULSE, START + timedelta(minutes=minute), value)
        for minute, value in enumerate([*about(70, 20), *about(140, 30), *about(70, 40)])
    ]
    in_order = Story(VITAL_DETECTORS[0]).show(*readings)
    shuffled = list(readings)
    Random(seed).shuffle(shuffled)
    mixed = Story(VITAL_DETECTORS[0]).show(*shuffled)
    twice = Story(VITAL_DETECTORS[0]).show(*(one for one in readings for _ in range(2)))
    assert len(in_order.pages) == 1
    assert len(mixed.pages) <= 1
    assert twice.findings == in_order.findings
    assert all(f.category is not Category.TECHNICAL for f in in_order.findings)


def test_measures_exist() -> None:
    for detector in DETECTORS:
        assert detector.measures <= MEASURE_BY_KEY.keys()
