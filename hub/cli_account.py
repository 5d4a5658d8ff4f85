"""`carebell account` and `carebell import`: who may log in, and the register by the file."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_words import told_in_words
from hub.log import configure_logging
from hub.settings import load_settings

if TYPE_CHECKING:
    from hub.register_file import ImportOutcome
    from hub.registrar import Registrar

account_app = typer.Typer(help="Humans who may log in.", no_args_is_help=True)
import_app = typer.Typer(help="Bring in what is kept elsewhere.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="What they type to log in.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The folder that holds everything.")
]


def _registrar(data: Path | None) -> "Registrar":
    from hub.registrar import Registrar

    configure_logging()
    return Registrar(load_settings(data_dir=data))


@account_app.command("add")
def add(
    username: Username,
    *,
    name: Annotated[str, typer.Option(help="As dispatchers see it.")],
    role: Annotated[str, typer.Option(help="See docs/roles.md.")] = "dispatcher",
    area_id: Annotated[str | None, typer.Option("--area", help="Default: the root area.")] = None,
    data: DataOption = None,
) -> None:
    """Add a human; the password is asked for, or read from a pipe."""
    with told_in_words():
        registrar = _registrar(data)
        if sys.stdin.isatty():
            password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        else:
            password = sys.stdin.readline().rstrip("\n")
        area = registrar.add(username, name, role, area_id, password)
        typer.echo(f"{username} may log in as {role} of {area}")


@account_app.command("disable")
def disable(username: Username, data: DataOption = None) -> None:
    """Let somebody in no longer; their log-ins end within seconds."""
    with told_in_words():
        _registrar(data).disable(username)
        typer.echo(f"{username} is disabled")


@account_app.command("enable")
def enable(username: Username, data: DataOption = None) -> None:
    """Let somebody in again."""
    with told_in_words():
        _registrar(data).disable(username, disabled=False)
        typer.echo(f"{username} may log in")


@account_app.command("reset-password")
def reset_password(username: Username, data: DataOption = None) -> None:
    """Draw a password, shown this once; its holder must choose another. Their log-ins end."""
    with told_in_words():
        password = _registrar(data).reset_password(username)
        typer.echo(f"{username}   {password}   (shown only now)")


@account_app.command("list")
def list_accounts(
    area_id: Annotated[str | None, typer.Option("--area", help="Only of this area.")] = None,
    data: DataOption = None,
) -> None:
    """Everybody who may log in, with role and area."""
    with told_in_words():
        registrar, after = _registrar(data), ""
        while rows := registrar.listed(area_id, after):
            for row in rows:
                state = "disabled" if row["disabled"] else ""
                cells = (row["username"], row["role"], row["area_id"], row["name"], state)
                typer.echo("\t".join(cells).rstrip())
            after = rows[-1]["account_id"]


@import_app.command("register")
def import_register(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A CSV.")],
    *,
    commit: Annotated[
        bool, typer.Option("--commit/--preview", help="Do it, or only say what it would do.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Commit without the rows that are wrong.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Areas, homes, people, devices and responders (docs/how-to/register.md)."""
    with told_in_words():
        outcome = _registrar(data).bring_in(file, commit=commit, skip_bad=skip_bad)
        for line in _told(outcome):
            typer.echo(line)
    if outcome.error_count and not outcome.committed:
        raise typer.Exit(1)


def _told(outcome: "ImportOutcome") -> list[str]:
    lines = [
        f"row {e.row}, {outcome.headings.get(e.column, e.column) or 'cells'}: {e.value!r};"
        f" wanted: {e.allowed}"
        for e in outcome.errors
    ]
    if (more := outcome.error_count - len(outcome.errors)) > 0:
        lines.append(f"... and {more} more mistakes")
    for kind, counts in outcome.counts.items():
        told = ", ".join(f"{count} {action}" for action, count in counts.items())
        lines.append(f"{kind}: {told}")
    lines.append(f"{outcome.rows} rows, {outcome.bad_rows} of them wrong")
    lines.append("Committed." if outcome.committed else "Nothing was changed.")
    return lines
