"""What is set or learned for one person or home, as the register keeps it in memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from hub.detect.detector import Limit
from hub.detect.fence import Fence
from schemas.ids import PersonId

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Care:
    """One person's settings; the defaults hold where nobody set anything."""

    person_id: PersonId
    limits: tuple[Limit, ...] = ()
    fences: tuple[Fence, ...] = ()
    oxygen_scale_2: bool = False
    on_oxygen: bool = False
    inactivity_limit_percent: int = 100


def care_of(row: Row) -> Care:
    """From the register's row (query `person_care`): limits and fences come as JSON."""
    return Care(
        person_id=PersonId(row["person_id"]),
        limits=tuple(_limit(each) for each in row["limits"] or ()),
        fences=tuple(msgspec.convert(each, Fence) for each in row["fences"] or ()),
        oxygen_scale_2=bool(row["oxygen_scale_2"]),
        on_oxygen=bool(row["on_oxygen"]),
        inactivity_limit_percent=row["inactivity_limit_percent"] or 100,
    )


def line_of(row: Row) -> tuple[int, ...]:
    """The learned line of a home from the register's row; empty while learning."""
    return tuple(row["minutes"])


def soonest_percent(cares: Iterable[Care | None]) -> int:
    """The setting that counts for a home: whoever is to be asked about soonest.

    >>> soonest_percent([None, Care(PersonId("anna"), inactivity_limit_percent=75)]), \
soonest_percent([])
    (75, 100)
    """
    return min((care.inactivity_limit_percent if care else 100 for care in cares), default=100)


def _limit(row: Row) -> Limit:
    set_on = date.fromisoformat(row["set_on"])
    return Limit(row["measure"], row["low"], row["high"], row["author"], set_on)
