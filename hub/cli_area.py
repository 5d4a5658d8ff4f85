"""`carebell area`: the tree of areas; homes, people, devices and accounts belong to its nodes."""
# ruff: noqa: PLC0415 - `carebell --version` must not load the database driver

import getpass
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from zoneinfo import available_timezones

import typer

from hub.cli_words import told_in_words
from hub.clock import SystemClock
from hub.desk import AlreadyThere, Entry, NotThere, StillHolds
from hub.errors import HubError
from hub.register_nouns import Level
from hub.settings import Settings, load_settings
from hub.view import View
from schemas.ids import is_id

if TYPE_CHECKING:
    from hub.store.register_desk import PostgresRegister

Result = TypeVar("Result")

area_app = typer.Typer(
    help="The tree of areas: city, county, street, community (docs/how-to/register.md).",
    no_args_is_help=True,
)

LISTED_AT_ONCE = 1000
NAME_MAX = 200
"""Characters; as over HTTP."""
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The hub's folder.")]
AreaId = Annotated[str, typer.Argument(metavar="AREA", help="Its id.")]
Name = Annotated[str, typer.Option(help="As people call it.")]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", help="Its time zone; none: that of the area above.")
]


class NotDone(HubError):
    """This cannot be done to the area."""


@area_app.command("list")
def list_areas(data: DataOption = None) -> None:
    """The whole tree, each area below the one it lies in: id, level, name, time zone."""
    with told_in_words():
        rows = _on_register(data, _everything)
    below: dict[str | None, list[View]] = {}
    for row in rows:
        below.setdefault(row["parent_id"], []).append(row)
    for depth, row in _downwards(below, None, 0):
        cells = (row["area_id"], row["level"], row["name"], row["time_zone"] or "")
        typer.echo("  " * depth + "\t".join(cells).rstrip())


@area_app.command("add")
def add(
    area_id: AreaId,
    *,
    name: Name,
    level: Annotated[Level, typer.Option(help="Lower than that of the area it lies in.")],
    parent_id: Annotated[
        str | None, typer.Option("--below", help="Where it lies; default: the root area.")
    ] = None,
    zone: ZoneOption = None,
    data: DataOption = None,
) -> None:
    """Add an area."""
    if not is_id(area_id):
        _refuse(f"{area_id!r}; allowed: 1 to 64 of a-z, 0-9 and -")
    _check_name(name)
    _check_zone(zone)

    async def work(register: "PostgresRegister", settings: Settings) -> View:
        over = parent_id or settings.root_area_id
        values = {"parent_id": over, "name": name, "level": level.value, "time_zone": zone}
        with _said(area_id, over):
            return await register.add("area", area_id, values, _entry(settings, "add", over))

    with told_in_words():
        row = _on_register(data, work)
        typer.echo(f"{area_id} lies in {row['parent_id']}")


@area_app.command("rename")
def rename(
    area_id: AreaId, name: Annotated[str, typer.Argument()], data: DataOption = None
) -> None:
    """Call an area otherwise; its id stays."""
    _check_name(name)
    _change(data, area_id, {"name": name})
    typer.echo(f"{area_id} is called {name}")


@area_app.command("move")
def move(
    area_id: AreaId,
    *,
    parent_id: Annotated[str, typer.Option("--below", help="Where it lies from now on.")],
    data: DataOption = None,
) -> None:
    """Hang an area elsewhere, with all that it holds."""
    _change(data, area_id, {"parent_id": parent_id})
    typer.echo(f"{area_id} lies in {parent_id}")


@area_app.command("zone")
def zone_of(area_id: AreaId, zone: ZoneOption = None, data: DataOption = None) -> None:
    """Set the time zone of an area, or take it away."""
    _check_zone(zone)
    _change(data, area_id, {"time_zone": zone})
    typer.echo(f"{area_id}: {zone or 'the time zone of the area above'}")


@area_app.command("remove")
def remove(area_id: AreaId, data: DataOption = None) -> None:
    """Remove an area that holds nothing any more."""

    async def work(register: "PostgresRegister", settings: Settings) -> None:
        if area_id == settings.root_area_id:
            raise NotDone("it is the root: everything lies in it")
        with _said(area_id):
            await register.remove("area", area_id, _entry(settings, "remove", area_id))

    with told_in_words():
        _on_register(data, work)
        typer.echo(f"{area_id}: gone")


def _change(data: Path | None, area_id: str, changes: dict[str, Any]) -> None:
    async def work(register: "PostgresRegister", settings: Settings) -> View:
        if area_id == settings.root_area_id and "parent_id" in changes:
            raise NotDone("it is the root: it hangs nowhere")
        with _said(area_id, changes.get("parent_id")):
            entry = _entry(settings, "change", area_id)
            return await register.change("area", area_id, changes, entry)

    with told_in_words():
        _on_register(data, work)


async def _everything(register: "PostgresRegister", settings: Settings) -> list[View]:
    del settings
    found: list[View] = []
    while True:
        after = found[-1]["area_id"] if found else ""
        rows = await register.page("area", None, "", {}, after, LISTED_AT_ONCE)
        found += rows
        if len(rows) < LISTED_AT_ONCE:
            return found


def _downwards(
    below: dict[str | None, list[View]], parent_id: str | None, depth: int
) -> Iterator[tuple[int, View]]:
    for row in below.get(parent_id, ()):
        yield depth, row
        yield from _downwards(below, row["area_id"], depth + 1)


def _on_register(
    data: Path | None,
    work: Callable[["PostgresRegister", Settings], Awaitable[Result]],
) -> Result:
    from hub.at_the_machine import on_database
    from hub.store.register_desk import PostgresRegister

    settings = load_settings(data_dir=data)
    return on_database(
        settings, lambda reach: work(PostgresRegister(reach, settings.root_area_id), settings)
    )


def _entry(settings: Settings, action: str, area_id: str) -> Entry:
    """The actor of the log is whoever is logged in at the machine."""
    from alerts.people import Account
    from schemas.ids import AccountId
    from schemas.ids import AreaId as Area

    name = getpass.getuser()
    root = Area(settings.root_area_id)
    actor = Account(AccountId(name), name, "operator", root, settings.language)
    return Entry(SystemClock().now(), area_id, actor, action, {})


@contextmanager
def _said(area_id: str, parent_id: str | None = None) -> Iterator[None]:
    """The register's refusals with the area they are about, or the one it was to lie in."""
    try:
        yield
    except AlreadyThere:
        raise NotDone(f"{area_id}: there is such an area already") from None
    except NotThere as error:
        missing = parent_id if "parent" in str(error) else area_id
        raise NotDone(f"there is no area {missing}; see `carebell area list`") from None
    except StillHolds as error:
        held = ", ".join(f"{count} {noun}" for noun, count in error.holds.items())
        raise NotDone(f"{area_id} still holds something: {held}; move that first") from None


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > NAME_MAX:
        _refuse(f"name = {name!r}; allowed: 1 to {NAME_MAX} characters")


def _check_zone(zone: str | None) -> None:
    if zone is not None and zone not in available_timezones():
        _refuse(f"--zone {zone!r}; allowed: an IANA time zone, for example Asia/Shanghai")


def _refuse(why: str) -> None:
    with told_in_words():
        raise NotDone(why)
