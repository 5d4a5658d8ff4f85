"""`carebell device`: devices from the cradle to the drawer."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli_words import told_in_words
from hub.settings import load_settings

if TYPE_CHECKING:
    from hub.installer import Installer
    from hub.qr import DeviceSetup

device_app = typer.Typer(help="Devices that may connect.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(help="The device's id.")]
DataOption = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="The folder that holds everything.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(help="As the maker calls it; false alarms are counted by it."),
]
NumberOption = Annotated[
    str | None,
    typer.Option("--voice-number", help="Its SIM or SIP number, to talk to the home through it."),
]
QrOption = Annotated[
    Path | None,
    typer.Option("--qr", metavar="FILE", help="Write the code as FILE.svg or FILE.png (a secret)."),
]


@device_app.command("add")
def add(
    device_id: Annotated[str, typer.Argument(help="Lower case letters, digits and hyphens.")],
    *,
    kind: Annotated[str, typer.Option(help="button, wristband, care-bed ...")],
    premises_id: Annotated[str, typer.Option("--premises", help="The home it stands in.")],
    person_id: Annotated[str | None, typer.Option("--person", help="Who wears it.")] = None,
    label: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    model: ModelOption = None,
    voice_number: NumberOption = None,
    qr: QrOption = None,
    data: DataOption = None,
) -> None:
    """Register a device and print its MQTT credential, once."""
    with told_in_words():
        setup = _installer(data).add(
            device_id, kind, premises_id, person_id, label, model, voice_number
        )
        _show(setup, qr)


@device_app.command("describe")
def describe(
    device_id: IdArgument,
    *,
    label: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    model: ModelOption = None,
    voice_number: NumberOption = None,
    data: DataOption = None,
) -> None:
    """Change label, model or number of a device; an empty text takes one away."""
    given = {"label": label, "model": model, "voice_number": voice_number}
    changes = {name: text for name, text in given.items() if text is not None}
    if not changes:
        raise typer.BadParameter("one of --label, --model, --voice-number")
    with told_in_words():
        row = _installer(data).describe(device_id, changes)
        typer.echo("\t".join((row["device_id"], row["kind"], row["model"] or "-",
                              row["voice_number"] or "-", row["label"])))  # fmt: skip


@device_app.command("rotate")
def rotate(device_id: IdArgument, qr: QrOption = None, data: DataOption = None) -> None:
    """Draw a new secret; the old one ends at once, and with it the connection."""
    with told_in_words():
        _show(_installer(data).rotate(device_id), qr)


@device_app.command("revoke")
def revoke(device_id: IdArgument, data: DataOption = None) -> None:
    """Never let it in again; its connection drops within seconds."""
    with told_in_words():
        _installer(data).revoke(device_id)
        typer.echo(f"{device_id} is revoked")


@device_app.command("move")
def move(
    device_id: IdArgument,
    premises_id: Annotated[str, typer.Option("--premises", help="The home it stands in now.")],
    person_id: Annotated[
        str | None, typer.Option("--person", help="Who wears it now; nobody without.")
    ] = None,
    data: DataOption = None,
) -> None:
    """To another home or person; it rings for them at once, also under its old topics."""
    with told_in_words():
        typer.echo(f"prefix     {_installer(data).move(device_id, premises_id, person_id)}")


@device_app.command("swap")
def swap(
    device_id: Annotated[str, typer.Argument(help="The broken one; it is revoked.")],
    new_id: Annotated[str, typer.Argument(help="The one in its place.")],
    kind: Annotated[str | None, typer.Option(help="If it is of another kind.")] = None,
    model: ModelOption = None,
    voice_number: NumberOption = None,
    qr: QrOption = None,
    data: DataOption = None,
) -> None:
    """Put a new device in the place of a broken one: home, person, label and model are kept."""
    with told_in_words():
        _show(_installer(data).swap(device_id, new_id, kind, model, voice_number), qr)


@device_app.command("list")
def list_devices(
    premises_id: Annotated[
        str | None, typer.Option("--premises", help="Of this home only.")
    ] = None,
    data: DataOption = None,
) -> None:
    """All devices, revoked ones marked, one a line."""
    with told_in_words():
        installer, after = _installer(data), ""
        while rows := installer.listed(premises_id, after):
            for row in rows:
                mark = "revoked" if row["revoked"] else "-"
                person = row["person_id"] or "-"
                typer.echo("\t".join((row["device_id"], row["kind"], row["area_id"],
                                      row["premises_id"], person, mark, row["label"],
                                      row["model"] or "-")))  # fmt: skip
            after = rows[-1]["device_id"]


@device_app.command("history")
def history(device_id: IdArgument, data: DataOption = None) -> None:
    """What was so of a device and when, newest first."""
    with told_in_words():
        for row in _installer(data).history(device_id):
            other = row["other_device_id"] or ""
            typer.echo("\t".join((row["at"], ",".join(row["changes"]), row["premises_id"],
                                  row["person_id"] or "-", other)))  # fmt: skip


def _installer(data: Path | None) -> "Installer":
    from hub.installer import Installer

    return Installer(load_settings(data_dir=data))


def _show(setup: "DeviceSetup", qr: Path | None) -> None:
    from hub.embedded.folder import write_private
    from hub.installer import credential_lines

    for line in credential_lines(setup):
        typer.echo(line)
    if qr is None:
        typer.echo(setup.terminal())
    else:
        image = setup.svg().encode() if qr.suffix == ".svg" else setup.png()
        write_private(qr, image)
        typer.echo(f"written    {qr}")
