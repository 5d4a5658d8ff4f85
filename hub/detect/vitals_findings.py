"""What the vital-signs detector says, with the evidence a dispatcher may ask for."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.button import subject_of
from hub.detect.detector import Context, Finding, Findings, Phase
from hub.detect.vitals_limits import AMBER, DRIFT, RED, Reach, VitalRule, reach
from hub.detect.vitals_track import KEPT_SCALE, SCALE, Episode, Track
from hub.observation import Observation

PRIORITIES = {RED: Priority.HIGH, AMBER: Priority.MEDIUM, DRIFT: Priority.LOW}
"""Low is for review by day: it pages nobody."""

LEVELS = {RED: "red", AMBER: "amber", DRIFT: "drift"}
LATE_MIN = 5
"""A finding about readings older than this says so."""
SIDES = {-1: "low", 0: "out", 1: "high"}


def changes(
    rule: VitalRule, track: Track, level: int, observation: Observation, context: Context
) -> tuple[Track, Findings]:
    """Move the episode to `level`; say what that opens, worsens, improves or closes."""
    episode = track.episode
    if episode is None or level == episode.level:
        return track, ()
    if level > episode.level:
        steps = episode.steps + 1
        step = steps * 10 + level
        text = _opening_text(rule, track, episode, level, observation, context)
        after = msgspec.structs.replace(
            episode, level=level, steps=steps, told=(*episode.told, step)
        )
        found = _finding(
            rule,
            track,
            episode,
            step,
            Phase.CONFIRMED,
            text,
            observation=observation,
            context=context,
        )
        return msgspec.structs.replace(track, episode=after), (found,)
    word = "improving" if level else "back in range"
    text = f"{rule.name} {word}: {_number(observation.value)} {rule.unit}"
    over = [
        _finding(
            rule,
            track,
            episode,
            step,
            Phase.WITHDRAWN,
            text,
            observation=observation,
            context=context,
        )
        for step in episode.told
        if step % 10 > level
    ]
    told = tuple(step for step in episode.told if step % 10 <= level)
    rest = msgspec.structs.replace(episode, level=level, told=told) if level else None
    return msgspec.structs.replace(track, episode=rest), over


def lost(rule: VitalRule, track: Track, observation: Observation, context: Context) -> Findings:
    """The readings stopped so long ago that the episode cannot be said to last."""
    episode = track.episode
    if episode is None:
        return ()
    silent_h = (observation.received_at.timestamp() - track.at_s) / 3600
    text = f"{rule.name}: no reading for {silent_h:.0f} h, how this ended is unknown"
    return [
        _finding(
            rule,
            track,
            episode,
            step,
            Phase.WITHDRAWN,
            text,
            observation=observation,
            context=context,
        )
        for step in episode.told
    ]


def technical(
    rule: VitalRule,
    kind: str,
    since_s: int,
    phase: Phase,
    text: str,
    *,
    observation: Observation,
    context: Context,
    priority: Priority = Priority.LOW,
    evidence: dict[str, Any] | None = None,
) -> Finding:
    """A finding about the sensor, never about the person."""
    return Finding(
        detector=rule.detector,
        kind=kind,
        phase=phase,
        category=Category.TECHNICAL,
        priority=priority,
        subject=Subject(SubjectKind.DEVICE, context.device.id),
        key=f"{rule.kind}-{since_s}",
        at=observation.received_at,
        text=text,
        evidence={"measure": rule.measure, "since": _iso(since_s), **(evidence or {})},
    )


def _finding(
    rule: VitalRule,
    track: Track,
    episode: Episode,
    step: int,
    phase: Phase,
    text: str,
    *,
    observation: Observation,
    context: Context,
) -> Finding:
    level = step % 10
    return Finding(
        detector=rule.detector,
        kind=f"{rule.kind}_{SIDES[episode.side]}",
        phase=phase,
        category=Category.PHYSIOLOGICAL,
        priority=PRIORITIES[level],
        subject=subject_of(context.device),
        key=f"{context.device.id}-{episode.since_s}-{step // 10}",
        at=observation.received_at,
        text=text,
        evidence=_evidence(rule, track, episode, level, context),
    )


def _opening_text(
    rule: VitalRule,
    track: Track,
    episode: Episode,
    level: int,
    observation: Observation,
    context: Context,
) -> str:
    minutes = episode.burdens[level - 1] // 60
    text = f"{rule.name} {_number(observation.value)} {rule.unit}, "
    if level == DRIFT:
        text += f"usual {_number(track.baseline / SCALE)}, for {minutes} min"
    else:
        out = _typical(rule, episode, context)
        beyond = "above" if out.side > 0 else "below" if out.author else "at or below"
        text += f"{beyond} {_number(out.limit)} for {minutes} min"
        if out.author is not None:
            text += f" (limit of {out.author}, {out.set_on})"
    trend = track.trend_per_h
    if abs(trend) >= rule.drift_delta / 2:
        text += f", {'rising' if trend > 0 else 'falling'} {abs(trend):.1f} an hour"
    late_min = (observation.received_at.timestamp() - track.at_s) / 60
    if late_min >= LATE_MIN:
        text += f"; measured {late_min:.0f} min before it arrived"
    return text


def _typical(rule: VitalRule, episode: Episode, context: Context) -> Reach:
    """How far out the median of the kept readings is: one wild value names no limit."""
    ordered = sorted(episode.values)
    return reach(rule, ordered[len(ordered) // 2] / KEPT_SCALE, context.person)


def _evidence(
    rule: VitalRule, track: Track, episode: Episode, level: int, context: Context
) -> dict[str, Any]:
    out = _typical(rule, episode, context)
    return {
        "measure": rule.measure,
        "unit": rule.unit,
        "level": LEVELS[level],
        "news2_points": out.points,
        "limit": out.limit,
        "limit_by": "NEWS2" if out.author is None else out.author,
        "limit_set_on": None if out.set_on is None else out.set_on.isoformat(),
        "window": [_iso(episode.since_s), _iso(track.at_s)],
        "out_of_range_min": episode.burdens[level - 1] // 60,
        "readings_out_of_range": episode.count,
        "values": [value / KEPT_SCALE for value in episode.values],
        "baseline": track.baseline / SCALE if track.ready else None,
        "baseline_spread": track.spread / SCALE if track.ready else None,
        "trend_per_h": round(track.trend_per_h, 1),
    }


def _number(value: float | None) -> str:
    return "?" if value is None else f"{round(value, 1):g}"


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat()
