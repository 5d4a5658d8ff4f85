"""One suite that every detector of the table passes; a new one is tested by being registered.

A story is a list of steps: an observation after some seconds (none: a duplicate in time; less than
none: out of order), or time that passes until the deadline and beyond. What devices say may be
anything that gets through the contract, and what does not: NaN, infinity, the year 1 and 9999.
"""

import copy
import doctest
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import inf, nan
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.detect.detector import Context, Detector, Finding, Limit, PersonContext, Whereabouts
from hub.detect.fence import Circle, Fence, Polygon
from hub.detect.registry import ALARM_DETECTORS, TELEMETRY_DETECTORS
from hub.device import Device
from hub.observation import ALIVE, UNKNOWN_TIME, Observation
from schemas.alarms import (
    AlarmMessage,
    Fall,
    Hazard,
    HazardKind,
    HazardPhase,
    Motion,
    Position,
    PositionSource,
    Press,
    PressAction,
)
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind, Quality

DETECTORS: tuple[Detector[Any], ...] = (*ALARM_DETECTORS, *TELEMETRY_DETECTORS)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
STATE_LIMIT_BYTES = 256
"""About 200 bytes a person and detector, as it is stored (msgpack)."""
TEXT_LIMIT = 300
"""One line of a dispatcher's screen, and a text message."""

EVERY_DETECTOR = pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)

largest: dict[str, int] = {}
"""The largest state each detector was brought to; printed when the suite ends."""

POSITIONS = st.none() | st.builds(
    Position,
    st.sampled_from([39.9, 39.9001, 39.95, -90.0, 90.0]),
    st.sampled_from([116.4, 116.41, -180.0, 180.0]),
    st.sampled_from([None, 0.0, 8.0, 400.0, 1e8]),
    st.sampled_from(PositionSource),
    st.none() | st.sampled_from([START, UNKNOWN_TIME, datetime(9999, 1, 1, tzinfo=UTC)]),
)
MESSAGES: dict[str, st.SearchStrategy[AlarmMessage]] = {
    "press": st.builds(
        Press,
        message_id=st.sampled_from(["1", "2"]),
        action=st.sampled_from(PressAction),
        position=POSITIONS,
    ),
    "fall": st.builds(Fall, confidence=st.none() | st.floats(0, 1), impact_g=st.floats(0, 20)),
    "motion": st.builds(Motion, message_id=st.sampled_from(["1", "2"])),
    "hazard": st.builds(
        Hazard,
        hazard=st.none() | st.sampled_from(HazardKind),
        phase=st.sampled_from(HazardPhase),
        value=st.none() | st.floats(-10, 10),
    ),
}
STATES = {
    "bed_state": ["occupied", "empty"],
    "worn_state": ["worn", "off", "charging"],
    "motion": ["detected", "none"],
    "door": ["opened", "closed"],
    "room": ["bedroom", "kitchen", "大门"],
    "link_state": ["online", "offline"],
    "position": ["gnss", "cell"],
}
HOSTILE_STATES = ["", "x" * 64, "unheard of"]
HOSTILE_VALUES = [nan, inf, -inf, 0.0, -0.0, -1.0, 1e300, -1e300, 5e-324, 2.0**63]
CLOCKS = st.sampled_from(
    [
        None,
        timedelta(0),
        timedelta(seconds=-20),
        timedelta(minutes=-30),
        timedelta(days=-2),
        timedelta(minutes=10),
        timedelta(days=400),
        UNKNOWN_TIME,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
)
"""What the device's clock says: nothing, how far it is off, or any time at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """An observation `after_s` seconds later; without a measure only time passes."""

    after_s: int
    measure: str | None = None
    message: AlarmMessage | None = None
    value: float | None = None
    state: str | None = None
    quality: Quality = Quality.GOOD
    clock: timedelta | datetime | None = timedelta(0)
    position: Position | None = None
    sequence: int | None = None


def steps_for(detector: Detector[Any], most: int = 30) -> st.SearchStrategy[list[Step]]:
    pauses = st.sampled_from([0, 0, 1, 30, 60, 179, 180, 181, 700, 4_000, -1, -200])
    kinds: list[st.SearchStrategy[Step]] = [
        st.builds(Step, st.sampled_from([1, 200, 2_000, 90_000]))
    ]
    for measure in sorted(detector.measures):
        known = MEASURE_BY_KEY.get(measure)
        values: st.SearchStrategy[float | None] = st.none() | st.sampled_from(HOSTILE_VALUES)
        if known is not None and known.numeric:
            values |= st.integers(int(known.low), int(known.high)).map(float)
            values |= st.floats(known.low, known.high)
        states = STATES.get(measure, [])
        kinds.append(
            st.builds(
                Step,
                pauses,
                st.just(measure),
                MESSAGES.get(measure, st.none()),
                values if known is not None and known.numeric else st.none(),
                st.sampled_from([*states, *states, *HOSTILE_STATES]) if states else st.none(),
                st.sampled_from([Quality.GOOD, Quality.GOOD, *Quality]),
                CLOCKS,
                POSITIONS if measure == "position" else st.none(),
                st.none() | st.integers(0, 300) if measure == ALIVE else st.none(),
            )
        )
    return st.lists(st.one_of(kinds), max_size=most)


@st.composite
def contexts(draw: st.DrawFn) -> Context:
    kind = draw(st.sampled_from(DeviceKind))
    person = draw(st.none() | st.just(PersonId("anna")))
    device = Device(DeviceId("d-1"), kind, AreaId("city"), PremisesId("home-1"), person)
    measures = st.sampled_from(["heart_rate_per_min", "bed_absence_min"])
    limits = st.builds(
        Limit,
        measures,
        st.none() | st.just(45.0),
        st.none() | st.just(120.0),
        st.just("Dr Wu"),
        st.just(date(2026, 1, 1)),
    )
    square = ((39.89, 116.39), (39.91, 116.39), (39.91, 116.41))
    fences = st.sampled_from(
        [
            (),
            (Fence("f-1", "home", (Circle(39.9, 116.4, 500),)),),
            (
                Fence("f-1", "home", (Circle(39.9, 116.4, 500),), 1200, 360),
                Fence("f-2", "park", (Polygon(square),)),
            ),
        ]
    )
    whereabouts = st.sampled_from([Whereabouts.HOME, *Whereabouts])
    around = draw(
        st.builds(
            PersonContext,
            whereabouts=whereabouts,
            limits=st.lists(limits, max_size=2).map(tuple),
            oxygen_scale_2=st.booleans(),
            on_oxygen=st.booleans(),
            incident_open=st.booleans(),
            inactivity_line_min=st.sampled_from([(), (120,) * 98]),
            inactivity_limit_percent=st.sampled_from([50, 100, 200]),
            fences=fences,
        )
    )
    return Context(device, START, around)


Stories = st.data()
FEW = settings(max_examples=40, deadline=None)
"""Twenty detectors by ten properties: the sum is thousands of stories."""


class Run:
    """A detector over a story, as the runner would show it."""

    def __init__(
        self, detector: Detector[Any], context: Context, *, stored: str = "", times: int = 1
    ) -> None:
        self.detector = detector
        self.context = context
        self.state: Any = None
        self.findings: list[Finding] = []
        self.now = START
        self._stored = stored
        self._times = times

    def live(self, steps: Sequence[Step]) -> "Run":
        """All steps, and every deadline that passes between them."""
        for step in steps:
            at = self.now + timedelta(seconds=step.after_s)
            self._expire(at)
            self.now = max(self.now, at)
            if step.measure is not None:
                seen = self.seen(step, at)
                for _ in range(self._times):
                    self._keep(self.detector.observe(self.state, seen, self.context))
            self.state = self._checkpointed(self.state)
        return self

    def seen(self, step: Step, at: datetime) -> Observation:
        assert step.measure is not None
        clock = step.clock
        return Observation(
            self.context.device,
            step.measure,
            at,
            at + clock if isinstance(clock, timedelta) else clock,
            step.value,
            step.state,
            step.quality,
            step.message,
            step.position,
            step.sequence,
        )

    def _expire(self, now: datetime) -> None:
        if self.state is None:
            return
        due = self.detector.deadline(self.state, self.context)
        assert due is None or getattr(self.detector, "timed", True), "said never to be due"
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


def names(findings: Sequence[Finding]) -> list[tuple[str, str, str, str, str]]:
    """What tells findings apart for ever. (One without a key is the message itself.)"""
    return [
        (f.detector, f.kind, f"{f.subject.kind}/{f.subject.id}", f.key, f"{f.phase}/{f.priority}")
        for f in findings
        if f.key
    ]


@pytest.fixture(scope="module", autouse=True)
def _tell_sizes(request: pytest.FixtureRequest) -> Any:
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        sizes = sorted(largest.items(), key=lambda row: -row[1])
        print("\nlargest states, bytes:", ", ".join(f"{name} {size}" for name, size in sizes[:6]))


def test_names_tell_detectors_apart() -> None:
    found = [detector.name for detector in DETECTORS]
    assert len(set(found)) == len(found)


@EVERY_DETECTOR
def test_it_wants_measures_that_exist(detector: Detector[Any]) -> None:
    assert detector.measures
    assert detector.measures <= MEASURE_BY_KEY.keys() | MESSAGES.keys() | {ALIVE}


@EVERY_DETECTOR
def test_its_documentation_has_an_example_that_runs(detector: Detector[Any]) -> None:
    module = importlib.import_module(type(detector).__module__)
    found = doctest.DocTestFinder(recurse=True).find(type(detector), globs=vars(module))
    examples = [test for test in found if test.examples]
    assert examples, f"{type(detector).__name__} shows no example"
    runner = doctest.DocTestRunner(verbose=False)
    for test in examples:
        assert runner.run(test).failed == 0


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_it_is_deterministic(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    steps = data.draw(steps_for(detector))
    one, other = Run(detector, context).live(steps), Run(detector, context).live(steps)
    assert (one.state, one.findings) == (other.state, other.findings)


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_it_does_not_touch_what_it_is_given(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    run = Run(detector, context).live(data.draw(steps_for(detector)))
    if run.state is None:
        return
    before = copy.deepcopy(run.state)
    now = run.now + timedelta(days=1)
    detector.deadline(run.state, run.context)
    detector.expire(run.state, now, run.context)
    for step in data.draw(steps_for(detector)):
        if step.measure is not None:
            detector.observe(run.state, run.seen(step, now), run.context)
    assert run.state == before


@EVERY_DETECTOR
@pytest.mark.parametrize("stored", ["json", "msgpack"])
@FEW
@given(data=Stories, context=contexts())
def test_a_checkpoint_anywhere_changes_nothing(
    detector: Detector[Any], stored: str, data: st.DataObject, context: Context
) -> None:
    steps = data.draw(steps_for(detector))
    through, straight = Run(detector, context, stored=stored), Run(detector, context)
    assert through.live(steps).findings == straight.live(steps).findings
    assert through.state == straight.state


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_its_state_stays_small(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    run = Run(detector, context)
    for step in data.draw(steps_for(detector, most=100)):
        run.live([step])
        size = len(msgspec.msgpack.encode(run.state))
        largest[detector.name] = max(size, largest.get(detector.name, 0))
        assert size < STATE_LIMIT_BYTES


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_nothing_is_reported_twice(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    """Late, repeated and reordered observations included."""
    run = Run(detector, context).live(data.draw(steps_for(detector)))
    told = names(run.findings)
    assert len(set(told)) == len(told)


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_a_repeat_says_nothing_new(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    """The broker may deliver anything twice."""
    steps = data.draw(steps_for(detector))
    once, twice = Run(detector, context), Run(detector, context, times=2)
    assert names(twice.live(steps).findings) == names(once.live(steps).findings)


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_what_ends_had_begun(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    """A withdrawal that fits no claim would leave an incident open for ever."""
    begun: set[tuple[str, str]] = set()
    for finding in Run(detector, context).live(data.draw(steps_for(detector))).findings:
        if not finding.key:
            continue
        if finding.phase.value == "withdrawn":
            assert (finding.kind, finding.key) in begun
        else:
            begun.add((finding.kind, finding.key))


@EVERY_DETECTOR
@FEW
@given(data=Stories, context=contexts())
def test_every_finding_says_who_found_what(
    detector: Detector[Any], data: st.DataObject, context: Context
) -> None:
    run = Run(detector, context).live(data.draw(steps_for(detector)))
    for finding in run.findings:
        assert finding.detector == detector.name
        assert finding.kind
        assert finding.subject.id
        assert len(finding.text) <= TEXT_LIMIT
        assert msgspec.json.decode(msgspec.json.encode(finding.evidence)) == finding.evidence
