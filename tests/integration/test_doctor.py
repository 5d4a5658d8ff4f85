"""The doctor, by breaking each thing for real."""

import asyncio
import fcntl
import json
import os
import shutil
import socket
import ssl
import string
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hub.backup.make import LastBackup, note_backup
from hub.clock import SystemClock
from hub.doctor import machine
from hub.doctor.examination import CHECKS, examine, told
from hub.doctor.verdict import Level
from hub.doctor.words import CHINESE, ENGLISH
from hub.embedded.callout_word import write_callout_word
from hub.embedded.certificates import draw
from hub.embedded.folder import HubFolder
from hub.embedded.status import ChildState, ChildStatus, SupervisorStatus, write_status
from hub.settings import Settings
from tests.integration.desk_database import DatabaseServer
from tests.integration.embedded import free_address


@pytest.fixture
def settings(database_url: str) -> Iterator[Settings]:
    """A folder as a first start leaves it, on a real database."""
    path = Path(tempfile.mkdtemp(prefix="carebell-test-"))
    folder = HubFolder(path / "hub")
    folder.create()
    folder.secrets.write_text("{}")
    folder.secrets.chmod(0o600)
    yield Settings(
        data_dir=folder.root,
        database_url=database_url,
        http_listen=free_address(),
        mqtt_listen=free_address(),
        language="en",
    )
    shutil.rmtree(path)


def found(settings: Settings, *checks: str) -> dict[str, dict[str, Any]]:
    """Verdicts by key, with their values."""
    verdicts = [(n, v) for n, v in examine(settings, SystemClock()) if not checks or n in checks]
    for name, verdict in verdicts:
        for language in ("en", "zh-CN"):
            told(name, verdict, language)
    return {v.key: {"level": v.level, **v.values} for _, v in verdicts}


def rows(settings: Settings, *statements: str) -> None:
    with psycopg.connect(settings.database_url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_every_verdict_has_words_in_both_languages_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert ENGLISH.keys() == CHINESE.keys()
    for key, (what, to_do) in ENGLISH.items():
        assert gaps(what + to_do) == gaps("".join(CHINESE[key])), key
        assert bool(to_do) == bool(CHINESE[key][1]), key


def test_every_verdict_in_the_code_has_words() -> None:
    folder = Path(machine.__file__).parent
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    for key in ENGLISH:
        assert f'"{key}"' in text.replace(f'    "{key}": (', ""), f"{key} is never said"
    assert len(CHECKS) >= 20


def test_a_stopped_hub_is_told_apart_from_a_broken_one(settings: Settings) -> None:
    keys = found(settings)
    assert keys["not_running"]["level"] is Level.FAILURE
    assert "child_down" not in keys
    assert keys["database_reachable"]["level"] is Level.OK
    assert keys["schema_current"]["level"] is Level.OK
    assert keys["port_free"]["level"] is Level.OK


def test_a_secret_others_can_read(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    assert "folder_private" in found(settings, "folder")
    folder.secrets.chmod(0o644)
    assert found(settings, "folder")["readable_by_others"]["path"] == str(folder.secrets)
    folder.secrets.chmod(0o600)
    folder.root.chmod(0o777)
    assert found(settings, "folder")["writable_by_others"]["mode"] == "0777"


def test_who_sits_on_our_port(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind((settings.http_listen.host, settings.http_listen.port))
        other.listen()
        taken = found(settings, "ports")["port_taken"]
    assert taken["setting"] == "http_listen"
    assert f"process {os.getpid()}" in taken["who"]


@pytest.mark.parametrize(
    ("free", "key"), [(0.5, "disk_room"), (0.1, "disk_fills"), (0.01, "disk_full")]
)
def test_a_disk_that_fills(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: float, key: str
) -> None:
    def statvfs(_: Path) -> os.statvfs_result:
        total = 1000
        left = int(total * free)
        return os.statvfs_result((4096, 4096, total, left, left, total, left, left, 0, 255))

    monkeypatch.setattr(os, "statvfs", statvfs)
    keys = found(settings, "disk")
    assert key in keys
    assert ("inodes_fill" in keys) == (free < machine.INODES_FREE_WARNING)


def test_a_database_that_is_away(settings: Settings) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    keys = found(away)
    assert keys["database_away"]["why"] == "OperationalError"
    assert "check_failed" not in keys


def test_pending_migrations_and_a_newer_database(settings: Settings) -> None:
    rows(settings, "DELETE FROM schema_migration WHERE name LIKE '0005%'")
    assert "0005_operation.sql" in found(settings, "schema")["migrations_pending"]["names"]
    rows(settings, "INSERT INTO schema_migration (name) VALUES ('9999_later.sql')")
    assert "9999_later.sql" in found(settings, "schema")["database_newer"]["names"]


def test_an_empty_database_is_no_crash(settings: Settings, postgres_server: DatabaseServer) -> None:
    name = f"empty_{os.getpid()}"
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        url = postgres_server.url(name)
        keys = found(settings.model_copy(update={"database_url": url}))
        assert "migrations_pending" in keys
        assert "check_failed" not in keys
    finally:
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name}".encode())


def test_a_ladder_that_stands_still(settings: Settings) -> None:
    assert "ladders_move" in found(settings, "ladders")
    rows(
        settings,
        "INSERT INTO incident (incident_id, area_id, subject_kind, subject_id, state, category,"
        " priority, kind, opened_at, last_alarm_at, alarm_count, step, silent, revision,"
        " next_deadline_at) VALUES ('i-1', 'city', 'person', 'anna', 'raised', 'personal', 'high',"
        " 'press', now(), now(), 1, 0, false, 1, now() - interval '90 s')",
        "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body,"
        " created_at, due_at) VALUES ('city', 'i-1', 'desk', 'd', 'ring', 0, '{}', now(),"
        " now() - interval '90 s')",
        "INSERT INTO notification (area_id, incident_id, channel, recipient, kind, urgency, body,"
        " state, created_at, due_at) VALUES ('city', 'i-1', 'desk', 'd', 'ring', 0, '{}', 'failed',"
        " now(), now())",
        "INSERT INTO quarantine (area_id, lane, topic, message_key, reason, payload, received_at)"
        " VALUES ('city', 'alarm', 't', 1, 'r', '', now())",
    )
    keys = found(settings, "ladders", "operator")
    assert keys["ladder_stands"]["age_s"] >= 90
    assert keys["courier_stands"]["count"] == 1
    assert keys["quarantined_alarms"]["count"] == 1
    assert keys["dead_letters"]["count"] == 1


def test_an_empty_desk(settings: Settings) -> None:
    assert found(settings, "desk")["nobody_on_duty"]["level"] is Level.FAILURE
    rows(
        settings,
        "INSERT INTO area (area_id, name) VALUES ('city', 'City')",
        "INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)"
        " VALUES ('mei', 'city', 'mei', 'Mei', 'x', 'dispatcher', 'en')",
        "INSERT INTO desk_session (token_sha256, account_id, created_at, expires_at)"
        " VALUES ('t', 'mei', now(), now() + interval '1 h')",
    )
    assert found(settings, "desk")["desk_on_duty"]["count"] == 1


def test_a_transaction_nobody_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.doctor.stored.IDLE_S", 0.0)
    assert "idle_transactions" not in found(settings, "transactions")
    with psycopg.connect(settings.database_url) as idle:
        idle.execute("SELECT 1")
        assert found(settings, "transactions")["idle_transactions"]["count"] == 1


def test_a_hub_that_never_had_its_sessions_and_a_snapshot_nobody_can_read(
    settings: Settings,
) -> None:
    folder = HubFolder(settings.data_dir).register.parent
    keys = found(settings, "sessions", "snapshot")
    assert keys["sessions_missing"]["missing"] == "carebell-alarm, carebell-telemetry"
    assert "no_snapshot" in keys
    sessions = json.dumps({"client_ids": ["carebell-alarm", "carebell-telemetry"]})
    (folder / "sessions.json").write_text(sessions)
    (folder / "incidents.json").write_text("{}")
    keys = found(settings, "sessions", "snapshot")
    assert {"sessions_exist", "snapshot_fresh"} <= keys.keys()
    (folder / "incidents.json").write_text("{")
    assert "no_snapshot" in found(settings, "snapshot")


def test_a_child_that_backs_off(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    now = datetime.now(UTC)
    children = {
        "worker": ChildStatus(ChildState.BACKING_OFF, now, None, 7, "exit 1"),
        "api": ChildStatus(ChildState.RUNNING, now, 1, 5, "SIGKILL"),
        "ingest": ChildStatus(ChildState.RUNNING, now, 2),
    }
    write_status(folder, SupervisorStatus(1, now, children))
    with held(folder):
        keys = found(settings, "children", "health", "broker")
    assert keys["child_down"]["child"] == "worker"
    assert keys["child_restarts"]["child"] == "api"
    assert keys["child_runs"]["child"] == "ingest"
    assert keys["api_away"]["level"] is Level.FAILURE
    assert keys["broker_away"]["level"] is Level.FAILURE


def test_backups_that_age(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    assert "never_backed_up" in found(settings, "backup")
    now = datetime.now(UTC)
    note_backup(folder, LastBackup(now - timedelta(days=5), "/nowhere.tar"))
    assert found(settings, "backup")["backup_old"]["days"] == 5
    note_backup(folder, LastBackup(now, str(folder.secrets), now))
    assert set(found(settings, "backup")) == {"backup_recent"}


def test_who_may_not_look_into_the_folder_is_told_only_that(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # the tests run as root
    assert found(settings).keys() == {"folder_unusable"}


def test_a_callout_that_hangs(settings: Settings) -> None:
    folder = HubFolder(settings.data_dir)
    write_callout_word(folder, {}, ready=True)
    with held(folder):
        assert "callout_answers" in found(settings, "callout")
        long_ago = datetime.now(UTC).timestamp() - 60
        os.utime(folder.run / "callout.json", (long_ago, long_ago))
        assert found(settings, "callout")["callout_silent"]["level"] is Level.FAILURE
    assert found(settings, "callout") == {}


def test_nobody_can_be_reached_and_nobody_may_change_it(settings: Settings) -> None:
    keys = found(settings, "reachable")
    assert keys["no_administrator"]["level"] is Level.FAILURE
    assert keys["no_channel"]["level"] is Level.WARNING
    rows(
        settings,
        "INSERT INTO area (area_id, name) VALUES ('city', 'City')",
        "INSERT INTO account (account_id, area_id, username, name, password_hash, role, language)"
        " VALUES ('root', 'city', 'root', 'Root', 'x', 'administrator', 'en')",
    )
    mailing = {"smtp_url": "smtp://mail:25", "smtp_from": "hub@example.org"}
    keys = found(settings.model_copy(update=mailing), "reachable")
    assert keys["administrator_there"]["count"] == 1
    assert keys["channels_set"]["channels"] == "email"
    rows(settings, "UPDATE account SET disabled = true")
    assert "no_administrator" in found(settings, "reachable")


@pytest.mark.parametrize("key", ["apprise_urls", "fallback_by_area", "webhook_url"])
def test_any_fallback_contact_is_one(settings: Settings, key: str) -> None:
    assert "no_fallback" in found(settings, "desk")
    assert "no_fallback" not in found(settings.model_copy(update={key: "x"}), "desk")


def test_an_api_with_a_certificate_is_asked_through_it(settings: Settings, tmp_path: Path) -> None:
    files = draw(tmp_path, ["hub.example.org"], "hub", datetime.now(UTC))
    both = {"http_tls_certificate": str(files.certificate), "http_tls_key": str(files.key)}
    secured = settings.model_copy(update=both)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    address = (settings.http_listen.host, settings.http_listen.port)
    with ThreadingHTTPServer(address, LateIngest) as server, held(HubFolder(settings.data_dir)):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        keys = found(secured, "health", "certificates")
        server.shutdown()
    assert "ready" in keys
    assert keys["loop_stands"]["failing"] == "courier"
    assert (keys["backlog"]["age_s"], keys["backlog"]["count"]) == (75, 8192)
    assert keys["certificate_valid"]["setting"] == "http_tls_certificate"


class LateIngest(BaseHTTPRequestHandler):
    """What an API says whose courier stands still and whose ingest is behind."""

    def do_GET(self) -> None:
        figures = b"carebell_ingest_unacknowledged_messages 8192.0\n"
        figures += b"carebell_ingest_oldest_unacknowledged_seconds 75.2\n"
        status, body = {
            "/api/v1/health/ready": (200, b"{}"),
            "/api/v1/health/cycle": (503, b'{"failing":["courier"]}'),
            "/metrics": (200, figures),
        }[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def held(folder: HubFolder) -> Iterator[None]:
    """As while `carebell up` runs on it."""
    descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("days", "key"),
    [(-1, "certificate_expired"), (5, "certificate_expires"), (90, "certificate_valid"),
     (400, "certificate_too_new")],
)  # fmt: skip
def test_a_certificate_that_ends(settings: Settings, days: int, key: str) -> None:
    path = settings.data_dir / "broker.pem"
    path.write_bytes(certificate(datetime.now(UTC) + timedelta(days=days, hours=1)))
    found_now = found(settings.model_copy(update={"broker_ca": str(path)}), "certificates")
    assert found_now[key]["setting"] == "broker_ca"
    path.write_text("nonsense")
    broken = found(settings.model_copy(update={"broker_ca": str(path)}), "certificates")
    assert "certificate_unreadable" in broken


def certificate(until_at: datetime) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "broker")])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(until_at - timedelta(days=365)).not_valid_after(until_at)
    ).sign(key, hashes.SHA256())  # fmt: skip
    return built.public_bytes(serialization.Encoding.PEM)


async def test_the_command_says_it_and_ends_with_a_code(settings: Settings) -> None:
    environment = os.environ | {"CAREBELL_DATABASE_URL": settings.database_url}
    line = [sys.executable, "-m", "carebell", "doctor", "--data", str(settings.data_dir)]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*line, *arguments], capture_output=True, text=True, env=environment, timeout=60,
            check=False,
        )  # fmt: skip

    wrong = await asyncio.to_thread(run, "--language", "de")
    assert wrong.returncode == 2, "a hub that cannot start"
    assert "language = 'de'" in wrong.stderr
    spoken = await asyncio.to_thread(run)
    assert spoken.returncode == 2
    assert "系统未在" in spoken.stdout
    as_json = await asyncio.to_thread(run, "--json", "--language", "en")
    verdicts = {v["key"]: v for v in json.loads(as_json.stdout)}
    assert verdicts["not_running"]["to_do"] == "`carebell up`."
    assert verdicts["database_reachable"]["level"] == "ok"
