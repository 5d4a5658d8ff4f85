"""How far, how long, how quiet: the table of limits that the vital-signs detector follows.

What is out of range is NEWS2's chart (hub.detect.news2): 3 points are red, 2 are amber. A person's
clinician may replace either side. How long it must last is ours: RCP 2017 knows spot checks by a
nurse, not a sensor every minute, and 72 to 99 % of clinical alarms are false when a reading pages.
"""

from dataclasses import dataclass
from datetime import date

from hub.detect.detector import Limit, PersonContext
from hub.detect.news2 import bands_of


@dataclass(frozen=True, slots=True)
class VitalRule:
    """One vital sign; times in seconds, values in the measure's unit."""

    measure: str
    kind: str
    """Findings are `<kind>_low` or `<kind>_high`."""
    name: str
    unit: str
    margin: float
    """Hysteresis: a limit is left only when it is cleared by this much."""
    extreme_low: float
    extreme_high: float
    """From here outward, a second counts twice."""
    red_s: int
    """Net time with 3 points before it pages with high priority."""
    amber_s: int
    """Net time with 2 points or more before it pages with medium priority."""
    drift_s: int
    """Net time away from the person's own baseline, outside the zero band, for a review."""
    drift_delta: float
    """Least distance from the baseline that counts as drift."""
    samples: int
    """Fewest readings out of range before anything is said: one never suffices."""
    stands_s: int
    """A reading stands for the time since the one before, at most this long."""
    forget_s: int
    """After this long without a reading an episode is over and the next one is new."""
    rests: bool
    """Valid only at rest: readings during and just after movement are left out."""
    varies: bool
    """A living person's values differ from one to the next: identical ones alone open nothing."""
    frozen_samples: int
    frozen_s: int
    """So many identical readings over so long a time are a stuck sensor."""

    @property
    def detector(self) -> str:
        """The name of the detector that follows this row."""
        return f"vitals_{self.kind}"


EXTREME_WEIGHT = 2
"""Ours: a pulse of 28 need not wait as long as one of 39; but most such minutes are artefacts."""

# Persistence: ours. On 27 nights of healthy sleepers (bed-rr-nights) the longest run <= 40 /min was
# 8 min, artefacts included, and a whole minute repeated its rounded rate at most 14 times.
# fmt: off
RULES: tuple[VitalRule, ...] = (
    VitalRule(
        "heart_rate_per_min", "heart_rate", "heart rate", "/min",
        margin=3, extreme_low=30, extreme_high=160, red_s=600, amber_s=1800,
        drift_s=3600, drift_delta=20, samples=3, stands_s=300, forget_s=21_600,
        rests=True, varies=True, frozen_samples=20, frozen_s=1200,
    ),
    VitalRule(
        "respiratory_rate_per_min", "respiratory_rate", "respiration", "/min",
        margin=1, extreme_low=5, extreme_high=35, red_s=600, amber_s=1800,
        drift_s=3600, drift_delta=6, samples=3, stands_s=300, forget_s=21_600,
        rests=True, varies=False, frozen_samples=60, frozen_s=3600,
    ),
    VitalRule(
        "oxygen_saturation_percent", "oxygen_saturation", "SpO2", "%",
        margin=1, extreme_low=85, extreme_high=101, red_s=600, amber_s=1800,
        drift_s=3600, drift_delta=3, samples=3, stands_s=300, forget_s=21_600,
        rests=True, varies=False, frozen_samples=240, frozen_s=14_400,
    ),
    VitalRule(
        "systolic_blood_pressure_mmhg", "systolic_blood_pressure", "systolic pressure", "mmHg",
        margin=5, extreme_low=70, extreme_high=240, red_s=300, amber_s=1800,
        drift_s=86_400, drift_delta=30, samples=2, stands_s=1800, forget_s=129_600,
        rests=False, varies=True, frozen_samples=4, frozen_s=3600,
    ),
    VitalRule(
        "body_temperature_c", "body_temperature", "temperature", "°C",
        margin=0.3, extreme_low=33, extreme_high=41, red_s=1200, amber_s=1800,
        drift_s=7200, drift_delta=0.8, samples=2, stands_s=3600, forget_s=86_400,
        rests=False, varies=False, frozen_samples=48, frozen_s=86_400,
    ),
)
# fmt: on
RULE_OF = {rule.measure: rule for rule in RULES}

RED, AMBER, DRIFT = 3, 2, 1
"""Levels of an episode: high, medium, and low priority (for review, never a page)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far out a value is."""

    points: int
    """NEWS2's, or what stands in for them beyond a clinician's limit; 0: in range."""
    side: int
    """-1 low, 1 high, 0 in range."""
    limit: float | None
    """The limit it has passed."""
    author: str | None = None
    """The clinician who set the limit; None: NEWS2's."""
    set_on: date | None = None


_IN_RANGE = Reach(0, 0, None)


def reach(rule: VitalRule, value: float, person: PersonContext) -> Reach:
    """Judge one value for one person.

    A clinician's side replaces NEWS2's on that side: inside it nothing counts, beyond it at least
    amber does, and red what NEWS2 calls red as well.
    """
    bands = bands_of(rule.measure, scale_2=person.oxygen_scale_2, on_oxygen=person.on_oxygen)
    points = bands.score(value)
    if person.limits:
        for limit in person.limits:
            if limit.measure == rule.measure:
                return _by_clinician(limit, value, points, bands.limit(value))
    if not points:
        return _IN_RANGE
    passed = bands.limit(value)
    return Reach(points, _side(value, passed), passed)


def _by_clinician(limit: Limit, value: float, points: int, passed: float | None) -> Reach:
    if limit.low is not None and value < limit.low:
        return Reach(max(AMBER, points), -1, limit.low, limit.author, limit.set_on)
    if limit.high is not None and value > limit.high:
        return Reach(max(AMBER, points), 1, limit.high, limit.author, limit.set_on)
    side = _side(value, passed)
    replaced = limit.low if side < 0 else limit.high
    if not points or replaced is not None:
        return _IN_RANGE
    return Reach(points, side, passed)


def _side(value: float, passed: float | None) -> int:
    if passed is None:
        return 0
    return -1 if value <= passed else 1
