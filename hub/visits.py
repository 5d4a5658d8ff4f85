"""Visits to people and tests of their buttons: values, and the reading of files. Pure."""

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import IO, Any, Protocol

from hub.desk import Entry
from hub.errors import HubError
from hub.service_report import percent
from hub.view import View
from schemas.ids import ID_PATTERN


class VisitKind(StrEnum):
    """Why somebody came."""

    MONTHLY = "monthly"
    """The regular one; every other kind counts as well: somebody has seen the person."""
    DEVICE_CHECK = "device_check"
    AFTER_INCIDENT = "after_incident"
    OTHER = "other"


class Overdue(StrEnum):
    """Which part of the rounds somebody is behind with."""

    TEST = "test"
    VISIT = "visit"
    ANY = "any"


COLUMNS = (
    "person_id", "at", "kind", "visitor_name", "visitor_id", "note", "photo_sha256", "latitude",
    "longitude", "accuracy_m", "signature_reference", "visit_id",
)  # fmt: skip
"""Of a file of visits; the first two and `visitor_name` are wanted."""
WANTED = ("person_id", "at", "visitor_name")
ROUND_COLUMNS = (
    "person_id", "name", "area_id", "premises_id", "state", "has_button", "test_overdue",
    "last_test_at", "last_test_device_id", "last_test_alarm_id", "visit_overdue", "last_visit_at",
    "last_visit_id", "visit_kind", "visitor_name", "photo_sha256", "latitude", "longitude",
    "accuracy_m", "signature_reference",
)  # fmt: skip
"""Of a file of rounds; the API's model has the same."""
FILE_ROWS = 10_000
"""Ours: two months of visits of a city's district; the border bounds the bytes."""
MISTAKES_TOLD = 200
CLOCK_AHEAD = timedelta(minutes=5)
"""A visit cannot lie in the future; clocks differ a little."""
TEXT_MAX = {"visitor_name": 100, "visitor_id": 64, "note": 2000, "signature_reference": 200}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(ID_PATTERN)


class NotAVisitFile(HubError):
    """The file is no table of visits."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody was there."""

    id: str
    person_id: str
    at: datetime
    kind: VisitKind
    visitor_name: str
    visitor_id: str | None = None
    note: str | None = None
    photo_sha256: str | None = None
    """Of the photograph, which lies elsewhere."""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    signature_reference: str | None = None
    """Where the signature is to be found."""


@dataclass(slots=True)
class Brought:
    """What came of a file."""

    rows: int = 0
    added: int = 0
    known: int = 0
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    """Row (1 is the first below the heading) and what is wrong."""
    mistake_count: int = 0

    def wrong(self, row: int, what: str) -> None:
        """One more mistake."""
        self.mistake_count += 1
        if len(self.mistakes) < MISTAKES_TOLD:
            self.mistakes.append((row, what))


@dataclass(frozen=True, slots=True)
class Round:
    """Who is asked for: people of areas, after an id."""

    areas: list[str] | None
    tests_before: datetime
    visits_before: datetime
    overdue: Overdue | None
    after: str
    limit: int


class VisitStore(Protocol):
    """Visits and rounds. Raises DatabaseAway; adding raises AlreadyThere, NotThere."""

    async def add(self, visit: Visit, entry: Entry) -> View: ...

    async def area_of(self, visit_id: str) -> str | None: ...

    async def withdraw(self, visit_id: str, reason: str, entry: Entry) -> View: ...

    async def bring_in(
        self, visits: Sequence[tuple[int, Visit]], areas: Sequence[str] | None, brought: Brought,
        entry: Entry, *, commit: bool,
    ) -> None: ...  # fmt: skip

    async def page(
        self,
        areas: Sequence[str] | None,
        person_id: str | None,
        before: tuple[datetime, str],
        limit: int,
        look: Entry,
    ) -> list[View]: ...

    async def rounds(self, asked: Round, look: Entry | None) -> list[View]: ...

    async def summary(self, asked: Round) -> list[View]: ...


def derived_id(visit: Mapping[str, Any]) -> str:
    """An id for a visit that has none: the same for the same visit, so that a file that is brought
    in again adds nothing."""
    said = "\n".join((visit["person_id"], visit["at"].isoformat(), visit["visitor_name"]))
    return "v-" + hashlib.sha256(said.encode()).hexdigest()[:24]


def read_file(content: IO[str], now: datetime, brought: Brought) -> Iterator[tuple[int, Visit]]:
    """The visits of a CSV (RFC 4180, UTF-8) with its rows; what is wrong goes into `brought`.

    Raises NotAVisitFile.
    """
    try:
        reader = csv.DictReader(content, strict=True)
        names = [name.strip().lower().removeprefix("\ufeff") for name in reader.fieldnames or ()]
        reader.fieldnames = names
        lacking = [name for name in WANTED if name not in names]
        if lacking or len(set(names)) != len(names):
            raise NotAVisitFile(f"a heading with {', '.join(COLUMNS)}; lacking: {lacking or '-'}")
        if unknown := [name for name in names if name not in COLUMNS]:
            raise NotAVisitFile(f"unknown columns: {', '.join(unknown[:5])}")
        for number, row in enumerate(reader, start=1):
            if number > FILE_ROWS:
                raise NotAVisitFile(f"at most {FILE_ROWS} rows at once")
            brought.rows = number
            try:
                yield number, visit_of({k: (v or "").strip() for k, v in row.items() if k}, now)
            except ValueError as error:
                brought.wrong(number, str(error))
    except (csv.Error, UnicodeDecodeError) as error:
        raise NotAVisitFile(str(error)) from None


def visit_of(row: Mapping[str, str], now: datetime) -> Visit:
    """A row of a file. Raises ValueError with what is wrong."""
    person_id = row["person_id"]
    if not _ID.fullmatch(person_id):
        raise ValueError("person_id: small letters, digits and hyphens")
    try:
        at = datetime.fromisoformat(row["at"])
    except ValueError:
        raise ValueError("at: for example 2026-03-02T09:30:00+08:00") from None
    if at.tzinfo is None:
        raise ValueError("at: with an offset from UTC, for example +08:00")
    if at > now + CLOCK_AHEAD:
        raise ValueError("at: lies in the future")
    kind = row.get("kind") or VisitKind.MONTHLY
    if kind not in list(VisitKind):
        raise ValueError(f"kind: one of {', '.join(VisitKind)}")
    if not row["visitor_name"]:
        raise ValueError("visitor_name: who was there")
    for name, most in TEXT_MAX.items():
        if len(row.get(name, "")) > most:
            raise ValueError(f"{name}: at most {most} characters")
    photo = row.get("photo_sha256", "").lower()
    if photo and not _DIGEST.fullmatch(photo):
        raise ValueError("photo_sha256: 64 hexadecimal digits")
    visit_id = row.get("visit_id", "")
    if visit_id and not _ID.fullmatch(visit_id):
        raise ValueError("visit_id: small letters, digits and hyphens")
    latitude, longitude = _number(row, "latitude", 90), _number(row, "longitude", 180)
    if (latitude is None) != (longitude is None):
        raise ValueError("latitude and longitude, or neither")
    said = {"person_id": person_id, "at": at, "visitor_name": row["visitor_name"]}
    return Visit(
        visit_id or derived_id(said), person_id, at, VisitKind(kind), row["visitor_name"],
        row.get("visitor_id") or None, row.get("note") or None, photo or None, latitude, longitude,
        _number(row, "accuracy_m", 100_000), row.get("signature_reference") or None,
    )  # fmt: skip


def _number(row: Mapping[str, str], name: str, most: float) -> float | None:
    text = row.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name}: a number") from None
    if not abs(value) <= most:
        raise ValueError(f"{name}: at most {most}")
    return value


def rounded(row: View) -> View:
    """An area's counts with their shares."""
    return row | {
        "tested_percent": percent(row["tested"], row["with_button"]),
        "visited_percent": percent(row["visited"], row["to_visit"]),
    }
