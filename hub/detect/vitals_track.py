"""One vital sign of one device over time: burdens, baseline, run of equal values; all integers.

A burden is net time out of range: it fills while readings are out, drains while they are well
inside, holds within the hysteresis, and is capped at the time that opens an episode, so that an
episode closes after being well for as long as it took to open. The first reading out of range
stands for no time at all, each further one for the time since the reading before, within bounds.
"""

import msgspec

from hub.detect.vitals_limits import AMBER, DRIFT, EXTREME_WEIGHT, RED, Reach, VitalRule

SCALE = 100
"""Values are kept in hundredths: integers survive JSON exactly and are small."""

FAST_S = 600
SLOW_S = 3600
"""Two moving averages; for a steady slope their distance is the slope times (SLOW_S - FAST_S)."""

LEARN_EVERY_S = 600
"""The baseline takes one reading in ten minutes: neighbours say the same twice."""
BASELINE_READINGS = 500
"""Its memory: about three and a half days of readings every ten minutes (ours)."""
BASELINE_READY = 144
"""A full day of them, before anything is judged by it (ours)."""
CLIP_SPREADS = 3
"""Robust: no reading pulls the baseline by more than three usual deviations (Huber)."""
CLIPPED_AFTER = 30
"""Readings before the usual deviation is known well enough to clip by it."""
DRIFT_SPREADS = 5
"""Ours: five mean deviations, about four standard deviations, from the person's own baseline."""
KEPT_VALUES = 4
"""Readings out of range that are kept as evidence."""
KEPT_SCALE = 10
"""... in tenths."""
MOST_COUNTED = 999
"""Counters stop here: no decision needs more, and the state stays small."""
NEVER_S = 1 << 40
"""Readings count from this moment on: not at all, until something else is said."""


class Episode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A vital sign is out of range, or was so recently; it counts from the first such reading."""

    since_s: int
    side: int
    """-1 low, 1 high: where it began."""
    values: tuple[int, ...]
    """The last readings out of range, oldest first; tenths."""
    count: int = 1
    """Readings out of range."""
    burdens: tuple[int, int, int] = (0, 0, 0)
    """Drift, amber, red; seconds."""
    level: int = 0
    """RED, AMBER, DRIFT; 0: not open."""
    steps: int = 0
    """How often it has opened or worsened."""
    told: tuple[int, ...] = ()
    """Findings that stand: ten times the step, plus the level."""


class Fault(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Readings that cannot be."""

    since_s: int
    zero: bool
    """They are zeros: the sensor is off the body."""
    lasts_s: int = 0
    """Net time; the first one stands for none."""
    reported: bool = False


class Track(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is remembered of one vital sign; values in hundredths, times in seconds."""

    at_s: int
    counts_from_s: int
    """Readings before this are of somebody who moved, or of a device that was not worn."""
    value: int
    same_count: int
    """Equal readings in a row; 0: none at all yet."""
    same_since_s: int
    fast: int
    slow: int
    baseline: int
    spread: int
    learned: int
    learned_s: int
    episode: Episode | None = None
    fault: Fault | None = None
    frozen: bool = False

    @property
    def trend_per_h(self) -> float:
        """Slope of the last hour or so, in the measure's unit."""
        return (self.fast - self.slow) / SCALE * 3600 / (SLOW_S - FAST_S)

    @property
    def ready(self) -> bool:
        """Whether the baseline has seen a full day."""
        return self.learned >= BASELINE_READY


def unread(at_s: int) -> Track:
    """The track before its first usable reading."""
    return Track(at_s, 0, 0, 0, at_s, 0, 0, 0, 0, 0, at_s)


def begun(track: Track, at_s: int, value: float) -> Track:
    """The first usable reading, or the first after a long gap; the baseline is kept."""
    hundredths = round(value * SCALE)
    known = track.learned > 0
    return Track(
        at_s,
        track.counts_from_s,
        hundredths,
        1,
        at_s,
        hundredths,
        hundredths,
        track.baseline if known else hundredths,
        track.spread,
        track.learned,
        track.learned_s if known else at_s,
    )


def forgotten(rule: VitalRule, track: Track, at_s: int) -> bool:
    """Whether nothing came for so long that what comes now is a new story."""
    return track.same_count == 0 or at_s - track.at_s > rule.forget_s


def passed(track: Track, at_s: int) -> Track:
    """A reading that says nothing (moving, poor, not worn): time went by, nothing else."""
    return Track(
        at_s,
        track.counts_from_s,
        track.value,
        track.same_count,
        track.same_since_s,
        track.fast,
        track.slow,
        track.baseline,
        track.spread,
        track.learned,
        track.learned_s,
        track.episode,
        track.fault,
        track.frozen,
    )


def learn(track: Track, hundredths: int) -> tuple[int, int, int]:
    """The baseline after one more reading: baseline, spread, learned."""
    learned = min(track.learned + 1, BASELINE_READINGS)
    away = hundredths - track.baseline
    if learned > CLIPPED_AFTER:
        most = CLIP_SPREADS * max(track.spread, SCALE)
        away = max(-most, min(most, away))
    baseline = track.baseline + _divided(away, learned)
    spread = track.spread + _divided(abs(away) - track.spread, learned)
    return baseline, spread, learned


def _divided(amount: int, by: int) -> int:
    """Towards zero, but never stuck: the least step is one hundredth."""
    step = int(amount / by)
    if step == 0 and amount:
        return 1 if amount > 0 else -1
    return step


def drifted(rule: VitalRule, track: Track, value: float) -> bool:
    """Whether a value is far from the person's own baseline."""
    if track.learned < BASELINE_READY:
        return False
    least = max(rule.drift_delta * SCALE, DRIFT_SPREADS * track.spread)
    return abs(value * SCALE - track.baseline) >= least


def stuck(rule: VitalRule, track: Track, at_s: int, value: float) -> bool:
    """Whether this reading is one repetition too many."""
    return (
        track.same_count + 1 >= rule.frozen_samples
        and round(value * SCALE) == track.value
        and at_s - track.same_since_s >= rule.frozen_s
    )


def counting_from(track: Track, from_s: int) -> Track:
    """Readings count from then on."""
    return msgspec.structs.replace(track, counts_from_s=from_s)


def quiet(track: Track, at_s: int, value: float, learns: bool) -> Track:
    """One more reading with nothing the matter: the usual case, and so the cheap one."""
    hundredths = round(value * SCALE)
    elapsed_s = at_s - track.at_s
    baseline, spread, learned = track.baseline, track.spread, track.learned
    learned_s = track.learned_s
    if learns and at_s - learned_s >= LEARN_EVERY_S:
        baseline, spread, learned = learn(track, hundredths)
        learned_s = at_s
    count, since_s = 1, at_s
    if hundredths == track.value:
        count, since_s = min(track.same_count + 1, MOST_COUNTED), track.same_since_s
    fast, slow = track.fast, track.slow
    return Track(
        at_s,
        track.counts_from_s,
        hundredths,
        count,
        since_s,
        fast + (hundredths - fast) * elapsed_s // (elapsed_s + FAST_S),
        slow + (hundredths - slow) * elapsed_s // (elapsed_s + SLOW_S),
        baseline,
        spread,
        learned,
        learned_s,
    )


def troubled(
    rule: VitalRule, track: Track, at_s: int, value: float, out: Reach, held: int
) -> Episode | None:
    """The episode after a reading; None where there is none, or no longer.

    `held` are the points of the value moved outward by the margin: what hysteresis still sees.
    """
    episode = track.episode
    points = out.points
    if points <= DRIFT:
        points = DRIFT if points and drifted(rule, track, value) else 0
    kept = round(value * KEPT_SCALE)
    turned = episode is not None and episode.level == 0 and episode.side != out.side
    if points and (episode is None or turned):
        return Episode(at_s, out.side, (kept,))
    if episode is None:
        return None
    elapsed_s = min(at_s - track.at_s, rule.stands_s)
    extreme = out.points >= RED and not rule.extreme_low < value < rule.extreme_high
    fills_s = elapsed_s * EXTREME_WEIGHT if extreme else elapsed_s
    drift_s, amber_s, red_s = episode.burdens
    burdens = (
        _filled(drift_s, rule.drift_s, points >= DRIFT, held >= DRIFT, fills_s, elapsed_s),
        _filled(amber_s, rule.amber_s, points >= AMBER, held >= AMBER, fills_s, elapsed_s),
        _filled(red_s, rule.red_s, points >= RED, held >= RED, fills_s, elapsed_s),
    )
    if points:
        return msgspec.structs.replace(
            episode,
            values=(*episode.values[1 - KEPT_VALUES :], kept),
            count=min(episode.count + 1, MOST_COUNTED),
            burdens=burdens,
        )
    if not any(burdens) and not episode.level:
        return None
    return msgspec.structs.replace(episode, burdens=burdens)


def _filled(burden_s: int, most_s: int, out: bool, held: bool, fills_s: int, drains_s: int) -> int:
    if out:
        return min(most_s, burden_s + fills_s)
    return burden_s if held else max(0, burden_s - drains_s)


def level_of(rule: VitalRule, track: Track) -> int:
    """The level its burdens amount to: opens when one is full, stays until that one is empty."""
    episode = track.episode
    if episode is None:
        return 0
    varied = not rule.varies or track.same_count < episode.count
    opens = episode.count >= rule.samples and varied
    full = (rule.drift_s, rule.amber_s, rule.red_s)
    for level in (RED, AMBER, DRIFT):
        burden_s = episode.burdens[level - 1]
        if burden_s and (episode.level >= level or (opens and burden_s >= full[level - 1])):
            return level
    return 0
