"""An emergency button: says only that it is alive; a press is everything else it does."""

from device_sim.report import FIRMWARE, Moment, Report, signal_dbm
from schemas.telemetry import Status
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind


def status(moment: Moment) -> Status:
    """The heartbeat."""
    return Status(
        observed_at=moment.observed_at,
        battery_percent=moment.battery_percent,
        signal_dbm=signal_dbm(moment.device_id, -85, -60),
        firmware=FIRMWARE,
        worn=moment.worn,
    )


REPORTS = (Report("status", DEVICE_CLASSES[DeviceKind.BUTTON].heartbeat_s, status),)
