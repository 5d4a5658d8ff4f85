"""A device's daily life with its battery: worn, on the charger, low, dead, alive again."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from device_sim.battery import LOW_PERCENT
from device_sim.day import Doing
from device_sim.hardware import STRAPPED, Hardware
from device_sim.household import Household
from device_sim.seeded import between
from device_sim.surroundings import Surroundings
from device_sim.traits import CHARGEABLE
from schemas.telemetry import WornState
from schemas.vocabulary import DeviceKind

CHARGE_BELOW_PERCENT = (22.0, 45.0)
"""Ours: below some charge in this range, each person's own, it is put on the charger."""
ASK_AGAIN_S = 600.0
"""Ours: who is out or busy thinks of it again after ten minutes."""
FOUND_DEAD_AFTER_S = 7_200.0
"""Ours: so long until somebody notices that the wristband is dead, and charges it."""
_QUIET = (Doing.SITTING, Doing.ASLEEP)


class Powered(Protocol):
    """What has the battery."""

    def power(self, *, on: bool) -> None: ...

    def say_status(self) -> None: ...

    def note(self, what: str, **detail: float) -> None:
        """For the log of what really happened."""
        ...


class PowerLife:
    """Looks only when something is due: the warning, the charger, the end."""

    __slots__ = ("_around", "_epoch", "_habit", "_hardware", "_household", "_kind", "_owner",
                 "_warned")  # fmt: skip

    def __init__(
        self,
        kind: DeviceKind,
        hardware: Hardware,
        household: Household,
        around: Surroundings,
        owner: Powered,
        seed: str,
    ) -> None:
        self._kind, self._hardware, self._household = kind, hardware, household
        self._around, self._owner = around, owner
        self._habit = between(*CHARGE_BELOW_PERCENT, seed, "charger")
        self._epoch = 0
        self._warned = False

    def start(self) -> None:
        """Plan what comes first."""
        self._plan(0.0)

    def charge(self) -> None:
        """Onto the charger until it is full."""
        battery, now_s = self._hardware.battery, self._around.clock.monotonic_s()
        if battery is None or battery.charging:
            return
        battery.charge(on=True, now_s=now_s)
        self._wear(WornState.CHARGING)
        self._owner.note("charging_began", battery_percent=round(battery.percent(now_s), 1))
        self._at(now_s + battery.full_in_s(now_s), self._full)

    def strap(self, *, on: bool) -> None:
        """The person puts it on, or takes it off."""
        if self._hardware.worn is not WornState.CHARGING:
            self._wear(WornState.WORN if on else WornState.OFF)

    def renew(self) -> None:
        """New cells, or a full charge."""
        battery, now_s = self._hardware.battery, self._around.clock.monotonic_s()
        if battery is not None and battery.percent(now_s) <= 0.0:
            battery.charge(on=True, now_s=now_s)
            battery.charge(on=False, now_s=now_s + battery.full_in_s(now_s))
        self._plan(0.0)

    def _wear(self, worn: WornState) -> None:
        if self._kind in STRAPPED:
            self._hardware.worn = worn
        self._owner.say_status()

    def _at(self, due_s: float, what: Callable[[float], None]) -> None:
        self._epoch += 1
        self._around.agenda.add(due_s, partial(self._due, self._epoch, due_s, what))

    def _due(self, epoch: int, due_s: float, what: Callable[[float], None]) -> None:
        if epoch == self._epoch:
            what(due_s)

    def _plan(self, not_before_s: float) -> None:
        """The next look: at the habit, at the warning, at the end, whichever is first."""
        battery, now_s = self._hardware.battery, self._around.clock.monotonic_s()
        if battery is None or (left_s := battery.empty_in_s(now_s)) is None:
            return
        percent = battery.percent(now_s)
        marks = [0.0, *([] if self._warned else [LOW_PERCENT])]
        if self._kind in CHARGEABLE:
            marks.append(self._habit)
        below = [mark for mark in marks if mark < percent]
        if self._kind in CHARGEABLE and percent <= self._habit:
            wait_s = not_before_s
        else:
            wait_s = left_s * (1.0 - max(below, default=0.0) / percent) if percent else 0.0
        self._at(now_s + min(left_s, max(wait_s, not_before_s)), self._look)

    def _look(self, due_s: float) -> None:
        battery, now_s = self._hardware.battery, self._around.clock.monotonic_s()
        if battery is None:
            return
        percent = battery.percent(now_s)
        if percent <= 1e-6:
            self._die(due_s)
            return
        if percent <= LOW_PERCENT + 1e-6 and not self._warned:
            self._warned = True
            self._owner.say_status()
        if self._kind in CHARGEABLE and percent <= self._habit + 1e-6:
            if self._household.resident().doing in _QUIET:
                self.charge()
                return
            self._plan(ASK_AGAIN_S)
            return
        self._plan(1.0)

    def _die(self, due_s: float) -> None:
        self._owner.note("battery_died")
        self._owner.power(on=False)
        if self._kind in CHARGEABLE:
            self._at(due_s + FOUND_DEAD_AFTER_S, self._found)

    def _found(self, _due_s: float) -> None:
        self._owner.power(on=True)
        self.charge()

    def _full(self, _due_s: float) -> None:
        battery = self._hardware.battery
        if battery is None:
            return
        battery.charge(on=False, now_s=self._around.clock.monotonic_s())
        self._warned = False
        self._wear(WornState.WORN)
        self._owner.note("charging_ended")
        self._plan(0.0)
