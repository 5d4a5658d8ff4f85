"""`carebell policy`: who is called, in which order and after how long."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.settings import Settings, load_settings

if TYPE_CHECKING:
    from hub.policies import Draft
    from hub.store.policy_desk import PostgresPolicies
    from hub.store.reach import Reach

policy_app = typer.Typer(
    help="Ladders: who is called, in which order and after how long (docs/ladder.md).",
    no_args_is_help=True,
)

_ALL = 10_000
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
FileArgument = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="Policies, as TOML or JSON.")
]


@policy_app.command("list")
def list_policies(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    data: DataOption = None,
) -> None:
    """Every policy and what it is for; most specific first is what counts: a person's, then one
    of a kind, a category, a priority, then the nearest area's."""
    from hub.at_the_machine import on_database
    from hub.policies import shipped_rows

    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(settings, lambda reach: _store(reach, settings).page(None, "", _ALL))
        for row in rows:
            if as_json:
                typer.echo(json.dumps(row, default=str, ensure_ascii=False))
                continue
            named = ("kind", "category", "priority", "person_id")
            scope = ", ".join(f"{key} {row[key]}" for key in named if row[key]) or "everything"
            typer.echo(
                f"{row['id']}\t{row['area_id']}\t{scope}\t{len(row['ladder']['steps'])} steps"
            )
        if not as_json:
            typer.echo("shipped: " + ", ".join(row["id"] for row in shipped_rows()))


@policy_app.command("show")
def show(
    policy_id: Annotated[str, typer.Argument(help="Of a policy, or the name of a shipped ladder.")],
    data: DataOption = None,
) -> None:
    """One policy as JSON, ready to be changed and given to `set`."""
    from hub.at_the_machine import on_database
    from hub.policies import BadPolicy, shipped_rows

    with told_in_words():
        shipped = next((row for row in shipped_rows() if row["id"] == policy_id), None)
        settings = load_settings(data_dir=data)
        row = shipped or on_database(
            settings, lambda reach: _store(reach, settings).read(policy_id)
        )
        if row is None:
            raise BadPolicy(f"there is no policy {policy_id}; see `carebell policy list`")
        told = ("revision", "changed_at", "changed_by", "person_name", "target_names")
        kept = {key: value for key, value in row.items() if key not in told}
        typer.echo(json.dumps(kept, indent=2, ensure_ascii=False, default=str))


@policy_app.command("check")
def check(file: FileArgument, data: DataOption = None) -> None:
    """Say what stands against the policies of a file, and change nothing."""
    from hub.at_the_machine import on_database

    fatal = False
    with told_in_words():
        settings = load_settings(data_dir=data)
        now = SystemClock().now()
        for draft in _drafts(file):
            found = on_database(
                settings,
                lambda reach, draft=draft: _store(reach, settings).check(draft, now),  # type: ignore[misc]
            )
            for complaint in found:
                fatal = fatal or complaint.fatal
                typer.echo(
                    f"{draft.id}: {'wrong' if complaint.fatal else 'note'}: {complaint.text}"
                )
            if not found:
                typer.echo(f"{draft.id}: good")
    if fatal:
        raise typer.Exit(1)


@policy_app.command("set")
def set_policies(file: FileArgument, data: DataOption = None) -> None:
    """Save the policies of a file in turn; open incidents keep the ladder they have."""
    from hub.at_the_machine import on_database, operator

    with told_in_words():
        settings = load_settings(data_dir=data)
        now = SystemClock().now()
        for draft in _drafts(file):
            row = on_database(
                settings,
                lambda reach, draft=draft: _store(reach, settings).put(draft, operator(), now),  # type: ignore[misc]
            )
            typer.echo(f"{draft.id}: saved, revision {row['revision']}")


@policy_app.command("drop")
def drop(policy_id: str, data: DataOption = None) -> None:
    """Take a policy away: the next one holds for what opens from now on."""
    from hub.at_the_machine import on_database, operator
    from hub.policies import BadPolicy

    with told_in_words():
        settings = load_settings(data_dir=data)
        now = SystemClock().now()
        if not on_database(
            settings, lambda reach: _store(reach, settings).drop(policy_id, operator(), now)
        ):
            raise BadPolicy(f"there is no policy {policy_id}; see `carebell policy list`")
        typer.echo(f"{policy_id}: gone")


def _store(reach: "Reach", settings: Settings) -> "PostgresPolicies":
    from hub.configured import configured
    from hub.store.policy_desk import PostgresPolicies

    return PostgresPolicies(reach, configured(settings))


def _drafts(file: Path) -> "list[Draft]":
    """A policy alone, or several under `policy` (TOML: `[[policy]]`). Raises BadPolicy."""
    from hub.policies import BadPolicy, draft_of

    try:
        text = file.read_text(encoding="utf-8")
        read: Any = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise BadPolicy(f"{file.name}: {error}") from None
    written = read.get("policy", [read]) if isinstance(read, dict) else read
    if not isinstance(written, list) or not all(isinstance(each, dict) for each in written):
        raise BadPolicy(f"{file.name}: a policy is an object; several are a list of them")
    return [draft_of(each) for each in written]
