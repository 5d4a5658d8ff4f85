"""Planned maintenance: which technical alarms do not ring just now, and since when. Pure.

Whoever changes the router of a street knows that forty devices will fall silent. Their silence is
recorded, not told; what is still true when the window ends raises then. What a person, a body or a
home says is never muted: nobody can plan a fall. Nor is what the hub says of itself and of those
who should answer: a new router is no reason that nobody could be reached.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.alarm import Alarm, Category, SubjectKind
from schemas.ids import AreaId

LONGEST = timedelta(days=7)
"""Ours: longer is not maintenance but a way to forget that something is broken."""


MUTABLE_KINDS = frozenset({
    "device_silent", "device_never_heard", "area_silent", "battery_low", "battery_empty",
    "messages_lost", "not_worn", "value_frozen", "values_cached", "vital_sensor_off",
    "vital_implausible",
})  # fmt: skip
"""What devices do while somebody works on them or on their network. A kind that is not here rings:
a new one is thought about before it can be muted."""


@dataclass(frozen=True, slots=True)
class Window:
    """Planned work on an area and everything below it, from `from_at` until before `until_at`."""

    id: int
    area_id: AreaId
    from_at: datetime
    until_at: datetime
    kinds: frozenset[str] = frozenset()
    """Kinds of technical alarms that do not ring; empty: all of them."""
    ended_at: datetime | None = None
    """When somebody ended it early."""

    def covers(self, at: datetime) -> bool:
        """Whether the window is open at that instant."""
        until_at = self.until_at if self.ended_at is None else min(self.until_at, self.ended_at)
        return self.from_at <= at < until_at


def may_be_muted(alarm: Alarm) -> bool:
    """Whether maintenance can mute this alarm at all.

    Technical alarms about devices only, not those about the hub itself or about who is there to
    answer: a forgotten broker session means that presses may be missing, whatever somebody is
    working on.
    """
    return (
        alarm.category is Category.TECHNICAL
        and alarm.subject.kind is not SubjectKind.HUB
        and alarm.kind in MUTABLE_KINDS
    )


def muting(
    alarm: Alarm, windows: Iterable[Window], above: Collection[AreaId], now: datetime
) -> Window | None:
    """The window that mutes the alarm, the one that ends last; None: it rings.

    `above` is the alarm's own area and every area it lies in; `now` is the hub's clock.
    """
    if not may_be_muted(alarm):
        return None
    open_now = [
        window
        for window in windows
        if window.covers(now)
        and window.area_id in above
        and (not window.kinds or alarm.kind in window.kinds)
    ]
    return max(open_now, key=lambda window: (window.until_at, window.id), default=None)
