"""`carebell learn`: what otherwise happens at night, now."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
from datetime import timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.settings import load_settings

if TYPE_CHECKING:
    from hub.learning import Learned

DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Folder of the running hub.")
]


def learn(
    *,
    home: Annotated[
        str | None, typer.Option(help="Only this home, by its id; default: all that are due.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Learn the inactivity lines of all homes nobody has looked at today; the worker does it at
    night by itself. A run that is ended goes on where it stopped."""
    from hub.clock import SystemClock
    from hub.embedded.database import database_url
    from hub.learning import Learning

    settings = load_settings(data_dir=data)
    url = settings.database_url or database_url(settings.data_dir)

    def told(done: "Learned") -> None:
        if done.homes % 100 == 0:
            typer.echo(f"{done.homes} homes, {done.lines} with a line", err=True)

    learning = Learning(url, SystemClock(), timezone(timedelta(hours=8)))
    done = asyncio.run(learning.work(only=home, told=told))
    typer.echo(f"{done.homes} homes looked at, {done.lines} of them have a line")
