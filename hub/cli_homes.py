"""`carebell homes`: registers invented homes in bulk, for simulation and for measuring."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer

from hub.cli_words import told_in_words
from hub.log import configure_logging
from hub.settings import Address, Settings, load_settings
from schemas.vocabulary import DeviceKind

homes_app = typer.Typer(help="Invented homes, for simulation.", no_args_is_help=True)

_MQTT_PORT = 1883

_DEFAULT_KINDS = [DeviceKind.WRISTBAND, DeviceKind.BUTTON, DeviceKind.CARE_BED]


@homes_app.callback()
def _homes() -> None:
    """Keep `add` a command of its own."""


@homes_app.command("add")
def homes_add(
    count: Annotated[int, typer.Argument(min=1, max=100_000)],
    *,
    fleet: Annotated[Path, typer.Option(help="Where the fleet file goes; it holds secrets.")],
    device: Annotated[
        list[DeviceKind], typer.Option("--device", help="What every home gets; repeatable.")
    ] = _DEFAULT_KINDS,
    prefix: Annotated[str, typer.Option(help="Of the homes' ids.")] = "sim",
    seed: Annotated[str, typer.Option(help="The same seed invents the same people.")] = "1",
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR")] = None,
) -> None:
    """Register COUNT invented homes with devices in a running hub and write a fleet file for
    `carebell simulate --fleet`, once the broker lets them in. Homes of the same prefix get new
    secrets."""
    import asyncio

    import psycopg

    from hub.embedded.database import database_url
    from hub.embedded.folder import write_private
    from hub.knock import let_in
    from hub.provision import provision_homes

    with told_in_words():
        configure_logging()
        settings = load_settings(data_dir=data)
        url = settings.database_url or database_url(settings.data_dir)
        number = int.from_bytes(seed.encode(), "big")
        try:
            made = provision_homes(url, settings, count, seed=number, prefix=prefix, kinds=device)
        except psycopg.OperationalError as error:
            typer.echo(
                f"carebell: the database does not answer: is the hub running? {error}", err=True
            )
            raise typer.Exit(1) from None
        host, port = _broker_address(settings)
        written = {"broker": {"host": host, "port": port}, "homes": made.homes}
        write_private(fleet, msgspec.json.encode(written))
        if not asyncio.run(let_in(host, port, made.homes[-1]["devices"][-1])):
            typer.echo("The broker does not let them in yet: is all of the hub running?", err=True)
        typer.echo(f"{count} homes with {count * len(device)} devices: {fleet}", err=True)


def _broker_address(settings: Settings) -> tuple[str, int]:
    """Where devices connect: the embedded broker as it listens now, or the one that is set."""
    from hub.embedded.broker import ports
    from hub.embedded.folder import HubFolder

    if settings.broker_url:
        url = urlsplit(settings.broker_url)
        return url.hostname or "127.0.0.1", url.port or _MQTT_PORT
    address = Address.parse(ports(HubFolder(settings.data_dir)).mqtt).reachable()
    return address.host, address.port
