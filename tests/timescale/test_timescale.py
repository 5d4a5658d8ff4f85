"""What the migrations make of a database with TimescaleDB, on the extension itself.

This tier proves schema, policies and queries. It does not prove the way observations come in:
`COPY FROM STDIN` ends this server, so rows are inserted; and it has no background workers, so the
jobs of the policies are run here as their schedule would.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.database import Session
from hub.history_upkeep import HistoryUpkeep
from hub.settings import Settings
from hub.store import queries
from hub.store.engine import Engine, Terms, arrange_on
from hub.store.migrate import migrate, migration_names
from schemas.vocabulary import MEASURES
from tests.integration.desk_database import DatabaseServer
from tests.integration.history_rows import (
    BATTERY,
    NOW,
    POSITION,
    PULSE,
    ZONE,
    Stored,
    buckets,
    only_first_migration,
    some_days,
    stored_buckets,
    write,
)
from tests.integration.test_history_upkeep import StandingClock, settings
from tests.timescale.server import Connection, connected, running_timescale

pytestmark = pytest.mark.slow

ROWS = some_days()
TERMS = Terms.of(settings())


async def once(url: str, clock: StandingClock | None = None, **changes: Any) -> None:
    """What the worker does in an hour; hangs up in the end, for there is one connection."""
    session = Session(url)
    keeper = HistoryUpkeep(settings(**changes), session, clock or StandingClock())
    await keeper.make_room()
    await keeper.aggregate()
    await keeper.let_go()
    await session.close()


def run_jobs(connection: Connection, proc_name: str) -> None:
    jobs = connection.execute(
        "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = %s ORDER BY 1",
        (proc_name,),
    ).fetchall()
    assert jobs
    for (job_id,) in jobs:
        connection.execute("CALL run_job(%s)", (job_id,))


def refresh(connection: Connection) -> None:
    for span in ("hour", "day"):
        connection.execute(
            f"CALL refresh_continuous_aggregate('history_{span}_auto', NULL, NULL)".encode()
        )


@pytest.fixture(scope="module")
def timescale() -> Iterator[str]:
    """A database with the extension, the schema, and some days of two people."""
    with running_timescale() as url:
        with connected(url) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        assert migrate(url) == migration_names()
        with connected(url) as connection:
            assert arrange_on(connection, TERMS) is Engine.TIMESCALE
            write(connection, ROWS)
        asyncio.run(once(url))
        with connected(url) as connection:
            refresh(connection)
        yield url


def test_observations_are_a_hypertable_of_daily_chunks(timescale: str) -> None:
    with connected(timescale) as connection:
        assert connection.execute(
            "SELECT time_interval, compression_enabled FROM timescaledb_information.dimensions"
            " JOIN timescaledb_information.hypertables USING (hypertable_schema, hypertable_name)"
            " WHERE hypertable_name = 'observation'"
        ).fetchall() == [(timedelta(days=1), True)]
        assert chunk_count(connection) == 1 + len({row.at.date() for row in ROWS})


def test_arranging_again_changes_nothing_and_a_setting_changes_its_policy(timescale: str) -> None:
    with connected(timescale) as connection:
        jobs = policies(connection)
        assert {name for name, _ in jobs} == {
            "compress_observations", "policy_refresh_continuous_aggregate", "policy_retention",
        }  # fmt: skip
        assert len(jobs) == 5
        arrange_on(connection, TERMS)
        assert policies(connection) == jobs
        arrange_on(connection, replace(TERMS, compress_after_days=9, keep_hourly_days=400))
        changed = [config for job, config in policies(connection) if (job, config) not in jobs]
        assert sorted(
            str(config.get("compress_after") or config.get("drop_after")) for config in changed
        ) == ["400 days", "9 days"]
        arrange_on(connection, TERMS)


def test_continuous_aggregates_say_what_plain_postgresql_says(
    timescale: str, postgres_server: DatabaseServer
) -> None:
    """Both are held against the same Python; and against each other, last columns and all."""
    plain_url = postgres_server.fresh()
    with psycopg.connect(plain_url, autocommit=True) as plain:
        arrange_on(plain, TERMS)
        write(plain, ROWS)
    asyncio.run(once(plain_url))
    with connected(timescale) as connection, psycopg.connect(plain_url) as plain:
        assert rows_of(connection, "SELECT count(*) FROM history_hour_auto") != [(0,)]
        for unit in ("hour", "day"):
            expected = buckets(ROWS, unit)
            assert stored_buckets(connection, unit) == expected
            assert stored_buckets(plain, unit) == expected


PERIOD = {
    "since": NOW - timedelta(days=3), "until": NOW, "limit": 10_000, "time_zone": ZONE,
    "areas": None,
}  # fmt: skip
REGISTERED = ("newest_alarms_of_devices", "silent_devices", "spells_of_devices")
"""Nothing is: the answer is empty."""
QUESTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("history", "devices_of_person", {"person_id": "wang"}),
    ("history", "spells_of_devices", {"devices": ["bed-1"]}),
    ("history", "observations",
     {"devices": ["bed-1", "band-1", "button-1"], "person_id": "wang",
      "measures": [m.code for m in MEASURES]}),
    ("history", "observations",
     {"devices": ["button-1"], "person_id": None, "measures": [BATTERY]}),
    ("history", "newest_place", {"devices": ["band-1"], "person_id": "wang"}),
    ("history", "hours", {"devices": ["bed-1", "band-1"], "person_id": "wang", "measure": PULSE}),
    ("history", "hours", {"devices": ["button-1"], "person_id": None, "measure": BATTERY}),
    ("history", "days", {"devices": ["bed-2"], "person_id": None, "measure": PULSE}),
    ("history", "newest_of_measures",
     {"ids": ["bed-1", "bed-2", "band-1", "button-1", "nobody"],
      "measures": [m.code for m in MEASURES], "always": [BATTERY]}),
    ("history", "newest_alarms_of_devices", {"ids": ["bed-1"]}),
    ("history", "silent_devices", {"before": NOW, "areas": None}),
    ("history", "report_days", {"measure": PULSE, "areas": ["east"]}),
    ("history", "report_days_everywhere", {"measure": PULSE}),
    ("observations", "replay", {"after": 20, "until": 40}),
    ("observations", "last_batch_id", {}),
)  # fmt: skip


def test_every_question_of_history_has_the_same_answer(
    timescale: str, postgres_server: DatabaseServer
) -> None:
    asked = {name for file, name, _ in QUESTIONS if file == "history"}
    assert asked == set(queries.load("history")), "a new query wants its question here"
    plain_url = postgres_server.fresh()
    with psycopg.connect(plain_url, autocommit=True) as plain:
        arrange_on(plain, TERMS)
        write(plain, ROWS)
    asyncio.run(once(plain_url))
    with connected(timescale) as connection, psycopg.connect(plain_url) as plain:
        for file, name, values in QUESTIONS:
            query = queries.load(file)[name]
            answers = [ordered(on, query, PERIOD | values) for on in (connection, plain)]
            assert answers[0] == answers[1], name
            assert answers[0] or name in REGISTERED, name


def test_compressed_chunks_answer_and_take_late_rows(timescale: str) -> None:
    with connected(timescale) as connection:
        before = everything(connection)
        run_jobs(connection, "compress_observations")
        assert compressed(connection) == chunk_count(connection) - 1, "not the one of 1970"
        connection.execute(
            "SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks('observation') c"
        )
        assert compressed(connection) == chunk_count(connection)
        assert everything(connection) == before
        assert stored_buckets(connection, "hour") == buckets(ROWS, "hour")
        late = replace(ROWS[0], message_key=99_999, value=200.0, quality=0, measure=PULSE,
                       observed_at=ROWS[0].observed_at + timedelta(seconds=5),
                       batch_id=1 + max(row.batch_id for row in ROWS))  # fmt: skip
        write(connection, [late])
        twice = ROWS[0].values()
        connection.execute("CREATE TEMPORARY TABLE incoming (LIKE observation)")
        connection.execute(
            "INSERT INTO incoming SELECT * FROM observation WHERE message_key = 99999"
        )
        connection.execute(queries.load("observations")["insert_incoming"])
        assert len(everything(connection)) == len(ROWS) + 1, twice
        refresh(connection)
        assert stored_buckets(connection, "hour") == buckets([*ROWS, late], "hour")
        connection.execute("DELETE FROM observation WHERE message_key = 99999")
        refresh(connection)
        plan = rows_of(
            connection,
            "EXPLAIN (COSTS OFF) SELECT * FROM observation_all WHERE batch_id > 100000",
        )
        assert any("_ts_meta" in line for (line,) in plan), "old compressed rows are skipped"


def test_retention_drops_chunks_and_not_those_without_a_time() -> None:
    clock = StandingClock()
    with running_timescale() as url:
        fill(url, ROWS)
        with connected(url) as connection:
            refresh(connection)
        clock.at = NOW + timedelta(days=88, hours=2)
        asyncio.run(once(url, clock))
        cut = clock.at - timedelta(days=90)
        with connected(url) as connection:
            kept = [
                row for row in ROWS if row.measure != POSITION
                and (row.at >= cut if row.measure == BATTERY else row.at.date() >= cut.date())
            ]  # fmt: skip
            assert 0 < len(kept) < len(ROWS)
            assert len(everything(connection)) == len(kept)
            # What was dropped stays in the aggregates, also when they are refreshed as planned.
            run_jobs(connection, "policy_refresh_continuous_aggregate")
            assert stored_buckets(connection, "day") == buckets(ROWS, "day")


MANY = """
INSERT INTO observation (observed_at, device_id, measure, message_key, area_id, person_id, latitude,
    longitude, value, quality, received_at, batch_id)
SELECT CASE WHEN %(measure)s = 46 THEN at ELSE '1970-01-01 00:00+00' END, 'band-' || n,
    %(measure)s, slot, 'east', 'wang', 31.2, 121.4, 50, 0, at, slot
FROM generate_series(0, 1049) slot, generate_series(1, 100) n,
    LATERAL (SELECT '2026-03-02 00:00+00'::timestamptz + slot * interval '1 minute') AS a (at)
"""


def test_many_positions_and_clockless_rows_go_out_of_compressed_chunks() -> None:
    """More than TimescaleDB lets be decompressed at once unless it is told so (100,000)."""
    clock = StandingClock(NOW + timedelta(days=31))
    with running_timescale() as url:
        fill(url, ROWS)
        with connected(url) as connection:
            for measure in (POSITION, BATTERY):
                connection.execute(MANY.replace("%(measure)s", str(measure)).encode())
            connection.execute("SELECT setval('batch_id', 2000)")
            connection.execute("SELECT compress_chunk(c) FROM show_chunks('observation') c")
        asyncio.run(once(url, clock))
        with connected(url) as connection:
            assert counted(connection, POSITION) == 0
            # An older release compressed these; devices write there today.
            run_jobs(connection, "compress_observations")
            assert compressed(connection) == chunk_count(connection) - 1
            assert counted(connection, BATTERY) > 105_000
        clock.at = NOW + timedelta(days=100)
        asyncio.run(once(url, clock))
        with connected(url) as connection:
            assert counted(connection, BATTERY) == 0


def counted(connection: Connection, measure: int) -> int:
    ((found,),) = rows_of(connection, f"SELECT count(*) FROM observation WHERE measure = {measure}")
    return int(found)


def test_a_first_release_on_timescaledb_is_upgraded_without_losing_a_row() -> None:
    with running_timescale() as url:
        with connected(url) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
            only_first_migration(connection)
            connection.execute(
                "CREATE TABLE observation_20260318 PARTITION OF observation"
                " FOR VALUES FROM ('2026-03-18 00:00+00') TO ('2026-03-19 00:00+00')"
            )
            write(connection, ROWS)
            before = everything(connection)
        assert migrate(url) == migration_names()[1:]
        with connected(url) as connection:
            assert arrange_on(connection, TERMS) is Engine.TIMESCALE
            assert everything(connection, "observation_all") == before
            assert everything(connection) == []
        asyncio.run(once(url))
        with connected(url) as connection:
            assert everything(connection) == before
            assert rows_of(connection, "SELECT count(*) FROM observation_aside") == [(0,)]
            refresh(connection)
            assert stored_buckets(connection, "hour") == buckets(ROWS, "hour")
            assert stored_buckets(connection, "day") == buckets(ROWS, "day")


def names_feature(said: str, feature: str) -> bool:
    """Whether the log names it, as text or as JSON (another test may have set that up)."""
    return re.search(rf'feature["=: ]+{feature}\b', said) is not None


def test_without_the_timescale_licence_the_hub_makes_its_own_aggregates(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The licence of this build cannot be changed, so the hub is told what it would find."""
    with running_timescale() as url:
        with connected(url) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        migrate(url)
        with connected(url) as connection:
            assert arrange_on(connection, TERMS, Engine.HYPERTABLE) is Engine.HYPERTABLE
            assert policies(connection) == []
            write(connection, ROWS)
        said = capsys.readouterr().out
        for feature in ("compression", "continuous_aggregates", "policies"):
            assert names_feature(said, feature)
        asyncio.run(once(url))
        with connected(url) as connection:
            assert rows_of(connection, "SELECT to_regclass('history_hour_auto')") == [(None,)]
            assert stored_buckets(connection, "hour") == buckets(ROWS, "hour")
            assert stored_buckets(connection, "day") == buckets(ROWS, "day")
            # The licence came later: what has been counted is not counted again.
            arrange_on(connection, TERMS)
            assert stored_buckets(connection, "hour") == buckets(ROWS, "hour")
        assert "own aggregates have begun" in capsys.readouterr().out


def test_a_build_that_lacks_one_feature_keeps_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running_timescale() as url:
        with connected(url) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        migrate(url)
        with connected(url) as connection:
            connection.execute("CREATE SCHEMA lacking")
            connection.execute(
                "CREATE FUNCTION lacking.add_job(text, interval, config jsonb)"
                " RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE feature_not_supported"
                " USING MESSAGE = 'not under the current licence'; END $$"
            )
            connection.execute("SET search_path = lacking, public")
            assert arrange_on(connection, TERMS) is Engine.TIMESCALE
            names = {name for name, _ in policies(connection)}
            assert names == {"policy_refresh_continuous_aggregate", "policy_retention"}
        said = capsys.readouterr().out
        assert names_feature(said, "compression")
        assert "not under the current licence" in said


DAY_OF_PULSES = """
INSERT INTO observation (observed_at, device_id, measure, message_key, area_id, person_id, value,
    quality, received_at, batch_id)
SELECT at, 'band-' || lpad(n::text, 6, '0'), CASE WHEN slot % 10 = 9 THEN 20 ELSE 1 END,
    hashtextextended(n::text || slot::text, 1) & 9223372036854775807, 'street-' || n / 50,
    'person-' || lpad(n::text, 6, '0'),
    CASE WHEN slot % 10 = 9 THEN 100 - slot / 100
        ELSE round(70 + 10 * sin(slot / 60.0) + hashint4(slot * 131 + n) % 5) END,
    0, at + (hashint4(slot + n) & 1023) * interval '1 ms', slot
FROM generate_series(0, 1439) slot, generate_series(1, 100) n,
    LATERAL (SELECT '2026-03-02 00:00+00'::timestamptz + slot * interval '1 minute'
        + (n % 60) * interval '1 s' + (hashint4(n * 7 + slot) & 511) * interval '1 ms') AS a (at)
"""


def test_what_an_observation_takes_on_disk_is_what_operators_are_told() -> None:
    """docs/how-to/operators.md: 207 bytes, and 21 compressed."""
    with running_timescale() as url:
        with connected(url) as connection:
            connection.execute("CREATE EXTENSION timescaledb")
        migrate(url)
        with connected(url) as connection:
            arrange_on(connection, TERMS)
            connection.execute(DAY_OF_PULSES)
            connection.execute("SELECT compress_chunk(c) FROM show_chunks('observation') c")
            ((before, after),) = rows_of(
                connection,
                "SELECT before_compression_total_bytes / 144000.0,"
                " after_compression_total_bytes / 144000.0"
                " FROM hypertable_compression_stats('observation')",
            )
    print(f"{before:.1f} bytes, compressed {after:.1f}")
    assert 195 < before < 220
    assert after < 25


def fill(url: str, rows: list[Stored]) -> None:
    with connected(url) as connection:
        connection.execute("CREATE EXTENSION timescaledb")
    migrate(url)
    with connected(url) as connection:
        arrange_on(connection, TERMS)
        write(connection, rows)
    asyncio.run(once(url))


def everything(connection: Connection, table: str = "observation") -> list[Any]:
    return rows_of(
        connection,
        "SELECT device_id, measure, observed_at, message_key, value, state, quality, batch_id"
        f" FROM {table} ORDER BY 1, 2, 3, 4",
    )


def policies(connection: Connection) -> list[tuple[str, dict[str, Any]]]:
    return rows_of(
        connection,
        "SELECT proc_name, config FROM timescaledb_information.jobs WHERE job_id >= 1000"
        " ORDER BY proc_name, config::text",
    )


def chunk_count(connection: Connection) -> int:
    ((found,),) = rows_of(connection, "SELECT count(*) FROM show_chunks('observation')")
    return int(found)


def compressed(connection: Connection) -> int:
    ((found,),) = rows_of(
        connection,
        "SELECT count(*) FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'observation' AND is_compressed",
    )
    return int(found)


def rows_of(connection: Connection, query: str) -> list[Any]:
    return connection.execute(query.encode()).fetchall()


def ordered(connection: Any, query: Any, values: dict[str, Any]) -> list[Any]:
    """An answer, with times in UTC and in an order of its own."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(query, values).fetchall()
    return sorted(
        (
            {key: round(v, 9) if isinstance(v, float) else v for key, v in row.items()}
            for row in found
        ),
        key=str,
    )


def test_the_settings_of_history_are_all_in_the_terms() -> None:
    assert set(Terms.__slots__) <= set(Settings.model_fields)
