"""Smoke, gas, carbon monoxide, water, cold, mains lost, tamper: began and ended.

A hazard is never doubted: the first word of any sensor is confirmed at once. What this adds to
taking each message at its word is memory: a sensor that repeats itself is one episode with one
key, an end belongs to the begin it ends (and is the end of that sensor only, while another in the
home still smells gas), a value that worsens past a step is told again, and an end that comes
before its begin, because messages overtook each other, does not silence it.
"""

from datetime import UTC, datetime

import msgspec

from alerts.alarm import HAZARD_PRIORITIES, Category, Priority, Subject, SubjectKind
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.observation import UNKNOWN_TIME, Observation
from schemas.alarms import Hazard, HazardKind, HazardPhase

REMIND_AFTER_S = 600
"""Ours: sensors repeat every few seconds to minutes; a hazard that still holds after ten minutes is
told again so that it cannot be forgotten, more often would be noise on top of the ladder."""
FORGOTTEN_AFTER_S = 24 * 3600
"""Ours: a begin whose end was lost; the next message after a day is a new episode."""
WORSE_FACTOR = 2.0
"""Ours: a value twice the one last told is told at once (gas and carbon monoxide rise)."""


UNREADABLE = "unknown_hazard"
"""A hazard that cannot be read counts as the worst (alerts.alarm)."""
NAMES = (*(kind.value for kind in HazardKind), UNREADABLE)
MOST_AT_ONCE = 3
"""Ours: no sensor guards against more; beyond, the oldest would be told as new again."""


class Episode(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One hazard that holds at one sensor; seconds since 1970."""

    code: int
    """Place of the hazard in `NAMES`."""
    began_s: int
    """Of the message that began it: names the episode."""
    told_after_s: int = 0
    heard_after_s: int = 0
    value: float | None = None
    """The value last told, in the sensor's own unit, to four digits."""

    @property
    def name(self) -> str:
        """What holds."""
        return NAMES[self.code]


class HazardState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What holds now, and when each hazard ended last."""

    holding: tuple[Episode, ...] = ()
    ended: tuple[tuple[int, int], ...] = ()


class HazardDetector:
    """One state a sensor. Keys name the episode: `<hazard>:<begin>`, reminders add their time.

    >>> HazardDetector().measures
    frozenset({'hazard'})
    """

    name = "hazard"
    scope = Scope.DEVICE
    measures = frozenset({"hazard"})
    state_type = HazardState

    def observe(
        self, state: HazardState | None, observation: Observation, context: Context
    ) -> tuple[HazardState | None, Findings]:
        """Began, still, worse, ended."""
        message = observation.message
        if not isinstance(message, Hazard):
            return state, NONE
        state = state or HazardState()
        code = _code(message.hazard)
        happened_s, arrived_s = _happened_s(observation), _seconds(observation.received_at)
        known = next((e for e in state.holding if e.code == code), None)
        if message.phase is HazardPhase.ENDED:
            return self._ended(state, known, code, happened_s, observation, context)
        if known is not None:
            if arrived_s - known.began_s - known.heard_after_s <= FORGOTTEN_AFTER_S:
                return self._still(state, known, arrived_s, observation, context)
            if happened_s <= known.began_s:
                return state, NONE
        if happened_s <= dict(state.ended).get(code, -1):
            return state, NONE  # it was over already: its end overtook it
        delay_s = arrived_s - happened_s
        episode = Episode(code, happened_s, delay_s, delay_s, _digits(message.value))
        return _with(state, episode), (_finding(episode, observation, context, Phase.CONFIRMED),)

    def deadline(self, state: HazardState, context: Context) -> datetime | None:
        """A hazard does not become one by waiting; its sensor's silence is watched elsewhere."""
        del state, context
        return None

    def expire(
        self, state: HazardState, now: datetime, context: Context
    ) -> tuple[HazardState, Findings]:
        """Never due."""
        del now, context
        return state, NONE

    def _still(
        self,
        state: HazardState,
        known: Episode,
        arrived_s: int,
        observation: Observation,
        context: Context,
    ) -> tuple[HazardState, Findings]:
        value = observation.message.value if isinstance(observation.message, Hazard) else None
        after_s = arrived_s - known.began_s
        worse = (
            value is not None
            and known.value is not None
            and value >= WORSE_FACTOR * max(known.value, 1e-9)
        )
        heard = msgspec.structs.replace(known, heard_after_s=max(after_s, known.heard_after_s))
        if not worse and after_s - known.told_after_s < REMIND_AFTER_S:
            return _with(state, heard), NONE
        told = msgspec.structs.replace(
            heard,
            told_after_s=max(after_s, known.told_after_s),
            value=known.value if value is None else _digits(value),
        )
        again = _finding(told, observation, context, Phase.CONFIRMED, reminder=True)
        return _with(state, told), (again,)

    def _ended(
        self,
        state: HazardState,
        known: Episode | None,
        code: int,
        happened_s: int,
        observation: Observation,
        context: Context,
    ) -> tuple[HazardState, Findings]:
        last_s = dict(state.ended).get(code, -1)
        if happened_s <= last_s or (known is not None and happened_s < known.began_s):
            return state, NONE  # a repeat, or the end of an earlier episode
        ended = tuple(pair for pair in state.ended if pair[0] != code)[1 - MOST_AT_ONCE :]
        holding = tuple(e for e in state.holding if e.code != code)
        after = HazardState(holding, (*ended, (code, happened_s)))
        if known is None:
            return after, NONE
        return after, (_finding(known, observation, context, Phase.WITHDRAWN),)


def _with(state: HazardState, episode: Episode) -> HazardState:
    others = tuple(e for e in state.holding if e.code != episode.code)[1 - MOST_AT_ONCE :]
    return HazardState((*others, episode), state.ended)


def _finding(
    episode: Episode,
    observation: Observation,
    context: Context,
    phase: Phase,
    *,
    reminder: bool = False,
) -> Finding:
    kind = None if episode.name == UNREADABLE else HazardKind(episode.name)
    value = observation.message.value if isinstance(observation.message, Hazard) else None
    shown = "" if value is None else f" {value:g}"
    since_min = max(_seconds(observation.received_at) - episode.began_s, 0) // 60
    word = "ended" if phase is Phase.WITHDRAWN else "began"
    return Finding(
        detector="hazard",
        kind="hazard",
        phase=phase,
        category=Category.HAZARD,
        priority=Priority.LOW if phase is Phase.WITHDRAWN else HAZARD_PRIORITIES[kind],
        subject=Subject(SubjectKind.PREMISES, context.device.premises_id),
        key=f"{episode.name}:{episode.began_s}" + (f":{episode.told_after_s}" if reminder else ""),
        at=observation.received_at,
        text=f"{episode.name.replace('_', ' ')} {word}{shown}",
        evidence={
            "hazard": episode.name,
            "began_at": datetime.fromtimestamp(episode.began_s, UTC).isoformat(),
            "lasted_min": since_min,
            "value": value,
        },
    )


def _code(hazard: HazardKind | None) -> int:
    return NAMES.index(UNREADABLE if hazard is None else hazard.value)


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _happened_s(observation: Observation) -> int:
    """By the sensor's clock, unless it is unknown or ahead."""
    arrived_s, at = _seconds(observation.received_at), observation.observed_at
    return arrived_s if at is None or at == UNKNOWN_TIME else min(_seconds(at), arrived_s)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
