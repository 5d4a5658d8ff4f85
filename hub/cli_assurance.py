"""`carebell assurance`: what is wrong before anybody presses, and test messages."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from alerts.assurance import Concern, sentence
from alerts.policy import ChannelName
from alerts.rendering import ENGLISH
from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.proof import USUAL_PER_MINUTE, CannotAsk, channels_of
from hub.settings import load_settings

assurance_app = typer.Typer(
    help="What is wrong before anybody presses; test messages to contacts.", no_args_is_help=True
)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
LISTED = 1000


@assurance_app.command("list")
def list_conditions(data: DataOption = None) -> None:
    """Show what holds just now; ends with 1 if something of it rings."""
    from hub.at_the_machine import on_database
    from hub.store.assurance import PostgresConditions

    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(
            settings, lambda reach: PostgresConditions(reach).conditions(None, LISTED)
        )
    zone, chinese = ZoneInfo(settings.time_zone), settings.language != ENGLISH
    for row in rows:
        state = "rings" if row["raised_at"] else "waits"
        said = sentence(Concern(row["concern"]), row["evidence"], chinese=chinese)
        typer.echo(f"{state}  since {row['since'].astimezone(zone):%m-%d %H:%M}  {said}")
    if any(row["raised_at"] for row in rows):
        raise typer.Exit(1)
    if not rows:
        typer.echo("Nothing is wrong.")


@assurance_app.command("presses")
def list_presses(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    data: DataOption = None,
) -> None:
    """Show the hub's own presses, newest first, and how far each came."""
    from hub.at_the_machine import on_database
    from hub.store.assurance import PostgresConditions

    with told_in_words():
        settings = load_settings(data_dir=data)
        rows = on_database(settings, lambda reach: PostgresConditions(reach).presses(limit))
    zone = ZoneInfo(settings.time_zone)
    for row in rows:
        parts = (("receipt", "receipt_s"), ("row", "recorded_s"), ("feed", "shown_s"))
        told = "  ".join(f"{name} {_seconds(row[key])}" for name, key in parts)
        typer.echo(f"{row['sent_at'].astimezone(zone):%m-%d %H:%M:%S}  {told}")
    if not rows:
        typer.echo("None: is synthetic_press_every_s 0?")


@assurance_app.command("overdue")
def overdue(data: DataOption = None) -> None:
    """Show contacts and responders whose ways were not proven in time."""
    from hub.at_the_machine import on_database
    from hub.store.proofs import PostgresProofs

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        days = settings.verify_contacts_every_days or 36_500
        since = now - timedelta(days=days)
        rows = on_database(
            settings, lambda reach: PostgresProofs(reach).overdue(None, since, "", LISTED)
        )
    for row in rows:
        last = row["failure"] or ("never asked" if row["asked_at"] is None else "not answered")
        typer.echo(f"{row['recipient']}  {row['area_id']}  {last}")
    if not rows:
        typer.echo("None.")


@assurance_app.command("ask")
def ask(
    recipient: Annotated[str, typer.Argument(help="contact:ID, responder:ID or account:ID.")],
    channel: Annotated[str, typer.Argument(help="sms, voice, email or push.")],
    data: DataOption = None,
) -> None:
    """Send one test message."""
    from hub.at_the_machine import on_database, operator
    from hub.desk import NotThere
    from hub.store.proofs import PostgresProofs

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        (way,) = channels_of([channel])
        try:
            number = on_database(
                settings, lambda reach: PostgresProofs(reach).ask(recipient, way, operator(), now)
            )
        except NotThere:
            raise CannotAsk(f"there is no {recipient}") from None
    typer.echo(f"Notification {number}.")


@assurance_app.command("campaign")
def campaign(
    area_id: Annotated[str, typer.Argument(metavar="AREA", help="With everything below it.")],
    *,
    channels: Annotated[list[str], typer.Option("--channel", help="sms, voice, email.")],
    per_minute: Annotated[int, typer.Option(min=1, max=600)] = USUAL_PER_MINUTE,
    data: DataOption = None,
) -> None:
    """Send test messages to everybody who is not proven, so many a minute."""
    from hub.at_the_machine import on_database, operator
    from hub.store.proofs import PostgresProofs

    now = SystemClock().now()
    with told_in_words():
        settings = load_settings(data_dir=data)
        ways: tuple[ChannelName, ...] = channels_of(channels)
        number = on_database(
            settings,
            lambda reach: PostgresProofs(reach).start(area_id, ways, per_minute, operator(), now),
        )
    typer.echo(f"Campaign {number}.")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s"
