"""What can be measured, and by what: one table from which checks, units and documents come.

Every row carries the codes other systems know it by: LOINC and ISO/IEEE 11073-10101 MDC codes as
in the HL7 FHIR R4 vital-signs profiles, and the UCUM unit. The plausible range bounds what a
sensor can honestly report from a living person at home; outside it a value keeps its number and
gets the quality `implausible`: it is evidence about the sensor, not about the person.
"""

from dataclasses import dataclass
from enum import StrEnum


class Quality(StrEnum):
    """How far an observation can be believed."""

    GOOD = "good"
    POOR = "poor"
    INVALID = "invalid"
    """The device itself says the value must not be used."""
    IMPLAUSIBLE = "implausible"
    """Outside the plausible range of the vocabulary; kept as it came."""

    @property
    def code(self) -> int:
        """The stable number under which the quality is stored."""
        return _QUALITY_CODES[self]


_QUALITY_CODES: dict[Quality, int] = {
    Quality.GOOD: 0,
    Quality.POOR: 1,
    Quality.INVALID: 2,
    Quality.IMPLAUSIBLE: 3,
}


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that can be measured; `code` is stored in observations and never reused."""

    key: str
    code: int
    unit: str
    """UCUM, case-sensitive; in braces where UCUM has no code (it knows no decibel milliwatt)."""
    low: float
    high: float
    loinc: str | None
    mdc: int | None
    source: str
    """Where the plausible range comes from."""
    vital: bool = False

    @property
    def numeric(self) -> bool:
        """Whether a sample can carry it; the rest are states and places."""
        return self.low < self.high


_OURS = "ours: the range a working sensor of this kind can report"

# fmt: off
MEASURES: tuple[Measure, ...] = (
    Measure(
        "heart_rate_per_min", 1, "/min", 20, 300, "8867-4", 147842,
        "ours: below 20 or above 300 no consumer sensor resolves a beat", vital=True,
    ),
    Measure(
        "respiratory_rate_per_min", 2, "/min", 3, 80, "9279-1", 151562,
        "ours: contactless sensors report 3 to 80", vital=True,
    ),
    Measure(
        "oxygen_saturation_percent", 3, "%", 50, 100, "59408-5", 150456,
        "ours: pulse oximeters are not calibrated below 50 to 70 %", vital=True,
    ),
    Measure(
        "systolic_blood_pressure_mmhg", 4, "mm[Hg]", 50, 280, "8480-6", 150017,
        "ours: the display range of upper-arm cuffs", vital=True,
    ),
    Measure(
        "diastolic_blood_pressure_mmhg", 5, "mm[Hg]", 25, 180, "8462-4", 150018,
        "ours: the display range of upper-arm cuffs", vital=True,
    ),
    Measure(
        "body_temperature_c", 6, "Cel", 25, 45, "8310-5", 150364,
        "ours: deep hypothermia and heat stroke are evidence about the person", vital=True,
    ),
    Measure("battery_percent", 20, "%", 0, 100, None, 67996, _OURS),
    Measure("signal_dbm", 21, "{dBm}", -140, 0, None, None, _OURS),
    Measure("steps", 22, "{steps}", 0, 100_000, "55423-8", None, _OURS),
    Measure("room_temperature_c", 23, "Cel", -30, 70, "60832-3", None, _OURS),
    Measure("movement_percent", 24, "%", 0, 100, None, None, _OURS),
    Measure("hazard_value", 25, "1", -1e9, 1e9, None, None, "ours: unit depends on the hazard"),
    Measure("bed_state", 40, "1", 0, 0, None, None, "a state, not a number"),
    Measure("worn_state", 41, "1", 0, 0, None, None, "a state, not a number"),
    Measure("motion", 42, "1", 0, 0, None, None, "a state, not a number"),
    Measure("door", 43, "1", 0, 0, None, None, "a state, not a number"),
    Measure("room", 44, "1", 0, 0, None, None, "a state, not a number"),
    Measure("link_state", 45, "1", 0, 0, None, None, "a state, not a number"),
    Measure("firmware", 47, "1", 0, 0, None, None, "a state, not a number; kept when it changes"),
    Measure("position", 46, "1", 0, 0, None, None, "a place: two numbers, not one"),
)
# fmt: on

MEASURE_BY_KEY: dict[str, Measure] = {measure.key: measure for measure in MEASURES}
MEASURE_BY_CODE: dict[int, Measure] = {measure.code: measure for measure in MEASURES}


def quality_of(measure: Measure, value: float, claimed: Quality) -> Quality:
    """Judge a value by the plausible range; never clips it (a NaN is implausible too).

    >>> quality_of(MEASURE_BY_KEY["heart_rate_per_min"], 612.0, Quality.GOOD).value
    'implausible'
    """
    if measure.low <= value <= measure.high:
        return claimed
    return Quality.IMPLAUSIBLE


class DeviceKind(StrEnum):
    """What a device is; decides its heartbeat and what it can show its owner."""

    BUTTON = "button"
    WRISTBAND = "wristband"
    CARE_BED = "care_bed"
    MOTION_SENSOR = "motion_sensor"
    DOOR_SENSOR = "door_sensor"
    HAZARD_SENSOR = "hazard_sensor"
    PHONE = "phone"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """What the hub may expect of a kind of device."""

    kind: DeviceKind
    heartbeat_s: int
    """It says something at least this often, if only `telemetry/status`."""
    shows_receipt: bool
    """It can tell the person: tone, light, vibration, text or speech."""


DEVICE_CLASSES: dict[DeviceKind, DeviceClass] = {
    row.kind: row
    for row in (
        DeviceClass(DeviceKind.BUTTON, 600, shows_receipt=True),
        DeviceClass(DeviceKind.WRISTBAND, 60, shows_receipt=True),
        DeviceClass(DeviceKind.CARE_BED, 60, shows_receipt=True),
        DeviceClass(DeviceKind.MOTION_SENSOR, 300, shows_receipt=False),
        DeviceClass(DeviceKind.DOOR_SENSOR, 300, shows_receipt=False),
        DeviceClass(DeviceKind.HAZARD_SENSOR, 600, shows_receipt=False),
        DeviceClass(DeviceKind.PHONE, 300, shows_receipt=True),
        DeviceClass(DeviceKind.GATEWAY, 60, shows_receipt=False),
    )
}

MISSED_HEARTBEATS_UNTIL_SILENT = 3
"""ours: one lost message is radio, two are bad luck, three are a finding."""
