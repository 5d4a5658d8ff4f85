"""Who is on duty, and when nobody is. Pure: rows and instants in, spans out.

A week repeats in local time, because people live by it: a night shift from 22:00 to 06:00 is seven
hours long when the clocks go forward and nine when they go back, and there is never a hole or two
people between two shifts that meet at the same local time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

LONGEST_CHANGE = timedelta(days=62)
"""Ours: somebody on parental leave is two changes; a change without an end is a mistake."""
HORIZON = timedelta(days=7)
"""How far ahead holes are looked for: a week is the rota's own rhythm."""


class DutyRole(StrEnum):
    """What somebody is on duty as."""

    DISPATCHER = "dispatcher"
    SECOND = "second"
    SUPERVISOR = "supervisor"


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody who is on duty for an area and everything below it."""

    account_id: str
    role_on_duty: DutyRole
    area_id: str


@dataclass(frozen=True, slots=True)
class Weekly:
    """A shift of every week, in local time."""

    area_id: str
    duty: DutyRole
    account_id: str
    weekday: int
    """0 is Monday; the day on which it begins."""
    from_min: int
    until_min: int
    """Minutes of the local day; not after `from_min`: the next day."""
    zone: ZoneInfo
    valid_from: date
    valid_until: date | None = None
    """The last day on which it begins; None: until further notice."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that holds once: who comes, instead of whom, from when until when."""

    area_id: str
    duty: DutyRole
    account_id: str | None
    """None: nobody comes instead."""
    instead_of: str | None
    """Whose shifts these are by the week's pattern; None: in addition to whoever is there."""
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """A time during which somebody is on duty."""

    from_at: datetime
    until_at: datetime
    account_id: str
    duty: DutyRole
    area_id: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A time during which nobody is, though the rota plans this duty for the area."""

    area_id: str
    duty: DutyRole
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """Everything that is planned for some areas."""

    weekly: Sequence[Weekly] = ()
    changes: Sequence[Change] = ()

    def of(self, area_ids: Iterable[str]) -> "Rota":
        """What is planned for these areas."""
        wanted = frozenset(area_ids)
        return Rota(
            [row for row in self.weekly if row.area_id in wanted],
            [row for row in self.changes if row.area_id in wanted],
        )

    def plans(self, area_id: str) -> frozenset[DutyRole]:
        """The duties that somebody ever planned for exactly this area."""
        weekly = {row.duty for row in self.weekly if row.area_id == area_id}
        return frozenset(weekly | {row.duty for row in self.changes if row.area_id == area_id})


def spans(rota: Rota, since: datetime, until: datetime) -> list[Span]:
    """Every shift that touches the time, cut to it, in the order in which they begin."""
    found = [span for row in rota.weekly for span in _weekly_spans(row, since, until)]
    for change in rota.changes:
        if change.instead_of is not None:
            found = [part for span in found for part in _changed(span, change)]
    found += (_additional(change) for change in rota.changes if change.instead_of is None)
    cut = (_cut(span, since, until) for span in found)
    return sorted(
        (span for span in cut if span is not None), key=lambda s: (s.from_at, s.account_id)
    )


def on_duty(rota: Rota, at: datetime) -> list[Duty]:
    """Who is on duty at an instant; everybody once for an area and a duty."""
    current = spans(rota, at, at + timedelta(microseconds=1))
    return list(dict.fromkeys(Duty(span.account_id, span.duty, span.area_id) for span in current))


def gaps(
    rota: Rota, area_id: str, above: Sequence[str], duty: DutyRole, since: datetime, until: datetime
) -> list[Gap]:
    """When nobody has this duty for the area, neither there nor in an area `above` it."""
    covering = [span for span in spans(rota.of((area_id, *above)), since, until)
                if span.duty is duty]  # fmt: skip
    found: list[Gap] = []
    covered_until = since
    for span in covering:
        if span.from_at > covered_until:
            found.append(Gap(area_id, duty, covered_until, span.from_at))
        covered_until = max(covered_until, span.until_at)
    if covered_until < until:
        found.append(Gap(area_id, duty, covered_until, until))
    return found


def _weekly_spans(row: Weekly, since: datetime, until: datetime) -> Iterator[Span]:
    """The shifts of one row that touch the time; the day before may reach into it."""
    day = since.astimezone(row.zone).date() - timedelta(days=1)
    last = until.astimezone(row.zone).date()
    while day <= last:
        begins = day.weekday() == row.weekday and row.valid_from <= day
        if begins and (row.valid_until is None or day <= row.valid_until):
            end_day = day if row.until_min > row.from_min else day + timedelta(days=1)
            from_at = _instant(day, row.from_min, row.zone)
            until_at = _instant(end_day, row.until_min, row.zone)
            if from_at < until and until_at > since and from_at < until_at:
                yield Span(from_at, until_at, row.account_id, row.duty, row.area_id)
        day += timedelta(days=1)


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A local time as an instant. One that the clock skips is as long after the jump; of one that
    comes twice it is the first. A shift's end and the next one's beginning always agree."""
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def _changed(span: Span, change: Change) -> Iterator[Span]:
    """What is left of a shift of somebody who is away or was swapped, and who has the rest."""
    theirs = (span.area_id, span.duty, span.account_id)
    if theirs != (change.area_id, change.duty, change.instead_of):
        yield span
        return
    if change.until_at <= span.from_at or change.from_at >= span.until_at:
        yield span
        return
    if span.from_at < change.from_at:
        yield Span(span.from_at, change.from_at, *_whose(span))
    if change.account_id is not None:
        from_at, until_at = max(span.from_at, change.from_at), min(span.until_at, change.until_at)
        yield Span(from_at, until_at, change.account_id, span.duty, span.area_id)
    if change.until_at < span.until_at:
        yield Span(change.until_at, span.until_at, *_whose(span))


def _whose(span: Span) -> tuple[str, DutyRole, str]:
    return span.account_id, span.duty, span.area_id


def _additional(change: Change) -> Span:
    return Span(
        change.from_at, change.until_at, change.account_id or "", change.duty, change.area_id
    )


def _cut(span: Span, since: datetime, until: datetime) -> Span | None:
    from_at, until_at = max(span.from_at, since), min(span.until_at, until)
    return Span(from_at, until_at, *_whose(span)) if from_at < until_at else None
