"""Planned maintenance as somebody plans it; `alerts.maintenance` decides what it means."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.maintenance import LONGEST, MUTABLE_KINDS
from hub.errors import HubError


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
        for kind in self.kinds:
            if kind not in MUTABLE_KINDS:
                known = ", ".join(sorted(MUTABLE_KINDS))
                raise BadPlan(f"{kind} is no kind that can wait; these are: {known}")
        return self
