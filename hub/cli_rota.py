"""`carebell rota`: who is on duty, when nobody is, and changes once or every week."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from alerts.rota import DutyRole
from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.quarantine import NothingToDo
from hub.rota import WEEKDAYS, BadRota, PlannedChange, PlannedWeekly, hours, weekdays
from hub.settings import load_settings

rota_app = typer.Typer(
    help="Who is on duty: every week, once, and the holes before they come true.",
    no_args_is_help=True,
)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
DutyOption = Annotated[DutyRole, typer.Option("--duty", help="As what.")]
AreaArgument = Annotated[str, typer.Argument(metavar="AREA", help="With everything below it.")]
_WHEN = "YYYY-MM-DDTHH:MM in the hub's zone."


@rota_app.command("show")
def show(
    *,
    days: Annotated[int, typer.Option(min=1, max=92, help="From now.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="One object a line.")] = False,
    data: DataOption = None,
) -> None:
    """Show the rows with their numbers, then the shifts that come of them."""
    from hub.at_the_machine import on_database
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        until = now + timedelta(days=days)
        found = on_database(settings, lambda reach: PostgresRota(reach).show(None, now, until))
    zone = ZoneInfo(settings.time_zone)
    if as_json:
        for noun in ("weekly", "changes", "shifts"):
            for row in found[noun]:
                typer.echo(json.dumps({"what": noun} | row, default=str, ensure_ascii=False))
        return
    for row in found["weekly"]:
        until_day = f" until {row['valid_until']}" if row["valid_until"] else ""
        typer.echo(f"weekly {row['weekly_id']}  {row['area_id']}  {row['duty']}  "
                   f"{WEEKDAYS[row['weekday']]} {_clock(row['from_min'])}-"
                   f"{_clock(row['until_min'])} {row['time_zone']}  {row['account_id']}"
                   f"{until_day}")  # fmt: skip
    for row in found["changes"]:
        who = row["account_id"] or "nobody"
        instead = f" instead of {row['instead_of']}" if row["instead_of"] else ""
        typer.echo(f"change {row['change_id']}  {row['area_id']}  {row['duty']}  "
                   f"{_span(row['from_at'], row['until_at'], zone)}  {who}{instead}  "
                   f"{row['why']}")  # fmt: skip
    for row in found["shifts"]:
        typer.echo(f"{_span(row['from_at'], row['until_at'], zone)}  {row['area_id']}  "
                   f"{row['duty']}  {row['account_name']}")  # fmt: skip
    if not any(found.values()):
        typer.echo("There is no rota.")


@rota_app.command("set")
def plan(
    area_id: AreaArgument,
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Who.")],
    days: Annotated[str, typer.Argument(metavar="DAYS", help="mon-fri, sat,sun or daily.")],
    span: Annotated[str, typer.Argument(metavar="HOURS", help="08:00-16:00, 22:00-06:00.")],
    *,
    duty: DutyOption = DutyRole.DISPATCHER,
    first: Annotated[str | None, typer.Option("--from", help="YYYY-MM-DD; else today.")] = None,
    last: Annotated[str | None, typer.Option("--until", help="YYYY-MM-DD, the last day.")] = None,
    data: DataOption = None,
) -> None:
    """Somebody is on duty every week again, in local time."""
    from hub.at_the_machine import on_database, operator
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        today = now.astimezone(ZoneInfo(settings.time_zone)).date()
        begin, end = hours(span)
        planned = PlannedWeekly(
            area_id, duty, account_id, weekdays(days), begin, end, settings.time_zone,
            _day(first) or today, _day(last),
        ).checked(today)  # fmt: skip
        numbers = on_database(
            settings, lambda reach: PostgresRota(reach).plan(planned, operator(), now)
        )
    typer.echo(f"Weekly {', '.join(map(str, numbers))}: {account_id}, {days} {span}.")


@rota_app.command("end")
def end(
    number: Annotated[int, typer.Argument(help="A weekly row of `carebell rota show`.")],
    *,
    last: Annotated[str | None, typer.Option("--until", help="YYYY-MM-DD; else yesterday.")] = None,
    data: DataOption = None,
) -> None:
    """A weekly shift is not repeated any more after that day."""
    from hub.at_the_machine import on_database, operator
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        today = now.astimezone(ZoneInfo(settings.time_zone)).date()
        last_day = _day(last) or today - timedelta(days=1)
        if not on_database(
            settings, lambda reach: PostgresRota(reach).end(number, last_day, operator(), now)
        ):
            raise NothingToDo(f"there is no weekly shift {number}")
    typer.echo(f"Weekly {number} ends.")


@rota_app.command("swap")
def swap(
    area_id: AreaArgument,
    begin: Annotated[str, typer.Argument(metavar="FROM", help=_WHEN)],
    until: Annotated[str, typer.Argument(metavar="UNTIL", help=_WHEN)],
    *,
    who: Annotated[str | None, typer.Option("--who", help="Who comes.")] = None,
    instead_of: Annotated[
        str | None, typer.Option("--instead-of", help="Whose shift it is.")
    ] = None,
    duty: DutyOption = DutyRole.DISPATCHER,
    why: Annotated[str, typer.Option(help="Shown with the change.")] = "",
    data: DataOption = None,
) -> None:
    """Once: --who alone comes in addition; with --instead-of they swap; --instead-of alone is
    away."""
    from hub.at_the_machine import on_database, operator
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        zone = ZoneInfo(settings.time_zone)
        planned = PlannedChange(
            area_id, duty, who, instead_of, _moment(begin, zone), _moment(until, zone), why
        ).checked(now)
        number = on_database(
            settings, lambda reach: PostgresRota(reach).change(planned, operator(), now)
        )
    typer.echo(f"Change {number}. `carebell rota gaps` shows what is left open.")


@rota_app.command("drop")
def drop(
    number: Annotated[int, typer.Argument(help="A change of `carebell rota show`.")],
    data: DataOption = None,
) -> None:
    """Take a change back."""
    from hub.at_the_machine import on_database, operator
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        if not on_database(
            settings, lambda reach: PostgresRota(reach).drop(number, operator(), now)
        ):
            raise NothingToDo(f"there is no change {number}")
    typer.echo(f"Change {number} is taken back.")


@rota_app.command("gaps")
def gaps(
    *,
    days: Annotated[int, typer.Option(min=1, max=92, help="From now.")] = 7,
    data: DataOption = None,
) -> None:
    """When nobody will be on duty; ends with 1 if there is such a time."""
    from hub.at_the_machine import on_database
    from hub.store.rota import PostgresRota

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        until = now + timedelta(days=days)
        found = on_database(settings, lambda reach: PostgresRota(reach).gaps(None, now, until))
    zone = ZoneInfo(settings.time_zone)
    for hole in found:
        typer.echo(f"{_span(hole.from_at, hole.until_at, zone)}  {hole.area_id}  {hole.duty}")
    if found:
        raise typer.Exit(1)
    typer.echo("None.")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _span(from_at: datetime, until_at: datetime, zone: ZoneInfo) -> str:
    return f"{from_at.astimezone(zone):%Y-%m-%d %H:%M} to {until_at.astimezone(zone):%m-%d %H:%M}"


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadRota(f"{text}: for example 2026-03-02") from None


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise BadRota(f"{text}: for example 2026-03-02T08:00") from None
