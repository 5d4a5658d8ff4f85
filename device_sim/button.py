"""An emergency button: says only that it is alive; a press is everything else it does."""

from device_sim.report import FIRMWARE, Moment, Report, battery_percent, signal_dbm
from schemas.telemetry import Status
from schemas.vocabulary import DEVICE_CLASSES, DeviceKind

BATTERY_LASTS_DAYS = 700.0
"""Ours: two lithium cells of a button that speaks every ten minutes."""


def status(moment: Moment) -> Status:
    """The heartbeat."""
    return Status(
        observed_at=moment.observed_at,
        battery_percent=battery_percent(moment.device_id, moment.observed_at, BATTERY_LASTS_DAYS),
        signal_dbm=signal_dbm(moment.device_id, -85, -60),
        firmware=FIRMWARE,
    )


REPORTS = (Report("status", DEVICE_CLASSES[DeviceKind.BUTTON].heartbeat_s, status),)
