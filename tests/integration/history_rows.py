"""Stored observations with everything that happens to them, and what history must make of them.

The buckets are computed here in Python, row by row, from what was written: both engines are held
against the same numbers.
"""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from hub.observation import UNKNOWN_TIME
from schemas.vocabulary import MEASURE_BY_KEY

NOW = datetime(2026, 3, 20, 10, 7, tzinfo=UTC)
ZONE = "Asia/Shanghai"
PULSE = MEASURE_BY_KEY["heart_rate_per_min"].code
BED = MEASURE_BY_KEY["bed_state"].code
BATTERY = MEASURE_BY_KEY["battery_percent"].code
POSITION = MEASURE_BY_KEY["position"].code

COLUMNS = (
    "observed_at, device_id, measure, message_key, area_id, person_id, value, state, latitude,"
    " longitude, quality, received_at, batch_id"
)


@dataclass(frozen=True, slots=True)
class Stored:
    """One row of `observation`."""

    observed_at: datetime
    device_id: str
    measure: int
    message_key: int
    area_id: str
    person_id: str | None
    value: float | None
    state: str | None
    latitude: float | None
    longitude: float | None
    quality: int
    received_at: datetime
    batch_id: int

    @property
    def at(self) -> datetime:
        """When it counts."""
        return self.received_at if self.observed_at == UNKNOWN_TIME else self.observed_at

    def values(self) -> tuple[Any, ...]:
        """In the order of `COLUMNS`."""
        return tuple(getattr(self, name.strip()) for name in COLUMNS.split(","))


def some_days(days: int = 4, every_min: int = 20) -> list[Stored]:
    """Days of two people: pulse, bed and battery of a bed and a band; values that must not count,
    a device without a clock, positions, and a batch that comes two days late."""
    chance = random.Random(4)
    rows: list[Stored] = []
    late: list[Stored] = []
    begin = NOW - timedelta(days=days)
    for step in range(days * 24 * 60 // every_min):
        at = begin + timedelta(minutes=step * every_min, seconds=step % 50)
        batch = step + 1
        for device, person in (("bed-1", "wang"), ("band-1", "wang"), ("bed-2", "li")):
            quality = chance.choice((0, 0, 0, 1, 2, 3))
            value = 612.0 if quality == 3 else float(chance.randint(55, 95))
            pulse = _row(at, device, PULSE, step, person, batch, value=value, quality=quality)
            offline = device == "bed-2" and step % 12 == 5
            (late if offline else rows).append(pulse)
        if step % 5 == 0:
            state = chance.choice(("occupied", "empty"))
            rows.append(_row(at, "bed-1", BED, step, "wang", batch, state=state))
            rows.append(_row(at, "band-1", POSITION, step, "wang", batch, place=(31.2, 121.4)))
        if step % 9 == 0:
            level = 100.0 - step / 10
            undated = _row(UNKNOWN_TIME, "button-1", BATTERY, step, "wang", batch, value=level)
            rows.append(_at_arrival(undated, at))
    last = max(row.batch_id for row in rows) + 1
    rows += [_rebatched(row, last) for row in late]
    return rows


def write(connection: psycopg.Connection[Any], rows: Iterable[Stored]) -> None:
    """Insert them, and let the sequence have given out their batch numbers."""
    rows = list(rows)
    names = [name.strip() for name in COLUMNS.split(",")]
    found = [dict(zip(names, row.values(), strict=True)) for row in rows]
    for first in range(0, len(found), 100):  # a message of more than 64 KB ends the one under Node
        connection.execute(
            f"INSERT INTO observation ({COLUMNS}) SELECT {COLUMNS}"
            " FROM jsonb_populate_recordset(NULL::observation, %s)".encode(),
            (json.dumps(found[first : first + 100], default=str),),
        )
    newest = max(row.batch_id for row in rows)
    connection.execute("SELECT setval('batch_id', %s)", (newest,))


Bucket = tuple[Any, ...]
BUCKET_COLUMNS = (
    "bucket_at, device_id, measure, person_id, observations, good, usable, lowest, highest,"
    " round(total::numeric, 6)::float8, last_at, last_value, last_state"
)


def buckets(rows: Iterable[Stored], unit: str) -> set[Bucket]:
    """What hourly or daily buckets must be, in the order of `BUCKET_COLUMNS`."""
    groups: dict[tuple[Any, ...], list[Stored]] = {}
    for row in rows:
        if row.measure != POSITION:
            key = (_begins(row.at, unit), row.device_id, row.measure, row.person_id)
            groups.setdefault(key, []).append(row)
    return {(*key, *_sums(sorted(group, key=lambda r: r.at))) for key, group in groups.items()}


def stored_buckets(connection: psycopg.Connection[Any], unit: str) -> set[Bucket]:
    """What the view says, made comparable: rows of one bucket in two places would show twice."""
    found = connection.execute(
        f"SELECT {BUCKET_COLUMNS} FROM observation_{unit}".encode()
    ).fetchall()
    assert len(found) == len(set(found))
    return {tuple(_utc(value) for value in row) for row in found}


def only_first_migration(connection: psycopg.Connection[Any]) -> None:
    """The schema as the first release left it."""
    script = (files("hub.store") / "migrations" / "0001_ground.sql").read_text(encoding="utf-8")
    connection.execute(
        "CREATE TABLE schema_migration ("
        "name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    connection.execute(script.encode())
    connection.execute("INSERT INTO schema_migration (name) VALUES ('0001_ground.sql')")


def _sums(group: list[Stored]) -> tuple[Any, ...]:
    usable = [row for row in group if row.value is not None and row.quality <= 1]
    states = [row for row in group if row.state is not None]
    values = [row.value for row in usable if row.value is not None]
    told = sorted([*usable, *states], key=lambda row: row.at)
    return (
        len(group),
        sum(row.quality == 0 for row in group),
        len(usable),
        min(values, default=None),
        max(values, default=None),
        round(sum(values), 6) if values else None,
        told[-1].at if told else None,
        usable[-1].value if usable else None,
        states[-1].state if states else None,
    )


def _begins(at: datetime, unit: str) -> datetime:
    if unit == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    local = at.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(UTC)


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _row(
    at: datetime, device: str, measure: int, key: int, person: str, batch: int,
    value: float | None = None, state: str | None = None, quality: int = 0,
    place: tuple[float, float] | None = None,
) -> Stored:  # fmt: skip
    latitude, longitude = place or (None, None)
    return Stored(
        at, device, measure, key, "east", person, value, state, latitude, longitude, quality,
        at + timedelta(seconds=1), batch,
    )  # fmt: skip


def _at_arrival(row: Stored, at: datetime) -> Stored:
    return replace(row, received_at=at)


def _rebatched(row: Stored, batch: int) -> Stored:
    return replace(row, received_at=NOW - timedelta(minutes=5), batch_id=batch)
