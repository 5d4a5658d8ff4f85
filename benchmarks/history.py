"""What the desk and its reports ask, over 1, 10 and 50 million stored observations.

The people grow with the rows (one observation in nine minutes from each device over 90 days, so
3,300 devices at 50 million), and the questions stay those of one screen: each is asked of people
drawn at random, through the hub's own stores, with planning, audit log and all. Three databases of
one server are asked in turn: whatever else this machine does then falls on all sizes alike. Daily
aggregates go back a year. The smallest is filled as rows come in, and the worker's own job makes
its aggregates; the others are filled without indexes, which are made afterwards, and the same
buckets are written at once.
"""

import argparse
import asyncio
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from alerts.people import Account
from benchmarks.harness import percentile, say
from hub.api.pages import FARTHEST
from hub.clock import SystemClock
from hub.database import Session
from hub.desk import Entry, Span, Within
from hub.embedded import database
from hub.embedded.folder import HubFolder
from hub.embedded.process import tie_to_us
from hub.history import Recall, Resolution
from hub.history_upkeep import HistoryUpkeep
from hub.log import configure_logging
from hub.settings import Settings
from hub.store.aggregates import Window
from hub.store.desk import PostgresDesk
from hub.store.engine import arrange
from hub.store.history import PostgresHistory
from hub.store.migrate import migrate
from hub.store.reach import Reach
from schemas.ids import AccountId, AreaId
from schemas.vocabulary import MEASURE_BY_KEY

SIZES = (1_000_000, 10_000_000, 50_000_000)
QUICK_SIZES = (1_000_000, 4_000_000)
DAYS = 90
A_DAY = 168
"""Observations of one device: seven an hour."""
PULSE = MEASURE_BY_KEY["heart_rate_per_min"].code
BATTERY = MEASURE_BY_KEY["battery_percent"].code
ASKED = 400
WARM_UP = 40
AREA_HOMES = 50
"""Homes of a community, for which a report is made."""
BYTES_A_ROW = 260
"""Row, indexes, aggregates and write-ahead log; measured 190 to 230."""

REGISTER = """
INSERT INTO area (area_id, parent_id, name, level)
SELECT 'c-' || c, 'city', 'c-' || c, 'community'
FROM generate_series(%(first)s / 50, (%(after)s - 1) / 50) c ON CONFLICT DO NOTHING;
INSERT INTO premises (premises_id, area_id, address)
SELECT 'h-' || n, 'c-' || n / 50, n || ' Lake Road'
FROM generate_series(%(first)s, %(after)s - 1) n;
INSERT INTO person (person_id, area_id, premises_id, name)
SELECT 'p-' || n, 'c-' || n / 50, 'h-' || n, 'Person ' || n
FROM generate_series(%(first)s, %(after)s - 1) n;
INSERT INTO device (device_id, area_id, premises_id, person_id, kind, label, secret_sha256)
SELECT 'd-' || n, 'c-' || n / 50, 'h-' || n, 'p-' || n, 'wristband', 'left wrist', 'x'
FROM generate_series(%(first)s, %(after)s - 1) n;
INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category, priority,
    kind, opened_at, last_alarm_at, alarm_count, step, silent, revision, person_id, resolved_at,
    outcome)
SELECT 'i-' || n || '-' || k, 'c-' || n / 50, 'person', 'p-' || n, 'resolved', 'personal', 'high',
    'press', at, at, 1, 0, false, 1, 'p-' || n, at, 'helped'
FROM generate_series(%(first)s, %(after)s - 1) n, generate_series(1, 5) k,
    LATERAL (SELECT %(now)s::timestamptz - (n * 7 + k * 10) * interval '1 minute') a (at)
"""
OPEN = """
INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category, priority,
    kind, opened_at, last_alarm_at, alarm_count, step, silent, revision, person_id,
    next_deadline_at)
SELECT 'open-' || n, 'c-0', 'person', 'p-' || n, 'raised', 'personal', 'high', 'press', %(now)s,
    %(now)s, 1, 0, false, 1, 'p-' || n, %(now)s
FROM generate_series(0, 39) n
"""
ROWS = """
INSERT INTO observation (observed_at, device_id, measure, message_key, area_id, person_id, value,
    quality, received_at, batch_id)
SELECT at, 'd-' || n, CASE WHEN slot %% 8 = 7 THEN %(battery)s ELSE %(pulse)s END,
    (%(day)s::bigint * 168 + slot) * 1000000 + n, 'c-' || n / 50, 'p-' || n,
    60 + (n * 31 + slot * 17 + %(day)s) %% 40, CASE WHEN (n + slot) %% 20 = 0 THEN 2 ELSE 0 END,
    at + interval '1 second',
    %(batch)s + (slot * (%(after)s - %(first)s) + n - %(first)s) / 1000
FROM generate_series(0, 167) slot, generate_series(%(first)s, %(after)s - 1) n,
    LATERAL (SELECT %(begin)s::timestamptz
        + (slot * 514 + (n * 13) %% 500) * interval '1 second') a (at)
"""
YEAR = """
INSERT INTO history_day
SELECT date_trunc('day', at, 'Asia/Shanghai'), 'd-' || n, %(pulse)s, 'p-' || n, 'c-' || n / 50,
    49, 46, 46, 60, 99, 3680, at, 80, NULL
FROM generate_series(%(first)s, %(after)s - 1) n,
    generate_series(%(now)s::timestamptz - interval '360 days',
        %(now)s::timestamptz - interval '92 days', interval '1 day') at
"""

HOURS = """
INSERT INTO history_hour
SELECT date_trunc('hour', observed_at, 'UTC'), device_id, measure, person_id, area_id, count(*),
    count(*) FILTER (WHERE quality = 0), count(*) FILTER (WHERE quality <= 1),
    min(value) FILTER (WHERE quality <= 1), max(value) FILTER (WHERE quality <= 1),
    sum(value) FILTER (WHERE quality <= 1), max(observed_at), max(value), NULL
FROM observation WHERE observed_at >= %(begin)s AND observed_at < %(end)s GROUP BY 1, 2, 3, 4, 5
"""
REST = """
INSERT INTO history_day
SELECT date_trunc('day', bucket_at, 'Asia/Shanghai'), device_id, measure, person_id, area_id,
    sum(observations), sum(good), sum(usable), min(lowest), max(highest), sum(total), max(last_at),
    max(last_value), NULL
FROM history_hour GROUP BY 1, 2, 3, 4, 5;
INSERT INTO device_last
SELECT device_id, measure, min(area_id), max(last_at), max(last_at), max(last_value), NULL, 0
FROM history_hour WHERE bucket_at >= %(now)s::timestamptz - interval '1 day' GROUP BY 1, 2;
INSERT INTO device_heard
SELECT device_id, min(area_id), max(received_at) FROM device_last GROUP BY 1;
INSERT INTO device_wearer
SELECT person_id, device_id, min(area_id), min(last_at), max(last_at) FROM history_day
GROUP BY 1, 2;
UPDATE history_state SET aggregated_at = now(),
    aggregated_batch_id = (SELECT last_value FROM batch_id)
"""

Ask = Callable[[], Awaitable[Any]]


def _without_indexes(connection: psycopg.Connection[Any], *tables: str) -> list[str]:
    """Drop their indexes; how each is made again."""
    rows = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s)", (list(tables),)
    ).fetchall()
    for name, _ in rows:
        connection.execute(f"DROP INDEX {name}".encode())
    return [definition for _, definition in rows]


def _with_indexes(connection: psycopg.Connection[Any], definitions: Iterable[str]) -> None:
    connection.execute("SET maintenance_work_mem = '512MB'")
    for definition in definitions:
        connection.execute(definition.replace(" ON ONLY ", " ON ").encode())


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The embedded PostgreSQL as `carebell up` runs it; the address of its database."""
    hub_folder = HubFolder(folder / "hub")
    hub_folder.create()
    database.prepare(hub_folder)
    account = database.account()
    process = subprocess.Popen(
        database.arguments(hub_folder), cwd=hub_folder.cluster, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        user=account.pw_uid if account else None, group=account.pw_gid if account else None,
        extra_groups=() if account else None, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        preexec_fn=tie_to_us(signal.SIGQUIT),  # noqa: PLW1509 - prctl only
    )  # fmt: skip
    try:
        for _ in range(300):
            if asyncio.run(database.is_ready(hub_folder)):
                break
            time.sleep(0.1)
        yield database.database_url(hub_folder.root)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


class Bench:
    """One database of one size."""

    def __init__(self, url: str, settings: Settings, now: datetime) -> None:
        """The schema is there already."""
        self._url = url
        self._settings = settings
        self._now = now
        self._devices = 0
        self._chance = random.Random(1)

    def fill(self, rows: int, *, at_once: bool) -> float:
        """So many rows of 90 days, in the order in which they come in; rows a second. `at_once`
        makes the indexes afterwards."""
        self._devices = rows // (DAYS * A_DAY)
        span = {"first": 0, "after": self._devices, "now": self._now, "pulse": PULSE}
        started_s = time.monotonic()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            for statement in (*REGISTER.split(";\n"), OPEN):
                connection.execute(statement.encode(), span)
            indexes = _without_indexes(connection, "observation") if at_once else ()
            batch = 1
            for day in range(DAYS):
                begin = self._now - timedelta(days=DAYS - day)
                connection.execute(
                    ROWS.encode(),
                    span | {"day": day, "begin": begin, "batch": batch, "battery": BATTERY},
                )
                batch += self._devices * A_DAY // 1000 + 1
            connection.execute("SELECT setval('batch_id', %s)", (batch,))
            _with_indexes(connection, indexes)
        took_s = time.monotonic() - started_s
        say(f"{self._devices * DAYS * A_DAY:,} rows: filled in {took_s:.0f} s")
        return self._devices * DAYS * A_DAY / took_s

    def aggregate(self) -> float:
        """By the worker's own job; rows a second."""
        started_s = time.monotonic()
        added = asyncio.run(self._by_the_worker())
        took_s = time.monotonic() - started_s
        say(f"aggregated {added:,} rows in {took_s:.0f} s")
        return added / took_s

    def aggregate_at_once(self) -> None:
        """The same buckets where there are none yet."""
        started_s = time.monotonic()
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off; SET work_mem = '256MB'")
            window = Window.at(self._now, self._settings.keep_hourly_days, 3650)
            for table, name, begins, ends in window.partitions():
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {table}"
                    f" FOR VALUES FROM ('{begins}') TO ('{ends}')".encode()
                )
            indexes = _without_indexes(connection, "history_hour", "history_day")
            midnight = self._now.replace(hour=0, minute=0, second=0, microsecond=0)
            for day in range(-1, DAYS + 2):
                begin = midnight - timedelta(days=DAYS - day)
                span = {"begin": begin, "end": begin + timedelta(days=1)}
                connection.execute(HOURS.encode(), span)
            for statement in REST.split(";\n"):
                connection.execute(statement.encode(), {"now": self._now})
            _with_indexes(connection, indexes)
        say(f"aggregated at once in {time.monotonic() - started_s:.0f} s")

    def finish(self) -> None:
        """A year of days, and what autovacuum would have done by and by."""
        span = {"first": 0, "after": self._devices, "now": self._now, "pulse": PULSE}
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute(YEAR.encode(), span)
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def prepare(self) -> None:
        """Partitions of all the days, made as the worker would have made them ahead."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            for day in range(-1, DAYS + 2):
                at = (self._now - timedelta(days=DAYS - day)).date()
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS observation_{at:%Y%m%d} PARTITION OF observation"
                    f" FOR VALUES FROM ('{at} 00:00+00') TO"
                    f" ('{at + timedelta(days=1)} 00:00+00')".encode()
                )

    def questions(self, reach: Reach) -> dict[str, Ask]:
        """What is asked, by name."""
        desk, history = PostgresDesk(reach), PostgresHistory(reach, DAYS)
        account = Account(AccountId("a"), "A", "supervisor", AreaId("city"), "en")
        look = Entry(self._now, "city", account, "look", {})
        now = self._now

        def person() -> str:
            return f"p-{self._chance.randrange(self._devices)}"

        ids = sorted(f"d-{n}" for n in range(self._devices))

        def after() -> str:
            return self._chance.choice(ids[: max(1, len(ids) - 51)])  # full pages at every size

        def community() -> list[str]:
            return [f"c-{self._chance.randrange(max(1, self._devices // AREA_HOMES))}"]

        def points(days: float, resolution: Resolution) -> Ask:
            since = now - timedelta(days=days)
            return lambda: history.points(
                Recall(None, person(), PULSE, since, now, resolution), look
            )

        return {
            "open_incidents": desk.open_now,
            "incidents_page": lambda: desk.incidents("all", Within(), FARTHEST, 50),
            "device_page": lambda: desk.devices(None, "", after(), 51, now),
            "person_day_observations": lambda: history.observations(
                Span(None, person(), None, now - timedelta(days=1), now, 200), look
            ),
            "person_day_raw": points(1, Resolution.RAW),
            "person_week_hourly": points(7, Resolution.HOUR),
            "person_year_daily": points(360, Resolution.DAY),
            "last_values": lambda: history.last(None, person(), now, look),
            "silent_devices": lambda: history.silent(None, now - timedelta(minutes=10), 50),
            "report_month": lambda: history.report(
                community(), PULSE, now - timedelta(days=31), now
            ),
        }

    async def _by_the_worker(self) -> int:
        session = Session(self._url)
        added = await HistoryUpkeep(self._settings, session, SystemClock()).aggregate()
        await session.close()
        return added

    def table_bytes(self) -> dict[str, float]:
        """What a stored observation costs on disk, with its indexes."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute(
                "SELECT (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'observation'::regclass)::float8,"
                " (SELECT sum(pg_relation_size(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'observation'::regclass)::float8,"
                " (SELECT count(*) FROM observation)::float8,"
                " (SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'history_hour'::regclass)::float8,"
                " (SELECT count(*) FROM history_hour)::float8"
            ).fetchone()
        assert row is not None
        total, heap, rows, hour_total, hours = row
        return {
            "observation_bytes": round(total / rows, 1),
            "observation_row_bytes": round(heap / rows, 1),
            "hour_bytes": round(hour_total / hours, 1),
        }


def measure(sizes: tuple[int, ...], folder: Path) -> dict[str, Any]:
    """Fill and ask; what `main` prints."""
    settings = Settings(data_dir=folder / "hub")
    benches: dict[str, Bench] = {}
    filled: list[int] = []
    aggregated = 0.0
    now = datetime.now(UTC)
    with running_server(folder) as main_url:
        for rows in sizes:
            with psycopg.connect(main_url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE of_{rows}".encode())
            url = main_url.replace(f"/{database.DATABASE}?", f"/of_{rows}?")
            migrate(url)
            arrange(url, settings)
            with psycopg.connect(url) as connection:
                connection.execute(
                    "INSERT INTO area (area_id, name, level) VALUES ('city', 'City', 'city')"
                )
            bench = benches[url] = Bench(url, settings, now)
            bench.prepare()
            filled.append(round(bench.fill(rows, at_once=len(benches) > 1)))
            if len(benches) == 1:
                aggregated = bench.aggregate()
            else:
                bench.aggregate_at_once()
            bench.finish()
        say("asking")
        asked = asyncio.run(ask(benches))
        size_on_disk = next(iter(benches.values())).table_bytes()
    queries = {name: _figures(took) for name, took in asked.items()}
    return {
        "sizes": list(sizes),
        "queries": queries,
        "worst_ratio": max(figures["ratio"] for figures in queries.values()),
        "fill_rows_per_s": filled,
        "aggregate_rows_per_s": round(aggregated),
        **size_on_disk,
    }


async def ask(benches: dict[str, Bench]) -> dict[str, list[list[float]]]:
    """Every question, each `ASKED` times of each size in turn; milliseconds by size."""
    clock = SystemClock()
    reaches = [Reach(url, clock, patience_s=30.0) for url in benches]
    found: dict[str, list[list[float]]] = {}
    try:
        for reach in reaches:
            await reach.open()
        sized = [b.questions(r) for b, r in zip(benches.values(), reaches, strict=True)]
        for name in sized[0]:
            took: list[list[float]] = [[] for _ in sized]
            for turn in range(WARM_UP + ASKED):
                for questions, times in zip(sized, took, strict=True):
                    started_s = time.perf_counter()
                    await questions[name]()
                    if turn >= WARM_UP:
                        times.append((time.perf_counter() - started_s) * 1000)
            found[name] = took
    finally:
        for reach in reaches:
            await reach.close()
    return found


def _figures(took: list[list[float]]) -> dict[str, Any]:
    p50, p99 = (
        [round(percentile(values, share) or 0.0, 2) for values in took] for share in (0.5, 0.99)
    )
    return {"p50_ms": p50, "p99_ms": p99, "ratio": round(p99[-1] / p99[0], 2)}


def main() -> None:
    """Print the JSON object."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server ends with us
    configure_logging(sys.stderr)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1 and 4 million rows")
    sizes = QUICK_SIZES if parser.parse_args().quick else SIZES
    folder = Path(tempfile.mkdtemp(prefix="carebell-history-"))
    try:
        free, wanted = shutil.disk_usage(folder).free, sizes[-1] * BYTES_A_ROW * 3 // 2
        if free < wanted:
            raise SystemExit(f"{folder}: {wanted >> 30} GiB are wanted, {free >> 30} are free")
        print(json.dumps(measure(sizes, folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
