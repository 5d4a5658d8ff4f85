"""`carebell replay`: why something was found, or was not."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.settings import load_settings

if TYPE_CHECKING:
    from hub.replay import Account, Told


def replay_person(
    *,
    person: Annotated[str, typer.Option(help="Whose observations, by the person's id.")],
    since: Annotated[
        str, typer.Option("--from", metavar="TIME", help="ISO 8601; without offset: UTC.")
    ],
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="Not included.")],
    as_lines: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Folder of the running hub.")
    ] = None,
) -> None:
    """Run stored observations through the detectors again and explain every finding: when, by
    which rule, with which values and limits, and whether it was found then."""
    import psycopg

    from hub.embedded.database import database_url
    from hub.replay import NobodyThere, as_json, replay

    start, end = _moment(since, "--from"), _moment(until, "--to")
    if start >= end:
        raise typer.BadParameter("later than --from is wanted", param_hint="--to")
    settings = load_settings(data_dir=data)
    url = settings.database_url or database_url(settings.data_dir)

    async def run() -> "Account":
        async with await psycopg.AsyncConnection.connect(url, connect_timeout=5) as connection:
            return await replay(connection, person, start, end)

    try:
        account = asyncio.run(run())
    except NobodyThere as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if as_lines:
        typer.echo(json.dumps(as_json(account), ensure_ascii=False))
        return
    for line in explained(account):
        typer.echo(line)


def explained(account: "Account") -> list[str]:
    """The account as somebody reads it."""
    lines = [
        (
            f"{account.person_id}: {account.observations} observations and {account.windows} "
            f"motion windows, from {account.since:%Y-%m-%d %H:%M} "
            f"to {account.until:%Y-%m-%d %H:%M}."
        ),
        (
            "Whereabouts and open incidents as they were; limits, fences, line and detectors as "
            "they are now."
        ),
        "",
    ]
    for told in account.told:
        lines += _explained(told)
    if not account.told:
        lines.append("Nothing is found.")
    if account.missing:
        lines += ["", "Recorded then, not found now:"]
    for row in account.missing:
        lines.append(f"  {row['at']:%Y-%m-%d %H:%M:%S}  {row['detector']}/{row['kind']} "
                     f"{row['phase']} {row['priority']}: {row['text']}")  # fmt: skip
    return lines


def _explained(told: "Told") -> list[str]:
    finding = told.finding
    then = "as then" if told.known is not None else "NOT recorded then"
    if told.known is not None:
        then += f" ({told.known['reason']})"
    head = (
        f"{finding.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}  {finding.detector}/{finding.kind} "
        f"{finding.phase.value} {finding.priority.value}: {finding.text}"
    )
    values = ", ".join(f"{name} {_short(value)}" for name, value in finding.evidence.items())
    return [head, f"    {told.bearing.value}; {then}", f"    {values}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; for example 2026-03-01T08:00",
                                 param_hint=option) from None  # fmt: skip
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
