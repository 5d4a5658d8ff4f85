"""What a device says of its own accord: a report is a rhythm and a pure function of the moment."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime

from device_sim.resident import ResidentState
from device_sim.seeded import between
from schemas.telemetry import Location, TelemetryMessage, WornState

FIRMWARE = "sim-2"


@dataclass(frozen=True, slots=True)
class Moment:
    """All that a report may depend on."""

    device_id: str
    feel: Callable[[], ResidentState]
    """The person now; asked only by reports that feel one, because a body costs to compute."""
    observed_at: datetime | None
    """The device's clock, UTC; None: it has none."""
    since_last_s: float
    """Since this report was last sent; its rhythm if it never was."""
    battery_percent: float = 100.0
    worn: WornState | None = None
    locate: Callable[[], Location | None] = lambda: None
    """A fix, if the device can have one; it costs battery."""

    @property
    def resident(self) -> ResidentState:
        """The person now."""
        return self.feel()

    @property
    def on_person(self) -> bool:
        """Whether the device feels a body: kinds that cannot tell always do."""
        return self.worn in (None, WornState.WORN)


@dataclass(frozen=True, slots=True)
class Report:
    """One kind of message and how often it comes."""

    name: str
    every_s: float
    make: Callable[[Moment], TelemetryMessage | None]
    """None: there is nothing to say (nobody in bed, not worn)."""
    change: Callable[[ResidentState], Hashable] | None = None
    """What is watched; another value is reported without waiting."""


def signal_dbm(device_id: str, low: float, high: float) -> float:
    """How well this device is received where it stands."""
    return round(between(low, high, device_id, "signal"))
