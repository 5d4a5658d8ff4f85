"""One suite that every detector of the table passes; a new one is tested by being registered.

A story is a list of steps: an observation after some seconds (none: a duplicate in time; less than
none: out of order), or time that passes until the deadline and beyond.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.detect.detector import Context, Detector, Finding
from hub.detect.registry import ALARM_DETECTORS, TELEMETRY_DETECTORS
from hub.device import Device
from hub.observation import ALIVE, Observation
from schemas.alarms import AlarmMessage, Fall, Hazard, HazardKind, HazardPhase, Motion, Press
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind, Quality

DETECTORS: tuple[Detector[Any], ...] = (*ALARM_DETECTORS, *TELEMETRY_DETECTORS)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STATE_LIMIT_BYTES = 200
"""Design, section 7: about 200 bytes a person and detector."""

EVERY_DETECTOR = pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)

MESSAGES: dict[str, st.SearchStrategy[AlarmMessage]] = {
    "press": st.builds(Press, message_id=st.sampled_from(["1", "2"])),
    "fall": st.builds(Fall, confidence=st.none() | st.floats(0, 1), impact_g=st.floats(0, 20)),
    "motion": st.builds(Motion, message_id=st.sampled_from(["1", "2"])),
    "hazard": st.builds(
        Hazard,
        hazard=st.none() | st.sampled_from(HazardKind),
        phase=st.sampled_from(HazardPhase),
        value=st.none() | st.floats(-10, 10),
    ),
}


@dataclass(frozen=True, slots=True)
class Step:
    """An observation `after_s` seconds later; without a measure only time passes."""

    after_s: int
    measure: str | None = None
    message: AlarmMessage | None = None
    value: float | None = None
    quality: Quality = Quality.GOOD


def steps_for(detector: Detector[Any]) -> st.SearchStrategy[list[Step]]:
    pauses = st.sampled_from([0, 0, 1, 30, 60, 179, 180, 181, 4_000, -1, -200])
    kinds = [st.builds(Step, st.sampled_from([1, 200, 2_000, 90_000]))]
    for measure in sorted(detector.measures):
        if measure in MESSAGES:
            kinds.append(st.builds(Step, pauses, st.just(measure), MESSAGES[measure]))
        elif measure == ALIVE:
            kinds.append(st.builds(Step, pauses, st.just(measure)))
        else:
            known = MEASURE_BY_KEY[measure]
            values = st.floats(known.low, known.high) if known.numeric else st.none()
            qualities = st.sampled_from(Quality)
            kinds.append(st.builds(Step, pauses, st.just(measure), st.none(), values, qualities))
    return st.lists(st.one_of(kinds), max_size=30)


@st.composite
def devices(draw: st.DrawFn) -> Device:
    kind = draw(st.sampled_from(DeviceKind))
    person = draw(st.none() | st.just(PersonId("anna")))
    return Device(DeviceId("d-1"), kind, AreaId("city"), PremisesId("home-1"), person)


Stories = st.data()


class Run:
    """A detector over a story, as the runner would show it."""

    def __init__(self, detector: Detector[Any], device: Device, *, stored: str = "") -> None:
        self.detector = detector
        self.context = Context(device, START)
        self.state: Any = None
        self.findings: list[Finding] = []
        self.now = START
        self._stored = stored

    def live(self, steps: Sequence[Step]) -> "Run":
        """All steps, and every deadline that passes between them."""
        for step in steps:
            at = self.now + timedelta(seconds=step.after_s)
            self._expire(at)
            self.now = max(self.now, at)
            if step.measure is not None:
                observed = self._observation(step, at)
                self._keep(self.detector.observe(self.state, observed, self.context))
            self.state = self._checkpointed(self.state)
        return self

    def _observation(self, step: Step, at: datetime) -> Observation:
        assert step.measure is not None
        device = self.context.device
        return Observation(
            device, step.measure, at, at, step.value, None, step.quality, step.message
        )

    def _expire(self, now: datetime) -> None:
        if self.state is None:
            return
        due = self.detector.deadline(self.state, self.context)
        if due is None or due > now:
            return
        self._keep(self.detector.expire(self.state, now, self.context))
        due = self.detector.deadline(self.state, self.context)
        assert due is None or due > now, "a deadline in the past would be due for ever"

    def _keep(self, result: tuple[Any, Sequence[Finding]]) -> None:
        self.state, findings = result
        self.findings += findings

    def _checkpointed(self, state: Any) -> Any:
        if state is None or not self._stored:
            return state
        kind = self.detector.state_type
        if self._stored == "json":
            return msgspec.convert(msgspec.json.decode(msgspec.json.encode(state)), kind)
        return msgspec.convert(msgspec.msgpack.decode(msgspec.msgpack.encode(state)), kind)


def test_names_tell_detectors_apart() -> None:
    names = [detector.name for detector in DETECTORS]
    assert len(set(names)) == len(names)


@EVERY_DETECTOR
def test_it_wants_measures_that_exist(detector: Detector[Any]) -> None:
    assert detector.measures
    assert detector.measures <= MEASURE_BY_KEY.keys() | MESSAGES.keys() | {ALIVE}


@EVERY_DETECTOR
@given(data=Stories, device=devices())
def test_it_is_deterministic(detector: Detector[Any], data: st.DataObject, device: Device) -> None:
    steps = data.draw(steps_for(detector))
    one, other = Run(detector, device).live(steps), Run(detector, device).live(steps)
    assert (one.state, one.findings) == (other.state, other.findings)


@EVERY_DETECTOR
@given(data=Stories, device=devices())
def test_it_does_not_touch_what_it_is_given(
    detector: Detector[Any], data: st.DataObject, device: Device
) -> None:
    run = Run(detector, device).live(data.draw(steps_for(detector)))
    if run.state is None:
        return
    before = copy.deepcopy(run.state)
    now = run.now + timedelta(days=1)
    detector.deadline(run.state, run.context)
    detector.expire(run.state, now, run.context)
    for step in data.draw(steps_for(detector)):
        if step.measure is not None:
            detector.observe(run.state, run._observation(step, now), run.context)
    assert run.state == before


@EVERY_DETECTOR
@pytest.mark.parametrize("stored", ["json", "msgpack"])
@given(data=Stories, device=devices())
def test_a_checkpoint_anywhere_changes_nothing(
    detector: Detector[Any], stored: str, data: st.DataObject, device: Device
) -> None:
    steps = data.draw(steps_for(detector))
    through, straight = Run(detector, device, stored=stored), Run(detector, device)
    assert through.live(steps).findings == straight.live(steps).findings
    assert through.state == straight.state


@EVERY_DETECTOR
@given(data=Stories, device=devices())
def test_its_state_stays_small(
    detector: Detector[Any], data: st.DataObject, device: Device
) -> None:
    run = Run(detector, device)
    for step in data.draw(steps_for(detector)):
        run.live([step])
        assert len(msgspec.json.encode(run.state)) < STATE_LIMIT_BYTES
        assert len(msgspec.msgpack.encode(run.state)) < STATE_LIMIT_BYTES


@EVERY_DETECTOR
@given(data=Stories, device=devices())
def test_nothing_is_reported_twice(
    detector: Detector[Any], data: st.DataObject, device: Device
) -> None:
    """Late, repeated and reordered observations included. (A finding without a key is the message
    itself, whose identity tells its repeats.)"""
    run = Run(detector, device).live(data.draw(steps_for(detector)))
    keyed = [(f.kind, f.subject, f.key, f.phase) for f in run.findings if f.key]
    assert len(set(keyed)) == len(keyed)


@EVERY_DETECTOR
@given(data=Stories, device=devices())
def test_every_finding_says_who_found_what(
    detector: Detector[Any], data: st.DataObject, device: Device
) -> None:
    run = Run(detector, device).live(data.draw(steps_for(detector)))
    for finding in run.findings:
        assert finding.detector == detector.name
        assert finding.kind
        assert finding.subject.id
        assert msgspec.json.decode(msgspec.json.encode(finding.evidence)) == finding.evidence
