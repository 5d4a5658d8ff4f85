"""The bed by night and by day."""

from datetime import UTC, date, timedelta

from alerts.alarm import Priority
from hub.detect.bed import BedDetector
from hub.detect.bed_hours import LEARNED_AFTER, Habit, limit_min, local
from hub.detect.detector import Limit, PersonContext, Phase, Whereabouts
from tests.detect.vital_stories import START, Story, sample


def lies(story: Story, minutes: int) -> Story:
    return _is(story, "occupied", minutes)


def gone(story: Story, minutes: int) -> Story:
    return _is(story, "empty", minutes)


def _is(story: Story, state: str, minutes: int) -> Story:
    """As a bed reports it, every minute."""
    for _ in range(minutes):
        story.show(sample("bed_state", story.now, state=state))
        story.wait(60)
    return story


def test_leaving_is_no_alarm_not_coming_back_is() -> None:
    story = gone(lies(Story(BedDetector()), 120), 20)
    assert not story.findings
    gone(story, 15)
    [found] = story.findings
    assert (found.kind, found.priority) == ("bed_left", Priority.MEDIUM)
    assert found.evidence["limit_min"] == 30
    assert found.evidence["limit_by"] == "general, learning"
    assert "left the bed at 00:00, not back for 30 min" in found.text
    gone(story, 60)
    assert len(story.findings) == 1
    lies(story, 5)
    assert story.findings[1].phase is Phase.WITHDRAWN
    assert story.findings[1].key == found.key


def test_the_limit_is_the_persons_own() -> None:
    story = Story(BedDetector())
    for _ in range(LEARNED_AFTER + 8):
        story.now = story.now.replace(hour=16, minute=0) + timedelta(days=1)
        gone(lies(story, 60), 5)
        lies(story, 5)
    left = local(int(START.timestamp()) + 3 * 3600, PersonContext())
    assert limit_min(left, story.state.habit, PersonContext()) < 30
    assert not [found for found in story.findings if found.kind == "bed_left"]


def test_it_depends_on_the_time_of_night() -> None:
    habit = Habit(long_min=(8, 20, 10), counts=(20, 20, 20))
    evening = local(int(START.timestamp()), PersonContext())
    person = PersonContext()
    assert limit_min(evening, habit, person) == 16
    assert limit_min(evening + timedelta(hours=3), habit, person) == 40
    assert limit_min(evening + timedelta(hours=8), habit, person) == 40, "dawn: twice"


def test_a_clinicians_limit_replaces_it() -> None:
    limit = Limit("bed_absence_min", None, 10, "Dr. Lin", date(2026, 2, 1))
    story = gone(lies(Story(BedDetector(), PersonContext(limits=(limit,))), 60), 12)
    assert story.findings[0].evidence["limit_by"] == "Dr. Lin, 2026-02-01"


def test_getting_up_in_the_morning_and_by_day_is_none() -> None:
    story = lies(Story(BedDetector()), 9 * 60 + 30)
    assert local(int(story.now.timestamp()), PersonContext()).hour == 7
    gone(story, 240)
    assert not story.findings


def test_away_or_in_hospital_nobody_is_missed() -> None:
    person = PersonContext(whereabouts=Whereabouts.HOSPITAL)
    assert not gone(lies(Story(BedDetector(), person), 60), 120).findings


def test_sitting_on_the_bed_is_not_lying_in_it() -> None:
    assert not gone(lies(Story(BedDetector()), 5), 120).findings


def test_a_long_stay_by_day_is_for_review() -> None:
    story = lies(Story(BedDetector()), 12 * 60)
    assert not story.findings
    lies(story, 3 * 60)
    [found] = story.findings
    assert (found.kind, found.priority) == ("bed_long_stay", Priority.LOW)
    gone(story, 5)
    assert story.findings[1].phase is Phase.WITHDRAWN


def test_a_nap_that_becomes_the_night_is_none() -> None:
    story = Story(BedDetector())
    story.now = START - timedelta(hours=4)  # 18:00
    assert not lies(story, 12 * 60).findings


def test_a_restless_night_is_told_once() -> None:
    story = Story(BedDetector())
    for minute in range(420):
        story.show(sample("bed_state", story.now, state="occupied"))
        restless = minute > 120
        story.show(sample("movement_percent", story.now, 60 if restless or not minute % 12 else 2))
        story.wait(60)
    assert [f.kind for f in story.findings] == ["bed_restless"]
    assert story.findings[0].priority is Priority.LOW
    assert story.findings[0].evidence["share_percent"] >= 40


def test_night_is_the_homes_own() -> None:
    person = PersonContext(time_zone=UTC)  # 14:00 there
    assert not gone(lies(Story(BedDetector(), person), 60), 120).findings
