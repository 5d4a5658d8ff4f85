"""What a device says of its own accord: a report is a rhythm and a pure function of the moment."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

from device_sim.resident import ResidentState
from device_sim.seeded import between
from schemas.telemetry import TelemetryMessage

FIRMWARE = "sim-1"


@dataclass(frozen=True, slots=True)
class Moment:
    """All that a report may depend on."""

    device_id: str
    resident: ResidentState
    observed_at: datetime
    """The device's clock, UTC."""
    since_last_s: float
    """Since this report was last sent; its rhythm if it never was."""


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of message and how often it comes."""

    name: str
    every_s: float
    make: Callable[[Moment], TelemetryMessage | None]
    """None: there is nothing to say (nobody in bed, not worn)."""
    change: Callable[[ResidentState], Hashable] | None = None
    """What is watched between two reports; another value is reported without waiting."""
    watch_s: float = 10.0
    """Ours: how soon a change is noticed."""


def battery_percent(device_id: str, at: datetime, lasts_days: float) -> float:
    """A charge that falls from 100 % to 20 % over `lasts_days` and is renewed then."""
    age_days = at.timestamp() / 86_400 / lasts_days + between(0, 1, device_id, "battery")
    return round(100.0 - 80.0 * (age_days % 1.0), 1)


def signal_dbm(device_id: str, low: float, high: float) -> float:
    """How well this device is received where it stands."""
    return round(between(low, high, device_id, "signal"))
