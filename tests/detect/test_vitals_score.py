"""NEWS2 over time: a lower bound that says so, of two readings each, held for a while."""

from datetime import timedelta

from alerts.alarm import Priority
from hub.detect.detector import PersonContext, Phase
from hub.detect.vitals_score import ScoreDetector
from tests.detect.vital_stories import Story, sample

PULSE, BREATH = "heart_rate_per_min", "respiratory_rate_per_min"
SATURATION = "oxygen_saturation_percent"


def minutes(story: Story, count: int, **values: float) -> Story:
    names = {"pulse": PULSE, "breath": BREATH, "saturation": SATURATION}
    for _ in range(count):
        for name, value in values.items():
            story.show(sample(names[name], story.now, value))
        story.now += timedelta(minutes=1)
    return story


def test_a_high_sum_pages_after_ten_minutes_and_ends() -> None:
    story = minutes(Story(ScoreDetector()), 5, pulse=70, breath=15)
    minutes(story, 15, pulse=118, breath=26)
    [found] = story.findings
    assert found.priority is Priority.MEDIUM
    assert "NEWS2 at least 5: 3 of 7, missing SpO2" in found.text
    assert "consciousness" in found.evidence["missing"]
    assert found.evidence["red"] == [BREATH]
    minutes(story, 45, pulse=70, breath=15)
    assert story.findings[-1].phase is Phase.WITHDRAWN
    assert story.findings[-1].key == found.key


def test_it_worsens_to_an_emergency() -> None:
    story = minutes(Story(ScoreDetector()), 5, pulse=70, breath=15, saturation=97)
    minutes(story, 15, pulse=118, breath=26, saturation=97)
    minutes(story, 15, pulse=118, breath=26, saturation=90)
    assert [f.priority for f in story.findings] == [Priority.MEDIUM, Priority.HIGH]
    minutes(story, 60, pulse=70, breath=15, saturation=97)
    assert [f.phase.value for f in story.findings] == ["confirmed"] * 2 + ["withdrawn"] * 2


def test_one_reading_never_pages() -> None:
    story = minutes(Story(ScoreDetector()), 5, pulse=118, breath=15)
    story.show(sample(BREATH, story.now, 30))
    minutes(story, 60, pulse=118)
    assert not story.findings


def test_oxygen_counts_by_setting() -> None:
    person = PersonContext(on_oxygen=True)
    story = minutes(Story(ScoreDetector(), person), 20, pulse=100, breath=22)
    assert [f.evidence["points"]["oxygen"] for f in story.findings] == [2]
    assert not minutes(Story(ScoreDetector()), 20, pulse=100, breath=22).findings


def test_stale_values_do_not_count() -> None:
    story = minutes(Story(ScoreDetector()), 3, pulse=118, breath=26)
    story.now += timedelta(hours=2)
    assert not minutes(story, 30, pulse=118).findings
