"""An upgrade in the middle of the night: ladders run, an old worker still holds its leases."""

import asyncio
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from alerts.escalator import Escalator
from alerts.policy import ChannelName
from alerts.ports import Announcement
from hub.clock import SystemClock
from hub.store.escalation import PostgresEscalation
from hub.store.migrate import migrate, migration_names
from hub.store.outbox import PostgresOutbox
from tests.integration.desk_database import DatabaseServer

INCIDENTS = 300
OPEN_FOR = timedelta(minutes=3)

FILL = """
INSERT INTO area VALUES ('city', NULL, 'City');
INSERT INTO premises (premises_id, area_id, address) VALUES ('home', 'city', '1 Lake Road');
INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category, priority,
    kind, opened_at, last_alarm_at, alarm_count, step, silent, revision, next_deadline_at)
SELECT 'i-' || n, 'city', 'person', 'p-' || n, 'raised', 'personal', 'high', 'press', now(), now(),
    1, 0, false, 1, now() - interval '1 s' FROM generate_series(1, %(count)s) n;
INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body,
    created_at, due_at, attempts, leased_until)
SELECT 'city', 'i-' || n, 'webhook', 'fallback', 'ring', 0, '{}', now(), now(),
    (n %% 2), CASE WHEN n %% 2 = 1 THEN now() + interval '1 h' END
    FROM generate_series(1, %(count)s) n;
INSERT INTO observation SELECT now() - n * interval '1 min', 'd-1', 1, n, 'city', NULL, n, NULL,
    NULL, NULL, NULL, 0, now(), 1 FROM generate_series(1, 500) n;
"""
OLD_CLIMB = """
WITH due AS (
    SELECT incident_id FROM incident WHERE state <> 'resolved' AND next_deadline_at <= now()
    ORDER BY next_deadline_at LIMIT 5 FOR UPDATE SKIP LOCKED
), climbed AS (
    UPDATE incident i SET step = i.step + 1, next_deadline_at = now() + interval '1 h',
        revision = i.revision + 1, changed_txid = pg_current_xact_id()
    FROM due WHERE i.incident_id = due.incident_id RETURNING i.incident_id
), told AS (
    INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body, state,
        created_at, due_at, settled_at, detail)
    SELECT 'city', incident_id, 'desk', 'dispatchers', 'ring', 0, '{}', 'pending', now(), now(),
        NULL, '' FROM climbed
)
INSERT INTO audit_log (at, area_id, incident_id, actor_kind, actor_id, actor_name, action, reason,
    detail)
SELECT now(), 'city', incident_id, 'hub', 'escalator', NULL, 'escalate', 'first_step', '{}'
FROM climbed
"""
"""What release 0.1.0's worker writes for a rung: the columns it knew."""
OLD_PRESS = """
INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category, priority,
    kind, opened_at, last_alarm_at, alarm_count, step, silent, revision, next_deadline_at)
VALUES (%(id)s, 'city', 'person', %(id)s, 'raised', 'personal', 'high', 'press', now(), now(), 1,
    0, false, 1, now());
INSERT INTO alarm (alarm_id, area_id, incident_id, grouping_reason, subject_kind, subject_id,
    device_id, kind, category, priority, received_at, flags, text)
VALUES (%(id)s, 'city', %(id)s, 'opened', 'person', %(id)s, 'd-1', 'press', 'personal', 'high',
    now(), '{}', '')
"""
OLD_QUARANTINE = """
INSERT INTO quarantine (area_id, lane, topic, device_id, message_key, reason, payload, received_at)
VALUES ('city', 'alarm', 't', 'd-1', %(key)s, 'r', '', now())
ON CONFLICT (message_key) DO UPDATE SET repeats = quarantine.repeats + 1
"""


@pytest.fixture
def old_database(postgres_server: DatabaseServer) -> Iterator[str]:
    """A database of release 0.1.0, in use."""
    name = "of_0_1_0"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    url = postgres_server.url(name)
    first = migration_names()[0]
    script = (files("hub.store") / "migrations" / first).read_text(encoding="utf-8")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())
        connection.execute(
            "CREATE TABLE schema_migration (name text PRIMARY KEY,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute("INSERT INTO schema_migration (name) VALUES (%s)", (first,))
    with psycopg.ClientCursor(psycopg.connect(url, autocommit=True)) as cursor:
        cursor.execute(FILL, {"count": INCIDENTS})
        cursor.connection.close()
    yield url
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class Quiet:
    """Nobody listens."""

    async def announce(self, announcement: Announcement) -> None:
        """Nothing."""


class OldHub:
    """The old release's worker and ingest, until they are stopped."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.presses = 0
        self.failures: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "OldHub":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        with psycopg.ClientCursor(psycopg.connect(self._url, autocommit=True)) as cursor:
            while not self._stop.wait(0.005):
                try:
                    cursor.execute(OLD_CLIMB)
                    cursor.execute(OLD_PRESS, {"id": f"old-{self.presses}"})
                    self.presses += 1
                    cursor.execute(OLD_QUARANTINE, {"key": self.presses % 7})
                except psycopg.Error as error:
                    self.failures.append(f"{error.sqlstate} {error}")
            cursor.connection.close()


async def test_nothing_is_missing_and_nothing_doubled(old_database: str) -> None:
    with OldHub(old_database) as old:
        await asyncio.sleep(0.2)
        applied = await asyncio.to_thread(migrate, old_database)
        assert applied == migration_names()[1:]
        before = old.presses
        async with AsyncConnectionPool(old_database, min_size=1, open=False,
                                       kwargs={"autocommit": True}) as pool:  # fmt: skip
            escalator = Escalator(
                PostgresEscalation(pool, frozenset(ChannelName)), Quiet(), SystemClock()
            )
            for _ in range(20):
                await escalator.run_once()
                await asyncio.sleep(0.02)
            old.__exit__()
            await escalator.run_once()
            claimed = await claims(pool)
    assert not old.failures, "the old release must be able to go on writing"
    assert old.presses > before > 0, "it wrote before, during and after"
    with psycopg.connect(old_database) as connection:
        total, climbed, rungs, rings = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE step = 1),"
            " (SELECT count(*) FROM audit_log WHERE action = 'escalate'),"
            " (SELECT count(*) FROM notification WHERE channel = 'desk')"
            " FROM incident"
        ).fetchone() or (0, 0, 0, 0)
        twice = connection.execute(
            "SELECT incident_id FROM audit_log WHERE action = 'escalate' GROUP BY 1"
            " HAVING count(*) > 1"
        ).fetchall()
        silent = connection.execute(
            "SELECT count(*) FROM incident WHERE state <> 'resolved' AND next_deadline_at IS NULL"
        ).fetchone()
        (kept,) = connection.execute("SELECT count(*) FROM observation_all").fetchone() or (0,)
    assert total == INCIDENTS + old.presses
    assert (climbed, rungs, rings) == (total, total, total), "each ladder climbed once"
    assert (twice, silent) == ([], (0,))
    assert kept == 500
    leased = [c for c in claimed if c % 2 == 1]
    assert len(claimed) == len(set(claimed)), "nobody is told twice"
    assert not leased, "what the old courier holds is its own until its lease runs out"
    assert len(claimed) == INCIDENTS // 2


async def claims(
    pool: AsyncConnectionPool[psycopg.AsyncConnection[tuple[object, ...]]],
) -> list[int]:
    """The old release's webhook notifications that the new courier takes, by incident."""
    outbox, now, found = PostgresOutbox(pool), datetime.now(UTC), list[int]()
    while batch := await outbox.claim_due(ChannelName.WEBHOOK, now, 64):
        found += [int(n.incident_id[2:]) for n in batch]
    return found


CONTRACTING = re.compile(
    r"\b(DROP\s+COLUMN|RENAME\s+COLUMN|RENAME\s+TO|DROP\s+TABLE|DROP\s+FUNCTION|DROP\s+VIEW"
    r"|ALTER\s+COLUMN\s+\w+\s+(SET\s+NOT\s+NULL|(SET\s+DATA\s+)?TYPE))\b",
    re.IGNORECASE,
)
MARK = re.compile(r"--\s*contracts:\s*\S+")
"""`-- contracts: why no running release misses it`, on the same line or the one above."""


def contracting(script: str) -> list[str]:
    """Lines that take something away, without a word on why that is safe."""
    lines = script.splitlines()
    found = []
    for number, line in enumerate(lines):
        code = line.partition("--")[0]
        above = lines[number - 1] if number else ""
        if CONTRACTING.search(code) and not (MARK.search(line) or MARK.search(above)):
            found.append(f"{number + 1}: {line.strip()}")
        if re.search(r"ADD COLUMN\b(?!.*\bDEFAULT\b).*\bNOT NULL\b", code, re.IGNORECASE):
            found.append(f"{number + 1}: {line.strip()}")
    return found


@pytest.mark.parametrize("name", migration_names()[1:])
def test_a_migration_only_adds(name: str) -> None:
    script = (files("hub.store") / "migrations" / name).read_text(encoding="utf-8")
    assert not contracting(script), (
        "the release before this one still runs while it is applied (docs/adr/0014); where it does "
        "not mind, say so: `-- contracts: why`"
    )


def test_the_rule_finds_what_it_is_for() -> None:
    assert contracting("ALTER TABLE a DROP COLUMN b;")
    assert contracting("ALTER TABLE a ADD COLUMN b text NOT NULL;")
    assert contracting("ALTER TABLE a ALTER COLUMN b SET NOT NULL;")
    assert not contracting("-- contracts: nobody reads it since 0.2\nALTER TABLE a DROP COLUMN b;")
    assert not contracting("ALTER TABLE a ADD COLUMN b text NOT NULL DEFAULT '';")
