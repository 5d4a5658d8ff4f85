"""`carebell maintenance`: planned work, during which technical alarms of an area wait."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from alerts.maintenance import LONGEST
from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.maintenance import BadPlan, Planned
from hub.quarantine import NothingToDo
from hub.settings import load_settings

maintenance_app = typer.Typer(
    help="Planned work: technical alarms of an area wait until it is done.", no_args_is_help=True
)

_BEYOND = 2**63 - 1
LONGEST_MIN = LONGEST // timedelta(minutes=1)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]


@maintenance_app.command("plan")
def plan(
    area_id: Annotated[str, typer.Argument(metavar="AREA", help="With everything below it.")],
    *,
    why: Annotated[str, typer.Option(help="The desk shows it.")],
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=LONGEST_MIN, help="How long.")],
    begin: Annotated[
        str | None, typer.Option("--from", help="YYYY-MM-DDTHH:MM in the hub's zone; else now.")
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", help="Only these alarms, e.g. device_silent.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Technical alarms do not ring meanwhile; what is still true afterwards does.

    What a person, a body or a home says always rings.
    """
    from hub.at_the_machine import on_database, operator
    from hub.store.maintenance import PostgresMaintenance

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        from_at = now if begin is None else moment(begin, ZoneInfo(settings.time_zone))
        until_at = from_at + timedelta(minutes=minutes)
        planned = Planned(area_id, why, from_at, until_at, tuple(kinds or ())).checked(now)
        number = on_database(
            settings, lambda reach: PostgresMaintenance(reach).plan(planned, operator(), now)
        )
        zone = ZoneInfo(settings.time_zone)
        typer.echo(f"Maintenance {number} of {area_id}: {from_at.astimezone(zone):%Y-%m-%d %H:%M} "
                   f"to {until_at.astimezone(zone):%Y-%m-%d %H:%M}.")  # fmt: skip


@maintenance_app.command("list")
def list_planned(
    *,
    past: Annotated[bool, typer.Option("--past", help="Also what is over.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    data: DataOption = None,
) -> None:
    """Show planned and open maintenance, newest first, with what it mutes just now."""
    from hub.at_the_machine import on_database
    from hub.store.maintenance import PostgresMaintenance

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(
            settings,
            lambda reach: PostgresMaintenance(reach).list(
                None, _BEYOND, limit, None if past else now
            ),
        )
    zone = ZoneInfo(settings.time_zone)
    for row in rows:
        if as_json:
            typer.echo(json.dumps(row, default=str, ensure_ascii=False))
            continue
        until_at = row["ended_at"] or row["until_at"]
        typer.echo(f"{row['id']}  {row['area_id']}  {row['from_at'].astimezone(zone):%m-%d %H:%M} "
                   f"to {until_at.astimezone(zone):%m-%d %H:%M}  {row['muted']} muted  "
                   f"{row['why']}")  # fmt: skip
    if not rows and not as_json:
        typer.echo("None.")


@maintenance_app.command("end")
def end(number: int, data: DataOption = None) -> None:
    """The work is done: what is still true raises now."""
    from hub.at_the_machine import on_database, operator
    from hub.store.maintenance import PostgresMaintenance

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        if not on_database(
            settings, lambda reach: PostgresMaintenance(reach).end(number, operator(), now)
        ):
            raise NothingToDo(f"there is no maintenance {number} that is not over")
        typer.echo(f"Maintenance {number} is over.")


def moment(text: str, zone: ZoneInfo) -> datetime:
    """In the zone of the hub, unless it says which it is in."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
    except (ValueError, OverflowError):
        raise BadPlan(f"--from {text}: for example 2026-03-02T08:00") from None
