"""The way back: check the whole file first, build beside, compare, and only then take its place."""

import asyncio
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import msgspec
import psycopg

from hub.backup.archive import (
    BackupDamaged,
    Manifest,
    Table,
    check,
    extract,
    read_manifest,
    stream_of,
)
from hub.backup.contents import forget_foreign_transactions, migrations_of, tables_of
from hub.backup.make import BROKER, DUMP, SECRETS, SETTINGS, SNAPSHOT
from hub.backup.scratch import database_of, is_running
from hub.backup.tools import RestoreFailed, restore_dump
from hub.embedded.folder import HubFolder
from hub.errors import HubError
from hub.push_keys import KEY_FILE
from hub.settings import Settings
from hub.store.migrate import migration_names


class WouldOverwrite(HubError):
    """There is a hub already; nothing was changed."""


class OfNewerRelease(HubError):
    """The backup is of a newer release than this one; nothing was changed."""


class NotHere(HubError):
    """The backup cannot be restored here; nothing was changed."""


def examine(path: Path) -> Manifest:
    """Read the whole file and compare it with its manifest. Raises BackupDamaged."""
    try:
        manifest = read_manifest(path)
        check(path, manifest)
    except OSError as error:
        raise BackupDamaged(f"{path}: {error.strerror}") from error
    if unknown := sorted(set(manifest.migrations) - set(migration_names())):
        raise OfNewerRelease(f"it was made by {manifest.release}, with {', '.join(unknown)}")
    return manifest


async def verify(settings: Settings, path: Path) -> Manifest:
    """Restore into a scratch database beside the backup, compare every table, throw it away."""
    manifest = examine(path)
    _refuse_extensions(manifest)
    with tempfile.TemporaryDirectory(prefix=".carebell-verify-", dir=path.parent) as folder:
        async with database_of(settings, Path(folder) / "hub") as url:
            await asyncio.to_thread(_restore_database, path, manifest, url, replace=False)
    return manifest


async def restore(settings: Settings, path: Path, now: datetime, *, replace: bool) -> Manifest:
    """Put a backup in place. Raises WouldOverwrite unless `replace`; what was there is kept beside.

    An external database is restored in one transaction, or not at all.
    """
    manifest = examine(path)
    folder = HubFolder(settings.data_dir)
    if is_running(folder):
        raise WouldOverwrite(f"the hub runs on {folder.root}: stop it first")
    draft = _draft_of(folder.root)
    shutil.rmtree(draft, ignore_errors=True)
    try:
        if _contents(folder.root) and not replace:
            raise WouldOverwrite(f"{folder.root}: choose an empty --data, or say --replace")
        _lay_out(path, HubFolder(draft))
        if settings.database_url:
            await asyncio.to_thread(
                _restore_external, path, manifest, settings.database_url, replace=replace
            )
        else:
            _refuse_extensions(manifest)
            async with database_of(settings, draft) as url:
                await asyncio.to_thread(_restore_database, path, manifest, url, replace=False)
        shutil.rmtree(HubFolder(draft).run, ignore_errors=True)
        _take_place(draft, folder.root, now)
    except OSError as error:
        raise RestoreFailed(f"{error.filename or draft}: {error.strerror}") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def _draft_of(root: Path) -> Path:
    """Where the new folder grows, on the same disk. A mount point (a container's volume) cannot be
    renamed, so there it grows inside."""
    return root / "restoring" if root.is_mount() else root.with_name(f"{root.name}.restoring")


def _contents(root: Path) -> list[Path]:
    """What lies in a folder already, a file system's own folder left out."""
    found = root.iterdir() if root.is_dir() else ()
    return [path for path in found if path.name != "lost+found"]


def _take_place(draft: Path, root: Path, now: datetime) -> None:
    """The new folder for the old, which is kept beside it, or inside a mount point."""
    name = f"{now:%Y%m%dT%H%M%SZ}"
    if not root.is_mount():
        if root.exists():
            root.rename(root.with_name(f"{root.name}.{name}"))
        draft.rename(root)
        return
    if old := [path for path in _contents(root) if path != draft]:
        aside = root / f"before-{name}"
        aside.mkdir(mode=0o700)
        for path in old:
            path.rename(aside / path.name)
    for path in _contents(draft):
        path.rename(root / path.name)
    draft.rmdir()


def _lay_out(path: Path, folder: HubFolder) -> None:
    folder.create()
    extract(path, SNAPSHOT, folder.register.parent)
    extract(path, BROKER, folder.broker)
    for name in (SECRETS, SETTINGS, KEY_FILE):
        extract(path, name, folder.root / name)


def _restore_database(path: Path, manifest: Manifest, url: str, *, replace: bool) -> None:
    restore_dump(url, stream_of(path, DUMP), replace=replace)
    with psycopg.connect(url) as connection:
        differing = _differences(manifest.tables, tables_of(connection))
        if differing:
            raise RestoreFailed(f"after restoring, these tables differ: {', '.join(differing)}")
        forget_foreign_transactions(connection)


def _restore_external(path: Path, manifest: Manifest, url: str, *, replace: bool) -> None:
    with psycopg.connect(url) as connection:
        there = migrations_of(connection)
        if there and not replace:
            raise WouldOverwrite("the database has a schema of the hub: say --replace")
        if newer := sorted(set(there) - set(manifest.migrations)):
            raise NotHere(
                f"the database has {', '.join(newer)}, the backup has not: empty it first"
            )
        if wanted := sorted(set(manifest.extensions) - _available(connection)):
            raise NotHere(f"the database server lacks {', '.join(wanted)}")
    timescale = "timescaledb" in manifest.extensions
    if timescale:
        _tell(url, "CREATE EXTENSION IF NOT EXISTS timescaledb", "SELECT timescaledb_pre_restore()")
    try:
        _restore_database(path, manifest, url, replace=bool(there))
    finally:
        if timescale:
            _tell(url, "SELECT timescaledb_post_restore()")


def _tell(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _available(connection: psycopg.Connection[tuple[str]]) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}


def _refuse_extensions(manifest: Manifest) -> None:
    """The embedded server has PostgreSQL's own extensions only."""
    if "timescaledb" in manifest.extensions:
        raise NotHere(
            "its database used TimescaleDB: restore it into such a server with "
            "CAREBELL_DATABASE_URL=postgresql://..."
        )


def _differences(wanted: dict[str, Table], found: dict[str, Table]) -> list[str]:
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )


def settings_in(path: Path) -> dict[str, str]:
    """The settings that were in force when the backup was made."""
    content = b"".join(stream_of(path, SETTINGS))
    return msgspec.json.decode(content, type=dict[str, str])
