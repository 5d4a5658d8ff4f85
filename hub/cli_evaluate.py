"""`carebell evaluate` and `carebell train`: measured on recordings, never run by the hub."""
# ruff: noqa: PLC0415 - the hub runs without scikit-learn and matplotlib

from pathlib import Path
from typing import Annotated

import typer

evaluate_app = typer.Typer(
    help="Measure the detectors on recordings of real people.", no_args_is_help=True
)
train_app = typer.Typer(help="Refit what a detector has learned.", no_args_is_help=True)

DataOption = Annotated[
    Path, typer.Option("--data", metavar="DIR", exists=True, file_okay=False,
                       help="The recordings, one folder a set.")
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print nothing but the JSON line.")]
PlotsOption = Annotated[
    Path | None, typer.Option("--plots", metavar="DIR", help="Write PNG plots there.")
]


@evaluate_app.command()
def falls(
    data: DataOption,
    *,
    as_json: JsonOption = False,
    plots: PlotsOption = None,
    model: Annotated[
        str | None, typer.Option(help="`shipped`: score this release's model without refitting.")
    ] = None,
) -> None:
    """Falls: refit with people left out, or score the shipped model."""
    from hub.evaluate.falls import run

    if model not in {None, "shipped"}:
        raise typer.BadParameter("the only model to name is `shipped`", param_hint="--model")
    run(data, as_json, plots, model)


@evaluate_app.command()
def vitals(data: DataOption, *, as_json: JsonOption = False, plots: PlotsOption = None) -> None:
    """Vital signs: the clinical alerts of TIHM, quiet nights, ICU episodes."""
    from hub.evaluate.vitals import run

    run(data, as_json, plots)


@evaluate_app.command()
def inactivity(data: DataOption, *, as_json: JsonOption = False, plots: PlotsOption = None) -> None:
    """Inactivity: false alerts against delay on TIHM's homes."""
    from hub.evaluate.inactivity import run

    run(data, as_json, plots)


@train_app.command("falls")
def train_falls(
    data: DataOption,
    *,
    sets: Annotated[
        str, typer.Option(help="Names or studies, separated by commas; empty: all.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: into the package.")
    ] = None,
) -> None:
    """Refit the fall models; the same recordings give the same bytes."""
    from hub.evaluate.fit_falls import run

    run(data, [name.strip() for name in sets.split(",") if name.strip()], out)
