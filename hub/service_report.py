"""What reports about the service are asked for and answer: plain values, known to API and store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from hub.desk import Entry
from hub.view import View

LONGEST_DAYS = 400
"""Ours: a year and the month before it, to compare."""
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2200, 12, 31)
"""Ours: before there was a hub, and farther than anybody plans; dates end at the year 9999."""
ANSWER_WITHIN_S = (60, 180)
"""UK Telecare Services Association's standard: 97.5 % within 60 s, 99 % within 180 s."""


class By(StrEnum):
    """What figures are told apart by."""

    TOTAL = "total"
    DAY = "day"
    AREA = "area"
    DISPATCHER = "dispatcher"


class Concern(StrEnum):
    """Which incidents are counted."""

    PEOPLE = "people"
    """Somebody needed somebody."""
    TECHNICAL = "technical"
    ALL = "all"


CATEGORIES: Mapping[Concern, tuple[str, ...]] = {
    Concern.PEOPLE: ("personal", "physiological", "hazard"),
    Concern.TECHNICAL: ("technical",),
    Concern.ALL: ("personal", "physiological", "hazard", "technical"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One report: days are those of the areas, both ends included."""

    seat: str
    """The area it is about, with all below."""
    areas: list[str] | None
    """The same as a list; None: every area."""
    since: date
    until: date
    concern: Concern = Concern.PEOPLE
    after: str | None = None
    limit: int = 400


@dataclass(frozen=True, slots=True)
class Report:
    """Rows with when they are of and whose days they count."""

    rows: list[View]
    as_of: datetime | None
    """None: nothing was counted yet."""
    time_zone: str


class ServiceFigureStore(Protocol):
    """Figures of the service. Raises DatabaseAway."""

    async def service(self, question: Question, by: By, look: Entry | None) -> Report: ...

    async def false_alarms(self, question: Question, look: Entry | None) -> Report: ...

    async def pressers(self, question: Question, least: int, look: Entry | None) -> Report: ...

    async def undelivered(self, question: Question, look: Entry | None) -> Report: ...


SERVICE_COLUMNS = (
    "key", "label", "incidents", "tests", "high", "open", "rang", "answered", "answered_60",
    "answered_60_percent", "answered_180", "answered_180_percent", "answer_p50_s", "answer_p90_s",
    "answer_p99_s", "attended", "attended_of", "attended_within", "attended_within_percent",
    "attend_p50_s", "attend_p90_s", "sent_first", "dwell_p50_s", "dwell_p90_s", "dwell_p99_s",
    "resolved", "false_alarms", "false_alarm_percent", "rerang", "told", "undelivered",
)  # fmt: skip
"""Of the file; the API's model has the same."""


def with_shares(row: Mapping[str, Any]) -> View:
    """A counted row with shares and percentiles by name. A share of nothing is None, not 0, and the
    counts it is made of stand beside it: 100 % of two is not 100 % of two thousand."""
    told = {key: row[key] for key in SERVICE_COLUMNS if key in row}
    for name, part, whole in (
        ("answered_60_percent", "answered_60", "rang"),
        ("answered_180_percent", "answered_180", "rang"),
        ("attended_within_percent", "attended_within", "attended_of"),
        ("false_alarm_percent", "false_alarms", "resolved"),
    ):
        told[name] = percent(row[part], row[whole])
    for column, names in (
        ("answer_s", ("answer_p50_s", "answer_p90_s", "answer_p99_s")),
        ("attend_s", ("attend_p50_s", "attend_p90_s")),
        ("dwell_s", ("dwell_p50_s", "dwell_p90_s", "dwell_p99_s")),
    ):
        values: Sequence[float | None] = row[column] or (None,) * len(names)
        told |= {n: None if v is None else round(v, 1) for n, v in zip(names, values, strict=True)}
    return {column: told[column] for column in SERVICE_COLUMNS}


def percent(part: int, whole: int) -> float | None:
    """A share with one decimal; None of nothing.

    >>> percent(2, 3), percent(0, 0)
    (66.7, None)
    """
    return round(100 * part / whole, 1) if whole else None
