"""`carebell tls`: certificates for a demo, a test, or a first try with a real device."""
# ruff: noqa: PLC0415 - `carebell --version` must not load a cryptography library

from pathlib import Path
from typing import Annotated

import typer

from hub.cli_words import told_in_words

tls_app = typer.Typer(help="Certificates of your own making.", no_args_is_help=True)

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")]


@tls_app.command("self-signed")
def self_signed(
    folder: FolderArgument,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", help="A name or address devices connect to; may be repeated."),
    ] = None,
) -> None:
    """An authority and a server certificate by it; devices must be given DIR/ca.pem."""
    from hub.clock import SystemClock
    from hub.embedded.certificates import draw
    from hub.errors import StartError

    with told_in_words():
        if (folder / "ca.pem").exists():
            raise StartError(f"{folder}/ca.pem is there already: devices may trust it. Choose "
                             "another folder, or delete it.")  # fmt: skip
        wanted = names or ["localhost", "127.0.0.1", "::1"]
        try:
            files = draw(folder, wanted, wanted[0], SystemClock().now())
        except ValueError as error:
            raise StartError(f"--name: {error}") from None
        except OSError as error:
            raise StartError(f"{folder}: {error.strerror}") from None
        typer.echo(f'mqtt_tls_certificate = "{files.certificate.absolute()}"')
        typer.echo(f'mqtt_tls_key = "{files.key.absolute()}"')
        typer.echo(f"# what devices trust: {files.authority.absolute()}")
        typer.echo(f"# valid for: {', '.join(wanted)}")


@tls_app.command("client")
def client(
    folder: FolderArgument,
    device_id: Annotated[str, typer.Argument(help="The device's id, its common name.")],
) -> None:
    """A client certificate for one device, by the authority that `self-signed` made."""
    from hub.clock import SystemClock
    from hub.embedded.certificates import OWN_NAMES, issue_client
    from hub.errors import StartError
    from schemas.ids import is_id

    with told_in_words():
        if not is_id(device_id):
            raise StartError(f"id = {device_id!r}; allowed: 1 to 64 of a-z, 0-9 and -")
        if device_id in OWN_NAMES:
            raise StartError(f"id = {device_id!r}: its files would take the place of "
                             f"{folder}/{device_id}.pem. Give the device another id.")  # fmt: skip
        if not (folder / "ca.key").is_file():
            raise StartError(f"{folder}/ca.key is missing: `carebell tls self-signed` makes it")
        try:
            files = issue_client(folder, device_id, SystemClock().now())
        except ValueError:
            raise StartError(f"{folder}/ca.pem and ca.key are no authority") from None
        except OSError as error:
            raise StartError(f"{folder}: {error.strerror}") from None
        typer.echo(f"certificate  {files.certificate.absolute()}")
        typer.echo(f"key          {files.key.absolute()}")
        typer.echo(
            f'# the broker trusts it with: mqtt_tls_client_ca = "{files.authority.absolute()}"'
        )
