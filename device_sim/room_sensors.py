"""Sensors of a room and of the front door: they feel movement, never who it is."""

from device_sim.button import status
from device_sim.day import Doing
from device_sim.report import Moment, Report
from device_sim.resident import ResidentState
from schemas.telemetry import Activity, DoorState
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

MOTION_EVERY_S = 120.0
"""Ours: infrared sensors stay quiet for one to three minutes after a movement, for the battery."""
STILL_PERCENT = 10.0
"""Ours: below this share of movement nothing is felt: somebody sleeps or lies."""


def motion(moment: Moment) -> Activity | None:
    """Movement, in the room it was felt in; a still room says nothing."""
    person = moment.resident
    if person.doing is Doing.OUTSIDE or person.movement_percent < STILL_PERCENT:
        return None
    return Activity(observed_at=moment.observed_at, motion=True, room=person.room)


def is_out(person: ResidentState) -> bool:
    """Whether the front door is between the person and their home."""
    return person.doing is Doing.OUTSIDE


def door(moment: Moment) -> Activity:
    """The front door, each time somebody went through it."""
    state = DoorState.OPENED if is_out(moment.resident) else DoorState.CLOSED
    return Activity(observed_at=moment.observed_at, door=state)


MOTION_REPORTS = (
    Report("status", DEVICE_CLASSES[DeviceKind.MOTION_SENSOR].heartbeat_s, status),
    Report("motion", MOTION_EVERY_S, motion, change=lambda person: person.room),
)
DOOR_REPORTS = (
    Report("status", DEVICE_CLASSES[DeviceKind.DOOR_SENSOR].heartbeat_s, status),
    Report("door", 21_600.0, door, change=is_out),
)
