"""A battery: drained by use, filled by a charger, economised when low, dead at nothing.

Levels are integrated, never simulated in ticks: between two looks the drain is known.
"""

from dataclasses import dataclass

DAY_S = 86_400.0

LOW_PERCENT = 20.0
"""Ours: where phones and wristbands begin to warn."""
SAVING_PERCENT = 10.0
"""Ours: below this a device saves: it reports less often and takes no fixes."""
SAVING_FACTOR = 3.0
"""Ours: how much longer the pauses between reports are then. Three heartbeats are a silent device
for the hub, so the heartbeat itself is never stretched."""

FRESH_PERCENT = (50.0, 100.0)
"""Ours: somewhere in this range when a run begins, by the device's seed."""

PER_FIX_PERCENT = 0.01
"""Ours: a fix of a cold receiver costs about half a minute of its radio."""


@dataclass(frozen=True, slots=True)
class BatteryTraits:
    """How a battery is built; `lasts_s` in ordinary use."""

    lasts_s: float
    charges_in_s: float = 5_400.0
    """From nothing to full: an hour and a half is usual for a wristband."""
    starts_percent: float | None = None
    """None: `FRESH_PERCENT`."""


class Battery:
    """The charge of one device; seconds are monotonic."""

    __slots__ = ("_at_s", "_level", "_per_s", "_traits", "charging")

    def __init__(self, traits: BatteryTraits, percent: float, now_s: float) -> None:
        self._traits = traits
        self._level = percent
        self._at_s = now_s
        self.charging = False
        self._per_s = 100.0 / traits.lasts_s

    def percent(self, now_s: float) -> float:
        """The charge now, 0 to 100."""
        passed_s = max(0.0, now_s - self._at_s)
        if self.charging:
            return min(100.0, self._level + passed_s * 100.0 / self._traits.charges_in_s)
        return max(0.0, self._level - passed_s * self._per_s)

    def spend(self, percent: float, now_s: float) -> None:
        """Use some of the charge at once: a fix, an alarm with its repeats."""
        self._settle(now_s)
        if not self.charging:
            self._level = max(0.0, self._level - percent)

    def charge(self, *, on: bool, now_s: float) -> None:
        """Put it on the charger, or take it off."""
        self._settle(now_s)
        self.charging = on

    def saving(self, now_s: float) -> bool:
        """Whether the device must economise."""
        return not self.charging and self.percent(now_s) < SAVING_PERCENT

    def empty_in_s(self, now_s: float) -> float | None:
        """How long it lasts if nothing more is spent; None: it is being charged."""
        return None if self.charging else self.percent(now_s) / self._per_s

    def full_in_s(self, now_s: float) -> float:
        """How long until it is full on the charger."""
        return (100.0 - self.percent(now_s)) * self._traits.charges_in_s / 100.0

    def _settle(self, now_s: float) -> None:
        self._level, self._at_s = self.percent(now_s), now_s
