"""`carebell quarantine` and `carebell dead-letters`: what waits for an operator."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hub.cli_words import printable, told_in_words
from hub.clock import SystemClock
from hub.quarantine import GIVEN_UP, NothingToDo, NotSent, Question, Row, explained
from hub.settings import Settings, load_settings

if TYPE_CHECKING:
    from hub.store.reach import Reach

quarantine_app = typer.Typer(help="Messages that could not be read.", no_args_is_help=True)
dead_letters_app = typer.Typer(help="Notifications that were given up.", no_args_is_help=True)

_BEYOND = 2**63 - 1

Refused = dict[int, str]
"""Why, by number."""

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: one object a line.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")]
BeforeOption = Annotated[int, typer.Option("--before", help="Only numbers below this one.")]
Numbers = Annotated[list[int], typer.Argument(metavar="NUMBER...", help="As `list` shows them.")]


@quarantine_app.command("list")
def list_quarantined(
    *,
    data: DataOption = None,
    lane: Annotated[Literal["alarm", "telemetry"] | None, typer.Option(help="Only of one.")] = None,
    device_id: Annotated[str | None, typer.Option("--device", help="Of one device.")] = None,
    state: Annotated[
        Literal["waiting", "retried", "discarded"], typer.Option(help="What became of them.")
    ] = "waiting",
    limit: LimitOption = 50,
    before: BeforeOption = _BEYOND,
    as_json: JsonOption = False,
) -> None:
    """Show what waits, newest first, with the reason and what to do."""
    from hub.at_the_machine import on_database
    from hub.store.quarantine import PostgresQuarantine

    question = Question(None, before, limit, state, lane, device_id)
    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(settings, lambda reach: PostgresQuarantine(reach).page(question))
    for row in rows:
        words = explained(row["reason"], settings.language)
        if as_json:
            typer.echo(_json(row | {"what": words.what, "to_do": words.to_do}))
        else:
            from_whom, why = printable(row["device_id"] or "-"), printable(row["reason"])
            typer.echo(f"{row['id']}  {row['received_at']:%Y-%m-%d %H:%M:%S}  {row['lane']}  "
                       f"{from_whom}  {why}")  # fmt: skip
            typer.echo(f"    {words.what} {words.to_do}")
    if not rows and not as_json:
        typer.echo("Nothing waits.")


@quarantine_app.command("show")
def show_quarantined(number: int, data: DataOption = None) -> None:
    """Show one message with its payload; the look is logged."""
    from hub.at_the_machine import on_database, operator
    from hub.store.quarantine import PostgresQuarantine

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        row = on_database(
            settings, lambda reach: PostgresQuarantine(reach).one(number, operator(), now)
        )
        if row is None:
            raise NothingToDo(f"there is no message {number}")
    words = explained(row["reason"], settings.language)
    for key, value in (row | {"what": words.what, "to_do": words.to_do}).items():
        typer.echo(f"{key:16} {printable(value)}")


@quarantine_app.command("retry")
def retry_quarantined(numbers: Numbers, data: DataOption = None) -> None:
    """Hand messages to their lanes again; what cannot be read this time either waits again."""

    async def work(reach: "Reach", settings: Settings) -> Refused:
        from hub.at_the_machine import operator, sender
        from hub.store.quarantine import PostgresQuarantine

        store, now = PostgresQuarantine(reach), SystemClock().now
        async with sender(settings) as send:
            return await _refused(numbers, lambda n: store.retry(n, operator(), now(), send))

    _each("retried", numbers, data, work)


@quarantine_app.command("discard")
def discard_quarantined(numbers: Numbers, data: DataOption = None) -> None:
    """Nothing is to be done with these messages."""
    _settle("discard", numbers, data)


@dead_letters_app.command("list")
def list_dead_letters(
    data: DataOption = None,
    limit: LimitOption = 50,
    before: BeforeOption = _BEYOND,
    state: Annotated[
        Literal["failed", "poisoned", "unconfirmed", "nobody"] | None,
        typer.Option(help="Only these; `nobody`: whoever it was for had no way to be told."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show notifications that nobody took, or that may not have arrived, newest first."""
    from hub.at_the_machine import on_database
    from hub.store.quarantine import PostgresQuarantine

    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(
            settings,
            lambda reach: PostgresQuarantine(reach).dead_letters(
                None, before, limit, GIVEN_UP if state is None else (state,)
            ),
        )
    for row in rows:
        if as_json:
            typer.echo(_json(row))
        else:
            typer.echo(f"{row['id']}  {row['settled_at']:%Y-%m-%d %H:%M:%S}  {row['channel']}  "
                       f"{row['kind']}  incident {row['incident_id']} ({row['incident_state']})  "
                       f"{row['state']}, {row['attempts']} attempts: "
                       f"{printable(row['detail'])}")  # fmt: skip
    if not rows and not as_json:
        typer.echo("Nothing waits.")


@dead_letters_app.command("retry")
def retry_dead_letters(numbers: Numbers, data: DataOption = None) -> None:
    """Send these again, from the first attempt."""
    _settle("send_again", numbers, data)


@dead_letters_app.command("discard")
def discard_dead_letters(numbers: Numbers, data: DataOption = None) -> None:
    """These are not to be sent."""
    _settle("give_up", numbers, data)


Deed = Literal["discard", "send_again", "give_up"]
_DONE = {"discard": "discarded", "send_again": "sent again", "give_up": "discarded"}


def _settle(deed: Deed, numbers: Sequence[int], data: Path | None) -> None:
    async def work(reach: "Reach", settings: Settings) -> Refused:
        from hub.at_the_machine import operator
        from hub.store.quarantine import PostgresQuarantine

        del settings
        store, now = PostgresQuarantine(reach), SystemClock().now
        do = {
            "discard": store.discard,
            "send_again": store.send_again,
            "give_up": store.give_up,
        }[deed]
        return await _refused(numbers, lambda n: do(n, operator(), now()))

    _each(_DONE[deed], numbers, data, work)


async def _refused(numbers: Sequence[int], do: Callable[[int], Awaitable[bool]]) -> Refused:
    """Do it to each, whatever becomes of the others; why it was not done to some."""
    refused: Refused = {}
    for number in numbers:
        try:
            if not await do(number):
                refused[number] = "there is no such number"
        except (NothingToDo, NotSent) as error:
            refused[number] = str(error).rpartition("\n  ")[2]
    return refused


def _each(
    done: str,
    numbers: Sequence[int],
    data: Path | None,
    work: Callable[["Reach", Settings], Awaitable[Refused]],
) -> None:
    """Do it to all of them; `work` returns those it was not done to."""
    from hub.at_the_machine import on_database

    with told_in_words():
        settings = load_settings(data_dir=data)
        refused = on_database(settings, lambda reach: work(reach, settings))
        typer.echo(f"{len(numbers) - len(refused)} {done}.")
        if refused:
            raise NothingToDo(*(f"{number}: {why}" for number, why in refused.items()))


def _json(row: Row) -> str:
    return json.dumps(row, default=str, ensure_ascii=False)
