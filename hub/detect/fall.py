"""Falls: a raw window or a wristband's own claim becomes a question to the wearer, then an alarm.

1. A window is judged by the place's model (`fall_model`). Below its threshold: nothing.
2. A sure fall, or the wristband's own claim, is confirmed at once; the ladder then asks the wearer
   (incident state `checking`, 30 s) before it wakes anybody.
3. Anything between is a candidate for CORROBORATE_S: steps, movement elsewhere, a bed that is
   occupied or a wristband that was taken off speak against it. Then it is confirmed with medium
   priority, or withdrawn.

Evidence for the dispatcher: probability, impact in g, seconds of stillness, degrees of turning.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil, exp, hypot, log
from typing import Any, Final

import msgspec
import numpy as np

from alerts.alarm import Category, Priority, fall_priority
from hub.detect.button import subject_of
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.detect.fall_model import FallModel, Verdict, shipped
from hub.detect.fall_signal import MIN_WINDOW_S
from hub.observation import Observation
from schemas.alarms import Fall, Motion, Press, PressAction
from schemas.vocabulary import DeviceKind

ASK_S: Final = 30
"""Seconds the wearer has to say that they are well, before anybody is woken (standards of the
trade: wristbands count down 15 to 60 s)."""
CORROBORATE_S: Final = 60
"""Seconds a candidate waits for other sensors (standards.md: stillness and posture 30-60 s)."""
ONE_FALL_S: Final = 60
"""Windows and claims closer than this are one fall (ours: repeats come every 15 s)."""
ANSWER_WITHIN_S: Final = 120
"""A cancel this long after a fall still answers the question about it (ours: a candidate waits 60 s
and the wearer is asked for 30)."""
REMEMBERED: Final = 3
"""Falls a state remembers, so that a late repeat is not told twice."""
LONGEST_WINDOW_S: Final = 60.0
"""More of a window is not judged (ours: bounds the cost; wristbands send ten seconds)."""
RATES_HZ: Final = (18.0, 210.0)
"""Rates the canonical signal was tested for; another cannot be judged."""
UNJUDGED_IMPACT_G: Final = 2.0
"""A window too short or too odd to judge is a candidate from here (data/README.md: the threshold
that finds most falls of clipping wristbands)."""
WALKING_STEPS: Final = 10
"""Steps within a minute of nobody lying on the floor (ours)."""
SETTLING_S: Final = 5
"""Before this after the impact other sensors still show the fall itself (ours)."""
AGAINST: Final = {"steps": -4.0, "bed_state": -1.5, "worn_state": -1.5, "motion": -0.5}
"""Log-odds (ours): walking settles it; a bed or a wristband on the table is likely the reason; a
room sensor may have seen somebody else."""
STILL_S: Final = 3.0
STILL: Final = 0.5
"""Log-odds (ours) for lying still as long as that: what the window's own model cannot add."""

_CLAIM_PROBABILITY: Final = 0.7
"""Of a wristband that states no confidence (ours, between its published 77 % and a coin)."""


class Episode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One possible fall; numbers rounded to keep the state small."""

    at_s: int
    """When it happened, seconds since 1970."""
    phase: int
    """0 candidate, 1 confirmed medium, 2 confirmed high, 3 withdrawn."""
    log_odds_tenths: int
    due_s: int
    """When a candidate is decided, on the hub's clock."""
    impact_cg: int = 0
    still_ds: int = 0
    turned_deg: int = 0
    against: int = 0
    """Which of AGAINST have spoken, one bit each."""
    answered_s: int = 0
    """When the wearer said that they are well; 0: not yet. What happens later is another fall."""


class FallState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last few possible falls of a person, newest last."""

    episodes: tuple[Episode, ...] = ()


_CANDIDATE, _MEDIUM, _HIGH, _WITHDRAWN = range(4)
_SIGNS = tuple(AGAINST)


class FallDetector:
    """One state a person: whatever they wear speaks of the same fall.

    >>> FallDetector().deadline(FallState(), None) is None
    True
    """

    name = "fall"
    scope = Scope.PERSON
    measures = frozenset({"motion", "fall", "press", "steps", "bed_state", "worn_state"})
    state_type = FallState

    def observe(
        self, state: FallState | None, observation: Observation, context: Context
    ) -> tuple[FallState | None, Findings]:
        """A window, a claim, or what another sensor says while a candidate waits."""
        match observation.message:
            case Motion() as motion:
                return self._window(state, motion, observation, context)
            case Fall() as claim:
                return self._claim(state, claim, observation, context)
            case Press() as press:
                return _answered(state, press, observation), NONE
            case _:
                return self._corroborate(state, observation), NONE

    def unjudged(
        self, state: FallState | None, observation: Observation, context: Context, fault: str
    ) -> tuple[FallState | None, Findings]:
        """A window on which judging failed: a candidate by its impact alone, so that no mistake
        of ours lets a fall pass unseen."""
        motion = observation.message
        if not isinstance(motion, Motion):
            return state, NONE
        samples = zip(motion.x_mg, motion.y_mg, motion.z_mg, strict=False)
        impact_g = max((hypot(*sample) for sample in samples), default=0.0) / 1000
        threshold = model_for(context).origin.threshold
        new = _episode(observation, _CANDIDATE, Verdict(threshold, impact_g, 0.0, 0.0))
        after, findings = self._join(state, new, observation.received_at, context)
        return after, tuple(
            replace(found, evidence={**found.evidence, "unjudged": fault}) for found in findings
        )

    def deadline(self, state: FallState, context: Context) -> datetime | None:
        """When the oldest candidate is decided."""
        del context
        due = [one.due_s for one in state.episodes if one.phase == _CANDIDATE]
        return datetime.fromtimestamp(min(due), UTC) if due else None

    def expire(
        self, state: FallState, now: datetime, context: Context
    ) -> tuple[FallState, Findings]:
        """Decide the candidates whose time has come."""
        episodes: list[Episode] = []
        findings: list[Finding] = []
        for one in state.episodes:
            if one.phase == _CANDIDATE and one.due_s <= now.timestamp():
                threshold = model_for(context).origin.threshold
                still = STILL if one.still_ds >= STILL_S * 10 else 0.0
                fallen = one.log_odds_tenths / 10 + still >= _log_odds(threshold)
                one = msgspec.structs.replace(one, phase=_MEDIUM if fallen else _WITHDRAWN)
                findings.append(_finding(one, now, context))
            episodes.append(one)
        return (FallState(tuple(episodes)), tuple(findings)) if findings else (state, NONE)

    def _window(
        self, state: FallState | None, motion: Motion, seen: Observation, context: Context
    ) -> tuple[FallState | None, Findings]:
        model = model_for(context)
        verdict = judged(motion, model)
        if verdict.probability < model.origin.threshold:
            return state, NONE
        phase = _HIGH if verdict.probability >= model.origin.sure else _CANDIDATE
        return self._join(state, _episode(seen, phase, verdict), seen.received_at, context)

    def _claim(
        self, state: FallState | None, claim: Fall, seen: Observation, context: Context
    ) -> tuple[FallState | None, Findings]:
        phase = _HIGH if fall_priority(claim) is Priority.HIGH else _MEDIUM
        stated = _CLAIM_PROBABILITY if claim.confidence is None else claim.confidence
        verdict = Verdict(stated, claim.impact_g or 0.0, 0.0, 0.0)
        return self._join(state, _episode(seen, phase, verdict), seen.received_at, context)

    def _join(
        self, state: FallState | None, new: Episode, at: datetime, context: Context
    ) -> tuple[FallState, Findings]:
        """A further sign of a fall already known is told only if it makes it more urgent."""
        episodes = list((state or FallState()).episodes)
        for index, known in enumerate(episodes):
            if abs(known.at_s - new.at_s) > ONE_FALL_S or 0 < known.answered_s < new.at_s:
                continue
            # A withdrawn fall counts like a candidate: only a confirmed one is told again.
            if new.phase <= known.phase % _WITHDRAWN:
                return state or FallState(), NONE
            episodes[index] = msgspec.structs.replace(
                new,
                at_s=known.at_s,
                impact_cg=max(known.impact_cg, new.impact_cg),
                still_ds=max(known.still_ds, new.still_ds),
                turned_deg=max(known.turned_deg, new.turned_deg),
            )
            return FallState(tuple(episodes)), (_finding(episodes[index], at, context),)
        kept = sorted([*episodes, new], key=lambda one: one.at_s)[-REMEMBERED:]
        if new not in kept:
            kept = [new, *kept[1:]]
        return FallState(tuple(kept)), (_finding(new, at, context),)

    def _corroborate(self, state: FallState | None, seen: Observation) -> FallState | None:
        if state is None or not _speaks_against(seen):
            return state
        bit = 1 << _SIGNS.index(seen.measure)
        at_s = _happened_s(seen)
        episodes = tuple(
            msgspec.structs.replace(
                one,
                against=one.against | bit,
                log_odds_tenths=one.log_odds_tenths + round(10 * AGAINST[seen.measure]),
            )
            if one.phase == _CANDIDATE
            and not one.against & bit
            and one.at_s + SETTLING_S <= at_s <= one.at_s + CORROBORATE_S * 2
            else one
            for one in state.episodes
        )
        return state if episodes == state.episodes else FallState(episodes)


def _answered(state: FallState | None, press: Press, seen: Observation) -> FallState | None:
    """A cancel is the wearer's answer to every fall of the last ANSWER_WITHIN_S."""
    if state is None or press.action is not PressAction.CANCEL:
        return state
    at_s = _happened_s(seen)
    episodes = tuple(
        msgspec.structs.replace(one, answered_s=at_s)
        if not one.answered_s and one.at_s <= at_s <= one.at_s + ANSWER_WITHIN_S
        else one
        for one in state.episodes
    )
    return state if episodes == state.episodes else FallState(episodes)


def model_for(context: Context) -> FallModel:
    """A wristband is worn on the wrist; pendants and phones hang or lie near the waist."""
    wrist = context.device.kind is DeviceKind.WRISTBAND
    return shipped("wrist" if wrist else "waist")


def judged(motion: Motion, model: FallModel) -> Verdict:
    """What the model says; a window that cannot be judged goes by its impact alone.

    >>> judged(Motion(), shipped("wrist")).probability
    0.0
    """
    count = min(len(motion.x_mg), len(motion.y_mg), len(motion.z_mg))
    axes = (motion.x_mg[:count], motion.y_mg[:count], motion.z_mg[:count])
    seen = np.array(axes, dtype=np.float64).T / 1000.0
    rate_hz = motion.sample_rate_hz
    slowest, fastest = RATES_HZ
    if not slowest <= rate_hz <= fastest or count < MIN_WINDOW_S * rate_hz:
        impact = float(np.linalg.norm(seen, axis=1).max()) if count else 0.0
        asked = model.origin.threshold if impact >= UNJUDGED_IMPACT_G else 0.0
        return Verdict(asked, impact, 0.0, 0.0)
    most = int(LONGEST_WINDOW_S * rate_hz)
    if count > most:
        start = int(np.abs(np.diff(seen, axis=0)).sum(axis=1).argmax()) - most // 3
        start = min(max(0, start), count - most)
        seen = seen[start : start + most]
    return model.judge(seen, rate_hz)


def _speaks_against(seen: Observation) -> bool:
    match seen.measure:
        case "steps":
            return seen.value is not None and seen.value >= WALKING_STEPS
        case "bed_state":
            return seen.state == "occupied"
        case "worn_state":
            return seen.state in {"off", "charging"}
        case "motion":
            return seen.state == "detected"
        case _:
            return False


def _happened_s(seen: Observation) -> int:
    """The device's time where it is plausible, else the time of arrival."""
    if seen.observed_at is None or seen.observed_at > seen.received_at + timedelta(seconds=60):
        return int(seen.received_at.timestamp())
    return int(seen.observed_at.timestamp())


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, 0.001), 0.999)
    return log(bounded / (1.0 - bounded))


def _episode(seen: Observation, phase: int, verdict: Verdict) -> Episode:
    return Episode(
        at_s=_happened_s(seen),
        phase=phase,
        log_odds_tenths=ceil(10 * _log_odds(verdict.probability)),
        due_s=int(seen.received_at.timestamp()) + CORROBORATE_S,
        impact_cg=round(100 * min(verdict.impact_g, 1000.0)),
        still_ds=round(10 * verdict.still_s),
        turned_deg=round(verdict.posture_change_deg),
    )


def _finding(one: Episode, at: datetime, context: Context) -> Finding:
    probability = 1.0 / (1.0 + exp(-one.log_odds_tenths / 10))
    evidence: dict[str, Any] = {
        "probability": round(probability, 2),
        "impact_g": one.impact_cg / 100,
        "still_s": one.still_ds / 10,
        "posture_change_deg": one.turned_deg,
        "against": [sign for bit, sign in enumerate(_SIGNS) if one.against >> bit & 1],
    }
    return Finding(
        detector="fall",
        kind="fall",
        phase=(Phase.CANDIDATE, Phase.CONFIRMED, Phase.CONFIRMED, Phase.WITHDRAWN)[one.phase],
        category=Category.PERSONAL,
        priority=Priority.HIGH if one.phase == _HIGH else Priority.MEDIUM,
        subject=subject_of(context.device),
        key=str(one.at_s),
        at=at,
        text=_text(one, probability),
        evidence=evidence,
        ask_s=ASK_S if one.phase in (_MEDIUM, _HIGH) else 0,
    )


def _text(one: Episode, probability: float) -> str:
    parts = [f"fall {probability:.0%}"]
    if one.impact_cg:
        parts.append(f"impact {one.impact_cg / 100:.1f} g")
    if one.still_ds:
        parts.append(f"still for {one.still_ds / 10:.0f} s")
    if one.turned_deg >= 30:
        parts.append(f"turned by {one.turned_deg} degrees")
    return ", ".join(parts)
