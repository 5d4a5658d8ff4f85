"""`carebell evaluate vitals`: the figures of vital signs and cuffs, on whoever is there."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import track

from hub.evaluate import vitals_icu, vitals_nights, vitals_tihm
from hub.evaluate.vitals_figures import mean_interval
from hub.evaluate.vitals_plots import draw_nights, draw_tihm

PLAIN_RULES = ((50.0, 111.0, 1), (50.0, 111.0, 5), (40.0, 131.0, 1), (40.0, 131.0, 5))
"""What a simpler monitor does: low, high, minutes in a row."""


def run(data: Path, as_json: bool, plots: Path | None) -> None:
    """Measure, print, and end with one line of JSON; sets that are not there are skipped."""
    console = Console(stderr=True)

    def tell(text: str) -> None:
        if not as_json:
            typer.echo(text)

    def followed(items: Sequence[str]) -> Iterator[str]:
        return iter(track(items, description="patients", console=console, transient=True))

    result: dict[str, Any] = {}
    tell("Nothing is fitted here: shipped limits on all people found; `nested` refits by homes.")
    folder = data / "tihm"
    if _there(folder / "physiology.csv.gz", tell):
        study = vitals_tihm.read(folder)
        for sign in vitals_tihm.SIGNS:
            result[sign] = vitals_tihm.measure(study, sign)
            tell(_tihm_text(sign, result[sign]))
        if plots is not None:
            draw_tihm(study, plots)
    folder = data / "bed-rr-nights"
    if _there(folder / "rr_minutes.csv.gz", tell):
        nights = vitals_nights.read(folder)
        by_person, said = vitals_nights.pages_by_person(nights)
        all_pages = [pages for mine in by_person.values() for pages in mine]
        result["night_pages_per_night"] = sum(all_pages) / len(all_pages)
        result["nights"] = {
            "nights": len(all_pages),
            "people": len(by_person),
            "pages_ci95": mean_interval(by_person),
            "most_that_95_percent_confidence_allows": round(3 / len(all_pages), 3),
            "said": said,
        }
        tell(_nights_text(result, nights))
        if plots is not None:
            draw_nights(nights, plots)
    for name, read in vitals_icu.READERS.items():
        folder = data / name
        if folder.is_dir() and any(folder.glob("*.csv.gz")):
            burden = vitals_icu.burden(read(folder), followed)
            tell(_burden_text(name, burden))
            result[name] = {
                key: round(getattr(burden, key), 3) for key in vitals_icu.Burden.__slots__
            }
        else:
            tell(f"{name}: not there, skipped")
    typer.echo(json.dumps(result))


def _there(path: Path, tell: Any) -> bool:
    if path.is_file():
        return True
    tell(f"{path.parent.name}: not there, skipped")
    return False


def _tihm_text(sign: str, figures: dict[str, Any]) -> str:
    nested, calendar = figures["nested"], figures["calendar_day"]
    return (
        f"{sign}: {figures['homes']} homes, {figures['labelled_days']} labelled and "
        f"{figures['unlabelled_days']} other review days\n"
        f"  shipped limits    sensitivity {_figure(figures['sensitivity'])} "
        f"{figures['sensitivity_ci95']}, specificity {_figure(figures['specificity'])} "
        f"{figures['specificity_ci95']} (95 %, homes drawn)\n"
        f"  by calendar day   {_figure(calendar['sensitivity'])} / "
        f"{_figure(calendar['specificity'])}\n"
        f"  limits chosen on the other homes  {_figure(nested['sensitivity'])} / "
        f"{_figure(nested['specificity'])}; chosen {nested['limits_chosen']}"
    )


def _nights_text(result: dict[str, Any], nights: vitals_nights.Nights) -> str:
    of = result["nights"]
    lines = [f"healthy nights: {of['nights']} of {of['people']} people"]
    lines.append(f"  {result['night_pages_per_night']:.3f} pages a night; said: {of['said']}")
    for low, high, minutes in PLAIN_RULES:
        rate = vitals_nights.plain_pages(nights, low, high, minutes)
        lines.append(
            f"  plain limit <= {low:g} or >= {high:g} for {minutes} min: {rate:.2f} pages a night"
        )
    return "\n".join(lines)


def _burden_text(name: str, burden: vitals_icu.Burden) -> str:
    return (
        f"{name}: {burden.patient_days:.0f} patient-days; new NEWS2 episodes a patient-day\n"
        f"  >= 5: {burden.plain_urgent:.2f} plain, {burden.persistent_urgent:.2f} persistent; "
        f">= 7: {burden.plain_emergency:.2f} plain, {burden.persistent_emergency:.2f} persistent\n"
        f"  single parameters: {burden.single_parameter_pages:.2f} pages a patient-day"
    )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
