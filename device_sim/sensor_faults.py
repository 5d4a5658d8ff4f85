"""Sensors and gateways that lie: a value that never moves, old values under a fresh time."""

from dataclasses import dataclass
from typing import TypeVar, cast

import msgspec

from schemas.telemetry import Activity, Bed, TelemetryMessage, Vitals

Told = TypeVar("Told", bound=TelemetryMessage)


@dataclass(frozen=True, slots=True)
class SensorTraits:
    """How the measuring side is broken."""

    frozen: tuple[str, ...] = ()
    """Measures that stay at the first value."""
    cached_for_s: float = 0.0
    """A gateway answers from its memory for so long, and stamps every answer with the present."""


class SensorFaults:
    """Distorts what a device measures; remembers only what it keeps repeating."""

    __slots__ = ("_cached", "_frozen", "_stuck")

    def __init__(self) -> None:
        self._stuck: dict[str, float] = {}
        self._cached: dict[type, tuple[float, TelemetryMessage]] = {}
        self._frozen: frozenset[str] = frozenset()

    def freeze(self, measures: tuple[str, ...]) -> None:
        """From now on these stay as they are next measured; none: all are well again."""
        self._frozen = frozenset(measures)
        self._stuck.clear()

    def apply(
        self, message: TelemetryMessage, traits: SensorTraits, now_s: float
    ) -> TelemetryMessage:
        """The message as the hub gets it."""
        if traits.cached_for_s and isinstance(message, Vitals | Bed | Activity):
            message = self._from_cache(message, traits.cached_for_s, now_s)
        stuck = self._frozen or frozenset(traits.frozen)
        if stuck and isinstance(message, Vitals):
            message = self._freeze(message, stuck, self._stuck)
        return message

    def _from_cache(self, message: Told, for_s: float, now_s: float) -> Told:
        kept = self._cached.get(type(message))
        if kept is None or now_s - kept[0] >= for_s:
            self._cached[type(message)] = (now_s, message)
            return message
        old = cast("Told", kept[1])
        return msgspec.structs.replace(old, observed_at=message.observed_at)

    @staticmethod
    def _freeze(message: Vitals, frozen: frozenset[str], stuck: dict[str, float]) -> Vitals:
        samples = [
            msgspec.structs.replace(sample, value=stuck.setdefault(sample.measure, sample.value))
            if sample.measure in frozen
            else sample
            for sample in message.samples
        ]
        return msgspec.structs.replace(message, samples=samples)
