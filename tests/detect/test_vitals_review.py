"""A cuff's readings: for review by day, once a day and sign, and never a page."""

from datetime import date, timedelta

from alerts.alarm import Priority
from hub.detect.detector import Limit, PersonContext
from hub.detect.vitals_review import ReviewDetector
from tests.detect.vital_stories import Story, sample

SYSTOLIC, DIASTOLIC = "systolic_blood_pressure_mmhg", "diastolic_blood_pressure_mmhg"
PULSE = "heart_rate_per_min"


def measured(story: Story, systolic: float, diastolic: float, pulse: float) -> Story:
    story.show(
        sample(PULSE, story.now, pulse),
        sample(SYSTOLIC, story.now, systolic),
        sample(DIASTOLIC, story.now, diastolic),
    )
    story.now += timedelta(minutes=5)
    return story


def test_limits_are_inclusive() -> None:
    assert not measured(Story(ReviewDetector()), 159, 99, 99).findings
    for pressures in ((160, 80, 70), (120, 100, 70), (120, 54, 70), (90, 60, 70)):
        assert [f.kind for f in measured(Story(ReviewDetector()), *pressures).findings] == [
            "blood_pressure_review"
        ]
    assert [f.kind for f in measured(Story(ReviewDetector()), 120, 80, 50).findings] == [
        "pulse_review"
    ]


def test_once_a_review_day_and_never_a_page() -> None:
    story = Story(ReviewDetector())
    measured(measured(story, 170, 80, 70), 172, 85, 70)
    assert len(story.findings) == 1
    assert story.findings[0].priority is Priority.LOW
    story.now += timedelta(days=1)
    measured(story, 168, 80, 70)
    assert len(story.findings) == 2


def test_what_is_measured_in_the_evening_is_for_tomorrow() -> None:
    story = Story(ReviewDetector())  # it is 22:00
    measured(story, 170, 80, 70)
    story.now += timedelta(hours=12)
    measured(story, 170, 80, 70)
    assert len(story.findings) == 1, "the same review day"


def test_the_pulse_of_a_bed_is_no_cuffs() -> None:
    story = Story(ReviewDetector()).values([45] * 100, PULSE)
    assert not story.findings


def test_a_clinicians_limit_replaces_the_clinics() -> None:
    person = PersonContext(limits=(Limit(SYSTOLIC, 100, 180, "Dr. Lin", date(2026, 2, 1)),))
    story = measured(Story(ReviewDetector(), person), 170, 80, 70)
    assert not story.findings
    measured(story, 182, 80, 70)
    assert "Dr. Lin, 2026-02-01" in story.findings[0].text
