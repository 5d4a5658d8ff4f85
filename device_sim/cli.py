"""The command line: `carebell simulate` lets a fleet live, `press` presses one button for real."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import typer
import uvloop

from device_sim.city import City, FleetState, Options
from device_sim.clock import SystemClock
from device_sim.display import Shown, as_json, as_line
from device_sim.fleet import Fleet, FleetUnreadable, SharedLogin, load_fleet
from device_sim.invented import invented_fleet
from device_sim.laying import happenings, trait_rows
from device_sim.one_press import PressOrder, press_and_wait
from device_sim.rehearsal import rehearse
from device_sim.scenario import (
    Scenario,
    ScenarioUnreadable,
    bundled_scenarios,
    json_schema,
    load_scenario,
    read_duration_s,
)
from device_sim.sockets import TooManyDevices
from device_sim.town import Play
from schemas.alarms import PressAction
from schemas.commands import ReceiptStage

Outcome = TypeVar("Outcome")

WRONG_USE = 2
NOT_REACHED = 1

app = typer.Typer(add_completion=False, help="Simulated residents and devices.")

ScenarioOption = Annotated[
    str, typer.Option("--scenario", help="Bundled scenario or path to a TOML file.")
]
SeedOption = Annotated[str, typer.Option(help="The same seed gives the same residents.")]
TruthOption = Annotated[
    Path | None, typer.Option("--truth", help="Write what really happened, as JSON lines.")
]
TrunkUserOption = Annotated[str, typer.Option(help="A login that may speak for all devices.")]
TrunkSecretOption = Annotated[
    str, typer.Option(envvar="CAREBELL_TRUNK_SECRET", help="Its password.")
]
HomesOption = Annotated[
    int | None, typer.Option("--homes", min=1, max=100_000, help="Homes to make for this run.")
]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    *,
    homes: HomesOption = None,
    rate: Annotated[
        float | None,
        typer.Option(min=0.01, max=1e6, help="Telemetry a second in place of the own rhythm."),
    ] = None,
    scenario: ScenarioOption = "quiet",
    fleet: Annotated[
        Path | None, typer.Option(help="Fleet file (JSON), in place of --homes.")
    ] = None,
    data: Annotated[
        Path, typer.Option("--data", help="With --homes: the running hub's folder.")
    ] = Path("carebell-data"),
    seed: SeedOption = "1",
    time_factor: Annotated[
        float | None,
        typer.Option(min=0.01, max=10_000, help="Speed of the scenario and the residents' day."),
    ] = None,
    connects: Annotated[
        float | None, typer.Option(min=0.1, max=1e5, help="Connections begun a second, at most.")
    ] = None,
    trunks: Annotated[
        int, typer.Option(min=0, max=64, help="So many connections carry all devices.")
    ] = 0,
    trunk_user: TrunkUserOption = "",
    trunk_secret: TrunkSecretOption = "",
    run_for: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Seconds; default: the scenario's.")
    ] = None,
    truth: TruthOption = None,
    as_json_lines: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option(help="Only the summary at the end.")] = False,
) -> None:
    """Let a fleet live; print what its devices show, and at the end one JSON line of counts."""
    if context.invoked_subcommand is not None:
        return
    with _told_in_words():
        read = load_scenario(scenario)
        known_fleet = load_fleet(_fleet_path(fleet, homes, data, read, seed))
        if trunks:
            known_fleet = _with_trunk(known_fleet, trunk_user, trunk_secret)
        play = _play(read, known_fleet, seed, time_factor)
    lasts_s = None if read.lasts is None else read_duration_s(read.lasts) / play.time_factor
    options = Options(rate, connects or read.connects_per_s, run_for or lasts_s, trunks)

    def show(shown: Shown) -> None:
        if not quiet:
            _print((as_json if as_json_lines else as_line)(shown))

    def tell_state(state: FleetState) -> None:
        if as_json_lines and not quiet:
            _print(msgspec.json.encode(state).decode())

    async def live(write_truth: Callable[[bytes], None] | None) -> dict[str, object]:
        stop = _stop_on_signals()
        city = City(
            fleet=known_fleet,
            play=play,
            options=options,
            clock=SystemClock(),
            show=show,
            tell_state=tell_state,
            write_truth=write_truth,
        )
        return await city.run(stop)

    with _told_in_words(), _lines_into(truth) as write_truth:
        _print(json.dumps(_run(lambda: live(write_truth))))


@app.command("rehearse")
def rehearse_into(
    *,
    out: Annotated[Path, typer.Option(help="Where the messages go, as JSON lines.")],
    homes: HomesOption = None,
    scenario: ScenarioOption = "quiet",
    fleet: Annotated[Path | None, typer.Option(help="Fleet file, in place of --homes.")] = None,
    seed: SeedOption = "1",
    run_for: Annotated[
        float | None, typer.Option("--for", min=0.1, help="Seconds; default: the scenario's.")
    ] = None,
    truth: TruthOption = None,
) -> None:
    """Play a scenario on a moved clock into a file: no hub, no waiting, honest times."""
    with _told_in_words():
        read = load_scenario(scenario)
        known_fleet = load_fleet(fleet) if fleet else invented_fleet(homes or 10, read.devices)
        play = _play(read, known_fleet, seed, 1.0)
    lasts_s = run_for or (None if read.lasts is None else read_duration_s(read.lasts))
    if lasts_s is None:
        _fail(f"scenario {scenario} has no end of its own: how long? (--for)")
    today = datetime.fromtimestamp(SystemClock().now().timestamp() // 86_400 * 86_400, UTC)
    with _lines_into(out) as write, _lines_into(truth) as write_truth:
        if write is not None:
            summary = rehearse(
                known_fleet, play, lasts_s, write=write, write_truth=write_truth, starts_at=today
            )
            _print(json.dumps(summary))


@app.command()
def scenarios() -> None:
    """List the bundled scenarios."""
    for name in bundled_scenarios():
        _print(f"{name:<20} {load_scenario(name).title}")


@app.command()
def check(scenario: Annotated[str, typer.Argument(help="Bundled scenario or path.")]) -> None:
    """Read a scenario and say what is wrong with it, if anything is."""
    with _told_in_words():
        read = load_scenario(scenario)
        laid = happenings(read, invented_fleet(100, read.devices), "1")
    _print(f"{read.title}: {len(laid)} happenings in 100 homes")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a scenario file."""
    _print(json.dumps(json_schema(), indent=2))


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


def _play(scenario: Scenario, fleet: Fleet, seed: str, time_factor: float | None) -> Play:
    return Play(
        happenings=happenings(scenario, fleet, seed),
        traits=trait_rows(scenario),
        seed=seed,
        time_factor=time_factor or scenario.time_factor,
        starts_at=scenario.starts_at,
        answers=scenario.answers,
    )


def _fleet_path(
    fleet: Path | None, homes: int | None, data: Path, scenario: Scenario, seed: str
) -> Path:
    """The fleet file: given, or written by the hub for so many new homes."""
    if (fleet is None) == (homes is None):
        _fail("either --homes N (the hub of --data makes them) or --fleet FILE")
    if fleet is not None:
        return fleet
    path = data / "simulated-fleet.json"
    made = subprocess.run(
        [
            sys.executable, "-P", "-m", "carebell", "homes", "add", str(homes),
            "--data", str(data), "--fleet", str(path), "--seed", seed,
            *(word for kind in scenario.devices for word in ("--device", kind.value)),
        ],
        check=False,
    )  # fmt: skip
    if made.returncode:
        raise typer.Exit(made.returncode)
    return path


def _with_trunk(fleet: Fleet, user: str, secret: str) -> Fleet:
    shared = SharedLogin(user, secret) if user else fleet.broker.shared
    if shared is None:
        _fail("--trunks needs --trunk-user: a login of your broker that may speak for all devices")
    broker = msgspec.structs.replace(fleet.broker, shared=shared)
    return msgspec.structs.replace(fleet, broker=broker)


@contextmanager
def _lines_into(path: Path | None) -> Iterator[Callable[[bytes], None] | None]:
    if path is None:
        yield None
        return
    with path.open("wb") as file:
        yield lambda line: _write(file.write, line)


def _write(write: Callable[[bytes], int], line: bytes) -> None:
    write(line)


@contextmanager
def _told_in_words() -> Iterator[None]:
    try:
        yield
    except (FleetUnreadable, ScenarioUnreadable, TooManyDevices) as error:
        _fail(str(error))


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
