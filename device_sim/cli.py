"""The command line: `run` lets a fleet live, `press` presses one button for real."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
import uvloop

from device_sim.city import City, FleetState, Options
from device_sim.clock import SystemClock
from device_sim.display import Shown, as_json, as_line
from device_sim.fleet import FleetUnreadable, load_fleet
from device_sim.one_press import PressOrder, press_and_wait
from device_sim.story import StoryUnreadable, happenings, load_story
from schemas.alarms import PressAction
from schemas.commands import ReceiptStage

Outcome = TypeVar("Outcome")

WRONG_USE = 2
NOT_REACHED = 1

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Simulated residents and devices."
)


@app.command()
def run(
    *,
    fleet: Annotated[Path, typer.Option(help="Fleet file (JSON).")],
    story: Annotated[str, typer.Option(help="Bundled story or path to a TOML file.")] = "quiet",
    seed: Annotated[str, typer.Option(help="The same seed gives the same residents.")] = "1",
    time_factor: Annotated[
        float, typer.Option(min=0.01, max=10_000, help="Speed of the story and the residents' day.")
    ] = 1.0,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, max=1e6, help="Telemetry a second in place of the own reports."),
    ] = None,
    connects: Annotated[
        float, typer.Option(min=0.1, max=1e5, help="Connections begun a second, at most.")
    ] = 100.0,
    run_for: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Seconds; default: until Ctrl-C.")
    ] = None,
    as_json_lines: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option(help="Only the summary at the end.")] = False,
) -> None:
    """Let a fleet live; print what its devices show, and at the end one JSON line of counts."""
    try:
        known_fleet = load_fleet(fleet)
        laid = happenings(load_story(story), known_fleet, seed)
    except (FleetUnreadable, StoryUnreadable) as error:
        _fail(str(error))
    options = Options(seed, time_factor, rate, connects, run_for)

    def show(shown: Shown) -> None:
        if not quiet:
            _print(as_json(shown) if as_json_lines else as_line(shown))

    def tell_state(state: FleetState) -> None:
        if as_json_lines and not quiet:
            _print(msgspec.json.encode(state).decode())

    async def live() -> dict[str, object]:
        stop = _stop_on_signals()
        city = City(
            fleet=known_fleet,
            story=laid,
            options=options,
            clock=SystemClock(),
            show=show,
            tell_state=tell_state,
        )
        return await city.run(stop)

    _print(json.dumps(_run(live)))


@app.command()
def press(
    *,
    broker: Annotated[str, typer.Option(help="host:port")],
    device: Annotated[str, typer.Option(help="Device id, the MQTT user name.")],
    secret: Annotated[str, typer.Option(envvar="CAREBELL_DEVICE_SECRET", help="Device secret.")],
    topic_prefix: Annotated[str, typer.Option(help="care/v1/{area}/{premises}/{device}")],
    action: Annotated[PressAction, typer.Option()] = PressAction.EMERGENCY,
    wait: Annotated[ReceiptStage, typer.Option(help="Stage to wait for.")] = ReceiptStage.RECEIVED,
    timeout: Annotated[float, typer.Option(min=0.1, max=86_400, help="Seconds.")] = 60.0,
    language: Annotated[str, typer.Option(help="Of the device's own phrases.")] = "en",
    client_id: Annotated[str, typer.Option(help="Default: the device id with -press.")] = "",
    as_json_lines: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Press one button; print what it shows. Exit code 0 only if the awaited stage arrived."""
    try:
        order = PressOrder.read(
            broker,
            device,
            secret,
            topic_prefix,
            action=action,
            wait=wait,
            timeout_s=timeout,
            language=language,
            client_id=client_id,
        )
    except ValueError as error:
        _fail(str(error))
    clock = SystemClock()
    began_s = clock.monotonic_s()

    def say(text: str) -> None:
        if not as_json_lines:
            _print(f"+{clock.monotonic_s() - began_s:6.1f} s  {text}")

    def show(shown: Shown) -> None:
        if as_json_lines:
            _print(as_json(shown))
        say(shown.text)

    async def do() -> bool:
        return await press_and_wait(order, clock, show, say, _stop_on_signals())

    if not _run(do):
        say(f"the receipt '{wait}' did not come within {timeout:g} s")
        raise typer.Exit(NOT_REACHED)


def _run(main: Callable[[], Coroutine[Any, Any, Outcome]]) -> Outcome:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main())


def _stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


def _print(line: str) -> None:
    """Write a line at once; a reader that went away ends the run."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(WRONG_USE)
