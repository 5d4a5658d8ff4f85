"""A wristband: pulse, oxygen, steps and place while it is worn; knows the room by its beacons."""

from device_sim.report import FIRMWARE, Moment, Report, signal_dbm
from schemas.telemetry import Activity, Location, Sample, Status, Vitals
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind, Quality

VITALS_EVERY_S = 60.0
"""Ours: as often as the heartbeat; wristbands of this kind measure every one to ten minutes."""

ACTIVITY_EVERY_S = 300.0
LOCATION_EVERY_S = 600.0
"""Ours: as often as the battery of five days allows; asked by the hub it takes a fix at once."""


def status(moment: Moment) -> Status:
    """The heartbeat."""
    return Status(
        observed_at=moment.observed_at,
        battery_percent=moment.battery_percent,
        signal_dbm=signal_dbm(moment.device_id, -105, -75),
        firmware=FIRMWARE,
        worn=moment.worn,
    )


def vitals(moment: Moment) -> Vitals | None:
    """Pulse, oxygen, skin temperature as body temperature; light sensors dislike movement.
    On the table or the charger there is nobody to measure."""
    if not moment.on_person:
        return None
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


def activity(moment: Moment) -> Activity | None:
    """Steps since the last report, and the room."""
    if not moment.on_person:
        return None
    person = moment.resident
    return Activity(
        observed_at=moment.observed_at,
        steps=round(person.steps_per_min * moment.since_last_s / 60),
        motion=person.moving,
        room=person.room,
    )


def location(moment: Moment) -> Location | None:
    """A fix, where one can be had."""
    return moment.locate()


REPORTS = (
    Report("status", DEVICE_CLASSES[DeviceKind.WRISTBAND].heartbeat_s, status),
    Report("vitals", VITALS_EVERY_S, vitals),
    Report("activity", ACTIVITY_EVERY_S, activity, change=lambda person: person.room),
    Report("location", LOCATION_EVERY_S, location),
)
