"""The body of a simulated person: vital signs as a pure function of seed, time and what they do.

Healthy values lie in the zero-score bands of NEWS2 (Royal College of Physicians 2017: respiration
12-20 /min, SpO2 >= 96 %, systolic 111-219 mmHg, pulse 51-90 /min, temperature 36.1-38.0 C) while at
rest. Amplitudes of the daily rhythm and of effort are ours: plausible to a dispatcher, no medicine.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from math import cos, pi

from device_sim.day import (
    KEPT_PLANS,
    MINUTES_PER_DAY,
    Doing,
    Stretch,
    minute_of,
    stretch_at,
)
from device_sim.seeded import between, drift

COLDEST_MINUTE = 300
"""Core temperature is lowest about 05:00, some two hours before waking; the rest follows it."""

EPISODE_RAMP_S = 20.0
"""Ours: a scripted failure unfolds over this long, so that it looks like a body, not a switch."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a doing adds to the resting body."""

    heart_rate_per_min: float
    respiratory_rate_per_min: float
    systolic_mmhg: float
    steps_per_min: float
    movement_percent: float


EFFORT: dict[Doing, Effort] = {
    Doing.ASLEEP: Effort(-7, -1.5, -12, 0, 3),
    Doing.SITTING: Effort(0, 0, 0, 0, 12),
    Doing.MOVING: Effort(12, 2.5, 8, 22, 55),
    Doing.OUTSIDE: Effort(20, 4, 12, 68, 85),
    Doing.LYING: Effort(6, 1.5, 0, 0, 4),
}


@dataclass(frozen=True, slots=True)
class ResidentState:
    """One person at one moment; blood pressure is upper arm."""

    room: str
    doing: Doing
    in_bed: bool
    steps_per_min: float
    movement_percent: float
    heart_rate_per_min: float
    respiratory_rate_per_min: float
    oxygen_saturation_percent: float
    body_temperature_c: float
    systolic_blood_pressure_mmhg: float
    diastolic_blood_pressure_mmhg: float

    @property
    def moving(self) -> bool:
        """Whether movement spoils a measurement."""
        return self.doing in (Doing.MOVING, Doing.OUTSIDE)


class EpisodeKind(StrEnum):
    """A way in which a story lets the body fail."""

    HYPOXIA = "hypoxia"
    TACHYCARDIA = "tachycardia"
    BRADYCARDIA = "bradycardia"
    HYPOTENSION = "hypotension"
    FEVER = "fever"


EPISODE_SHIFTS: dict[EpisodeKind, dict[str, float]] = {
    EpisodeKind.HYPOXIA: {
        "oxygen_saturation_percent": -12,
        "respiratory_rate_per_min": 11,
        "heart_rate_per_min": 28,
    },
    EpisodeKind.TACHYCARDIA: {"heart_rate_per_min": 75, "respiratory_rate_per_min": 5},
    EpisodeKind.BRADYCARDIA: {"heart_rate_per_min": -35, "systolic_blood_pressure_mmhg": -25},
    EpisodeKind.HYPOTENSION: {
        "systolic_blood_pressure_mmhg": -50,
        "diastolic_blood_pressure_mmhg": -25,
        "heart_rate_per_min": 30,
    },
    EpisodeKind.FEVER: {"body_temperature_c": 2.9, "heart_rate_per_min": 25},
}
"""Each moves at least one vital sign of anybody into a NEWS2 score of 2 or 3."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A failure that began at this second of the monotonic clock."""

    kind: EpisodeKind
    began_s: float


@dataclass(frozen=True, slots=True)
class Constitution:
    """What stays of a person from day to day: their vital signs at rest."""

    heart_rate_per_min: float
    respiratory_rate_per_min: float
    oxygen_saturation_percent: float
    body_temperature_c: float
    systolic_mmhg: float
    pulse_pressure_mmhg: float


@lru_cache(maxsize=KEPT_PLANS)
def constitution_of(seed: str) -> Constitution:
    """The person with this seed."""
    return Constitution(
        heart_rate_per_min=between(64, 76, seed, "heart"),
        respiratory_rate_per_min=between(14.5, 16.5, seed, "respiration"),
        oxygen_saturation_percent=between(96.8, 98.4, seed, "saturation"),
        body_temperature_c=between(36.5, 36.7, seed, "warmth"),
        systolic_mmhg=between(130, 146, seed, "systolic"),
        pulse_pressure_mmhg=between(8, 16, seed, "diastolic"),
    )


def resident_at(seed: str, local: datetime, stretch: Stretch | None = None) -> ResidentState:
    """The person with this seed at this local time; `stretch` in place of what their day has."""
    stretch = stretch or stretch_at(seed, local)
    rest = constitution_of(seed)
    effort = EFFORT[stretch.doing]
    minute = minute_of(local)
    along = local.toordinal() * MINUTES_PER_DAY + minute
    rhythm = -cos(2 * pi * (minute - COLDEST_MINUTE) / MINUTES_PER_DAY)

    def wobble(amplitude: float, period_min: float, what: str) -> float:
        return amplitude * drift(period_min, along, seed, what)

    systolic = rest.systolic_mmhg + effort.systolic_mmhg + 3 * rhythm
    systolic += wobble(3, 20, "systolic")
    heart_rate = rest.heart_rate_per_min + effort.heart_rate_per_min + 2 * rhythm
    respiration = rest.respiratory_rate_per_min + effort.respiratory_rate_per_min
    saturation = rest.oxygen_saturation_percent
    saturation -= 0.5 if stretch.doing is Doing.ASLEEP else 0.0
    return ResidentState(
        room=stretch.room,
        doing=stretch.doing,
        in_bed=stretch.doing is Doing.ASLEEP,
        steps_per_min=effort.steps_per_min * (1 + wobble(0.3, 3, "steps")),
        movement_percent=effort.movement_percent * (1 + wobble(0.15, 2, "movement")),
        heart_rate_per_min=heart_rate + wobble(3, 4, "heart"),
        respiratory_rate_per_min=respiration + wobble(0.8, 3, "respiration"),
        oxygen_saturation_percent=min(100.0, saturation + wobble(0.3, 5, "saturation")),
        body_temperature_c=rest.body_temperature_c + 0.25 * rhythm + wobble(0.05, 60, "warmth"),
        systolic_blood_pressure_mmhg=systolic,
        diastolic_blood_pressure_mmhg=0.5 * systolic + rest.pulse_pressure_mmhg,
    )


def suffer(state: ResidentState, episodes: tuple[Episode, ...], now_s: float) -> ResidentState:
    """The same person while the scripted failures last."""
    for episode in episodes:
        progress = min(1.0, max(0.0, (now_s - episode.began_s) / EPISODE_RAMP_S))
        shifts = EPISODE_SHIFTS[episode.kind]
        state = replace(
            state,
            **{name: getattr(state, name) + shift * progress for name, shift in shifts.items()},
        )
    return state
