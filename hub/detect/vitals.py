"""Vital signs of one device: out of range for long enough, compared with the person's own usual.

Episodes open, worsen, improve and close. A value that is implausible, frozen, or from a sensor
off the body is a technical finding and never a physiological one. Limits and times with their
sources are in hub.detect.vitals_limits; what is remembered is in hub.detect.vitals_track.
"""

from datetime import datetime

import msgspec

from alerts.alarm import Priority
from hub.detect.detector import NONE, Context, Findings, Phase, Scope
from hub.detect.news2 import MEASURED
from hub.detect.vitals_findings import changes, lost, technical
from hub.detect.vitals_limits import AMBER, RED, RULE_OF, RULES, VitalRule, reach
from hub.detect.vitals_moment import moment_s
from hub.detect.vitals_technical import recovered, unusable
from hub.detect.vitals_track import (
    NEVER_S,
    Track,
    begun,
    counting_from,
    forgotten,
    level_of,
    passed,
    quiet,
    stuck,
    troubled,
    unread,
)
from hub.observation import Observation
from schemas.telemetry import WornState
from schemas.vocabulary import MEASURE_BY_KEY, Quality

RESTING_AFTER_S = 120
"""Ours: heart and breath settle within about two minutes after a few steps in the room."""
RESTLESS_PERCENT = 30.0
"""Ours: a minute in bed with this share of movement spoils contactless rates."""

_MOVES = {"steps": 0.0, "movement_percent": RESTLESS_PERCENT}
"""What is more than this is movement."""
_NOT_WORN = (WornState.OFF, WornState.CHARGING)
_GOOD = Quality.GOOD

_PLAUSIBLE = {
    measure: (MEASURE_BY_KEY[measure].low, MEASURE_BY_KEY[measure].high) for measure in RULE_OF
}


class VitalSignDetector:
    """One vital sign of one device: two sensors of one person that disagree are both heard.

    Parameters: its row of hub.detect.vitals_limits.RULES, and the constants above.

    >>> detector = VitalSignDetector(RULE_OF["heart_rate_per_min"])
    >>> detector.name, detector.rule.red_s, detector.rule.samples
    ('vitals_heart_rate', 600, 3)
    """

    scope = Scope.DEVICE
    state_type = Track
    timed = False

    def __init__(self, rule: VitalRule) -> None:
        self.rule = rule
        self.name = rule.detector
        moving = ("steps", "movement_percent") if rule.rests else ()
        self.measures = frozenset({rule.measure, "worn_state", *moving})
        self.begins_with = frozenset({rule.measure})
        self._measure, self._forget_s = rule.measure, rule.forget_s
        self._above, self._up_to = MEASURED[rule.measure].zero
        self._most_same = rule.frozen_samples - 1

    def observe(
        self, state: Track | None, observation: Observation, context: Context
    ) -> tuple[Track | None, Findings]:
        """Take one sample; duplicates and what comes out of order change nothing."""
        if observation.measure != self._measure:
            return _circumstances(state, observation), NONE
        at_s = observation.moment_s or moment_s(observation)
        if state is None:
            return _step(unread(at_s - 1), self.rule, at_s, observation, context)
        if at_s <= state.at_s:
            return state, NONE
        value, person = observation.value, context.person
        if (
            value is not None
            and self._above < value <= self._up_to
            and observation.quality is _GOOD
            and state.episode is None
            and state.fault is None
            and 0 < state.same_count < self._most_same
            and at_s - state.at_s <= self._forget_s
            and at_s >= state.counts_from_s
            and not person.limits
            and not person.oxygen_scale_2
        ):
            return quiet(state, at_s, value, not person.incident_open), NONE
        return _step(state, self.rule, at_s, observation, context)

    def deadline(self, state: Track, context: Context) -> datetime | None:
        """Silence is no evidence about the person: another detector's finding."""
        del state, context
        return None

    def expire(self, state: Track, now: datetime, context: Context) -> tuple[Track, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def _step(
    track: Track,
    rule: VitalRule,
    at_s: int,
    observation: Observation,
    context: Context,
) -> tuple[Track, Findings]:
    """One reading of one vital sign, later than the one before."""
    value = observation.value
    if track.counts_from_s == NEVER_S:
        return passed(track, at_s), NONE
    low, high = _PLAUSIBLE[rule.measure]
    if value is None or not low <= value <= high or observation.quality is Quality.IMPLAUSIBLE:
        return unusable(rule, track, at_s, observation, context)
    if at_s < track.counts_from_s or observation.quality is not _GOOD:
        return passed(track, at_s), NONE
    fault, back = track.fault, NONE
    if fault is not None:
        fault, back = recovered(rule, fault, at_s - track.at_s, observation, context)
    if forgotten(rule, track, at_s):
        after = begun(track, at_s, value)
        findings = lost(rule, track, observation, context)
    else:
        after, findings = _judged(track, rule, at_s, value, observation, context)
    if fault is not None:
        after = msgspec.structs.replace(after, fault=fault)
    return after, (*back, *findings)


def _judged(
    track: Track,
    rule: VitalRule,
    at_s: int,
    value: float,
    observation: Observation,
    context: Context,
) -> tuple[Track, Findings]:
    """A reading that may be out of range, stuck, or the end of an episode."""
    person = context.person
    out = reach(rule, value, person)
    if stuck(rule, track, at_s, value):
        return _frozen(track, rule, at_s, value, out.points, observation, context)
    findings: Findings = NONE
    if track.frozen:
        moves = technical(
            rule,
            "vital_frozen",
            track.same_since_s,
            Phase.WITHDRAWN,
            f"{rule.name} moves again",
            observation=observation,
            context=context,
        )
        findings = (moves,)
    episode = track.episode
    if episode is None and not out.points:
        return quiet(track, at_s, value, not person.incident_open), findings
    held = 0
    if episode is not None and out.points < RED:
        moved = value + rule.margin * episode.side
        held = reach(rule, moved, person).points
    episode = troubled(rule, track, at_s, value, out, held)
    learns = not person.incident_open and episode is None
    after = quiet(track, at_s, value, learns)
    if episode is None:
        return after, findings
    after = msgspec.structs.replace(after, episode=episode)
    after, more = changes(rule, after, level_of(rule, after), observation, context)
    return after, (*findings, *more)


def _frozen(
    track: Track,
    rule: VitalRule,
    at_s: int,
    value: float,
    points: int,
    observation: Observation,
    context: Context,
) -> tuple[Track, Findings]:
    """The same value too often: from here on it says nothing about the person."""
    after = msgspec.structs.replace(quiet(track, at_s, value, False), frozen=True)
    if track.frozen:
        return after, NONE
    _, closing = changes(rule, track, 0, observation, context)
    minutes = (at_s - track.same_since_s) // 60
    text = f"{rule.name} stuck at {value:g} {rule.unit} for {minutes} min"
    finding = technical(
        rule,
        "vital_frozen",
        track.same_since_s,
        Phase.CONFIRMED,
        f"{text}, out of range: look at the person and the sensor" if points >= AMBER else text,
        observation=observation,
        context=context,
        priority=Priority.MEDIUM if points >= AMBER else Priority.LOW,
        evidence={
            "value": value,
            "readings": after.same_count,
            "window_min": minutes,
            "limit": {"readings": rule.frozen_samples, "seconds": rule.frozen_s},
        },
    )
    return after, (*closing, finding)


def _circumstances(track: Track | None, observation: Observation) -> Track | None:
    """Movement and wearing: they decide which readings count."""
    if track is None:
        return None
    if observation.measure == "worn_state":
        off = observation.state in _NOT_WORN
        if off == (track.counts_from_s == NEVER_S):
            return track
        return counting_from(track, NEVER_S if off else moment_s(observation))
    value = observation.value
    if value is None or not value > _MOVES[observation.measure]:
        return track
    from_s = (observation.moment_s or moment_s(observation)) + RESTING_AFTER_S
    return counting_from(track, from_s) if from_s > track.counts_from_s else track


VITAL_DETECTORS = tuple(VitalSignDetector(rule) for rule in RULES)
"""One a vital sign, so that a device's state is only of what it measures."""
