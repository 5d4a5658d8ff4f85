"""Planned maintenance as somebody plans it; `alerts.maintenance` decides what it means."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.maintenance import LONGEST
from hub.errors import HubError

MUTABLE_KINDS = ("device_silent", "area_silent", "channel_silent", "battery_low", "tamper")
"""Shown as examples; any technical kind may be named."""


class BadPlan(HubError):
    """Maintenance cannot be planned like this."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A window before it is stored."""

    area_id: str
    why: str
    from_at: datetime
    until_at: datetime
    kinds: tuple[str, ...] = ()

    def checked(self, now: datetime) -> "Planned":
        """Itself, if it can be planned at `now`. Raises BadPlan."""
        if not self.why.strip():
            raise BadPlan("say why: the desk shows it")
        if self.until_at <= self.from_at:
            raise BadPlan("it must end after it begins")
        if self.until_at <= now:
            raise BadPlan("it is over already")
        if self.until_at - self.from_at > LONGEST:
            raise BadPlan(f"at most {LONGEST // timedelta(days=1)} days; plan another one then")
        return self
