"""Make a backup: the database as one snapshot sees it, and what lies beside it."""

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg

from hub import __version__
from hub.backup.archive import FORMAT, ArchiveWriter, Manifest, new_archive
from hub.backup.contents import extensions_of, migrations_of, tables_of
from hub.backup.scratch import database_of, is_running
from hub.backup.tools import dumping
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder, write_private
from hub.errors import HubError
from hub.push_keys import KEY_FILE
from hub.settings import Settings

DUMP = "database/"
SECRETS = "secrets.json"
SETTINGS = "settings.json"
SNAPSHOT = "snapshot/"
BROKER = "broker/"


class NothingToBackUp(HubError):
    """There is no hub to back up."""


class NoBackup(HubError):
    """The backup was not made; an earlier one of this name is untouched."""


class LastBackup(msgspec.Struct, frozen=True):
    """What `carebell doctor` looks at: `backup.json`."""

    at: datetime
    file: str
    verified_at: datetime | None = None


def last_backup(folder: HubFolder) -> LastBackup | None:
    """The latest backup that was made of this folder; None: none is known."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(_note(folder).read_bytes(), type=LastBackup)
    return None


def note_backup(folder: HubFolder, backup: LastBackup) -> None:
    """Remember it, where there is a folder: with an external database there need not be one."""
    if folder.root.is_dir():
        write_private(_note(folder), msgspec.json.encode(backup))


def target_of(path: Path, now: datetime) -> Path:
    """A folder gets a file that is named by the time."""
    return path / f"carebell-{now:%Y%m%dT%H%M%SZ}.tar" if path.is_dir() else path


async def make_backup(settings: Settings, target: Path, now: datetime) -> Manifest:
    """Write everything into `target`, whose name appears only when it is complete.

    While the hub runs, what waits in the broker is left out (docs/adr/0014); while it is stopped,
    that is at rest and goes in too. Raises NothingToBackUp or NoBackup.
    """
    folder = HubFolder(settings.data_dir)
    if not settings.database_url and not folder.cluster.exists():
        raise NothingToBackUp(f"{folder.root}: no database there. Choose it with --data.")
    at_rest = not is_running(folder)
    try:
        if settings.database_url or not at_rest:
            url = settings.database_url or database_url(settings.data_dir)
            return await asyncio.to_thread(_write, settings, folder, url, target, now, at_rest)
        async with database_of(settings, folder.root) as url:
            return await asyncio.to_thread(_write, settings, folder, url, target, now, at_rest)
    except psycopg.Error as error:
        reason = error.sqlstate or "no connection"
        raise NoBackup(f"the database: {type(error).__name__} ({reason})") from error
    except OSError as error:
        raise NoBackup(f"{error.filename or target}: {error.strerror}") from error


def _write(
    settings: Settings, folder: HubFolder, url: str, target: Path, now: datetime, at_rest: bool
) -> Manifest:
    with new_archive(target) as archive, psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        ((snapshot,),) = connection.execute("SELECT pg_export_snapshot()").fetchall()
        version = connection.info.server_version
        with dumping(url, snapshot, version) as dump:
            archive.add_stream(DUMP, dump)
        _add_files(archive, settings, folder, at_rest)
        manifest = Manifest(
            format=FORMAT,
            release=__version__,
            created_at=now,
            root_area_id=settings.root_area_id,
            database_version=f"{version // 10_000}.{version % 10_000}",
            extensions=extensions_of(connection),
            migrations=migrations_of(connection),
            broker_at_rest=at_rest and any(n.startswith(BROKER) for n in archive.members),
            tables=tables_of(connection),
            members=archive.members,
        )
        archive.finish(manifest)
    return manifest


def _add_files(
    archive: ArchiveWriter, settings: Settings, folder: HubFolder, at_rest: bool
) -> None:
    kept = {key: str(value) for key, value in settings.model_dump().items() if key != "data_dir"}
    archive.add_bytes(SETTINGS, msgspec.json.format(msgspec.json.encode(kept)))
    if folder.secrets.exists():
        archive.add_file(SECRETS, folder.secrets)
    if (folder.root / KEY_FILE).exists():
        archive.add_file(KEY_FILE, folder.root / KEY_FILE)
    for path in sorted(folder.register.parent.glob("*.json")):
        archive.add_file(f"{SNAPSHOT}{path.name}", path)
    if at_rest and not settings.broker_url:
        store = folder.broker / "jetstream"
        for path in sorted(p for p in store.rglob("*") if p.is_file()):
            archive.add_file(f"{BROKER}{path.relative_to(folder.broker)}", path)


def _note(folder: HubFolder) -> Path:
    return folder.root / "backup.json"
