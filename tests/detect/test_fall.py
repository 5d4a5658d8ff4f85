"""The fall detector: candidate, corroboration, confirmation; told once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alerts.alarm import Priority
from hub.detect import fall as fall_module
from hub.detect.detector import Context, Finding, Phase
from hub.detect.fall import CORROBORATE_S, FallDetector, FallState, judged
from hub.detect.fall_model import FallModel, ModelOrigin, Verdict, pack, shipped, unpack
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import AlarmMessage, Fall, Motion, Press, PressAction
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BAND = Device(
    DeviceId("band-1"), DeviceKind.WRISTBAND, AreaId("city"), PremisesId("home-1"), PersonId("anna")
)
CONTEXT = Context(BAND, START)
DETECTOR = FallDetector()


class Story:
    """A person's detector on a hand-moved clock."""

    def __init__(self) -> None:
        self.state: FallState | None = None
        self.found: list[Finding] = []

    def sees(
        self,
        after_s: float,
        measure: str,
        message: AlarmMessage | None = None,
        *,
        value: float | None = None,
        state: str | None = None,
    ) -> Sequence[Finding]:
        at = START + timedelta(seconds=after_s)
        seen = Observation(BAND, measure, at, at, value, state, message=message)
        self.state, found = DETECTOR.observe(self.state, seen, CONTEXT)
        self.found += found
        return found

    def waits_until(self, after_s: float) -> Sequence[Finding]:
        assert self.state is not None
        now = START + timedelta(seconds=after_s)
        due = DETECTOR.deadline(self.state, CONTEXT)
        if due is None or due > now:
            return ()
        self.state, found = DETECTOR.expire(self.state, now, CONTEXT)
        self.found += found
        return found


def looks_like(probability: float, monkeypatch: pytest.MonkeyPatch, still_s: float = 0.0) -> None:
    verdict = Verdict(probability, 3.2, still_s, 80.0)
    monkeypatch.setattr(fall_module, "judged", lambda motion, model: verdict)


@pytest.fixture
def origin() -> ModelOrigin:
    return shipped("wrist").origin


def test_below_the_threshold_nothing_is_remembered(
    monkeypatch: pytest.MonkeyPatch, origin: ModelOrigin
) -> None:
    looks_like(origin.threshold - 0.01, monkeypatch)
    story = Story()
    assert story.sees(0, "motion", Motion()) == ()
    assert story.state is None


def test_a_sure_fall_is_confirmed_at_once_and_told_once(
    monkeypatch: pytest.MonkeyPatch, origin: ModelOrigin
) -> None:
    looks_like(origin.sure, monkeypatch, still_s=4.0)
    story = Story()
    (found,) = story.sees(0, "motion", Motion())
    assert (found.phase, found.priority) == (Phase.CONFIRMED, Priority.HIGH)
    assert found.evidence["impact_g"] == 3.2
    assert found.evidence["still_s"] == 4.0
    assert found.evidence["posture_change_deg"] == 80
    assert "impact 3.2 g" in found.text
    assert story.sees(15, "motion", Motion()) == ()
    assert story.waits_until(300) == ()


def test_a_candidate_is_confirmed_with_medium_priority_when_nothing_speaks_against_it(
    monkeypatch: pytest.MonkeyPatch, origin: ModelOrigin
) -> None:
    looks_like(origin.threshold, monkeypatch)
    story = Story()
    (first,) = story.sees(0, "motion", Motion())
    (then,) = story.waits_until(CORROBORATE_S)
    assert (first.phase, then.phase) == (Phase.CANDIDATE, Phase.CONFIRMED)
    assert (first.key, then.priority) == (then.key, Priority.MEDIUM)
    assert story.waits_until(10_000) == ()


@pytest.mark.parametrize(
    ("measure", "value", "state"),
    [("steps", 25.0, None), ("bed_state", None, "occupied"), ("worn_state", None, "off")],
)
def test_what_another_sensor_says_withdraws_a_doubtful_candidate(
    monkeypatch: pytest.MonkeyPatch,
    origin: ModelOrigin,
    measure: str,
    value: float | None,
    state: str | None,
) -> None:
    looks_like(origin.threshold, monkeypatch)
    story = Story()
    story.sees(0, "motion", Motion())
    story.sees(30, measure, value=value, state=state)
    (found,) = story.waits_until(CORROBORATE_S)
    assert found.phase is Phase.WITHDRAWN
    assert found.evidence["against"] == [measure]


def test_steps_of_the_fall_itself_or_of_long_ago_say_nothing(
    monkeypatch: pytest.MonkeyPatch, origin: ModelOrigin
) -> None:
    looks_like(origin.threshold, monkeypatch)
    story = Story()
    story.sees(0, "steps", value=40.0)
    story.sees(10, "motion", Motion())
    story.sees(11, "steps", value=40.0)
    (found,) = story.waits_until(10 + CORROBORATE_S)
    assert found.phase is Phase.CONFIRMED


def test_the_wristbands_own_claim_is_never_held_back() -> None:
    story = Story()
    (found,) = story.sees(0, "fall", Fall(confidence=0.9, impact_g=4.5))
    assert (found.phase, found.priority) == (Phase.CONFIRMED, Priority.HIGH)
    (unsure,) = Story().sees(0, "fall", Fall(confidence=0.2))
    assert (unsure.phase, unsure.priority) == (Phase.CONFIRMED, Priority.MEDIUM)


def test_a_claim_makes_a_candidate_urgent_under_the_same_key(
    monkeypatch: pytest.MonkeyPatch, origin: ModelOrigin
) -> None:
    looks_like(origin.threshold, monkeypatch)
    story = Story()
    (first,) = story.sees(0, "motion", Motion())
    (then,) = story.sees(4, "fall", Fall())
    assert (first.key, then.phase) == (then.key, Phase.CONFIRMED)
    assert then.priority is Priority.HIGH
    assert then.evidence["impact_g"] == 3.2


def test_after_the_wearer_said_they_are_well_another_fall_is_asked_about_again() -> None:
    story = Story()
    (first,) = story.sees(0, "fall", Fall(confidence=0.9))
    assert story.sees(5, "press", Press(action=PressAction.CANCEL)) == ()
    assert story.sees(3, "fall", Fall(confidence=0.9)) == (), "a late sign of what was answered"
    (second,) = story.sees(30, "fall", Fall(confidence=0.9))
    assert second.key != first.key
    assert story.sees(31, "fall", Fall(confidence=0.9)) == ()


def test_a_window_that_cannot_be_judged_goes_by_its_impact() -> None:
    model = shipped("wrist")
    hard = Motion(sample_rate_hz=50.0, x_mg=[0] * 20, y_mg=[0] * 20, z_mg=[1000] * 19 + [2600])
    soft = Motion(sample_rate_hz=50.0, x_mg=[0] * 20, y_mg=[0] * 20, z_mg=[1000] * 20)
    assert judged(hard, model).probability == model.origin.threshold
    assert judged(soft, model).probability < model.origin.threshold


def test_lying_still_is_no_fall_and_odd_windows_do_not_crash() -> None:
    model = shipped("wrist")
    still = Motion(sample_rate_hz=25.0, x_mg=[0] * 250, y_mg=[0] * 250, z_mg=[1000] * 250)
    assert judged(still, model).probability < model.origin.threshold
    uneven = Motion(sample_rate_hz=20.0, x_mg=[10] * 90, y_mg=[0] * 70, z_mg=[1_000_000] * 80)
    assert 0.0 <= judged(uneven, model).probability <= 1.0
    long = Motion(sample_rate_hz=100.0, x_mg=[0] * 30_000, y_mg=[0] * 30_000, z_mg=[1000] * 30_000)
    assert judged(long, model).still_s <= 60.0


@pytest.mark.parametrize("place", ["wrist", "waist"])
def test_the_model_file_is_small_and_packs_to_the_same_bytes(place: str) -> None:
    model = shipped(place)
    stored = pack(model)
    assert len(stored) < 400_000
    assert pack(unpack(stored)) == stored
    assert model.origin.threshold < model.origin.sure
    assert model.origin.sets


def test_votes_follow_the_tree() -> None:
    """One tree of three nodes, by hand."""
    model = FallModel(
        origin=replace_origin(),
        edges=np.array([[0.5]], dtype=np.float32),
        roots=np.array([0], dtype=np.int32),
        feature=np.array([0, 0, 0], dtype=np.uint16),
        cut=np.array([0, 0, 0], dtype=np.uint8),
        left=np.array([1, 0, 0], dtype=np.uint16),
        value=np.array([0, 51, 204], dtype=np.uint8),
        depth=1,
    )
    assert model.votes(np.array([[0.1], [0.9]])).tolist() == [0.2, 0.8]
    assert replace(model, depth=5).votes(np.array([[0.9]])).tolist() == [0.8]


def replace_origin() -> ModelOrigin:
    return ModelOrigin("wrist", {}, [], 1.0, 0.0, 0.5, 0.9)
