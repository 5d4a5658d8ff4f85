"""How single devices of a fleet are: a scenario gives traits to some, chosen by seed.

`[[trait]]` rows of a scenario are read top to bottom; a later row replaces the parts it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from device_sim.battery import BatteryTraits
from device_sim.delivery import DeliveryTraits
from device_sim.device_clock import ClockTraits
from device_sim.fix import Receiver
from device_sim.outbox import DEFAULT_LIMIT
from device_sim.seeded import fraction
from device_sim.sensor_faults import SensorTraits
from schemas.vocabulary import DeviceKind


class Numbering(StrEnum):
    """Where a device's `message_id` comes from."""

    BOOT = "boot"
    """A mark of this start and a counter: never comes again."""
    COUNTER = "counter"
    """A bare counter that begins at 1 after every reboot."""
    ABSENT = "absent"
    """No `message_id`: the hub derives one."""


@dataclass(frozen=True, slots=True)
class CoverageTraits:
    """How often the radio loses its network; means of exponential distributions."""

    lost_every_s: float = 0.0
    """0: never."""
    lost_for_s: float = 60.0


@dataclass(frozen=True, slots=True)
class MotionTraits:
    """How often a wristband thinks that it felt something; a day's mean."""

    false_falls_per_day: float = 0.0
    """Claims of a fall that was none."""
    windows_per_day: float = 0.0
    """Raw windows of everyday movements that looked like an impact."""


BATTERIES: dict[DeviceKind, BatteryTraits] = {
    DeviceKind.BUTTON: BatteryTraits(700 * 86_400.0),
    DeviceKind.WRISTBAND: BatteryTraits(5 * 86_400.0),
    DeviceKind.MOTION_SENSOR: BatteryTraits(500 * 86_400.0),
    DeviceKind.DOOR_SENSOR: BatteryTraits(700 * 86_400.0),
    DeviceKind.HAZARD_SENSOR: BatteryTraits(1_800 * 86_400.0),
    DeviceKind.PHONE: BatteryTraits(1.5 * 86_400.0),
}
"""Ours: usual lives between two charges, or two sets of cells. What is missing stands on mains."""

CHARGEABLE = frozenset({DeviceKind.WRISTBAND, DeviceKind.PHONE})
"""The person puts it on a charger; the others get new cells from a human."""


@dataclass(frozen=True, slots=True)
class Traits:
    """One device, as it is built and as it fails."""

    clock: ClockTraits = field(default_factory=ClockTraits)
    coverage: CoverageTraits = field(default_factory=CoverageTraits)
    delivery: DeliveryTraits = field(default_factory=DeliveryTraits)
    sensor: SensorTraits = field(default_factory=SensorTraits)
    receiver: Receiver = field(default_factory=Receiver)
    motion: MotionTraits = field(default_factory=MotionTraits)
    battery: BatteryTraits | None = None
    """None: on mains."""
    numbering: Numbering = Numbering.BOOT
    stores: int = DEFAULT_LIMIT
    """Messages it keeps while it has no network."""
    counts: bool = True
    """Its telemetry carries `sequence`."""
    batches: bool = False
    """After lost coverage stored vital signs go together in few messages."""


@dataclass(frozen=True, slots=True)
class TraitRow:
    """Traits for some devices; what is None is left as it was."""

    of: DeviceKind | None = None
    share: float = 1.0
    clock: ClockTraits | None = None
    skew_spread_s: float = 0.0
    drift_spread_ppm: float = 0.0
    """Added to the clock, drawn evenly from both sides of nothing."""
    coverage: CoverageTraits | None = None
    delivery: DeliveryTraits | None = None
    sensor: SensorTraits | None = None
    receiver: Receiver | None = None
    motion: MotionTraits | None = None
    battery: BatteryTraits | None = None
    numbering: Numbering | None = None
    stores: int | None = None
    batches: bool | None = None
    counts: bool | None = None


_PARTS = (
    "coverage", "delivery", "sensor", "receiver", "motion", "battery", "numbering", "stores",
    "batches", "counts",
)  # fmt: skip


def ordinary(kind: DeviceKind) -> Traits:
    """A device of this kind that is well."""
    return _ORDINARY[kind]


_ORDINARY = {kind: Traits(battery=BATTERIES.get(kind)) for kind in DeviceKind}


def traits_of(rows: Sequence[TraitRow], device_id: str, kind: DeviceKind, seed: str) -> Traits:
    """The traits of one device under the rows of a scenario; the same for the same seed."""
    traits = ordinary(kind)
    for number, row in enumerate(rows):
        if row.of is not None and row.of is not kind:
            continue
        if fraction(seed, device_id, "trait", number) >= row.share:
            continue
        named = {part: value for part in _PARTS if (value := getattr(row, part)) is not None}
        if row.clock is not None:
            named["clock"] = _own_clock(row, row.clock, f"{seed}/{device_id}/{number}")
        traits = replace(traits, **named)
    return traits


def _own_clock(row: TraitRow, clock: ClockTraits, seed: str) -> ClockTraits:
    skew_s = row.skew_spread_s * (2 * fraction(seed, "skew") - 1)
    drift_ppm = row.drift_spread_ppm * (2 * fraction(seed, "drift") - 1)
    return replace(clock, skew_s=clock.skew_s + skew_s, drift_ppm=clock.drift_ppm + drift_ppm)
