"""The machine under the hub: folder, disk, clock, certificates, backups."""

import ctypes
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography import x509

from hub.backup.make import last_backup
from hub.doctor.verdict import Patient, Verdict, failure, note, ok, warning

DISK_FREE_WARNING = 0.15
DISK_FREE_FAILURE = 0.05
"""Ours: PostgreSQL stops at 0; the broker may keep 8 GiB while the database is away."""
INODES_FREE_WARNING = 0.05
BACKUP_OLDER_THAN_DAYS = 2
"""Ours: a nightly backup that failed once is no news, twice is."""
CERTIFICATE_WARNING_DAYS = 21
"""Ours: Let's Encrypt renews 30 days before the end; then it has failed for nine."""
_CERTIFICATES = (
    "http_tls_certificate",
    "mqtt_tls_certificate",
    "mqtt_tls_client_ca",
    "broker_ca",
    "broker_certificate",
)
SKEW_WARNING_S = 1.0
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


def settings_read(patient: Patient) -> Iterator[Verdict]:
    """They were read, or we would not be here."""
    yield ok("settings_read", data_dir=str(patient.settings.data_dir))


def folder_private(patient: Patient) -> Iterator[Verdict]:
    """Others must not read secrets or the register."""
    root = patient.folder.root
    if not root.is_dir():
        yield note("no_folder", folder=str(root))
        return
    if not usable(root):
        yield failure("folder_unusable", folder=str(root))
        return
    looked_at = [patient.folder.secrets, patient.folder.register.parent]
    looked_at += sorted(patient.folder.register.parent.glob("*.json"))
    looked_at += [path for path in (patient.folder.broker / "nats.conf",) if path.exists()]
    open_to_others = [p for p in looked_at if p.exists() and _mode(p) & 0o077]
    for path in open_to_others:
        yield failure("readable_by_others", path=str(path), mode=f"{_mode(path):04o}")
    if _mode(root) & 0o022:
        yield failure("writable_by_others", path=str(root), mode=f"{_mode(root):04o}")
    elif not open_to_others:
        yield ok("folder_private", folder=str(root))


def usable(root: Path) -> bool:
    """Whether this account may work in a folder; one that is not there yet may be made."""
    return not root.is_dir() or os.access(root, os.R_OK | os.W_OK | os.X_OK)


def disk_room(patient: Patient) -> Iterator[Verdict]:
    """Space and inodes where the hub keeps its data."""
    place = _existing(patient.folder.root)
    found = os.statvfs(place)
    free = found.f_bavail / max(found.f_blocks, 1)
    values = {"free_gib": round(found.f_bavail * found.f_frsize / 2**30, 1),
              "free_percent": round(free * 100), "folder": str(place)}  # fmt: skip
    if free < DISK_FREE_FAILURE:
        yield failure("disk_full", **values)
    elif free < DISK_FREE_WARNING:
        yield warning("disk_fills", **values)
    else:
        yield ok("disk_room", **values)
    if found.f_files and found.f_favail / found.f_files < INODES_FREE_WARNING:
        yield warning("inodes_fill", free=found.f_favail, folder=str(place))


def clock_right(patient: Patient) -> Iterator[Verdict]:
    """Does the kernel say the clock is synchronised, and does the database agree on the time?"""
    if patient.database is not None:
        before = patient.clock.now()
        row = patient.database.execute("SELECT clock_timestamp()").fetchone()
        middle = before + (patient.clock.now() - before) / 2
        skew_s = (row[0] - middle).total_seconds() if row else 0.0
        if abs(skew_s) > SKEW_WARNING_S:
            yield failure("clock_differs", skew_s=round(skew_s, 1))
    if synchronised():
        yield ok("clock_right")
    else:
        yield warning("clock_free")


def synchronised() -> bool:
    """What adjtimex(2) says; a container sees its host's clock."""
    size_bytes = 256  # larger than struct timex on every Linux
    buffer = ctypes.create_string_buffer(size_bytes)
    return int(ctypes.CDLL(None).adjtimex(buffer)) != _TIME_ERROR


def certificates_valid(patient: Patient) -> Iterator[Verdict]:
    """Every certificate the settings name: readable, and for how long."""
    settings = patient.settings
    for key in _CERTIFICATES:
        path = getattr(settings, key)
        if not path:
            continue
        span = validity_of(Path(path))
        if span is None:
            yield failure("certificate_unreadable", setting=key, path=path)
            continue
        from_at, until_at = span
        days = (until_at - patient.now).days
        values = {"setting": key, "path": path, "days": days}
        if patient.now < from_at:
            yield failure("certificate_too_new", **values)
        elif days < 0:
            yield failure("certificate_expired", **values)
        elif days < CERTIFICATE_WARNING_DAYS:
            yield warning("certificate_expires", **values)
        else:
            yield ok("certificate_valid", **values)
    for key in ("http_tls_key", "mqtt_tls_key", "broker_key"):
        path = getattr(settings, key)
        if path and not os.access(path, os.R_OK):
            yield failure("certificate_unreadable", setting=key, path=path)
        elif path and _mode(Path(path)) & 0o077:
            yield failure("readable_by_others", path=path, mode=f"{_mode(Path(path)):04o}")


def validity_of(path: Path) -> tuple[datetime, datetime] | None:
    """From when until when the certificates of a PEM file are valid together; None if one cannot be
    read."""
    try:
        chain = x509.load_pem_x509_certificates(path.read_bytes())
        return (
            max(one.not_valid_before_utc for one in chain),
            min(one.not_valid_after_utc for one in chain),
        )
    except (OSError, ValueError):
        return None


def backup_recent(patient: Patient) -> Iterator[Verdict]:
    """When `carebell backup` ran last, and whether anybody tried to restore it."""
    if not patient.folder.secrets.exists():
        return
    last = last_backup(patient.folder)
    if last is None:
        yield warning("never_backed_up")
        return
    days = (patient.now - last.at).days
    if days >= BACKUP_OLDER_THAN_DAYS:
        yield warning("backup_old", days=days, file=last.file)
    elif not Path(last.file).exists():
        yield note("backup_moved", file=last.file)
    else:
        yield ok("backup_recent", days=days, file=last.file)
    if last.verified_at is None:
        yield note("backup_unverified", file=last.file)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
