"""The command `carebell`. Each command imports what it runs only when it runs it."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from hub import __version__
from hub.cli_account import account_app, import_app
from hub.cli_area import area_app
from hub.cli_assurance import assurance_app
from hub.cli_audit import audit_app
from hub.cli_backup import backup, restore
from hub.cli_broker import broker_app
from hub.cli_config import config_app
from hub.cli_device import device_app
from hub.cli_doctor import doctor
from hub.cli_evaluate import evaluate_app, train_app
from hub.cli_homes import homes_app
from hub.cli_learn import learn
from hub.cli_maintenance import maintenance_app
from hub.cli_policy import policy_app
from hub.cli_quarantine import dead_letters_app, quarantine_app
from hub.cli_reach import reach_app
from hub.cli_record import figures, incident_app, rounds, visits_app
from hub.cli_replay import replay_person
from hub.cli_rota import rota_app
from hub.cli_tls import tls_app
from hub.cli_words import told_in_words as _told_in_words
from hub.log import configure_logging
from hub.settings import Settings, load_settings, require_files

app = typer.Typer(
    name="carebell",
    help="Carebell: from a pressed button to a human who has taken responsibility.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(device_app, name="device")
app.add_typer(broker_app, name="broker")
app.add_typer(tls_app, name="tls")
app.add_typer(account_app, name="account")
app.add_typer(area_app, name="area")
app.add_typer(import_app, name="import")
app.add_typer(audit_app, name="audit")
app.add_typer(incident_app, name="incident")
app.add_typer(visits_app, name="visits")
app.command()(figures)
app.command()(rounds)
app.add_typer(policy_app, name="policy")
app.add_typer(config_app, name="config")
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(maintenance_app, name="maintenance")
app.add_typer(rota_app, name="rota")
app.add_typer(assurance_app, name="assurance")
app.add_typer(reach_app, name="reach")
app.command()(learn)
app.command("replay")(replay_person)
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(homes_app, name="homes")
app.add_typer(train_app, name="train")

HttpOption = Annotated[
    str | None, typer.Option("--http", metavar="HOST:PORT", help="Where page and API listen.")
]
MqttOption = Annotated[
    str | None, typer.Option("--mqtt", metavar="HOST:PORT", help="Where devices connect.")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The folder that holds everything.")
]


def _start(http: str | None = None, mqtt: str | None = None, data: Path | None = None) -> Settings:
    configure_logging()
    return load_settings(http_listen=http, mqtt_listen=mqtt, data_dir=data)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"carebell {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="And exit.")
    ] = False,
) -> None:
    del version


@app.command()
def up(http: HttpOption = None, mqtt: MqttOption = None, data: DataOption = None) -> None:
    """Start everything on this machine as one process tree; Ctrl-C ends it."""
    from hub.embedded.supervisor import Supervisor
    from hub.prepare import bring_up_to_date
    from hub.qr import device_broker_url, page_url

    with _told_in_words():
        settings = _start(http, mqtt, data)
        require_files(settings)

        async def run() -> None:
            supervisor = Supervisor(settings, prepare_database=bring_up_to_date)
            supervisor.stop_on_signals()
            await supervisor.start()
            if not supervisor.stopping:
                typer.echo(f"Page: {page_url(settings)}/")
                typer.echo(f"Devices: {device_broker_url(settings)}")
                typer.echo(f"First log-in: admin, password in {supervisor.folder.secrets}")
            await supervisor.run_until_stopped()

        asyncio.run(run())


@app.command()
def demo(
    http: HttpOption = None,
    mqtt: MqttOption = None,
    data: DataOption = None,
    homes: Annotated[int, typer.Option(min=1, max=100_000, help="Simulated homes.")] = 200,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Start everything with a simulated neighbourhood in which somebody presses a button."""
    from hub.demo import run_demo

    with _told_in_words():
        run_demo(_start(http, mqtt, data or Path("carebell-demo")), homes, not no_browser)


@app.command()
def ingest(
    areas: Annotated[
        str | None, typer.Option(metavar="A,B", help="Only these areas and all below them.")
    ] = None,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Only make the sessions at the broker, and end.")
    ] = False,
) -> None:
    """Read messages, detect, raise alarms (one of `up`'s children)."""
    from hub.app_ingest import prepare_ingest, run_ingest

    with _told_in_words():
        settings = _start()
        if areas is not None:
            settings = settings.model_copy(update={"ingest_areas": areas})
        if prepare:
            prepare_ingest(settings)
        else:
            run_ingest(settings)


@app.command()
def worker() -> None:
    """Escalate what is due and send notifications (one of `up`'s children)."""
    from hub.app_worker import run_worker

    with _told_in_words():
        run_worker(_start())


@app.command()
def api() -> None:
    """Serve the page and the API (one of `up`'s children)."""
    from hub.app_api import run_api

    with _told_in_words():
        run_api(_start())


@app.command()
def callout() -> None:
    """Tell the embedded broker which device may come in (one of `up`'s children)."""
    from hub.embedded.callout import run_callout

    with _told_in_words():
        asyncio.run(run_callout(_start()))


@app.command()
def migrate(data: DataOption = None) -> None:
    """Bring a running database to this release's schema; `up` does so by itself."""
    from hub.embedded.database import database_url
    from hub.store.engine import arrange
    from hub.store.migrate import migrate as apply_migrations

    with _told_in_words():
        settings = _start(data=data)
        url = settings.database_url or database_url(settings.data_dir)
        applied = apply_migrations(url)
        arrange(url, settings)
        typer.echo("\n".join(applied) or "The schema is up to date.")
