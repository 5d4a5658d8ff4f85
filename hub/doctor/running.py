"""The running parts: children, ports, broker, health of API and loops, snapshot."""

import asyncio
import json
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from hub.broker_check import examine as examine_broker
from hub.doctor.verdict import Patient, Verdict, failure, note, ok, warning
from hub.embedded.broker import ports
from hub.embedded.status import ChildState
from hub.settings import Address

LOOK_WITHIN_S = 3.0
SNAPSHOT_FRESH_S = 120.0
"""Ours: ingest replaces what changed within seconds, and touches it at least every minute."""
RESTARTS_WARNING = 3
CALLOUT_SILENT_S = 30.0
"""Ours: the callout says every few seconds that it lives."""
BACKLOG_S = 30.0
"""Ours: what waits for so long is no burst."""
_WAITING = re.compile(
    r"^carebell_ingest_(oldest_unacknowledged_seconds|unacknowledged_messages) ([0-9.e+]+)$",
    re.MULTILINE,
)
_LISTENING = "0A"
"""State of a listening socket in /proc/net/tcp."""


def children_run(patient: Patient) -> Iterator[Verdict]:
    """Every child of the supervisor."""
    if not patient.running:
        yield failure("not_running", folder=str(patient.folder.root))
        return
    if patient.status is None:
        yield failure("status_unreadable", path=str(patient.folder.status))
        return
    for name, child in patient.status.children.items():
        values = {"child": name, "last_exit": child.last_exit or "-", "restarts": child.restarts,
                  "log": str(patient.folder.log(name))}  # fmt: skip
        if child.state is not ChildState.RUNNING:
            yield failure("child_down", state=child.state.value, **values)
        elif child.restarts >= RESTARTS_WARNING:
            yield warning("child_restarts", **values)
        else:
            yield ok("child_runs", child=name)


def callout_answers(patient: Patient) -> Iterator[Verdict]:
    """A callout that hangs lets no device in; the supervisor sees only that it is there."""
    if not patient.running or patient.settings.broker_url:
        return
    path = patient.folder.run / "callout.json"
    try:
        age_s = patient.now.timestamp() - path.stat().st_mtime
    except OSError:
        return
    if age_s > CALLOUT_SILENT_S:
        log = patient.folder.log("callout")
        yield failure("callout_silent", age_s=round(age_s), log=str(log))
    else:
        yield ok("callout_answers")


def ports_free(patient: Patient) -> Iterator[Verdict]:
    """While the hub is stopped: does somebody else sit on its addresses?"""
    if patient.running:
        return
    listening: list[tuple[str, Address | None]] = [("http_listen", patient.settings.http_listen)]
    if not patient.settings.broker_url:
        tls = getattr(patient.settings, "mqtt_tls_listen", None)
        listening.append(("mqtt_listen", tls or patient.settings.mqtt_listen))
    for key, address in listening:
        if address is None:
            continue
        who = holder_of(address)
        if who is not None:
            yield failure("port_taken", setting=key, address=str(address), who=who)
        else:
            yield ok("port_free", setting=key, address=str(address))


def holder_of(address: Address) -> str | None:
    """Who listens on a port, `name (process 123)`; None: nobody."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            return _listener(address.port) or error.strerror or "?"
    return None


def _listener(port: int) -> str | None:
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for entry in folder.iterdir():
                with suppress(OSError):
                    if str(entry.readlink()) in inodes:
                        name = (folder.parent / "comm").read_text().strip()
                        return f"{name} (process {folder.parent.name})"
    return None


def broker_reachable(patient: Patient) -> Iterator[Verdict]:
    """Does anybody listen where the hub looks for its broker?"""
    url = patient.settings.broker_url
    if not url:
        if not patient.running:
            return
        with suppress(OSError, msgspec.MsgspecError):
            url = f"mqtt://{Address.parse(ports(patient.folder).mqtt).reachable()}"
    parts = urlsplit(url or "mqtt://127.0.0.1:1883")
    host, port = parts.hostname or "127.0.0.1", parts.port or 1883
    try:
        with socket.create_connection((host, port), LOOK_WITHIN_S):
            yield ok("broker_reachable", host=host, port=port)
    except OSError as error:
        yield failure("broker_away", host=host, port=port, why=error.strerror or str(error))


def broker_keeps(patient: Patient) -> Iterator[Verdict]:
    """Would an operated broker lose messages? Tried with a session of our own; a few seconds."""
    if not patient.settings.broker_url:
        return
    complaints = asyncio.run(examine_broker(patient.settings))
    for complaint in complaints:
        yield failure("broker_lossy", setting=complaint.setting, why=complaint.problem,
                      to_do=complaint.advice)  # fmt: skip
    if not complaints:
        yield ok("broker_keeps")


def sessions_exist(patient: Patient) -> Iterator[Verdict]:
    """The two persistent sessions without which the broker admits no device."""
    if not patient.folder.secrets.exists():
        return
    path = patient.folder.register.parent / "sessions.json"
    known: list[str] = []
    with suppress(OSError, ValueError, AttributeError):
        known = json.loads(path.read_text()).get("client_ids", [])
    missing = [name for name in ("carebell-alarm", "carebell-telemetry") if name not in known]
    if missing:
        yield failure("sessions_missing", missing=", ".join(missing))
    else:
        yield ok("sessions_exist")


def press_would_ring(patient: Patient) -> Iterator[Verdict]:
    """What the API itself says: would a press ring now, and do the loops go round?"""
    if not patient.running:
        return
    address = patient.settings.http_listen
    if patient.status is not None and patient.status.http:
        address = Address.parse(patient.status.http)
    scheme = "https" if patient.settings.http_tls_certificate else "http"
    base = f"{scheme}://{address.reachable()}"
    for path, good, bad in (
        ("ready", "ready", "not_ready"),
        ("cycle", "loops_cycle", "loop_stands"),
    ):
        url = f"{base}/api/v1/health/{path}"
        status, body = _asked(url)
        if status is None:
            yield failure("api_away", url=url)
            return
        if status == 200:
            yield ok(good)
        else:
            failing: list[str] = []
            with suppress(ValueError, AttributeError):
                failing = json.loads(body).get("failing", [])
            yield failure(bad, failing=", ".join(failing) or "?")
    _, figures = _asked(f"{base}/metrics")
    waiting = {name: float(value) for name, value in _WAITING.findall(figures.decode())}
    count = round(waiting.get("unacknowledged_messages", 0))
    age_s = round(waiting.get("oldest_unacknowledged_seconds", 0))
    if age_s > BACKLOG_S or count >= patient.settings.mqtt_max_unacknowledged:
        yield warning("backlog", count=count, age_s=age_s)


def _asked(url: str) -> tuple[int | None, bytes]:
    """Status and body of our own API. Its certificate is for a name, and we ask this machine: who
    answers is not in doubt."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    try:
        with opener.open(url, timeout=LOOK_WITHIN_S) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except (OSError, ValueError):
        return None, b""


def snapshot_fresh(patient: Patient) -> Iterator[Verdict]:
    """What the hub lives by while the database is away."""
    if not patient.folder.secrets.exists():
        return
    path = patient.folder.register.parent / "incidents.json"
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        json.loads(path.read_bytes())
    except (OSError, ValueError):
        yield failure("no_snapshot", path=str(path))
        return
    age_s = (patient.now - written).total_seconds()
    if patient.running and age_s > SNAPSHOT_FRESH_S:
        yield note("snapshot_quiet", age_s=round(age_s), path=str(path))
    else:
        yield ok("snapshot_fresh", age_s=round(age_s))


def logs_writable(patient: Patient) -> Iterator[Verdict]:
    """A log nobody can write explains nothing."""
    folder = patient.folder.log("x").parent
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        yield failure("folder_unusable", folder=str(folder))
