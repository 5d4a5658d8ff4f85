"""The rota as somebody plans it; `alerts.rota` decides who is on duty."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from alerts.rota import LONGEST_CHANGE, DutyRole
from hub.errors import HubError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAY_SERVE = ("administrator", "dispatcher", "supervisor")
"""Roles that can be on duty: they have a desk."""
NOTE_LIMIT = 2000
HANDED_OVER_AT_ONCE = 200
"""Incidents in one hand-over; nobody is responsible for more at a time."""

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")


class BadRota(HubError):
    """The rota cannot be planned like this."""


class BadHandover(HubError):
    """Incidents cannot be handed over like this."""


@dataclass(frozen=True, slots=True)
class PlannedWeekly:
    """A shift of every week before it is stored."""

    area_id: str
    duty: DutyRole
    account_id: str
    weekdays: tuple[int, ...]
    from_min: int
    until_min: int
    time_zone: str
    valid_from: date
    valid_until: date | None = None

    def checked(self, today: date) -> "PlannedWeekly":
        """Itself, if it can be planned. Raises BadRota."""
        if not self.weekdays:
            raise BadRota("name at least one weekday")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise BadRota("it must end after it begins")
        if self.valid_until is not None and self.valid_until < today:
            raise BadRota("it is over already")
        return self


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What is to hold once, before it is stored."""

    area_id: str
    duty: DutyRole
    account_id: str | None
    instead_of: str | None
    from_at: datetime
    until_at: datetime
    why: str = ""

    def checked(self, now: datetime) -> "PlannedChange":
        """Itself, if it can be planned at `now`. Raises BadRota."""
        if self.account_id is None and self.instead_of is None:
            raise BadRota("say who comes, or who is away")
        if self.account_id == self.instead_of:
            raise BadRota("nobody can come instead of themselves")
        if self.until_at <= self.from_at:
            raise BadRota("it must end after it begins")
        if self.until_at <= now:
            raise BadRota("it is over already")
        if self.until_at - self.from_at > LONGEST_CHANGE:
            raise BadRota(f"at most {LONGEST_CHANGE // timedelta(days=1)} days; plan another then")
        return self


def hours(text: str) -> tuple[int, int]:
    """The minutes of `HH:MM-HH:MM`; 24:00 is midnight. Raises BadRota.

    >>> hours("22:00-06:00"), hours("00:00-24:00")
    ((1320, 360), (0, 0))
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise BadRota(f"{text}: for example 08:00-16:00 or 22:00-06:00")
    begin, end = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    if end > 1440:
        raise BadRota(f"{text}: a day ends at 24:00")
    return begin, end % 1440


def weekdays(text: str) -> tuple[int, ...]:
    """The days of `mon-fri`, `sat,sun` or `daily`; 0 is Monday. Raises BadRota.

    >>> weekdays("mon-wed,sun"), weekdays("sat-mon")
    ((0, 1, 2, 6), (0, 5, 6))
    """
    found: set[int] = set()
    for part in ("mon-sun" if text == "daily" else text).split(","):
        first, dash, last = part.strip().lower().partition("-")
        try:
            begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
        except ValueError:
            raise BadRota(f"{text}: for example mon-fri, sat,sun or daily") from None
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return tuple(sorted(found))
