"""Scenario files: what happens to whom, when, and how the devices are. TOML, checked when read.

docs/how-to/simulate.md explains every field; `carebell simulate schema` prints the JSON Schema that
is made from the structs below. What cannot happen is refused, with the place in the file.
"""

import re
from datetime import datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec

from device_sim.acceleration import Movement
from device_sim.course import Course
from device_sim.fix import Honesty
from device_sim.resident import EpisodeKind
from device_sim.scenario_words import in_words
from device_sim.traits import Numbering
from schemas.alarms import Datum, HazardKind, HazardPhase, PositionSource
from schemas.vocabulary import MEASURE_BY_KEY, DeviceKind

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

Duration = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d+(\.\d+)?(ms|s|m|h|d)$",
        description="A number and a unit: 500ms, 12s, 2m, 1h, 7d.",
    ),
]
SignedDuration = Annotated[
    str,
    msgspec.Meta(pattern=r"^-?\d+(\.\d+)?(ms|s|m|h|d)$", description="A duration; - is behind."),
]
Share = Annotated[float, msgspec.Meta(ge=0, le=1, description="A share, 0 to 1.")]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
PerDay = Annotated[float, msgspec.Meta(ge=0, le=10_000)]
Times = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Factor = Annotated[float, msgspec.Meta(ge=0.01, le=10_000)]
PerSecond = Annotated[float, msgspec.Meta(gt=0, le=100_000)]


class ScenarioUnreadable(Exception):
    """The scenario cannot be played; the message says where and why."""


class Action(StrEnum):
    """What can happen."""

    PRESS = "press"
    """An emergency."""
    HELP = "help"
    CANCEL = "cancel"
    DURESS_CANCEL = "duress_cancel"
    TEST = "test"
    FALL = "fall"
    """The person falls and lies there; a worn wristband sends its window and its claim."""
    FALSE_FALL = "false_fall"
    """The wristband claims a fall that was none."""
    MOVE = "move"
    """The wristband sends the window of a `movement` that looked like an impact."""
    HAZARD = "hazard"
    VITALS_FAIL = "vitals_fail"
    """Within seconds, see `failure`."""
    DETERIORATE = "deteriorate"
    """Over hours, see `course` and `over`."""
    VITALS_RECOVER = "vitals_recover"
    PLACE = "place"
    """The person is in `room`; without one, where their day has them."""
    LIE = "lie"
    """The person lies without moving, in `room` (`bed`: in bed) or where they are."""
    WANDER = "wander"
    """The person leaves the home and walks away."""
    RESUME = "resume"
    """The person gets up, comes home: lives their day again."""
    TAKE_OFF = "take_off"
    PUT_ON = "put_on"
    CHARGE = "charge"
    """Onto the charger until it is full."""
    FREEZE = "freeze"
    """The sensor's `measures` stay at one value."""
    THAW = "thaw"
    CLOCK_JUMP = "clock_jump"
    """The device's clock is off `by` so much more from now on."""
    REBOOT = "reboot"
    GO_SILENT = "go_silent"
    """The device loses its power."""
    COME_BACK = "come_back"
    COVERAGE_LOST = "coverage_lost"
    """The radio has no network: the device stores, the broker notices only by its keep-alive."""
    COVERAGE_BACK = "coverage_back"
    POWER_CUT = "power_cut"
    """The home has no mains: devices without a battery go dark, hazard sensors say so."""
    POWER_BACK = "power_back"


class ClockPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`clock` of a trait."""

    skew: SignedDuration = "0s"
    skew_spread: Duration = "0s"
    drift_ppm: float = 0.0
    drift_spread_ppm: float = 0.0
    absent: bool = False
    forgets: bool = False


class CoveragePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`coverage` of a trait; means."""

    lost_every: Duration
    lost_for: Duration


class DeliveryPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`delivery` of a trait."""

    repeated: Share = 0.0
    redelivered: Share = 0.0
    reordered: Share = 0.0
    lost: Share = 0.0
    within: Duration = "5s"


class SensorPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sensor` of a trait."""

    frozen: tuple[str, ...] = ()
    cached_for: Duration = "0s"


class ReceiverPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`receiver` of a trait."""

    sources: tuple[PositionSource, ...] = (PositionSource.GNSS, PositionSource.WIFI)
    datum: Datum = Datum.WGS84
    accuracy: Honesty = Honesty.HONEST
    stale: Share = 0.0


class MotionPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`motion` of a trait; means a day."""

    false_falls_per_day: PerDay = 0.0
    windows_per_day: PerDay = 0.0


class BatteryPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`battery` of a trait."""

    lasts: Duration
    charges_in: Duration = "90m"
    starts_percent: Percent | None = None


class TraitPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[trait]]`: how a share of the devices is."""

    of: DeviceKind | None = None
    share: Share = 1.0
    clock: ClockPart | None = None
    coverage: CoveragePart | None = None
    delivery: DeliveryPart | None = None
    sensor: SensorPart | None = None
    receiver: ReceiverPart | None = None
    motion: MotionPart | None = None
    battery: BatteryPart | None = None
    numbering: Numbering | None = None
    stores: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    batches: bool | None = None
    counts: bool | None = None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[step]]`: something happens to somebody."""

    at: Duration
    home: int | str
    action: Action
    share: Share = 1.0
    """With `home = "all"`: of the homes that have the device."""
    within: Duration = "0s"
    """Each home at its own moment in so long a time."""
    lasts: Duration | None = None
    """Then it ends by itself."""
    device: DeviceKind | None = None
    room: str | None = None
    failure: EpisodeKind = EpisodeKind.HYPOXIA
    course: Course = Course.PNEUMONIA
    over: Duration = "12h"
    hazard: HazardKind = HazardKind.SMOKE
    phase: HazardPhase = HazardPhase.BEGAN
    movement: Movement | None = None
    by: SignedDuration = "0s"
    measures: tuple[str, ...] = ("heart_rate_per_min",)
    every: Duration | None = None
    times: Times = 1


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file."""

    title: str
    about: str = ""
    lasts: Duration | None = None
    """How long a run is if nobody says otherwise; None: until it is stopped."""
    starts_at: datetime | None = None
    """The residents' time when it starts; None: the time it is."""
    time_factor: Factor = 1.0
    connects_per_s: PerSecond = 100.0
    devices: tuple[DeviceKind, ...] = (
        DeviceKind.WRISTBAND,
        DeviceKind.BUTTON,
        DeviceKind.CARE_BED,
    )
    """What every home gets, if homes are made for this run."""
    answers: Share = 0.0
    """Of those who are well and are asked: they answer, by cancelling."""
    trait: tuple[TraitPart, ...] = ()
    step: tuple[Step, ...] = ()


def load_scenario(name: str) -> Scenario:
    """Read a scenario from a path, or a bundled one by its name. Raises `ScenarioUnreadable`."""
    written: object = None
    try:
        written = msgspec.toml.decode(_text_of(name))
        scenario = msgspec.convert(written, Scenario)
    except OSError as error:
        raise ScenarioUnreadable(
            f"scenario {name}: {error.strerror}; bundled are {', '.join(bundled_scenarios())}"
        ) from None
    except msgspec.ValidationError as error:
        raise ScenarioUnreadable(
            f"scenario {name}: {in_words(str(error), written, json_schema())}"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ScenarioUnreadable(f"scenario {name}: {error}") from None
    try:
        _check(scenario)
    except ValueError as error:
        raise ScenarioUnreadable(f"scenario {name}: {error}") from None
    return scenario


def bundled_scenarios() -> list[str]:
    """The names of the scenarios that come with the simulator."""
    folder = resources.files("device_sim") / "scenarios"
    files = (Path(entry.name) for entry in folder.iterdir() if entry.is_file())
    return sorted(path.stem for path in files if path.suffix == ".toml")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors and other checkers."""
    schema = msgspec.json.schema(Scenario)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Carebell scenario",
        **schema,
    }


def read_duration_s(text: str) -> float:
    """Seconds in a duration. Raises ValueError.

    >>> read_duration_s("500ms"), read_duration_s("-2m")
    (0.5, -120.0)
    """
    match = _DURATION.fullmatch(text.removeprefix("-"))
    if match is None:
        raise ValueError(f"{text!r} is no duration; write 500ms, 12s, 2m, 1h or 7d")
    return float(match[1]) * _UNIT_S[match[2]] * (-1 if text.startswith("-") else 1)


def _check(scenario: Scenario) -> None:
    if scenario.starts_at is not None and scenario.starts_at.tzinfo is None:
        raise ValueError(
            "starts_at: the offset from UTC is missing, as in 2026-01-12T21:00:00+08:00"
        )
    for number, part in enumerate(scenario.trait, start=1):
        delivery = part.delivery or DeliveryPart()
        if delivery.repeated + delivery.redelivered + delivery.reordered + delivery.lost > 1:
            raise ValueError(f"trait {number}: the shares of delivery are more than 1 together")
        _check_measures(f"trait {number}", part.sensor.frozen if part.sensor else ())
    for number, step in enumerate(scenario.step, start=1):
        _check_measures(f"step {number}", step.measures)


def _check_measures(where: str, measures: tuple[str, ...]) -> None:
    for measure in measures:
        if measure not in MEASURE_BY_KEY or not MEASURE_BY_KEY[measure].numeric:
            raise ValueError(f"{where}: {measure!r} is no measure of the vocabulary")


def _text_of(name: str) -> bytes:
    path = Path(name)
    if path.is_file() or name not in bundled_scenarios():
        return path.read_bytes()
    return (resources.files("device_sim") / "scenarios" / f"{name}.toml").read_bytes()
