"""Hazards: the first word counts, repeats are one episode, an end ends what it began."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from alerts.alarm import HAZARD_PRIORITIES, Priority
from hub.detect.detector import Context, Finding, Phase
from hub.detect.hazard import FORGOTTEN_AFTER_S, REMIND_AFTER_S, HazardDetector, HazardState
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import Hazard, HazardKind, HazardPhase, Press
from schemas.ids import AreaId, DeviceId, PremisesId
from schemas.vocabulary import DeviceKind

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SENSOR = Device(DeviceId("smoke"), DeviceKind.HAZARD_SENSOR, AreaId("a"), PremisesId("home"))
CONTEXT = Context(SENSOR, START)
DETECTOR = HazardDetector()


def word(
    at_s: float,
    phase: HazardPhase = HazardPhase.BEGAN,
    hazard: HazardKind | None = HazardKind.GAS,
    value: float | None = None,
    happened_s: float | None = None,
) -> Observation:
    arrived = START + timedelta(seconds=at_s)
    happened = arrived if happened_s is None else START + timedelta(seconds=happened_s)
    message = Hazard(hazard=hazard, phase=phase, value=value)
    return Observation(SENSOR, "hazard", arrived, happened, message=message)


def told(words: list[Observation]) -> tuple[HazardState | None, list[Finding]]:
    state: HazardState | None = None
    findings: list[Finding] = []
    for observation in words:
        state, found = DETECTOR.observe(state, observation, CONTEXT)
        findings += found
    return state, findings


@pytest.mark.parametrize("hazard", [*HazardKind, None])
def test_every_hazard_is_confirmed_at_its_first_word(hazard: HazardKind | None) -> None:
    _, (finding,) = told([word(0, hazard=hazard)])
    assert finding.phase is Phase.CONFIRMED
    assert finding.priority is HAZARD_PRIORITIES[hazard]


def test_a_sensor_that_repeats_itself_is_one_episode_told_again_every_ten_minutes() -> None:
    _, findings = told([word(30 * i) for i in range(50)])
    assert all(f.key.startswith(findings[0].key) for f in findings)
    assert len({f.key for f in findings}) == 3
    assert [(f.at - START).total_seconds() for f in findings] == [
        0,
        REMIND_AFTER_S,
        2 * REMIND_AFTER_S,
    ]


def test_an_end_withdraws_its_begin_and_a_new_begin_is_a_new_episode() -> None:
    _, findings = told(
        [word(0), word(60, HazardPhase.ENDED), word(61, HazardPhase.ENDED), word(90)]
    )
    assert [f.phase for f in findings] == [Phase.CONFIRMED, Phase.WITHDRAWN, Phase.CONFIRMED]
    assert findings[0].key == findings[1].key != findings[2].key
    assert findings[1].priority is Priority.LOW


def test_hazards_of_one_sensor_do_not_end_each_other() -> None:
    _, findings = told(
        [word(0), word(5, hazard=HazardKind.TAMPER), word(9, HazardPhase.ENDED, HazardKind.TAMPER)]
    )
    assert [f.evidence["hazard"] for f in findings] == ["gas", "tamper", "tamper"]


def test_a_rising_value_is_told_at_once() -> None:
    _, findings = told([word(0, value=10), word(5, value=15), word(10, value=25)])
    assert [f.evidence["value"] for f in findings] == [10, 25]


def test_an_end_that_overtook_its_begin_leaves_nothing_ringing() -> None:
    overtaken = [word(20, HazardPhase.ENDED), word(21, happened_s=0)]
    assert told(overtaken)[1] == []


def test_a_late_end_of_an_earlier_episode_does_not_silence_the_present_one() -> None:
    words = [word(100), word(101, HazardPhase.ENDED, happened_s=50)]
    state, findings = told(words)
    assert [f.phase for f in findings] == [Phase.CONFIRMED]
    assert state is not None
    assert state.holding


def test_an_end_that_was_lost_does_not_hide_tomorrow() -> None:
    _, findings = told([word(0), word(FORGOTTEN_AFTER_S + 60)])
    assert len({f.key for f in findings}) == 2


def test_other_messages_and_no_message_are_ignored() -> None:
    press = Observation(SENSOR, "press", START, START, message=Press())
    assert DETECTOR.observe(None, press, CONTEXT) == (None, ())


def test_state_survives_json_and_nothing_is_ever_due() -> None:
    state, _ = told([word(0, value=3.5), word(9, HazardPhase.ENDED, HazardKind.COLD)])
    assert state is not None
    stored = msgspec.json.encode(state)
    assert len(stored) < 200
    assert msgspec.json.decode(stored, type=HazardState) == state
    assert DETECTOR.deadline(state, CONTEXT) is None
