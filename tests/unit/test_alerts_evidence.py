"""A dispatcher reads what a finding rests on, in their language."""

from typing import Any

import pytest

from alerts.evidence import CATALOGUE, LANGUAGES, sentence, sentences

FALL = {
    "probability": 0.83,
    "impact_g": 3.1,
    "still_s": 25.0,
    "posture_change_deg": 80,
    "against": [],
}


def test_a_fall_reads_as_impact_stillness_and_posture() -> None:
    assert sentence("fall", FALL, "en") == (
        "fall 83%, impact 3.1 g, still for 25 s, turned by 80 degrees"
    )
    assert sentence("fall", FALL, "zh-CN") == (
        "跌倒可能性 83%，冲击 3.1 g，静止 25 秒，姿势改变 80 度"
    )


def test_what_speaks_against_it_is_named() -> None:
    said = sentence("fall", FALL | {"against": ["steps", "bed_state"]}, "zh-CN")
    assert said is not None
    assert said.endswith("反证：步数、床上有人")


def test_a_limit_a_clinician_set_says_whose_it_is() -> None:
    evidence = {
        "measure": "oxygen_saturation_percent",
        "unit": "%",
        "values": [86.0, 85.0],
        "limit": 88.0,
        "limit_by": "Dr Chen",
        "out_of_range_min": 12,
        "trend_per_h": -1.5,
        "baseline": None,
    }
    assert sentence("oxygen_saturation_low", evidence, "en") == (
        "SpO2 85 %, limit 88, limit of Dr Chen, for 12 min, falling 1.5 an hour"
    )


def test_a_partial_score_says_what_is_missing() -> None:
    evidence = {"total": 7, "missing": ["body_temperature_c", "consciousness", "on_oxygen"]}
    assert sentence("early_warning", evidence, "en") == (
        "NEWS2 7, 4 of 7 measured, missing: temperature, consciousness, oxygen"
    )


def test_the_end_says_so() -> None:
    assert sentence("device_silent", {"silent_min": 9}, "en", over=True) == (
        "over or better: not heard for 9 min"
    )


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_every_part_is_said_in_every_language(kind: str) -> None:
    everything: dict[str, Any] = {part.needs: 99.0 for part in CATALOGUE[kind]}
    everything |= {
        "measure": "heart_rate_per_min", "hazard": "smoke", "against": ["steps"],
        "missing": ["consciousness"], "red": ["steps"], "unjudged": "ValueError",
        "judged": 100, "learning": True,
    }  # fmt: skip
    found = sentences(kind, everything)
    assert set(found) == set(LANGUAGES)
    assert len({said.count(",") + said.count("，") for said in found.values()}) == 1


@pytest.mark.parametrize(
    "evidence",
    [{}, {"probability": None}, {"probability": "high"}, {"impact_g": [1]}, {"against": 3}],
)
def test_odd_evidence_never_breaks_the_page(evidence: dict[str, Any]) -> None:
    assert sentence("fall", evidence, "en") is None


def test_an_unknown_kind_is_left_to_the_detectors_own_words() -> None:
    assert sentences("something_new", {"x": 1}) == {}
