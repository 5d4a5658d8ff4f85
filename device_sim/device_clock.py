"""The clock inside a device: off, drifting, jumping, forgetful, or not there at all."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FIRST_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""What a clock chip shows after it lost its power; some show 1970."""
SYNC_AFTER_S = 90.0
"""Ours: a device that lost the time learns it from its network about so long after it started."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ClockTraits:
    """How a clock is built."""

    skew_s: float = 0.0
    drift_ppm: float = 0.0
    """Parts per million; a cheap crystal has 20 to 100, 1.7 to 9 s a day."""
    absent: bool = False
    """No clock: nothing carries `observed_at`."""
    forgets: bool = False
    """After a reboot it begins at 2000-01-01, until the network tells it the time."""


class DeviceClock:
    """Tells a device's time; `truth` is the true time, `now_s` monotonic seconds."""

    __slots__ = ("_forgot_s", "_jumped_s", "_started_s", "_traits")

    def __init__(self, traits: ClockTraits, now_s: float) -> None:
        self._traits = traits
        self._started_s = now_s
        self._jumped_s = 0.0
        self._forgot_s: float | None = None

    def read(self, truth: datetime, now_s: float) -> datetime | None:
        """The time as the device tells it, in whole milliseconds; None: it has no clock."""
        traits = self._traits
        if traits.absent:
            return None
        if self._forgot_s is not None and now_s - self._forgot_s < SYNC_AFTER_S:
            told = FIRST_TIME + timedelta(seconds=max(0.0, now_s - self._forgot_s))
        else:
            drifted_s = (now_s - self._started_s) * traits.drift_ppm * 1e-6
            off_s = traits.skew_s + drifted_s + self._jumped_s
            told = truth + timedelta(seconds=off_s) if off_s else truth
        told = min(LATEST, max(EARLIEST, told))
        return told - timedelta(microseconds=told.microsecond % 1000)

    def jump(self, by_s: float) -> None:
        """Somebody or something set it wrong."""
        self._jumped_s += by_s

    def rebooted(self, now_s: float) -> None:
        """The device started again; the network sets a clock that was set wrong."""
        self._jumped_s = 0.0
        if self._traits.forgets:
            self._forgot_s = now_s
