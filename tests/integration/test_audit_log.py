"""The sealed log as its keepers meet it: the loop, the command, a backup, sends."""

import asyncio
import json
import subprocess
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from typer.testing import CliRunner

from hub.audit_sealing import AuditSealing
from hub.cli import app
from hub.clock import SystemClock
from hub.database import Session
from hub.embedded.database import binaries
from hub.store.audit import verify

WRITE = (
    "INSERT INTO audit_log (at, area_id, actor_kind, action) SELECT now(), 'east', 'hub', 'n' || n"
    " FROM generate_series(1, %s) AS n"
)


def sealed(database_url: str) -> str | None:
    """What the loop's one round says."""

    async def work() -> str | None:
        session = Session(database_url)
        sealing = AuditSealing(session, SystemClock(), every_s=1, head_every_s=1)
        head = await sealing.seal()
        await session.close()
        return None if head is None else str(head)

    return asyncio.run(work())


def carebell(database_url: str, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, words, env={"CAREBELL_DATABASE_URL": database_url})
    return result.exit_code, result.output


def tamper(database_url: str, statement: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())


def test_the_command_says_whole_and_names_what_is_not(database_url: str, tmp_path: Path) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(WRITE, (1200,))
    assert carebell(database_url, "audit", "verify", "--json")[1].count('"unsealed": 1200')
    head = sealed(database_url)
    assert head is not None
    assert sealed(database_url) is None, "nothing new"
    assert carebell(database_url, "audit", "head") == (0, f"{head}\n")
    code, told = carebell(database_url, "audit", "verify", "--head", head)
    assert (code, told.splitlines()[0]) == (0, f"1200 entries in 3 blocks; head {head}")
    assert "0 entries are not sealed yet" in told

    log = tmp_path / "worker.log"
    number, _, digest = head.partition(":")
    line = {"event": "audit_head", "count": int(number), "head": digest}
    log.write_text(json.dumps({"event": "x"}) + "\n" + json.dumps(line) + "\n", encoding="utf-8")
    assert carebell(database_url, "audit", "verify", "--heads", str(log))[0] == 0

    tamper(database_url, "UPDATE audit_log SET actor_id = 'wang' WHERE action = 'n700'")
    code, told = carebell(database_url, "audit", "verify")
    assert code == 3
    assert "entry 700 (block 2): changed" in told
    code, told = carebell(database_url, "audit", "verify", "--head", "nonsense")
    assert (code, "NUMBER:HASH" in told) == (1, True)


def test_three_times_the_entries_need_no_more_memory(database_url: str) -> None:
    """What Python holds at the most while it verifies 12,000 and 36,000 entries; a million need as
    much (docs/how-to/record.md). A digest kept of each would be 24,000 times 65 bytes more."""
    peaks, verdict = [], None
    for more in (12_000, 24_000):
        with psycopg.connect(database_url) as connection:
            connection.execute(WRITE, (more,))
        sealed(database_url)
        with psycopg.connect(database_url, autocommit=True) as connection:
            verify(connection)  # what is loaded once is loaded now
            tracemalloc.start()
            verdict = verify(connection)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert verdict is not None
    assert (verdict.whole, verdict.entries, verdict.blocks) == (True, 36_000, 72)
    few, many = peaks
    assert many < few + 300_000, peaks


def test_a_copy_of_the_database_verifies_and_goes_on(
    database_url: str, postgres_server: Any
) -> None:
    """A dump carries entries and blocks unchanged; the new server's transactions count anew."""
    with psycopg.connect(database_url) as connection:
        connection.execute(WRITE, (40,))
    head = sealed(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute(WRITE, (3,))
    assert head is not None
    empty = postgres_server.url("copied")
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE copied TEMPLATE template0")
    try:
        dump = subprocess.run([str(binaries() / "pg_dump"), "-Fc", database_url],
                              check=True, capture_output=True).stdout  # fmt: skip
        subprocess.run([str(binaries() / "pg_restore"), "-d", empty], input=dump, check=True)
        assert carebell(empty, "audit", "verify", "--head", head)[0] == 0
        later = sealed(empty)
        assert later is not None
        code, told = carebell(empty, "audit", "verify", "--head", head, "--head", later)
        assert (code, told.splitlines()[0]) == (0, f"43 entries in 2 blocks; head {later}")
        # An older copy in place of the log is told by the head of what came after it.
        code, told = carebell(database_url, "audit", "verify", "--head", later)
        assert (code, "the log ends with block 1" in told) == (3, True)
    finally:
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP DATABASE copied WITH (FORCE)")


DELIVERY = (
    "INSERT INTO delivery (area_id, notification_id, incident_id, channel, recipient, attempt,"
    " reference, address, began_at, at) VALUES ('east', %s, 'i-1', 'sms', 'contact:c-1', 1, 'r',"
    " '138****0001', now(), now())"
)


def test_every_settled_attempt_is_an_entry_of_the_same_transaction(database_url: str) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
            " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
            " next_deadline_at) VALUES ('i-1', 'east', 'person', 'anna', 'raised', 'personal',"
            " 'high', 'press', %s, %s, 1, 0, false, 1, %s)",
            (now, now, now + timedelta(hours=1)),
        )
        row = connection.execute(
            "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency,"
            " body, created_at, due_at) VALUES ('east', 'i-1', 'sms', 'contact:c-1', 'ring', 0,"
            " '{}', now(), now()) RETURNING notification_id").fetchone()  # fmt: skip
        assert row is not None
        connection.execute(DELIVERY, row)
        assert connection.execute("SELECT * FROM audit_log").fetchall() == []
        connection.execute("BEGIN")
        connection.execute("UPDATE delivery SET state = 'sent'")
        connection.execute("ROLLBACK")
        assert connection.execute("SELECT * FROM audit_log").fetchall() == []
        connection.execute("UPDATE delivery SET state = 'sent', provider_id = 'p-9'")
        connection.execute("UPDATE delivery SET state = 'delivered', receipt_at = now()")
        said = connection.execute(
            "SELECT action, reason, incident_id, detail->>'address', detail->>'provider_id'"
            " FROM audit_log ORDER BY entry_id").fetchall()  # fmt: skip
    assert said == [
        ("send", "sent", "i-1", "138****0001", "p-9"),
        ("send", "delivered", "i-1", "138****0001", "p-9"),
    ]
