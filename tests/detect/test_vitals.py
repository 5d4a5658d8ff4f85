"""A vital sign out of range: for long enough, at rest, of a sensor that can be believed."""

from datetime import date, timedelta

import pytest

from alerts.alarm import Category, Priority
from hub.detect.detector import Limit, PersonContext, Phase
from hub.detect.vitals import VITAL_DETECTORS, VitalSignDetector
from hub.detect.vitals_limits import RULE_OF, RULES
from hub.detect.vitals_track import BASELINE_READY
from schemas.vocabulary import Quality
from tests.detect.vital_stories import PULSE, START, Story, about, sample

DETECTOR_OF = {detector.rule.measure: detector for detector in VITAL_DETECTORS}
REST = {
    PULSE: 70, "respiratory_rate_per_min": 15, "oxygen_saturation_percent": 97,
    "systolic_blood_pressure_mmhg": 130, "body_temperature_c": 36.7,
}  # fmt: skip
RED = {
    PULSE: 140, "respiratory_rate_per_min": 28, "oxygen_saturation_percent": 88,
    "systolic_blood_pressure_mmhg": 80, "body_temperature_c": 34.0,
}  # fmt: skip


def pulse(person: PersonContext | None = None) -> Story:
    return Story(DETECTOR_OF[PULSE], person)


def test_an_episode_opens_improves_and_closes() -> None:
    story = pulse().values(about(70, 30)).values(about(140, 30))
    assert story.told == [("heart_rate_high", "confirmed", "high")]
    story.values(about(70, 60))
    assert [f.phase for f in story.findings] == [Phase.CONFIRMED, Phase.WITHDRAWN]
    assert story.findings[0].key == story.findings[1].key
    assert story.state.episode is None


def test_it_worsens_from_amber_to_red_and_again() -> None:
    story = pulse().values(about(70, 10)).values(about(120, 40)).values(about(140, 20))
    assert [f.priority for f in story.pages] == [Priority.MEDIUM, Priority.HIGH]
    story.values(about(120, 20)).values(about(140, 20))
    assert [f.phase.value for f in story.findings] == [
        "confirmed", "confirmed", "withdrawn", "confirmed",
    ]  # fmt: skip
    assert len({f.key for f in story.pages}) == 3


def test_evidence_names_window_limit_and_values() -> None:
    [found] = pulse().values(about(70, 30)).values(about(140, 12)).findings
    assert found.evidence["limit"] == 130
    assert found.evidence["limit_by"] == "NEWS2"
    assert found.evidence["out_of_range_min"] == 10
    assert all(value > 130 for value in found.evidence["values"])
    assert found.evidence["window"][0] == (START + timedelta(minutes=30)).isoformat()
    assert "above 130 for 10 min" in found.text
    assert "rising" in found.text


@pytest.mark.parametrize("measure", REST)
def test_one_reading_never_pages(measure: str) -> None:
    story = Story(DETECTOR_OF[measure]).values(about(REST[measure], 5), measure, 600)
    story.values([RED[measure]], measure, 600).values(about(REST[measure], 5), measure, 600)
    assert not story.findings
    assert not Story(DETECTOR_OF[measure]).values([RED[measure]], measure).findings


@pytest.mark.parametrize("measure", REST)
def test_every_vital_sign_pages_when_it_stays_red(measure: str) -> None:
    rest = RULE_OF[measure].margin
    wander = [RED[measure] + rest * step / 10 for step in (-1, 0, 1, 0, 1)] * 6
    story = Story(DETECTOR_OF[measure]).values([REST[measure]], measure, 300)
    story.values(wander, measure, 300)
    assert [f.priority for f in story.pages][-1] is Priority.HIGH


def test_an_extreme_value_need_not_wait_as_long() -> None:
    story = pulse().values(about(70, 10)).values(about(26, 7))
    assert [f.kind for f in story.pages] == ["heart_rate_low"]


def test_values_that_come_and_go_do_not_add_up() -> None:
    assert not pulse().values([70, 140, 72, 71, 138, 70, 69] * 40).findings


def test_within_the_hysteresis_nothing_changes() -> None:
    story = pulse().values(about(70, 10)).values(about(140, 15)).values([129, 128] * 30)
    assert len(story.findings) == 1


def test_a_clinicians_limit_overrides_and_is_named() -> None:
    limit = Limit(PULSE, 45, 150, "Dr. Lin", date(2026, 2, 1))
    story = pulse(PersonContext(limits=(limit,))).values(about(140, 60))
    assert not story.findings
    story.values(about(160, 40))
    assert "limit of Dr. Lin, 2026-02-01" in story.pages[0].text
    assert story.pages[0].evidence["limit"] == 150
    assert story.pages[0].evidence["limit_set_on"] == "2026-02-01"


def test_a_narrower_limit_of_a_clinician_pages_too() -> None:
    limit = Limit(PULSE, 55, None, "Dr. Lin", date(2026, 2, 1))
    story = pulse(PersonContext(limits=(limit,))).values(about(70, 5)).values(about(50, 60))
    assert [f.priority for f in story.pages] == [Priority.MEDIUM]


def test_scale_2_only_by_setting() -> None:
    measure = "oxygen_saturation_percent"
    assert Story(DETECTOR_OF[measure]).values([97, *[89, 90] * 15], measure).pages
    person = PersonContext(oxygen_scale_2=True)
    assert not Story(DETECTOR_OF[measure], person).values([97, *[89, 90] * 15], measure).pages


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), 612.0, -3.0])
def test_what_cannot_be_is_a_technical_finding(value: float) -> None:
    story = pulse().values(about(70, 10)).values([value] * 60).values(about(70, 30))
    assert [f.category for f in story.findings] == [Category.TECHNICAL, Category.TECHNICAL]
    assert [f.phase for f in story.findings] == [Phase.CONFIRMED, Phase.WITHDRAWN]
    zero = value <= 0
    assert story.findings[0].kind == ("vital_sensor_off" if zero else "vital_implausible")


def test_a_stuck_value_is_a_technical_finding() -> None:
    story = pulse().values(about(70, 10)).values([140] * 60)
    assert story.told == [("vital_frozen", "confirmed", "medium")]
    assert "look at the person and the sensor" in story.findings[0].text
    story.values([72])
    assert story.told[1:] == [("vital_frozen", "withdrawn", "low")]


def test_a_steady_saturation_is_not_stuck() -> None:
    measure = "oxygen_saturation_percent"
    assert not Story(DETECTOR_OF[measure]).values([97] * 180, measure).findings


def test_movement_silences_rates() -> None:
    story = pulse().values(about(70, 5))
    for value in about(140, 40):
        story.show(sample("steps", story.now, 30)).values([value])
    assert not story.findings


def test_a_device_that_is_off_says_nothing() -> None:
    story = pulse().values(about(70, 5))
    story.show(sample("worn_state", story.now, state="charging"))
    story.values([0] * 60).values(about(140, 40))
    assert not story.findings
    story.show(sample("worn_state", story.now, state="worn")).values(about(140, 40))
    assert len(story.pages) == 1


@pytest.mark.parametrize("quality", [Quality.POOR, Quality.INVALID])
def test_poor_readings_neither_open_nor_close(quality: Quality) -> None:
    story = pulse().values(about(70, 5))
    for value in about(140, 60):
        story.show(sample(PULSE, story.now, value, quality=quality))
        story.now += timedelta(minutes=1)
    assert not story.findings
    story.values(about(140, 20))
    for value in about(70, 60):
        story.show(sample(PULSE, story.now, value, quality=quality))
        story.now += timedelta(minutes=1)
    assert len(story.findings) == 1


def test_the_baseline_learns_slowly_and_not_during_an_incident() -> None:
    story = pulse().values(about(62, 10 * (BASELINE_READY + 10)))
    assert story.state.ready
    before = story.state.baseline
    assert abs(before - 6200) < 100
    story.given(PersonContext(incident_open=True)).values(about(85, 3_000))
    assert story.state.baseline == before
    story.given(PersonContext()).values([85] * 3 + about(62, 5))
    assert abs(story.state.baseline - before) < 60


def test_it_does_not_learn_during_its_own_episode() -> None:
    story = pulse().values(about(62, 10 * (BASELINE_READY + 10)))
    before = story.state.baseline
    story.values(about(140, 600))
    assert story.state.baseline == before


def test_far_from_the_persons_own_baseline_is_for_review_only() -> None:
    story = pulse().values(about(62, 10 * (BASELINE_READY + 10))).values(about(98, 90))
    assert not story.pages
    [found] = story.findings
    assert found.priority is Priority.LOW
    assert "usual 62" in found.text
    assert not pulse().values(about(98, 90)).findings, "without a baseline there is no drift"


def test_a_long_gap_ends_an_episode_openly() -> None:
    story = pulse().values(about(70, 5)).values(about(140, 20))
    story.now += timedelta(hours=8)
    story.values(about(70, 3))
    assert [f.phase.value for f in story.findings] == ["confirmed", "withdrawn"]
    assert "no reading for 8 h" in story.findings[1].text


def test_a_backlog_says_how_old_it_is() -> None:
    story = pulse()
    late = START + timedelta(hours=2)
    for minute, value in enumerate([*about(70, 5), *about(140, 20)]):
        at = START + timedelta(minutes=minute)
        story.show(sample(PULSE, at, value, received_at=late))
    assert len(story.pages) == 1
    assert "min before it arrived" in story.pages[0].text


def test_samples_of_a_lying_clock_count_once() -> None:
    story = pulse()
    for minute, value in enumerate(about(140, 60)):
        at = START - timedelta(days=400) + timedelta(minutes=minute)
        story.show(sample(PULSE, at, value, received_at=START))
    assert not story.findings


def test_the_table_is_sound() -> None:
    for rule in RULES:
        assert rule.samples >= 2, "one reading never pages"
        assert 0 < rule.red_s <= rule.amber_s <= rule.drift_s
        assert rule.stands_s < rule.forget_s
        assert VitalSignDetector(rule).measures >= {rule.measure}
