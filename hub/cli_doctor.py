"""`carebell doctor`: what is wrong, and what to do."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.log import configure_logging
from hub.settings import load_settings

_MARKS = {"ok": "ok  ", "note": "note", "warning": "WARN", "failure": "FAIL"}
_CODES = {"ok": 0, "note": 0, "warning": 1, "failure": 2}


def doctor(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Also what is well.")] = False,
    language: Annotated[str | None, typer.Option(help="zh-CN or en; else the setting.")] = None,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR")] = None,
) -> None:
    """Look at everything, say in plain words what is wrong and what to do.

    Ends with 0 if nothing is wrong, 1 if something should be looked after, 2 if a press may not
    reach a human or something may be lost.
    """
    from hub.doctor.examination import examine, told

    configure_logging()
    with told_in_words(_CODES["failure"]):
        settings = load_settings(data_dir=data, language=language)
    spoken: Literal["zh-CN", "en"] = settings.language
    found = [told(name, v, spoken) for name, v in examine(settings, SystemClock())]
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(t) for t in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            if everything or _CODES[one.level] or one.level == "note":
                typer.echo(f"{_MARKS[one.level]}  {one.what}")
                if one.to_do:
                    typer.echo(f"      {one.to_do}")
        well = sum(_CODES[one.level] == 0 for one in found)
        typer.echo(f"{len(found)} verdicts, {len(found) - well} to look after.")
    raise typer.Exit(max((_CODES[one.level] for one in found), default=0))
