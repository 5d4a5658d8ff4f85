"""Short stories for the detectors of vital signs and the bed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.alarm import Category, Priority
from hub.detect.detector import Context, Detector, Finding, PersonContext, Phase
from hub.device import Device
from hub.observation import Observation
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind, Quality, quality_of

START = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
"""22:00 at home."""
PULSE = "heart_rate_per_min"
DEVICE = Device(
    DeviceId("bed-1"),
    DeviceKind.CARE_BED,
    AreaId("city"),
    PremisesId("home-1"),
    PersonId("anna"),
)


def context(person: PersonContext | None = None) -> Context:
    return Context(DEVICE, START, person or PersonContext())


def sample(
    measure: str,
    at: datetime,
    value: float | None = None,
    *,
    state: str | None = None,
    quality: Quality | None = None,
    received_at: datetime | None = None,
) -> Observation:
    """As ingest makes them: implausible values are marked."""
    if quality is None:
        quality = Quality.GOOD
        if value is not None:
            quality = quality_of(MEASURE_BY_KEY[measure], value, Quality.GOOD)
    return Observation(DEVICE, measure, received_at or at, at, value, state, quality)


class Story:
    """A detector that is shown one thing after another."""

    def __init__(self, detector: Detector[Any], person: PersonContext | None = None) -> None:
        self.detector = detector
        self.context = context(person)
        self.state: Any = None
        self.now = START
        self.findings: list[Finding] = []

    def given(self, person: PersonContext) -> "Story":
        self.context = context(person)
        return self

    def show(self, *observations: Observation) -> "Story":
        for observation in observations:
            self.state, found = self.detector.observe(self.state, observation, self.context)
            self.findings += found
        return self

    def values(self, values: Iterable[float], measure: str = PULSE, every_s: int = 60) -> "Story":
        for value in values:
            self.show(sample(measure, self.now, value))
            self.now += timedelta(seconds=every_s)
        return self

    def wait(self, seconds: int) -> "Story":
        """Time passes, and with it the deadline."""
        self.now += timedelta(seconds=seconds)
        due = self.detector.deadline(self.state, self.context)
        if due is not None and due <= self.now:
            self.state, found = self.detector.expire(self.state, due, self.context)
            self.findings += found
        return self

    @property
    def pages(self) -> list[Finding]:
        return [
            finding
            for finding in self.findings
            if finding.phase is Phase.CONFIRMED and finding.priority is not Priority.LOW
        ]

    @property
    def physiological(self) -> list[Finding]:
        return [f for f in self.findings if f.category is Category.PHYSIOLOGICAL]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(f.kind, f.phase.value, f.priority.value) for f in self.findings]


def about(middle: float, count: int) -> list[float]:
    """Values that wander a little, as a body does."""
    return [middle + (-2, 1, 0, 3, -1, 2, -3)[index % 7] for index in range(count)]
