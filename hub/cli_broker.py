"""`carebell broker`: what an operated broker needs from the register, and its ingest sessions."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hub.cli_words import told_in_words
from hub.settings import load_settings

broker_app = typer.Typer(help="A broker somebody operates.", no_args_is_help=True)

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The folder that holds everything.")
]


@broker_app.command("mosquitto-files")
def mosquitto_files(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the two files go.")],
    pid_file: Annotated[
        Path | None,
        typer.Option("--pid-file", help="Mosquitto's; it is told (SIGHUP) after every change."),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and write them again after every change.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Write DIR/passwords and DIR/acl for Mosquitto from the register."""
    from hub.mosquitto_files import keep_files, write_files

    with told_in_words():
        settings = load_settings(data_dir=data)
        if watch:
            asyncio.run(keep_files(settings, folder, pid_file))
        else:
            written = asyncio.run(write_files(settings, folder, pid_file))
            typer.echo(f"{written.devices} devices and the hub in {folder}")
            if not written.open:
                typer.echo(
                    "No device yet: start `carebell ingest` first, or use --watch. What devices "
                    "say before its sessions exist would be lost.",
                    err=True,
                )
            if written.without:
                typer.echo(
                    f"{len(written.without)} devices were registered without a hash Mosquitto can "
                    f"check; `carebell device rotate` draws new secrets: "
                    + ", ".join(written.without[:20]),
                    err=True,
                )


@broker_app.command("check")
def check(data: DataOption = None) -> None:
    """Try whether the broker in `broker_url` loses messages; takes a few seconds."""
    from hub.broker_check import examine

    with told_in_words():
        complaints = asyncio.run(examine(load_settings(data_dir=data)))
        for complaint in complaints:
            typer.echo(str(complaint))
        if not complaints:
            typer.echo("nothing to complain about")
        raise typer.Exit(1 if complaints else 0)


@broker_app.command("forget")
def forget(
    owner: Annotated[str, typer.Argument(help="As in the log: `areas_claimed owner=...`.")],
    data: DataOption = None,
) -> None:
    """Delete the sessions of an ingest owner that will not come back, with all they hold."""
    from hub.app_ingest import forget_owner

    with told_in_words():
        forget_owner(load_settings(data_dir=data), owner)
        typer.echo(f"{owner} is forgotten")
