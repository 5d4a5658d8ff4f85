"""One vital sign of one device over time: burdens, baseline, run of equal values; all integers.

A burden is net time out of range: it fills while readings are out, drains while they are well
inside, holds within the hysteresis, and is capped at the time that opens an episode, so that an
episode closes after being well for as long as it took to open. A first reading, and one after a
gap, stands for no time at all.
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
DRIFT_SPREADS = 5
"""Ours: five mean deviations, about four standard deviations, from the person's own baseline."""
KEPT_VALUES = 6
"""Readings out of range that are kept as evidence."""


class Track(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of one vital sign; values in hundredths, times in seconds."""

    code: int
    at_s: int
    value: int
    same_count: int = 1
    same_since_s: int = 0
    fast: int = 0
    slow: int = 0
    baseline: int = 0
    spread: int = 0
    learned: int = 0
    learned_s: int = 0
    burdens: tuple[int, int, int] = (0, 0, 0)
    """Drift, amber, red."""
    out_count: int = 0
    out_since_s: int = 0
    side: int = 0
    values: tuple[int, ...] = ()
    """The last readings out of range, oldest first."""
    level: int = 0
    """Of the open episode: RED, AMBER, DRIFT or 0; its key is `out_since_s`."""
    bad_s: int = 0
    bad_count: int = 0
    bad_since_s: int = 0
    bad_zero: bool = False
    """The unusable readings are zeros: the sensor is off the body."""
    bad_reported: bool = False
    frozen: bool = False

    @property
    def trend_per_h(self) -> float:
        """Slope of the last hour or so, in the measure's unit."""
        return (self.fast - self.slow) / SCALE * 3600 / (SLOW_S - FAST_S)

    @property
    def ready(self) -> bool:
        """Whether the baseline has seen a full day."""
        return self.learned >= BASELINE_READY


_CLEAR = (0, 0, 0)


def first(rule: VitalRule, at_s: int, value: float) -> Track:
    """The track after its first usable reading."""
    hundredths = round(value * SCALE)
    return Track(
        rule.code, at_s, hundredths, 1, at_s, hundredths, hundredths, hundredths, 0, 0, at_s
    )


def passed(track: Track, at_s: int) -> Track:
    """A reading that says nothing (moving, poor): time went by, nothing else."""
    return msgspec.structs.replace(track, at_s=at_s)


def learn(track: Track, at_s: int, hundredths: int) -> tuple[int, int, int, int]:
    """The baseline after one more reading: baseline, spread, learned, learned_s."""
    learned = min(track.learned + 1, BASELINE_READINGS)
    away = hundredths - track.baseline
    if learned > 30:
        most = CLIP_SPREADS * max(track.spread, SCALE)
        away = max(-most, min(most, away))
    baseline = track.baseline + _divided(away, learned)
    spread = track.spread + _divided(abs(away) - track.spread, learned)
    return baseline, spread, learned, at_s


def _divided(amount: int, by: int) -> int:
    """Towards zero, but never stuck: the least step is one hundredth."""
    step = int(amount / by)
    if step == 0 and amount:
        return 1 if amount > 0 else -1
    return step


def drifted(rule: VitalRule, track: Track, hundredths: int) -> bool:
    """Whether a value is far from the person's own baseline."""
    if track.learned < BASELINE_READY:
        return False
    least = max(int(rule.drift_delta * SCALE), DRIFT_SPREADS * track.spread)
    return abs(hundredths - track.baseline) >= least


def quiet(rule: VitalRule, track: Track, at_s: int, value: float, *, learns: bool) -> Track:
    """The usual case, and so the cheap one: in range, nothing open, nothing pending."""
    hundredths = round(value * SCALE)
    same = hundredths == track.value
    elapsed_s = at_s - track.at_s
    baseline, spread, learned, learned_s = (
        learn(track, at_s, hundredths)
        if learns and at_s - track.learned_s >= LEARN_EVERY_S
        else (track.baseline, track.spread, track.learned, track.learned_s)
    )
    return Track(
        track.code,
        at_s,
        hundredths,
        track.same_count + 1 if same else 1,
        track.same_since_s if same else at_s,
        track.fast + (hundredths - track.fast) * elapsed_s // (elapsed_s + FAST_S),
        track.slow + (hundredths - track.slow) * elapsed_s // (elapsed_s + SLOW_S),
        baseline,
        spread,
        learned,
        learned_s,
    )


def burdened(
    rule: VitalRule, track: Track, at_s: int, value: float, out: Reach, held: int, *, learns: bool
) -> Track:
    """The track after a reading while something is out of range or still draining.

    `held` are the points of the value moved outward by the margin: what hysteresis still sees.
    """
    calm = quiet(rule, track, at_s, value, learns=learns and not out.points and not track.level)
    elapsed_s = min(at_s - track.at_s, rule.stands_s)
    hundredths = calm.value
    drifting = out.points > 0 and (out.points > DRIFT or drifted(rule, track, hundredths))
    level_now = out.points if out.points > DRIFT else int(drifting)
    begins = level_now > 0 and (not any(track.burdens) or _turned(track, out.side))
    burdens, count = (_CLEAR, 0) if begins else (track.burdens, track.out_count)
    extreme = out.points >= RED and (value <= rule.extreme_low or value >= rule.extreme_high)
    fills_s = 0 if begins else elapsed_s * (EXTREME_WEIGHT if extreme else 1)
    limits = (rule.drift_s, rule.amber_s, rule.red_s)
    after = tuple(
        min(limits[i], burdens[i] + fills_s)
        if level_now > i
        else (burdens[i] if held > i and burdens[i] else max(0, burdens[i] - elapsed_s))
        for i in range(3)
    )
    if not level_now:
        over = not any(after)
        return msgspec.structs.replace(
            calm,
            burdens=_CLEAR if over else after,
            out_count=0 if over and not track.level else track.out_count,
            out_since_s=track.out_since_s,
            side=track.side,
            values=() if over and not track.level else track.values,
            level=track.level,
        )
    opened_s = track.out_since_s if track.level or not begins else at_s
    return msgspec.structs.replace(
        calm,
        burdens=after,
        out_count=count + 1,
        out_since_s=opened_s,
        side=track.side if track.level else out.side,
        values=(*track.values[-KEPT_VALUES + 1 :], hundredths) if not begins else (hundredths,),
        level=track.level,
    )


def _turned(track: Track, side: int) -> bool:
    """Out on the other side, with nothing open: that is another story."""
    return track.level == 0 and track.side != side


def level_of(rule: VitalRule, track: Track) -> int:
    """The level its burdens amount to. Opens at the full burden, stays until that is drained."""
    enough = track.out_count >= rule.samples
    varied = not rule.varies or track.same_count < track.out_count
    full = (rule.drift_s, rule.amber_s, rule.red_s)
    for level in (RED, AMBER, DRIFT):
        burden = track.burdens[level - 1]
        if burden and track.level >= level:
            return level
        if burden >= full[level - 1] and enough and varied:
            return level
    return 0
