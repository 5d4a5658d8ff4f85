"""A wristband: pulse, oxygen and steps while it is worn; knows the room by its beacons."""

from device_sim.report import FIRMWARE, Moment, Report, battery_percent, signal_dbm
from schemas.telemetry import Activity, Sample, Status, Vitals, WornState
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind, Quality

BATTERY_LASTS_DAYS = 5.0
"""Ours: a usual life of a wristband between two nights on the charger."""

VITALS_EVERY_S = 60.0
"""Ours: as often as the heartbeat; wristbands of this kind measure every one to ten minutes."""


def status(moment: Moment) -> Status:
    """The heartbeat."""
    return Status(
        observed_at=moment.observed_at,
        battery_percent=battery_percent(moment.device_id, moment.observed_at, BATTERY_LASTS_DAYS),
        signal_dbm=signal_dbm(moment.device_id, -105, -75),
        firmware=FIRMWARE,
        worn=WornState.WORN,
    )


def vitals(moment: Moment) -> Vitals:
    """Pulse, oxygen, skin temperature as body temperature; light sensors dislike movement."""
    person = moment.resident
    quality = Quality.POOR if person.moving else Quality.GOOD

    def sample(measure: str, value: float) -> Sample:
        return Sample(measure, value, quality=quality, moving=person.moving)

    return Vitals(
        [
            sample("heart_rate_per_min", round(person.heart_rate_per_min)),
            sample("oxygen_saturation_percent", round(person.oxygen_saturation_percent)),
            sample("body_temperature_c", round(person.body_temperature_c, 1)),
        ],
        observed_at=moment.observed_at,
    )


def activity(moment: Moment) -> Activity:
    """Steps since the last report, and the room."""
    person = moment.resident
    return Activity(
        observed_at=moment.observed_at,
        steps=round(person.steps_per_min * moment.since_last_s / 60),
        motion=person.moving,
        room=person.room,
    )


REPORTS = (
    Report("status", DEVICE_CLASSES[DeviceKind.WRISTBAND].heartbeat_s, status),
    Report("vitals", VITALS_EVERY_S, vitals),
    Report("activity", 300.0, activity, change=lambda person: person.room),
)
