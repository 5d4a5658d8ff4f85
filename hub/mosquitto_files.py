"""Mosquitto's password and ACL file, from the register.

Debian's Mosquitto has no plugin that asks over HTTP, but it checks files, and on SIGHUP it also
hangs up on whoever is no longer in them (2.0: mosquitto_security_apply_default). So a revoked
device's connection drops when the file changes, and nobody is locked out while hub and database are
dead: the files stay.
"""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import structlog
from psycopg.rows import dict_row

from hub.broker_line import BrokerLine
from hub.credential import mosquitto_hash
from hub.database import TRANSIENT
from hub.embedded.database import database_url
from hub.embedded.folder import write_private
from hub.errors import StartError
from hub.settings import Settings
from hub.store import queries
from schemas.topics import PREFIX, Lane

Connection = psycopg.AsyncConnection[dict[str, Any]]

_SQL = queries.load("logins")
LOOK_EVERY_S = 1.0

PASSWORDS, ACL = "passwords", "acl"

_log = structlog.get_logger("hub.mosquitto_files")


@dataclass(frozen=True, slots=True)
class Mark:
    """As of when the register was read. By transaction: of two that change it at once, the one
    that began first may end last, and its change is then the older by number and by time."""

    horizon: str
    """The oldest transaction that ran then."""
    changes: int
    """Changes of devices since that one that could be seen already."""
    open: bool
    """Whether ingest's sessions existed."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is in the files now."""

    devices: int
    without: tuple[str, ...]
    """Devices that cannot come in: their secret was registered before its hash was kept, or by its
    SHA-256 alone."""
    open: bool
    """False: no device comes in before ingest's sessions exist, what it said would be lost."""


def render_passwords(hub: BrokerLine, logins: Sequence[tuple[str, str]]) -> str:
    """The password file: `user:hash` a line, the hub first."""
    # From the password itself, so that a change of the register does not cut off the hub.
    salt = sha256(f"{hub.username}:{hub.password}".encode()).digest()[:12]
    lines = [f"{hub.username}:{mosquitto_hash(hub.password, salt)}"]
    return "\n".join([*lines, *(f"{name}:{hashed}" for name, hashed in logins)]) + "\n"


def render_acl(hub: BrokerLine) -> str:
    """The ACL file: the hub everything, a device its own device id, whatever premises it names."""
    own = f"{PREFIX}/+/+/%u"
    return (
        "# Written by `carebell broker mosquitto-files`. Do not narrow `+/+`: a device that was\n"
        "# moved still knows its old premises, and its press must ring (docs/adr/0003).\n"
        f"user {hub.username}\n"
        "topic readwrite #\n"
        "topic read $SYS/#\n"
        "\n"
        f"pattern write {own}/{Lane.ALARM}/+\n"
        f"pattern write {own}/{Lane.TELEMETRY}/+\n"
        f"pattern read {own}/{Lane.COMMAND}/#\n"
    )


async def write_files(settings: Settings, folder: Path, pid_file: Path | None) -> Written:
    """Replace both files and tell Mosquitto. Raises StartError."""
    try:
        async with await _connect(settings) as connection:
            mark, _ = await _look(connection, None)
            return await _write(connection, settings, folder, pid_file, mark)
    except psycopg.Error as error:
        raise StartError(f"the database: {error}") from error
    except OSError as error:
        raise StartError(str(error)) from error


async def keep_files(settings: Settings, folder: Path, pid_file: Path | None) -> None:
    """Write them whenever the register changed, for ever; while the database is away they stay.

    Mosquitto forgets a SIGHUP that comes while it reads for the one before, so it is told once more
    a look after the last change.
    """
    last: Mark | None = None
    told_once = False
    while True:
        try:
            async with await _connect(settings) as connection:
                while True:
                    mark, changed = await _look(connection, last)
                    if changed:
                        written = await _write(connection, settings, folder, pid_file, mark)
                        told_once = True
                        _log.info("mosquitto_files_written", devices=written.devices,
                                  without=len(written.without))  # fmt: skip
                    elif told_once:
                        await asyncio.to_thread(_tell, pid_file)
                        told_once = False
                    last = mark
                    await asyncio.sleep(LOOK_EVERY_S)
        except PermissionError as error:
            _log.error("mosquitto_files_refused", path=error.filename,
                       effect="revoked devices stay connected")  # fmt: skip
            await asyncio.sleep(LOOK_EVERY_S)
        except TRANSIENT as error:
            _log.warning("mosquitto_files_wait", error=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY_S)


async def _look(connection: Connection, last: Mark | None) -> tuple[Mark, bool]:
    """How the register stands, and whether it changed since the last look."""
    since = last.horizon if last else None
    cursor = await connection.execute(_SQL["logins_mark"], {"since": since})
    (row,) = await cursor.fetchall()
    mark = Mark(row["horizon"], row["from_now"], row["made"])
    if last is None:
        return mark, True
    return mark, (row["since_then"], mark.open) != (last.changes, last.open)


async def _connect(settings: Settings) -> Connection:
    url = settings.database_url or database_url(settings.data_dir)
    return await psycopg.AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row, connect_timeout=5
    )


async def _write(
    connection: Connection,
    settings: Settings,
    folder: Path,
    pid_file: Path | None,
    mark: Mark,
) -> Written:
    hub = BrokerLine.parse(settings.broker_url)
    if not hub.username or not hub.password:
        raise StartError("broker_url: Mosquitto's files want the hub's user name and password")
    cursor = await connection.execute(_SQL["logins"])
    rows = [(str(row["device_id"]), row["mosquitto_hash"]) for row in await cursor.fetchall()]
    logins = [(name, str(hashed)) for name, hashed in rows if hashed and mark.open]
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(_replace, folder / PASSWORDS, render_passwords(hub, logins))
    await asyncio.to_thread(_replace, folder / ACL, render_acl(hub))
    await asyncio.to_thread(_tell, pid_file)
    without = tuple(name for name, hashed in rows if not hashed)
    return Written(len(logins), without, mark.open)


def _tell(pid_file: Path | None) -> None:
    """Read the files again and hang up on whoever is not in them. No process, nobody to hang up
    on: it reads them when it starts. Raises PermissionError."""
    if pid_file is None:
        return
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
        number = int(pid_file.read_text())
        try:
            os.kill(number, signal.SIGHUP)
        except PermissionError:
            raise PermissionError(
                errno.EPERM,
                f"process {number} cannot be told (SIGHUP) by this account: revoked devices stay "
                "connected; run it as root, or as Mosquitto's own account",
                str(pid_file),
            ) from None


def _replace(path: Path, content: str) -> None:
    """Readable by the owner only, and by Mosquitto's account where we may say so: the file keeps
    the group it had."""
    group = path.stat().st_gid if path.exists() else path.parent.stat().st_gid
    write_private(path, content.encode())
    with contextlib.suppress(PermissionError):
        os.chown(path, -1, group)
        path.chmod(0o640)
