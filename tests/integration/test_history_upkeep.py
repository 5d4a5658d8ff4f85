"""History on plain PostgreSQL: aggregates, upgrade of an old database, partitions, retention."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.database import Session
from hub.history_upkeep import HistoryUpkeep
from hub.settings import Settings
from hub.store import aggregates
from hub.store.engine import Engine, Terms, arrange_on
from hub.store.migrate import migrate, migration_names
from hub.store.retention import RULES
from tests.integration.desk_database import DatabaseServer
from tests.integration.history_rows import (
    BATTERY,
    NOW,
    POSITION,
    PULSE,
    Stored,
    buckets,
    only_first_migration,
    some_days,
    stored_buckets,
    write,
)


class StandingClock:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.at.timestamp()


def settings(**changes: Any) -> Settings:
    return Settings(data_dir=Path("unused"), **changes)


def upkeep(url: str, clock: StandingClock | None = None, **changes: Any) -> HistoryUpkeep:
    return HistoryUpkeep(settings(**changes), Session(url), clock or StandingClock())


@pytest.fixture
def rows() -> list[Stored]:
    return some_days()


@pytest.fixture
def filled(database_url: str, rows: list[Stored]) -> str:
    """A database with some days of two people, as a hub of this release has it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert arrange_on(connection, Terms.of(settings())) is Engine.PLAIN
        write(connection, rows)
    return database_url


def test_buckets_are_what_the_rows_say(filled: str, rows: list[Stored]) -> None:
    added = asyncio.run(upkeep(filled).aggregate())
    assert added == len(rows)
    with psycopg.connect(filled, autocommit=True) as connection:
        assert stored_buckets(connection, "hour") == buckets(rows, "hour")
        assert stored_buckets(connection, "day") == buckets(rows, "day")


def test_a_second_round_adds_nothing_and_late_rows_join_their_bucket(
    filled: str, rows: list[Stored]
) -> None:
    keeper = upkeep(filled)
    asyncio.run(keeper.aggregate())
    assert asyncio.run(keeper.aggregate()) == 0
    newest = max(row.batch_id for row in rows)
    at = NOW - timedelta(days=2, minutes=1)
    late = [
        Stored(at + timedelta(seconds=n), "bed-1", PULSE, 90_000 + n, "east", "wang", value, None,
               None, None, 0, NOW, newest + n)
        for n, value in ((1, 41.0), (2, 140.0))
    ]  # fmt: skip
    with psycopg.connect(filled, autocommit=True) as connection:
        write(connection, late)
        assert asyncio.run(keeper.aggregate()) == 2
        assert stored_buckets(connection, "hour") == buckets([*rows, *late], "hour")
        assert stored_buckets(connection, "day") == buckets([*rows, *late], "day")


def test_killed_between_any_two_steps_it_goes_on_without_counting_twice(
    filled: str, rows: list[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aggregates, "FIRST_BATCHES", 7)
    monkeypatch.setattr(aggregates, "ROWS_WANTED", 40)

    async def killed_again_and_again() -> int:
        rounds = 0
        while True:
            rounds += 1
            task = asyncio.create_task(upkeep(filled).aggregate())
            done, _ = await asyncio.wait({task}, timeout=0.11)
            if done:
                return rounds
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert asyncio.run(killed_again_and_again()) > 1
    with psycopg.connect(filled, autocommit=True) as connection:
        assert stored_buckets(connection, "hour") == buckets(rows, "hour")


async def test_a_batch_that_commits_late_is_not_passed_over(
    database_url: str, rows: list[Stored]
) -> None:
    """Batch numbers are given out in one order and committed in another."""
    slow, quick = rows[:3], rows[3:9]
    keeper = upkeep(database_url)
    async with await psycopg.AsyncConnection.connect(database_url) as ingest:
        await ingest.execute("SELECT nextval('batch_id')")
        with psycopg.connect(database_url, autocommit=True) as connection:
            write(connection, [replace(row, batch_id=2) for row in quick])
        round_one = asyncio.create_task(keeper.aggregate())
        await asyncio.sleep(0.3)
        assert not round_one.done()
        async with ingest.cursor() as cursor:
            marks = ", ".join(["%s"] * 13)
            for row in slow:
                await cursor.execute(
                    "INSERT INTO observation (observed_at, device_id, measure, message_key,"
                    " area_id, person_id, value, state, latitude, longitude, quality, received_at,"
                    f" batch_id) VALUES ({marks})".encode(),
                    replace(row, batch_id=1).values(),
                )
        await ingest.commit()
    assert await round_one == len(slow) + len(quick)


def test_a_database_of_the_first_release_is_upgraded_without_losing_a_row(
    postgres_server: DatabaseServer, rows: list[Stored]
) -> None:
    """Old rows in the default partition and in a day of its own; they show all the time."""
    name = "first_release"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    url = postgres_server.url(name)
    ancient = [
        Stored(datetime(2019, 5, 1, tzinfo=UTC), "band-1", PULSE, 1, "east", "wang", 70.0, None,
               None, None, 0, NOW - timedelta(days=3), 1),
        Stored(datetime(2036, 1, 1, tzinfo=UTC), "band-1", PULSE, 2, "east", "wang", 70.0, None,
               None, None, 0, NOW - timedelta(days=3), 1),
    ]  # fmt: skip
    with psycopg.connect(url, autocommit=True) as connection:
        only_first_migration(connection)
        connection.execute(
            "CREATE TABLE observation_20260318 PARTITION OF observation"
            " FOR VALUES FROM ('2026-03-18 00:00+00') TO ('2026-03-19 00:00+00')"
        )
        write(connection, [*rows, *ancient])
        before = _everything(connection, "observation")
    assert migrate(url) == migration_names()[1:]
    with psycopg.connect(url, autocommit=True) as connection:
        arrange_on(connection, Terms.of(settings()))
        assert _everything(connection, "observation_all") == before
        assert _count(connection, "observation_aside") > 0
        asyncio.run(upkeep(url, keep_observations_days=3650, keep_positions_days=3650).make_room())
        assert _everything(connection, "observation") == before
        assert _count(connection, "observation_aside") == 0
        assert _tables(connection, "observation_aside") == []
        assert _count(connection, "observation_default") == 1, "the one of 2036"
        assert _count(connection, "observation_undated") == sum(
            row.measure == BATTERY for row in rows
        )
        asyncio.run(upkeep(url).aggregate())
        known = [row for row in [*rows, *ancient] if row.observed_at.year != 2036]
        young = [row for row in known if row.observed_at.year != 2019]
        assert stored_buckets(connection, "hour") == buckets(young, "hour")
        connection.execute("SELECT 1")
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_days_in_the_default_partition_get_partitions_of_their_own(
    filled: str, rows: list[Stored]
) -> None:
    """A device that was offline for days delivers; the worker has not been there yet."""
    with psycopg.connect(filled, autocommit=True) as connection:
        before = _everything(connection, "observation")
        assert _count(connection, "observation_default") > 0
        asyncio.run(upkeep(filled).make_room())
        assert _everything(connection, "observation") == before
        assert _count(connection, "observation_default") == 0
        days = {row.observed_at.date() for row in rows if row.observed_at.year > 1970}
        made = set(_tables(connection, "observation"))
        assert {f"observation_{day:%Y%m%d}" for day in days} <= made


def test_moving_may_be_killed_and_goes_on(
    filled: str, rows: list[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.aside.BLOCKS_A_STEP", 1)

    async def begun_and_killed() -> None:
        task = asyncio.create_task(upkeep(filled).make_room())
        await asyncio.wait({task}, timeout=0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with psycopg.connect(filled, autocommit=True) as connection:
        before = _everything(connection, "observation")
        asyncio.run(begun_and_killed())
        assert _everything(connection, "observation_all") == before
        asyncio.run(upkeep(filled).make_room())
        assert _everything(connection, "observation") == before


def test_observations_go_after_their_time_and_aggregates_stay(
    filled: str, rows: list[Stored]
) -> None:
    clock = StandingClock()
    keeper = upkeep(filled, clock)
    asyncio.run(keeper.make_room())
    asyncio.run(keeper.aggregate())
    clock.at = NOW + timedelta(days=88, hours=2)
    asyncio.run(keeper.let_go())
    cut = clock.at - timedelta(days=90)
    kept = [
        row
        for row in rows
        if row.measure != POSITION
        and (row.at >= cut if row.observed_at.year == 1970 else row.at.date() >= cut.date())
    ]
    with psycopg.connect(filled, autocommit=True) as connection:
        found = connection.execute(
            "SELECT device_id, measure, message_key FROM observation ORDER BY 1, 2, 3"
        ).fetchall()
        assert found == sorted((r.device_id, r.measure, r.message_key) for r in kept)
        assert 0 < len(found) < len(rows)
        assert stored_buckets(connection, "day") == buckets(rows, "day")
        clock.at = NOW + timedelta(days=800)
        asyncio.run(keeper.let_go())
        assert stored_buckets(connection, "hour") == set()
        assert stored_buckets(connection, "day") == buckets(rows, "day")


async def test_what_an_upgrade_finds_is_counted_before_it_goes(
    database_url: str, rows: list[Stored]
) -> None:
    """The first round on a database that is older than observations are kept."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        arrange_on(connection, Terms.of(settings()))
        write(connection, rows)
    finished = asyncio.Event()
    clock = StandingClock(NOW + timedelta(days=100))
    keeper = HistoryUpkeep(settings(), Session(database_url), clock, finished.set)
    task = asyncio.create_task(keeper.run())
    await asyncio.wait_for(finished.wait(), 30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with psycopg.connect(database_url, autocommit=True) as connection:
        assert _everything(connection, "observation_all") == []
        assert stored_buckets(connection, "hour") == buckets(rows, "hour")
        assert stored_buckets(connection, "day") == buckets(rows, "day")


async def test_what_cannot_go_does_not_keep_the_rest_from_being_counted(
    filled: str, rows: list[Stored], capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("ALTER TABLE incident_link RENAME TO away")
    task = asyncio.create_task(upkeep(filled).run())
    async with asyncio.timeout(20):
        said = ""
        while "history_upkeep_refused" not in said:
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    with psycopg.connect(filled, autocommit=True) as connection:
        assert stored_buckets(connection, "day") == buckets(rows, "day")


def test_positions_go_sooner_also_those_that_come_late(filled: str, rows: list[Stored]) -> None:
    clock = StandingClock(NOW + timedelta(days=29))
    keeper = upkeep(filled, clock)
    asyncio.run(keeper.let_go())
    asyncio.run(keeper.aggregate())
    positions = [row for row in rows if row.measure == POSITION]
    cut = clock.at - timedelta(days=30)
    with psycopg.connect(filled, autocommit=True) as connection:
        left = connection.execute(
            "SELECT count(*) FROM observation WHERE measure = %s", (POSITION,)
        ).fetchone()
        expected = [
            row for row in positions
            if row.at >= cut.replace(hour=0, minute=0) or row.at >= cut
        ]  # fmt: skip
        assert left is not None
        assert left[0] <= len(expected)
        assert 0 < left[0] < len(positions)
        newest = max(row.batch_id for row in rows) + 1
        late = Stored(clock.at - timedelta(days=40), "band-1", POSITION, 1, "east", "wang", None,
                      None, 31.2, 121.4, 0, clock.at, newest)  # fmt: skip
        write(connection, [late])
        asyncio.run(keeper.aggregate())
        again = connection.execute(
            "SELECT count(*) FROM observation WHERE measure = %s", (POSITION,)
        ).fetchone()
        assert again == left


OLD = NOW - timedelta(days=2000)


OLD_AND_YOUNG = """
INSERT INTO signal_window VALUES (%(id)s, 'east', 'd', %(at)s, '{}');
INSERT INTO quarantine (area_id, lane, topic, message_key, reason, payload, received_at)
VALUES ('east', 'alarm', 't', %(key)s, 'r', '', %(at)s);
INSERT INTO desk_action (action_id, area_id, incident_id, verb, account_id, at, recorded_at)
VALUES (%(id)s, 'east', 'i', 'attend', 'mei', %(at)s, %(at)s);
INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at)
VALUES (%(id)s, 'mei', %(at)s, %(at)s);
INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category, priority,
    kind, opened_at, last_alarm_at, alarm_count, step, silent, revision, resolved_at, outcome)
VALUES (%(id)s, 'east', 'person', 'anna', 'resolved', 'personal', 'high', 'press', %(at)s, %(at)s,
    1, 0, false, 1, %(at)s, 'helped');
INSERT INTO alarm (alarm_id, area_id, incident_id, grouping_reason, subject_kind, subject_id,
    device_id, kind, category, priority, received_at, flags, text)
VALUES (%(id)s, 'east', %(id)s, 'r', 'person', 'anna', 'd', 'press', 'personal', 'high', %(at)s,
    '{}', '');
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
    created_at, due_at, settled_at)
VALUES ('east', %(id)s, 'desk', 'mei', 'ring', 1, '{}', 'sent', %(at)s, %(at)s, %(at)s);
INSERT INTO handover (handover_id, area_id, from_id, from_name, to_id, to_name, note, state,
    offered_at, settled_at)
VALUES (%(id)s, 'east', 'mei', 'Mei', 'wu', 'Wu', '', 'confirmed', %(at)s, %(at)s),
    ('open-' || %(id)s, 'east', 'mei', 'Mei', 'wu', 'Wu', '', 'offered', %(at)s, NULL);
INSERT INTO handover_incident VALUES (%(id)s, %(id)s, 'east', 'taken');
INSERT INTO rota_change (area_id, duty, account_id, from_at, until_at, why, created_at, created_by)
VALUES ('east', 'dispatcher', 'mei', %(at)s, %(at)s + interval '8 hours', %(id)s, %(at)s, 'x');
INSERT INTO rota_weekly (area_id, duty, account_id, weekday, from_min, until_min, time_zone,
    valid_from, valid_until, created_at, created_by)
VALUES ('east', 'dispatcher', 'mei', 1, 0, 60, 'UTC', '2019-01-01', %(at)s::date, %(at)s, %(id)s),
    ('east', 'dispatcher', 'mei', 2, 0, 60, 'UTC', '2019-01-01', NULL, %(at)s, 'for ever');
INSERT INTO audit_log (at, area_id, actor_kind, action) VALUES (%(at)s, 'east', 'hub', %(id)s)
"""


def _keep_old(connection: psycopg.Connection[Any]) -> None:
    """One old and one young row of every kind that retention knows."""
    connection.execute("INSERT INTO area (area_id, name, level) VALUES ('east', 'East', 'city')")
    connection.execute(
        "INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)"
        " VALUES ('mei', 'east', 'mei', 'Mei', 'x', 'dispatcher', 'en')"
    )
    for word, at in (("old", OLD), ("young", NOW)):
        values = {"id": word, "at": at, "key": hash(word) % 1000}
        for statement in OLD_AND_YOUNG.strip().split(";\n"):
            connection.execute(statement.encode(), values)
    connection.execute(
        "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
        " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at) VALUES ('forgotten', 'east', 'person', 'otto', 'raised', 'personal',"
        " 'high', 'press', %(at)s, %(at)s, 1, 0, false, 1, %(at)s)",
        {"at": OLD},
    )
    connection.execute("UPDATE context_change SET at = %s", (OLD,))


KEPT = ("signal_window", "quarantine", "desk_action", "alarm", "notification")


def test_every_kind_goes_after_its_own_time(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        _keep_old(connection)
        asyncio.run(upkeep(database_url).let_go())
        assert {table: _count(connection, table) for table in KEPT} == dict.fromkeys(KEPT, 1)
        assert _column(connection, "SELECT incident_id FROM incident") == {"young", "forgotten"}
        assert _column(connection, "SELECT action FROM audit_log") == {"young", "audit_cut"}
        assert _column(connection, "SELECT token_sha256 FROM desk_session") == {"young"}
        assert _count(connection, "context_change") == 1, "the session that went"
        assert _column(connection, "SELECT handover_id FROM handover") == {
            "young", "open-young", "open-old",
        }  # fmt: skip
        assert _column(connection, "SELECT why FROM rota_change") == {"young"}
        assert _column(connection, "SELECT created_by FROM rota_weekly") == {"young", "for ever"}


def test_zero_keeps_incidents_and_log_for_ever(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        _keep_old(connection)
        asyncio.run(upkeep(database_url, keep_incidents_days=0, keep_audit_days=0).let_go())
        assert _column(connection, "SELECT action FROM audit_log") == {"old", "young"}
        assert len(_column(connection, "SELECT incident_id FROM incident")) == 3
        assert _count(connection, "rota_change") == 2


def test_the_log_is_never_shorter_than_half_a_year(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        for days in (190, 100):
            connection.execute(
                "INSERT INTO audit_log (at, area_id, actor_kind, action)"
                " VALUES (now() - %s * interval '1 day', 'east', 'hub', %s)",
                (days, str(days)),
            )
        clock = StandingClock(datetime.now(UTC))
        asyncio.run(upkeep(database_url, clock, keep_audit_days=1).let_go())
        assert _column(connection, "SELECT action FROM audit_log") == {"100", "audit_cut"}
        connection.execute("SET carebell.retention = 'on'")
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute("DELETE FROM audit_log")


def test_every_rule_names_a_setting() -> None:
    assert all(rule.setting in Settings.model_fields for rule in RULES)


async def test_a_mistake_of_ours_does_not_end_the_worker(
    filled: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Escalator and courier live in the same process."""

    async def broken(connection: object) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr("hub.store.aside.is_native", broken)
    task = asyncio.create_task(upkeep(filled).run())
    async with asyncio.timeout(10):
        said = ""
        while "history_upkeep_refused" not in said:
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_two_workers_do_not_do_it_twice(filled: str, rows: list[Stored]) -> None:
    await asyncio.gather(*(upkeep(filled).aggregate() for _ in range(3)))
    await upkeep(filled).aggregate()
    with psycopg.connect(filled, autocommit=True) as connection:
        assert stored_buckets(connection, "hour") == buckets(rows, "hour")


def test_the_zone_of_days_stays_what_it_was_first(
    filled: str, rows: list[Stored], capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(filled, autocommit=True) as connection:
        arrange_on(connection, Terms.of(settings(time_zone="Europe/Vienna")))
    asyncio.run(upkeep(filled, time_zone="Europe/Vienna").aggregate())
    with psycopg.connect(filled, autocommit=True) as connection:
        assert stored_buckets(connection, "day") == buckets(rows, "day")


def _everything(connection: psycopg.Connection[Any], table: str) -> list[Any]:
    return connection.execute(
        f"SELECT device_id, measure, observed_at, message_key, value, state, batch_id FROM {table}"
        " ORDER BY 1, 2, 3, 4".encode()
    ).fetchall()


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def _column(connection: psycopg.Connection[Any], query: str) -> set[Any]:
    return {row[0] for row in connection.execute(query.encode()).fetchall()}


def _tables(connection: psycopg.Connection[Any], parent: str) -> list[str]:
    found = connection.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = %s::regclass ORDER BY 1",
        (parent,),
    ).fetchall()
    return [str(row[0]) for row in found]
