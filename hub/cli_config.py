"""`carebell config`: what can be set, and what is in force here."""

import json
from pathlib import Path
from typing import Annotated

import typer

from hub.cli_words import told_in_words
from hub.settings import load_settings
from hub.settings_file import effective, render_defaults, render_effective

config_app = typer.Typer(help="What can be set, and what is in force.")


@config_app.callback(invoke_without_command=True)
def _config(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        defaults()


@config_app.command()
def defaults() -> None:
    """Print every setting with its meaning, unit, default and source: a file to start from."""
    typer.echo(render_defaults(), nl=False)


@config_app.command()
def show(
    http: Annotated[str | None, typer.Option("--http", help="As `up` would be given it.")] = None,
    mqtt: Annotated[str | None, typer.Option("--mqtt", help="As `up` would be given it.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="The hub's folder.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print what is in force here and where each value came from; secrets are masked."""
    given = {"http_listen": http, "mqtt_listen": mqtt, "data_dir": data}
    with told_in_words():
        settings = load_settings(**given)
        if not as_json:
            typer.echo(render_effective(settings, given), nl=False)
            return
        rows = {
            v.key: {"value": v.value, "default": v.default, "from": v.origin}
            for v in effective(settings, given)
        }
        typer.echo(json.dumps(rows, indent=2, default=str, ensure_ascii=False))
