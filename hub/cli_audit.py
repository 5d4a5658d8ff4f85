"""`carebell audit`: whether the log is whole, and the head to keep elsewhere."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.errors import HubError
from hub.settings import Settings, load_settings

if TYPE_CHECKING:
    from hub.audit_chain import Head
    from hub.store.audit import Verdict

audit_app = typer.Typer(help="The audit log and its seal.", no_args_is_help=True)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one object.")]

NOT_WHOLE = 3
"""Exit code of `verify` where something was changed; 1 is: it could not be verified."""
_HEAD = re.compile(r"\d{1,18}:[0-9a-f]{64}")


class NotAHead(HubError):
    """A head is NUMBER:HASH, as `carebell audit head` prints it."""


@audit_app.command()
def verify(
    *,
    data: DataOption = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="NUMBER:HASH", help="A head that was kept elsewhere."),
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option("--heads", metavar="FILE", help="A file with such heads, anywhere in it."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every entry with its seal and every block with the one before it.

    Names each entry that was changed, removed, inserted or moved. That the whole log was made anew,
    or that its end was cut off, shows only against a head that was kept elsewhere. Exit code 0:
    whole; 3: not; 1: it could not be read.
    """
    from hub.store.audit import verify as verify_log

    with told_in_words():
        anchors = list(_anchors(head or [], heads))
        with _connected(load_settings(data_dir=data)) as connection:
            verdict = verify_log(connection, anchors)
    now = SystemClock().now()
    waits_s = None
    if verdict.waiting_since is not None:
        waits_s = round((now - verdict.waiting_since).total_seconds(), 1)
    if as_json:
        typer.echo(json.dumps(_as_object(verdict, waits_s), ensure_ascii=False))
    else:
        _tell(verdict, waits_s, len(anchors))
    if not verdict.whole:
        raise typer.Exit(NOT_WHOLE)


@audit_app.command("head")
def show_head(*, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Print the newest head: keep it on another machine, or on paper."""
    from hub.at_the_machine import on_database
    from hub.store.audit import seal_state
    from hub.store.reach import Cursor

    now = SystemClock().now()

    async def read(cursor: Cursor) -> dict[str, Any]:
        return await seal_state(cursor, now)

    with told_in_words():
        state = on_database(load_settings(data_dir=data), lambda reach: reach.run(read))
    if as_json:
        typer.echo(json.dumps(state, default=str))
    elif state["head"] is None:
        typer.echo("Nothing is sealed yet.", err=True)
    else:
        typer.echo(state["head"])


def _connected(settings: Settings) -> Any:
    import psycopg

    from hub.at_the_machine import CONNECT_WITHIN_S, NotReachable
    from hub.embedded.database import database_url

    url = settings.database_url or database_url(settings.data_dir)
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=int(CONNECT_WITHIN_S))
    except psycopg.OperationalError:
        raise NotReachable from None


def _anchors(given: list[str], file: Path | None) -> "Iterator[Head]":
    from hub.audit_chain import Head

    for text in given:
        try:
            yield Head.parse(text)
        except ValueError:
            raise NotAHead(text) from None
    if file is not None:
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    yield from (Head.parse(text) for text in _heads_in(line))
        except OSError as error:
            raise NotAHead(f"{file}: {error.strerror}") from None


def _heads_in(line: str) -> Iterator[str]:
    """As `audit head` prints them, or as the worker's own log has them."""
    yield from _HEAD.findall(line)
    if '"audit_head"' in line:
        try:
            said = json.loads(line[line.index("{") :])
            yield f"{said['count']}:{said['head']}"
        except (ValueError, LookupError):
            return


def _tell(verdict: "Verdict", waits_s: float | None, anchors: int) -> None:
    typer.echo(f"{verdict.entries} entries in {verdict.blocks} blocks; head {verdict.head or '-'}")
    if verdict.cut is not None:
        typer.echo(f"Retention removed the blocks up to {verdict.cut.number}.")
    since = "" if waits_s is None else f", the oldest for {waits_s} s"
    typer.echo(f"{verdict.waiting} entries are not sealed yet{since}.")
    for note in verdict.notes:
        typer.echo(f"note: {note}")
    for problem in verdict.problems:
        typer.echo(str(problem))
    if verdict.count > len(verdict.problems):
        typer.echo(f"... and {verdict.count - len(verdict.problems)} more.")
    if not verdict.whole:
        typer.echo(f"NOT WHOLE: {verdict.count} problems.")
    elif anchors:
        typer.echo(f"Whole, and as {anchors} heads kept elsewhere say.")
    else:
        typer.echo("Whole in itself. Compare it with a head kept elsewhere: --head NUMBER:HASH")


def _as_object(verdict: "Verdict", waits_s: float | None) -> dict[str, Any]:
    return {
        "whole": verdict.whole,
        "entries": verdict.entries,
        "blocks": verdict.blocks,
        "head": str(verdict.head) if verdict.head else None,
        "cut_upto": verdict.cut.number if verdict.cut else None,
        "unsealed": verdict.waiting,
        "unsealed_s": waits_s,
        "problems": [
            {"fault": p.fault.value, "entry_id": p.entry_id, "block": p.block, "detail": p.detail}
            for p in verdict.problems
        ],
        "problem_count": verdict.count,
        "notes": verdict.notes,
    }
