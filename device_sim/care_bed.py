"""A care bed: occupied or empty, and breath and pulse while somebody lies still."""

from device_sim.report import FIRMWARE, Moment, Report, signal_dbm
from schemas.telemetry import Bed, BedState, Sample, Status, Vitals
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind, Quality

VITALS_EVERY_S = 60.0
"""Ours: one value a minute, the usual averaging time of contactless sensors."""

BED_EVERY_S = 60.0
"""Ours: with the heartbeat; a change is reported at once."""


def status(moment: Moment) -> Status:
    """The heartbeat; the bed stands on mains."""
    return Status(
        observed_at=moment.observed_at,
        battery_percent=100.0,
        signal_dbm=signal_dbm(moment.device_id, -75, -50),
        firmware=FIRMWARE,
    )


def bed(moment: Moment) -> Bed:
    """What the mattress feels."""
    person = moment.resident
    return Bed(
        BedState.OCCUPIED if person.in_bed else BedState.EMPTY,
        observed_at=moment.observed_at,
        movement_percent=round(person.movement_percent, 1) if person.in_bed else None,
    )


def vitals(moment: Moment) -> Vitals | None:
    """Nobody in bed: nothing to measure; a bed that guesses is worse than a silent one."""
    person = moment.resident
    if not person.in_bed:
        return None
    quality = Quality.INVALID if person.moving else Quality.GOOD

    def sample(measure: str, value: float) -> Sample:
        return Sample(measure, value, quality=quality, moving=person.moving)

    return Vitals(
        [
            sample("heart_rate_per_min", round(person.heart_rate_per_min)),
            sample("respiratory_rate_per_min", round(person.respiratory_rate_per_min)),
            sample("oxygen_saturation_percent", round(person.oxygen_saturation_percent)),
            sample("body_temperature_c", round(person.body_temperature_c, 1)),
            sample("systolic_blood_pressure_mmhg", round(person.systolic_blood_pressure_mmhg)),
            sample("diastolic_blood_pressure_mmhg", round(person.diastolic_blood_pressure_mmhg)),
        ],
        observed_at=moment.observed_at,
    )


REPORTS = (
    Report("status", DEVICE_CLASSES[DeviceKind.CARE_BED].heartbeat_s, status),
    Report("bed", BED_EVERY_S, bed, change=lambda person: person.in_bed),
    Report("vitals", VITALS_EVERY_S, vitals),
)
