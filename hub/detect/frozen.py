"""The same value with a fresh time, again and again: a stuck sensor, or a gateway that repeats.

Each measure that must change has its own rule: the room's temperature, movement in bed, steps, a
satellite fix. How long is implausible depends on how finely a sensor tells its values: one that
has never said anything but whole and half degrees may honestly say 21.5 for days. Vital signs are
followed by the vital-signs detector (one stuck sign) and by `cached` (several at once).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.detect.vitals_moment import moment_s
from hub.observation import Observation
from schemas.alarms import PositionSource
from schemas.vocabulary import MEASURE_BY_KEY, Quality


@dataclass(frozen=True, slots=True)
class FrozenRule:
    """When equal values of one measure cannot be."""

    measure: str
    scale: int
    """Values are compared in this many parts of the unit."""
    coarse: int
    """A sensor that only says multiples of so many parts is a coarse one."""
    repeats: int
    lasts_s: int
    coarse_repeats: int
    coarse_lasts_s: int
    zero_rests: bool
    """Zero may stand for ever: an empty bed does not move."""


RULES = (
    # Ours: a heated and insulated room still moves by a tenth of a degree within half a day.
    FrozenRule("room_temperature_c", 100, 50, 24, 43_200, 72, 259_200, zero_rests=False),
    # Ours: sleepers turn; an hour of the very same share of movement is no person.
    FrozenRule("movement_percent", 100, 500, 40, 2_400, 240, 14_400, zero_rests=True),
    # Ours: nobody takes the same number of steps twenty reports running. It matters: a count that
    # never rests looks like somebody who is well.
    FrozenRule("steps", 1, 10, 20, 1_200, 60, 7_200, zero_rests=True),
    # Ours: a satellite fix wanders by metres even on a table; some receivers hold it while they
    # believe to stand, hence a day.
    FrozenRule("position", 1, 1, 24, 86_400, 24, 86_400, zero_rests=False),
)
_RULE_OF = {rule.measure: rule for rule in RULES}
_CODE_OF = {name: MEASURE_BY_KEY[name].code for name in _RULE_OF}
_GOOD = Quality.GOOD
FEWEST = 10
"""No rule speaks of fewer equal readings."""
MOST_COUNTED = 999
FORGET_S = 6 * 3600
"""After so long without a reading, equality says nothing."""


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Equal readings of one measure."""

    code: int
    at_s: int
    value: int
    since_s: int
    count: int = 1
    fine: bool = False
    """It has said something between its coarse steps."""


class FrozenState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The runs of one device, and which of them were reported: code and since when."""

    runs: tuple[Run, ...] = ()
    told: tuple[tuple[int, int], ...] = ()


class FrozenDetector:
    """One state a device. Parameters: RULES, FORGET_S.

    >>> sorted(FrozenDetector.measures)
    ['movement_percent', 'position', 'room_temperature_c', 'steps']
    """

    name = "frozen"
    scope = Scope.DEVICE
    measures = frozenset(_CODE_OF)
    state_type = FrozenState
    timed = False

    def observe(
        self, state: FrozenState | None, observation: Observation, context: Context
    ) -> tuple[FrozenState | None, Findings]:
        """Take one reading; duplicates, and what comes out of order, change nothing."""
        rule = _RULE_OF[observation.measure]
        value = _comparable(observation, rule)
        if value is None:
            return state, NONE
        code = _CODE_OF[observation.measure]
        runs = state.runs if state is not None else ()
        before = None
        for known in runs:
            if known.code == code:
                before = known
                break
        if value == 0 and rule.zero_rests and (before is None or before.value == 0):
            return state, NONE
        at_s = observation.moment_s or moment_s(observation)
        fine, since_s, count = value % rule.coarse != 0, at_s, 1
        if before is not None:
            if at_s <= before.at_s:
                return state, NONE
            fine = fine or before.fine
            if value == before.value and at_s - before.at_s <= FORGET_S:
                since_s, count = before.since_s, min(before.count + 1, MOST_COUNTED)
        run = Run(code, at_s, value, since_s, count, fine)
        if before is None:
            runs = (*runs, run)
        elif len(runs) == 1:
            runs = (run,)
        else:
            runs = tuple(run if known is before else known for known in runs)
        told = state.told if state is not None else ()
        after = FrozenState(runs, told)
        if count < FEWEST and not told:
            return after, NONE
        return _told(after, _claim(run, rule), observation, context)

    def deadline(self, state: FrozenState, context: Context) -> datetime | None:
        """Only readings can be equal."""
        del state, context
        return None

    def expire(
        self, state: FrozenState, now: datetime, context: Context
    ) -> tuple[FrozenState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def _comparable(observation: Observation, rule: FrozenRule) -> int | None:
    """The reading as an integer; None where equality would say nothing."""
    if rule.measure == "position":
        fix = observation.position
        # Wi-Fi, cells and beacons honestly give the same place again.
        if fix is None or fix.source is not PositionSource.GNSS:
            return None
        latitude, longitude = round(fix.latitude * 1e7), round(fix.longitude * 1e7)
        return latitude * 3_600_000_000 + longitude
    value, quality = observation.value, observation.quality
    if value is None or not -1e9 <= value <= 1e9:
        return None
    if quality is not _GOOD and (quality is Quality.IMPLAUSIBLE or quality is Quality.INVALID):
        return None
    return round(value * rule.scale)


@dataclass(frozen=True, slots=True)
class _Claim:
    """What may stand still."""

    code: int
    measure: str
    what: str
    since_s: int
    readings: int
    stuck: bool


def _claim(run: Run, rule: FrozenRule) -> _Claim:
    repeats = rule.repeats if run.fine else rule.coarse_repeats
    lasts_s = rule.lasts_s if run.fine else rule.coarse_lasts_s
    stuck = run.count >= repeats and run.at_s - run.since_s >= lasts_s
    if rule.zero_rests and run.value == 0:
        stuck = False
    unit = MEASURE_BY_KEY[rule.measure].unit
    what = f"{rule.measure} {run.value / rule.scale:g} {unit}"
    if rule.measure == "position":
        what = "its position"
    return _Claim(run.code, rule.measure, what, run.since_s, run.count, stuck)


def _told(
    state: FrozenState, claim: _Claim, observation: Observation, context: Context
) -> tuple[FrozenState, Findings]:
    """Say it once, and once that it moves again."""
    known_s = dict(state.told).get(claim.code)
    if claim.stuck == (known_s is not None):
        return state, NONE
    others = tuple(each for each in state.told if each[0] != claim.code)
    since_s = claim.since_s if known_s is None else known_s
    minutes = max(0, (moment_s(observation) - since_s) // 60)
    text = f"{claim.what} stuck for {minutes} min: a frozen sensor"
    if not claim.stuck:
        text = f"{claim.measure} changes again"
    finding = Finding(
        detector="frozen",
        kind="value_frozen",
        phase=Phase.CONFIRMED if claim.stuck else Phase.WITHDRAWN,
        category=Category.TECHNICAL,
        priority=Priority.LOW,
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=f"{claim.measure}-{since_s}",
        at=observation.received_at,
        text=text,
        evidence={
            "measure": claim.measure,
            "since": datetime.fromtimestamp(since_s, UTC).isoformat(),
            "window_min": minutes,
            "readings": claim.readings,
        },
    )
    told = (*others, (claim.code, since_s)) if claim.stuck else others
    return FrozenState(state.runs, told), (finding,)
