"""NEWS2, the National Early Warning Score 2: exact, table-driven, honest about what is missing.

Royal College of Physicians, "National Early Warning Score (NEWS) 2", London 2017, chart 1 and
table 1. Decision support for trained people, not a diagnosis; not for under 16 or in pregnancy.

The chart knows whole numbers (temperature: tenths). Between two of its bands a value belongs to
the upper band: 91.4 % is not <= 91 and scores as 92, 130.5 /min is not <= 130 and scores as 131.
So every printed limit holds as it is printed. Nothing is rounded before it is scored.
"""

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isfinite

PARAMETERS = (
    "respiratory_rate_per_min",
    "oxygen_saturation_percent",
    "oxygen",
    "systolic_blood_pressure_mmhg",
    "heart_rate_per_min",
    "consciousness",
    "body_temperature_c",
)
"""The seven parameters in the order of the chart."""


@dataclass(frozen=True, slots=True)
class Bands:
    """One row of the chart: `points[i]` up to and including `upper[i]`, the last one above."""

    upper: tuple[float, ...]
    points: tuple[int, ...]

    def score(self, value: float) -> int:
        """The points of a value."""
        return self.points[bisect_left(self.upper, value)]

    @property
    def zero(self) -> tuple[float, float]:
        """What scores 0: above the first, up to and including the second (or 100, of a share)."""
        index = self.points.index(0)
        low = self.upper[index - 1] if index else -inf
        return low, self.upper[index] if index < len(self.upper) else 100.0

    def limit(self, value: float) -> float | None:
        """The printed limit a value has passed on its way out of the zero band; None inside it."""
        index = bisect_left(self.upper, value)
        if self.points[index] == 0:
            return None
        return self.upper[index] if index < self.points.index(0) else self.upper[index - 1]


RESPIRATION = Bands((8, 11, 20, 24), (3, 1, 0, 2, 3))
SATURATION_SCALE_1 = Bands((91, 93, 95), (3, 2, 1, 0))
SATURATION_SCALE_2_AIR = Bands((83, 85, 87), (3, 2, 1, 0))
SATURATION_SCALE_2_OXYGEN = Bands((83, 85, 87, 92, 94, 96), (3, 2, 1, 0, 1, 2, 3))
SYSTOLIC = Bands((90, 100, 110, 219), (3, 2, 1, 0, 3))
PULSE = Bands((40, 50, 90, 110, 130), (3, 1, 0, 1, 2, 3))
TEMPERATURE = Bands((35.0, 36.0, 38.0, 39.0), (3, 1, 0, 1, 2))
ON_OXYGEN_POINTS = 2
NOT_ALERT_POINTS = 3

URGENT_TOTAL = 5
"""RCP 2017: 5 to 6 asks for an urgent response."""
EMERGENCY_TOTAL = 7
"""RCP 2017: 7 or more asks for an emergency response."""
RED_POINTS = 3
"""RCP 2017: any single parameter with 3 is treated like 5 to 6."""


class Consciousness(StrEnum):
    """ACVPU; everything but alert scores 3."""

    ALERT = "A"
    CONFUSION = "C"
    VOICE = "V"
    PAIN = "P"
    UNRESPONSIVE = "U"


class Response(StrEnum):
    """RCP 2017's clinical response."""

    WARD = "ward"
    """0 to 4, no single 3."""
    SINGLE_RED = "single_red"
    URGENT = "urgent"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is known; None is missing, and missing is never 0."""

    respiratory_rate_per_min: float | None = None
    oxygen_saturation_percent: float | None = None
    on_oxygen: bool | None = None
    systolic_blood_pressure_mmhg: float | None = None
    heart_rate_per_min: float | None = None
    consciousness: Consciousness | None = None
    body_temperature_c: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The sum of what is known, and what is not.

    >>> parameters = Parameters(heart_rate_per_min=118, respiratory_rate_per_min=26, on_oxygen=True)
    >>> result = score(parameters)
    >>> result.total, result.red, result.response.value
    (7, ('respiratory_rate_per_min',), 'emergency')
    >>> result.text
    'at least 7: 3 of 7, missing SpO2, systolic pressure, consciousness, temperature'
    """

    points: dict[str, int]
    """By parameter, in the order of the chart; only what is known."""

    @property
    def total(self) -> int:
        """The aggregate of what is known: a lower bound while parameters are missing."""
        return sum(self.points.values())

    @property
    def missing(self) -> tuple[str, ...]:
        """The parameters nobody knows."""
        return tuple(name for name in PARAMETERS if name not in self.points)

    @property
    def red(self) -> tuple[str, ...]:
        """The parameters that score 3 on their own."""
        return tuple(name for name, points in self.points.items() if points >= RED_POINTS)

    @property
    def response(self) -> Response:
        """What the total asks for."""
        if self.total >= EMERGENCY_TOTAL:
            return Response.EMERGENCY
        if self.total >= URGENT_TOTAL:
            return Response.URGENT
        return Response.SINGLE_RED if self.red else Response.WARD

    @property
    def text(self) -> str:
        """The total as a dispatcher may read it."""
        if not self.missing:
            return str(self.total)
        names = ", ".join(SHORT_NAMES[name] for name in self.missing)
        return f"at least {self.total}: {len(self.points)} of 7, missing {names}"


SHORT_NAMES = {
    "respiratory_rate_per_min": "respiration",
    "oxygen_saturation_percent": "SpO2",
    "oxygen": "air or oxygen",
    "systolic_blood_pressure_mmhg": "systolic pressure",
    "heart_rate_per_min": "pulse",
    "consciousness": "consciousness",
    "body_temperature_c": "temperature",
}

MEASURED: dict[str, Bands] = {
    "respiratory_rate_per_min": RESPIRATION,
    "oxygen_saturation_percent": SATURATION_SCALE_1,
    "systolic_blood_pressure_mmhg": SYSTOLIC,
    "heart_rate_per_min": PULSE,
    "body_temperature_c": TEMPERATURE,
}
"""The parameters a device measures; saturation by scale 1."""


def bands_of(parameter: str, *, scale_2: bool, on_oxygen: bool) -> Bands:
    """The row of the chart for one person; scale 2 only by a clinician's setting."""
    if scale_2 and parameter == "oxygen_saturation_percent":
        return SATURATION_SCALE_2_OXYGEN if on_oxygen else SATURATION_SCALE_2_AIR
    return MEASURED[parameter]


def score(parameters: Parameters, *, scale_2: bool = False) -> Score:
    """Score what is known; a NaN or infinite value is missing."""
    points: dict[str, int] = {}
    for name in PARAMETERS:
        if name == "oxygen":
            if parameters.on_oxygen is not None:
                points[name] = ON_OXYGEN_POINTS if parameters.on_oxygen else 0
        elif name == "consciousness":
            if parameters.consciousness is not None:
                alert = parameters.consciousness is Consciousness.ALERT
                points[name] = 0 if alert else NOT_ALERT_POINTS
        else:
            value: float | None = getattr(parameters, name)
            if value is not None and isfinite(value):
                bands = bands_of(name, scale_2=scale_2, on_oxygen=bool(parameters.on_oxygen))
                points[name] = bands.score(value)
    return Score(points)
