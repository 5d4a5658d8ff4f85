"""`carebell backup` and `carebell restore`."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.log import configure_logging
from hub.settings import load_settings

if TYPE_CHECKING:
    from hub.backup.archive import Manifest

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="A folder gets a new file.")],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Restore it into a scratch database and compare.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Write everything the hub must know into one file, while it runs or while it is stopped.

    The file holds personal data and the hub's secrets: it is readable by you alone; keep it so.
    """
    from hub.backup.make import LastBackup, make_backup, note_backup, target_of
    from hub.backup.restore import verify as verify_backup
    from hub.embedded.folder import HubFolder

    configure_logging(sys.stderr)
    with told_in_words():
        settings, now = load_settings(data_dir=data), SystemClock().now()
        file = target_of(target.absolute(), now)
        manifest = asyncio.run(make_backup(settings, file, now))
        folder = HubFolder(settings.data_dir)
        note_backup(folder, LastBackup(now, str(file)))
        typer.echo(f"{file}: {_contents(manifest)}")
        if not manifest.broker_at_rest and not settings.broker_url:
            typer.echo("What waits in the broker is not in it (the hub runs): docs/adr/0014.")
        if verify:
            asyncio.run(verify_backup(settings, file))
            note_backup(folder, LastBackup(now, str(file), SystemClock().now()))
            typer.echo("Verified: restored into a scratch database, every table is the same.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `carebell backup` wrote.")],
    *,
    verify: Annotated[
        bool, typer.Option("--verify", help="Only try: into a scratch database.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="There is a hub: keep its folder aside.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Put a backup in place; `carebell up` then goes on where it was made."""
    from hub.backup import restore as way_back

    configure_logging(sys.stderr)
    with told_in_words():
        settings, now = load_settings(data_dir=data), SystemClock().now()
        path = file.absolute()
        if verify:
            manifest = asyncio.run(way_back.verify(settings, path))
            typer.echo(f"Verified: {_contents(manifest)}; every table is the same.")
            return
        manifest = asyncio.run(way_back.restore(settings, path, now, replace=replace))
        typer.echo(f"{settings.data_dir}: {_contents(manifest)}")
        typer.echo(f"The settings of then: {settings.data_dir / 'settings.json'}")
        if not manifest.broker_at_rest:
            typer.echo("The broker starts empty; the hub will say so once (session_lost).")
        typer.echo("Start it with `carebell up`.")


def _contents(manifest: "Manifest") -> str:
    rows = sum(table.rows for table in manifest.tables.values())
    size_mib = sum(member.size_bytes for member in manifest.members.values()) / 2**20
    return (
        f"{rows:,} rows in {len(manifest.tables)} tables, {size_mib:,.1f} MiB, "
        f"release {manifest.release}, made {manifest.created_at:%Y-%m-%d %H:%M:%S} UTC"
    )
