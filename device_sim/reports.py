"""Which device says what: the table over all kinds. A kind without a body model only lives."""

from device_sim import button, care_bed, room_sensors, wristband
from device_sim.report import Report
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

REPORTS: dict[DeviceKind, tuple[Report, ...]] = {
    kind: (Report("status", device_class.heartbeat_s, button.status),)
    for kind, device_class in DEVICE_CLASSES.items()
} | {
    DeviceKind.BUTTON: button.REPORTS,
    DeviceKind.WRISTBAND: wristband.REPORTS,
    DeviceKind.CARE_BED: care_bed.REPORTS,
    DeviceKind.PHONE: (
        Report("status", DEVICE_CLASSES[DeviceKind.PHONE].heartbeat_s, button.status),
        Report("location", wristband.LOCATION_EVERY_S, wristband.location),
    ),
    DeviceKind.MOTION_SENSOR: room_sensors.MOTION_REPORTS,
    DeviceKind.DOOR_SENSOR: room_sensors.DOOR_REPORTS,
}
