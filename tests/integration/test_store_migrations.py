"""The schema: one file a step, applied once, in order, and readable as a whole."""

import re

import psycopg
import pytest

from hub.errors import MigrationError
from hub.store.migrate import migrate, migration_names
from tests.integration.desk_database import DatabaseServer
from tests.schema_file import PATH, dumped


def test_schema_sql_is_the_sum_of_the_migrations(database_url: str) -> None:
    assert PATH.read_text(encoding="utf-8") == dumped(database_url), (
        "run `python -m tests.schema_file`"
    )


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = [re.fullmatch(r"(\d{4})_[a-z0-9_]+\.sql", name) for name in migration_names()]
    assert all(numbers), "four digits, an underscore, words"
    found = [int(number.group(1)) for number in numbers if number is not None]
    assert found == list(range(1, len(found) + 1))


def test_a_second_start_applies_nothing(database_url: str) -> None:
    assert migrate(database_url) == []


def test_an_empty_database_gets_every_migration(postgres_server: DatabaseServer) -> None:
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty TEMPLATE template0")
    try:
        assert migrate(postgres_server.url("empty")) == migration_names()
    finally:
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE empty")


def test_a_database_of_a_newer_release_stops_the_start(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO schema_migration (name) VALUES ('9999_later.sql')")
    with pytest.raises(MigrationError, match=r"9999_later\.sql.*used by a newer release"):
        migrate(database_url)


def test_a_database_that_is_away_stops_the_start() -> None:
    with pytest.raises(MigrationError, match="OperationalError"):
        migrate("postgresql://nobody@127.0.0.1:1/none?connect_timeout=1")


def test_every_table_that_belongs_to_an_area_says_so(database_url: str) -> None:
    """From the first migration: owners and readers can be split by area later."""
    without = {
        "history_state",
        "audit_block",
        "audit_awaited",
        "incident_fact_state",
        "schema_migration",
        "context_change",
        "desk_session",
        "detector_shard",
        "detector_state",
        "ingest_owner",
    }
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT c.relname, EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid"
            " AND a.attname = 'area_id') FROM pg_class c JOIN pg_namespace n"
            " ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
        ).fetchall()
    assert {name for name, has_area in tables if not has_area} == without


@pytest.mark.parametrize("deed", ["UPDATE audit_log SET at = now()", "DELETE FROM audit_log"])
def test_the_audit_log_is_append_only(database_url: str, deed: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO audit_log (at, area_id, actor_kind, action)"
            " VALUES (now(), 'city', 'hub', 'start')"
        )
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(deed.encode())
        assert connection.execute("SELECT count(*) FROM audit_log").fetchall() == [(1,)]


INCIDENT = (
    "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
    " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
    " next_deadline_at, outcome) VALUES (%s, 'city', 'person', 'anna', %s, 'personal', 'high',"
    " 'press', now(), now(), 1, 0, false, 1, %s, %s)"
)


@pytest.mark.parametrize(
    ("state", "deadline", "outcome"),
    [
        ("raised", None, None),
        ("acknowledged", None, None),
        ("resolved", None, None),
        ("resolved", "2026-03-02T08:00:00Z", "helped"),
        ("raised", "2026-03-02T08:00:00Z", "helped"),
    ],
)
def test_the_table_itself_refuses_a_silent_incident(
    database_url: str, state: str, deadline: str | None, outcome: str | None
) -> None:
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(INCIDENT, ("i-1", state, deadline, outcome))


def test_the_table_itself_refuses_a_second_open_incident(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(INCIDENT, ("i-1", "raised", "2026-03-02T08:00:00Z", None))
        connection.execute(INCIDENT, ("i-2", "resolved", None, "helped"))
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(INCIDENT, ("i-3", "attended", "2026-03-02T08:00:00Z", None))
