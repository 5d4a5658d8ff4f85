"""`carebell demo`: everything real but the people. Starts the hub, registers a neighbourhood with
its families, lets simulated devices and telephones live, and shows what happens."""

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import webbrowser
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hub.clock import SystemClock
from hub.demo_exchange import listening
from hub.demo_family import Telephones, give_families
from hub.embedded.broker import broker_url
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder, write_private
from hub.embedded.process import tie_to_us
from hub.embedded.secrets import InternalUser, load_secrets
from hub.embedded.supervisor import Supervisor
from hub.errors import ServerNotReadyError
from hub.installer import Installer, credential_lines
from hub.knock import let_in
from hub.log import configure_logging
from hub.prepare import bring_up_to_date
from hub.provision import provision_homes
from hub.settings import Settings
from hub.sources.mqtt import Delivery, MqttConnection
from hub.store.bootstrap import ADMINISTRATOR
from schemas import topics

READY_WITHIN_S = 60.0
REFRESH_S = 0.5
PLAIN_EVERY_S = 5.0
SHOWN_LINES = 12
"""What devices and telephones said last."""
FIGURES_ROWS = 4
"""Of the terminal: the figures, an empty row, and the cursor's."""
VISITOR = "visitor"
"""The home whose button the reader may press with any MQTT client."""


@dataclass(slots=True)
class _Picture:
    """What the live display shows."""

    stats: dict[str, Any] = field(default_factory=dict)
    cycles: dict[str, Any] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    """Unacknowledged incidents by id, with the time each was opened."""
    open: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)

    def announced(self, delivery: Delivery) -> None:
        with contextlib.suppress(msgspec.DecodeError):
            said = msgspec.json.decode(delivery.payload)
            match said.get("type"):
                case "ingest":
                    self.stats = said
                case "incident":
                    self._incident(said)

    def _incident(self, said: dict[str, Any]) -> None:
        incident, gone = said["incident"], said.get("merged_from")
        if gone is not None:
            self.open.discard(gone)
            self.waiting.pop(gone, None)
        if incident["state"] == "resolved":
            self.open.discard(incident["id"])
        else:
            self.open.add(incident["id"])
        if incident["state"] == "raised":
            self.waiting[incident["id"]] = incident["opened_at"]
        else:
            self.waiting.pop(incident["id"], None)

    def say(self, line: str) -> None:
        self.lines.append(line)
        del self.lines[:-SHOWN_LINES]


def run_demo(settings: Settings, homes: int, open_browser: bool) -> None:
    """Run until Ctrl-C. Raises HubError if something cannot start."""
    folder = HubFolder(settings.data_dir)
    folder.create()
    with folder.log("supervisor").open("a", encoding="utf-8", buffering=1) as log:
        configure_logging(log)
        asyncio.run(_Demo(settings, homes, open_browser).run())


class _Demo:
    def __init__(self, settings: Settings, homes: int, open_browser: bool) -> None:
        self._settings = settings
        self._homes = homes
        self._open_browser = open_browser
        self._picture = _Picture()
        self._clock = SystemClock()
        self._console = Console()
        self._url = f"http://{settings.http_listen.reachable()}"
        self._telephones: Telephones | None = None
        """None: the operator has gateways, and invented people have no numbers there."""

    async def run(self) -> None:
        async with contextlib.AsyncExitStack() as stack:
            if not (self._settings.sms_gateways or self._settings.voice_gateways):
                self._telephones = Telephones(secrets.token_hex(16), self._heard)
                address = await stack.enter_async_context(listening(self._telephones))
                self._settings = self._calling(address, self._telephones.secret)
            await self._run()

    def _calling(self, address: str, secret: str) -> Settings:
        """Settings with which the hub's messages and calls go to this gateway; its two shipped
        files (config/gateways) read the rest from the environment, which children inherit."""
        os.environ |= {"GATEWAY_URL": address, "GATEWAY_SECRET": secret}
        return self._settings.model_copy(update={
            "sms_gateways": "carebell-sms",
            "voice_gateways": "carebell-voice",
            "public_url": self._settings.public_url or self._url,
        })  # fmt: skip

    async def _run(self) -> None:
        supervisor = Supervisor(self._settings, prepare_database=bring_up_to_date)
        supervisor.stop_on_signals()
        self._console.print("Starting broker, database and hub ...")
        await supervisor.start()
        if supervisor.stopping:
            return
        simulator: Process | None = None
        try:
            await self._wait_until_ready()
            fleet, visitor = await asyncio.to_thread(self._provision)
            self._introduce(visitor)
            simulator = await self._simulate(fleet)
            stopped = asyncio.create_task(supervisor.stop_requested())
            showing = asyncio.create_task(self._show(simulator))
            await asyncio.wait({stopped, showing}, return_when=asyncio.FIRST_COMPLETED)
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        finally:
            if simulator is not None:
                await _end(simulator)
            if self._telephones is not None:
                await self._telephones.hang_up()
            await supervisor.stop()

    async def _wait_until_ready(self) -> None:
        deadline_s = self._clock.monotonic_s() + READY_WITHIN_S
        answer = ""
        async with httpx.AsyncClient(timeout=2.0) as client:
            while self._clock.monotonic_s() < deadline_s:
                with contextlib.suppress(httpx.HTTPError):
                    response = await client.get(f"{self._url}/api/v1/health/ready")
                    if response.status_code == httpx.codes.OK:
                        return
                    answer = response.text
                await asyncio.sleep(0.1)
        raise ServerNotReadyError(f"{self._url}: {answer or 'no answer'}")

    def _provision(self) -> tuple[Path, list[str]]:
        url = self._settings.database_url or database_url(self._settings.data_dir)
        neighbourhood = provision_homes(url, self._settings, self._homes)
        visitor = provision_homes(url, self._settings, 1, seed=2, prefix=VISITOR, kinds=())
        if self._telephones is not None:
            homes = [*visitor.homes, *neighbourhood.homes]
            self._telephones.belong_to(give_families(url, homes))
        address = self._settings.mqtt_listen.reachable()
        fleet = {
            "broker": {"host": address.host, "port": address.port},
            "homes": neighbourhood.homes,
        }
        path = self._settings.data_dir / "fleet.json"
        write_private(path, msgspec.json.encode(fleet))
        # Devices that come before the broker knows them wait seconds before they try again.
        asyncio.run(let_in(address.host, address.port, neighbourhood.homes[-1]["devices"][-1]))
        return path, self._visitor_button()

    def _visitor_button(self) -> list[str]:
        """A button of its own for whoever wants to press one by hand; known from the last run, or
        registered now."""
        kept = self._settings.data_dir / "visitor.json"
        if kept.exists():
            lines: list[str] = json.loads(kept.read_text())
            return lines
        setup = Installer(self._settings).add(
            f"button-{VISITOR}", "button", f"{VISITOR}-00001", f"person-{VISITOR}-00001",
            "Visitor's button",
        )  # fmt: skip
        lines = credential_lines(setup)
        write_private(kept, json.dumps(lines).encode())
        return lines

    def _introduce(self, visitor: list[str]) -> None:
        drawn = load_secrets(HubFolder(self._settings.data_dir))
        say = self._console.print
        say()
        say(f"[bold]Page     {self._url}/[/bold]", highlight=False)
        say(f"[bold]Log-in   {ADMINISTRATOR}[/bold]", highlight=False)
        say(f"[bold]Password {drawn.administrator_password}[/bold]", highlight=False)
        say(f"Devices  mqtt://{self._settings.mqtt_listen.reachable()}", highlight=False)
        say("\nA button for you to press, from any MQTT client:", highlight=False)
        for line in visitor:
            say(f"  {line}", highlight=False, soft_wrap=True, markup=False)
        if self._telephones is not None:
            say(
                "\nFamilies have invented telephones that ring in this terminal alone. While nobody"
                "\nis logged in they are called at once, else a minute after a press nobody takes."
            )
        say("\nThe first emergency comes in about ten seconds. Ctrl-C ends everything.\n")
        if self._open_browser:
            with contextlib.suppress(webbrowser.Error):
                webbrowser.open(f"{self._url}/")

    async def _simulate(self, fleet: Path) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "carebell", "simulate", "--fleet", str(fleet),
            "--scenario", "demo", "--json", "--connects", "150",
            stdout=PIPE, limit=1 << 20, process_group=0,
            preexec_fn=tie_to_us(signal.SIGKILL),
        )  # fmt: skip

    async def _show(self, simulator: Process) -> None:
        broker = MqttConnection(
            self._settings.broker_url
            or broker_url(self._settings.data_dir, InternalUser.API.value),
            "carebell-demo",
            clean=True,
            subscriptions={topics.DESK_ANNOUNCE: 0, topics.DESK_STATS: 0},
            on_message=self._picture.announced,
        )
        await broker.start()
        reading = asyncio.create_task(self._read(simulator))
        try:
            if self._console.is_terminal:
                await self._show_live()
            else:
                await self._show_plain()
        finally:
            reading.cancel()
            await broker.stop()

    async def _show_live(self) -> None:
        with Live(console=self._console, refresh_per_second=4, transient=True) as live:
            while True:
                live.update(self._render())
                await asyncio.sleep(REFRESH_S)

    async def _show_plain(self) -> None:
        while True:
            await asyncio.sleep(PLAIN_EVERY_S)
            print("  ".join(f"{name}: {value}" for name, value in self._figures()), flush=True)

    def _figures(self) -> list[tuple[str, str]]:
        stats, picture = self._picture.stats, self._picture
        return [
            ("messages/s", f"{stats.get('messages_per_s', 0):.0f}"),
            ("devices online", f"{stats.get('devices_online', 0)}"),
            ("open incidents", f"{len(picture.open)}"),
            ("oldest unacknowledged", self._oldest()),
            ("database", str(stats.get("database", "starting"))),
        ]

    def _oldest(self) -> str:
        if not self._picture.waiting:
            return "none"
        opened_at = datetime.fromisoformat(min(self._picture.waiting.values()))
        waited = self._clock.now() - opened_at
        return f"{waited.total_seconds():.0f} s"

    def _render(self) -> Group:
        table = Table.grid(padding=(0, 3))
        figures = self._figures()
        table.add_row(*(Text(name, style="dim") for name, _ in figures))
        table.add_row(*(Text(value, style="bold") for _, value in figures))
        return Group(table, Text(), *self._newest())

    def _newest(self) -> list[Text]:
        """The lines that fit below the figures; a message may need several rows."""
        rows, fitting = self._console.height - FIGURES_ROWS, list[Text]()
        for line in map(Text, reversed(self._picture.lines)):
            rows -= len(line.wrap(self._console, self._console.width))
            if rows < 0 and fitting:
                break
            fitting.insert(0, line)
        return fitting

    async def _read(self, simulator: Process) -> None:
        """What simulated devices show their people."""
        while simulator.stdout and (line := await simulator.stdout.readline()):
            with contextlib.suppress(json.JSONDecodeError, KeyError):
                self._shown(json.loads(line))

    def _shown(self, said: dict[str, Any]) -> None:
        if said.get("event") != "shown":
            return
        at = datetime.fromisoformat(said["at"])
        self._say(at, f"{said['person']} ({said['device_kind']}): {said['text']}")

    def _heard(self, what: str) -> None:
        """On a telephone, just now."""
        self._say(self._clock.now(), " ".join(what.split()))

    def _say(self, at: datetime, what: str) -> None:
        line = f"{at.astimezone():%H:%M:%S}  {what}"
        self._picture.say(line)
        if not self._console.is_terminal:
            print(f"  {line}", flush=True)


async def _end(simulator: Process) -> None:
    if simulator.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            simulator.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(5):
                await simulator.wait()
        except TimeoutError:
            simulator.kill()
            await simulator.wait()
