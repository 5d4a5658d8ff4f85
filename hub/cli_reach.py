"""`carebell reach`: circles and emergency numbers of areas, and who is nearest to a home."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from alerts.handoff import NUMBERS
from alerts.reach import Settlement
from hub.cli_words import told_in_words
from hub.settings import load_settings

reach_app = typer.Typer(
    help="Who goes there, and when somebody should be at the door.", no_args_is_help=True
)

DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
INHERIT = "-"
"""Given instead of a value: as the area above."""


@reach_app.command("area")
def area(
    area_id: Annotated[str, typer.Argument(metavar="AREA")],
    *,
    within: Annotated[
        str | None, typer.Option(metavar="MIN", help="Minutes to the door: 10, 15, 40; - inherits.")
    ] = None,
    settlement: Annotated[
        str | None, typer.Option(metavar="urban|rural", help="How fast one moves; - inherits.")
    ] = None,
    ambulance: Annotated[str | None, typer.Option(metavar="NUMBER")] = None,
    fire: Annotated[str | None, typer.Option(metavar="NUMBER")] = None,
    police: Annotated[str | None, typer.Option(metavar="NUMBER")] = None,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Show or set what holds for an area and all below it that say nothing else."""
    from hub.at_the_machine import on_database
    from hub.clock import SystemClock
    from hub.desk import Entry
    from hub.quarantine import NothingToDo
    from hub.store.reach_desk import PostgresReachDesk

    changes = _changes(within, settlement, ambulance, fire, police)
    with told_in_words():
        settings = load_settings(data_dir=data)

        async def work(reach: Any) -> Any:
            desk = PostgresReachDesk(reach)
            if await desk.area_reach(area_id) is None:
                raise NothingToDo(f"there is no area {area_id}")
            if changes:
                entry = Entry(SystemClock().now(), area_id, _operator(area_id), "change", {})
                await desk.set_area_reach(area_id, changes, entry)
            return await desk.area_reach(area_id)

        own, holds = on_database(settings, work)
    if as_json:
        typer.echo(json.dumps({"own": own, "holds": holds}, ensure_ascii=False))
        return
    for key in ("arrive_within_min", "settlement"):
        typer.echo(f"{key}  {holds[key]}{'' if own[key] is not None else '  (inherited)'}")
    for service, usual in NUMBERS.items():
        number = holds[f"{service}_number"] or usual
        typer.echo(f"{service}  {number}")


@reach_app.command("nearest")
def nearest_to(
    premises_id: Annotated[str, typer.Argument(metavar="PREMISES")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    as_json: JsonOption = False,
    data: DataOption = None,
) -> None:
    """Who would be told by `nearest` in a ladder just now, the soonest first."""
    from hub.at_the_machine import on_database
    from hub.store.reach_responders import nearest

    with told_in_words():
        settings = load_settings(data_dir=data)
        found = on_database(
            settings, lambda reach: reach.run(lambda c: nearest(c, premises_id, limit))
        )
    for each in found:
        row = {
            "responder_id": each.responder_id,
            "name": each.name,
            "distance_m": round(each.distance_m),
            "travel_s": round(each.travel_s),
            "within_circle_min": each.within_circle_min,
        }
        minutes = f"{each.travel_s / 60:.0f} min"
        typer.echo(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else f"{each.responder_id}  {each.name}  {each.distance_m:.0f} m  {minutes}"
        )
    if not found and not as_json:
        typer.echo("Nobody is available, or nobody knows where the home is.")


def _changes(
    within: str | None,
    settlement: str | None,
    ambulance: str | None,
    fire: str | None,
    police: str | None,
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if within is not None:
        if within != INHERIT and not (within.isdigit() and 1 <= int(within) <= 240):
            raise typer.BadParameter("whole minutes from 1 to 240, or -", param_hint="--within")
        changes["arrive_within_min"] = None if within == INHERIT else int(within)
    if settlement is not None:
        if settlement not in (INHERIT, *Settlement):
            raise typer.BadParameter("urban, rural or -", param_hint="--settlement")
        changes["settlement"] = None if settlement == INHERIT else settlement
    for service, number in (("ambulance", ambulance), ("fire", fire), ("police", police)):
        if number is not None:
            if number != INHERIT and not number.lstrip("+").replace("-", "").isdigit():
                raise typer.BadParameter("digits, or -", param_hint=f"--{service}")
            changes[f"{service}_number"] = None if number == INHERIT else number
    return changes


def _operator(area_id: str) -> Any:
    from alerts.people import Account
    from hub.at_the_machine import operator
    from schemas.ids import AccountId, AreaId

    name = operator().id
    return Account(AccountId(name), name, "operator", AreaId(area_id), "en")
