"""What a device is made of: clock, battery, strap and receiver, as its traits have them."""

from datetime import datetime

from device_sim.battery import FRESH_PERCENT, PER_FIX_PERCENT, SAVING_FACTOR, Battery
from device_sim.clock import Clock
from device_sim.device_clock import DeviceClock
from device_sim.fix import Fix, is_stale, take_fix
from device_sim.fleet import FleetDevice
from device_sim.household import Household
from device_sim.seeded import between
from device_sim.sensor_faults import SensorFaults
from device_sim.traits import Traits
from schemas.alarms import Position
from schemas.telemetry import Location, TelemetryMessage, WornState
from schemas.vocabulary import DeviceKind

STRAPPED = frozenset({DeviceKind.WRISTBAND})
"""Kinds that know whether they are worn."""


class Hardware:
    """The physical side of one device."""

    __slots__ = (
        "_clock", "_device_clock", "_faults", "_fixes", "_household", "_identity", "_last_fix",
        "_seed", "battery", "rhythm_s", "traits", "worn",
    )  # fmt: skip

    def __init__(
        self, identity: FleetDevice, traits: Traits, household: Household, clock: Clock, seed: str
    ) -> None:
        self.traits = traits
        self._identity, self._household, self._clock = identity, household, clock
        self._seed = f"{seed}/{identity.id}"
        now_s = clock.monotonic_s()
        self._device_clock = DeviceClock(traits.clock, now_s)
        self._faults = SensorFaults()
        self._last_fix: Fix | None = None
        self._fixes = 0
        self.battery = self._new_battery(now_s)
        self.worn = WornState.WORN if identity.kind in STRAPPED else None
        """None: a kind that cannot tell."""
        self.rhythm_s: dict[str, float] = {}
        """Pauses between reports that the hub asked for, by the report's name."""

    def _new_battery(self, now_s: float) -> Battery | None:
        traits = self.traits.battery
        if traits is None:
            return None
        percent = traits.starts_percent
        if percent is None:
            percent = between(*FRESH_PERCENT, self._seed, "battery")
        return Battery(traits, percent, now_s)

    def time(self) -> datetime | None:
        """The time as this device tells it."""
        return self._device_clock.read(self._clock.now(), self._clock.monotonic_s())

    def jump(self, by_s: float) -> None:
        """The clock is set wrong."""
        self._device_clock.jump(by_s)

    def rebooted(self) -> None:
        """The device started again."""
        self._device_clock.rebooted(self._clock.monotonic_s())

    def battery_percent(self) -> float:
        """As the device reports it; 100: mains."""
        if self.battery is None:
            return 100.0
        return round(self.battery.percent(self._clock.monotonic_s()), 1)

    def pause_factor(self, report: str) -> float:
        """How much longer the pauses are while the battery is nearly empty; never the heartbeat."""
        if report == "status" or self.battery is None:
            return 1.0
        return SAVING_FACTOR if self.battery.saving(self._clock.monotonic_s()) else 1.0

    def freeze(self, measures: tuple[str, ...]) -> None:
        """These measures stay as they are next measured; none: all are well again."""
        self._faults.freeze(measures)

    def distort(self, message: TelemetryMessage) -> TelemetryMessage:
        """The message as a faulty sensor or gateway has it."""
        return self._faults.apply(message, self.traits.sensor, self._clock.monotonic_s())

    def locate(self, *, asked: bool = False) -> Location | None:
        """A fix as a message; None: nothing to locate itself with, or the battery forbids it."""
        fix = self._fix(asked=asked)
        if fix is None:
            return None
        return Location(
            fix.latitude,
            fix.longitude,
            observed_at=self.time(),
            accuracy_m=fix.accuracy_m,
            source=fix.source,
            fixed_at=fix.fixed_at,
            datum=fix.datum,
        )

    def position(self) -> Position | None:
        """Where the device says it is when somebody presses: a fix if it can have one."""
        fix = self._fix(asked=True)
        if fix is None:
            return None
        return Position(
            fix.latitude, fix.longitude, fix.accuracy_m, fix.source, fix.fixed_at, fix.datum
        )

    def _fix(self, *, asked: bool) -> Fix | None:
        now_s = self._clock.monotonic_s()
        if not asked and self.battery is not None and self.battery.saving(now_s):
            return None
        place = self._household.where()
        if place is None or self.worn is WornState.CHARGING:
            return None
        self._fixes += 1
        receiver = self.traits.receiver
        if self._last_fix is not None and is_stale(receiver, self._seed, self._fixes):
            return self._last_fix
        if self.battery is not None:
            self.battery.spend(PER_FIX_PERCENT, now_s)
        fix = take_fix(place, receiver, seed=self._seed, number=self._fixes, at=self.time())
        if fix is not None:
            self._last_fix = fix
        return fix
