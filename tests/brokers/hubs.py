"""An ingest process on either broker and a database of its own, as an operator would start it."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psycopg

from benchmarks.harness import Button
from benchmarks.wire import DeviceLine, Login
from hub.embedded.broker import broker_url
from hub.mosquitto_files import write_files
from hub.provision import provision_homes
from hub.settings import Address, Settings
from hub.store.bootstrap import bootstrap
from schemas.topics import device_prefix
from schemas.vocabulary import DeviceKind
from tests.brokers.mosquitto import Mosquitto, mosquitto
from tests.integration.embedded import eventually, running, settings_in

REPEAT_S = 1.0
"""Between two presses of one message, until it is `received`."""


class Broker(Protocol):
    """What the tests do to a broker, of whichever make."""

    @property
    def address(self) -> Address:
        """Where devices connect."""
        ...

    @property
    def environment(self) -> dict[str, str]:
        """What an ingest process must be told of it."""
        ...

    @property
    def hub_url(self) -> str:
        """The hub's own log-in."""
        ...

    async def kill(self) -> None:
        """kill -9, and start it again on what it has written."""
        ...

    async def knows(self, settings: Settings, database_url: str) -> None:
        """Once the devices of the register may come in."""
        ...


@dataclass(slots=True)
class EmbeddedBroker:
    """nats-server with its callout, under the supervisor."""

    supervisor: Any
    settings: Settings

    @property
    def address(self) -> Address:
        return self.settings.mqtt_listen

    @property
    def environment(self) -> dict[str, str]:
        return {}

    @property
    def hub_url(self) -> str:
        return broker_url(self.settings.data_dir, "hub-ingest")

    async def kill(self) -> None:
        pid = self.supervisor.children["broker"].pid
        os.kill(pid, signal.SIGKILL)

        async def again() -> bool:
            child = self.supervisor.children["broker"]
            return child.pid not in (None, pid) and str(child.state) == "running"

        await eventually(again)

    async def knows(self, settings: Settings, database_url: str) -> None:
        """The callout reads ingest's snapshot by itself; devices try until it does."""


@dataclass(slots=True)
class OperatedBroker:
    """Debian's Mosquitto with the shipped configuration and files from the register."""

    mosquitto: Mosquitto

    @property
    def address(self) -> Address:
        return self.mosquitto.address

    @property
    def hub_url(self) -> str:
        return self.mosquitto.url

    @property
    def environment(self) -> dict[str, str]:
        return {"CAREBELL_BROKER_URL": self.mosquitto.url}

    async def kill(self) -> None:
        await self.mosquitto.until_written()
        self.mosquitto.end(signal.SIGKILL)
        await self.mosquitto.start()

    async def knows(self, settings: Settings, database_url: str) -> None:
        update = {"broker_url": self.mosquitto.url, "database_url": database_url}
        asked = settings.model_copy(update=update)

        async def written() -> bool:
            return (await write_files(asked, self.mosquitto.folder, None)).open

        # Told once: Mosquitto forgets a SIGHUP that comes while it reads for the one before.
        await eventually(written)
        await write_files(asked, self.mosquitto.folder, self.mosquitto.pid_file)


@asynccontextmanager
async def embedded_broker(settings: Settings) -> AsyncIterator[Broker]:
    async with running(settings, "broker", "callout") as supervisor:
        yield EmbeddedBroker(supervisor, settings)


@asynccontextmanager
async def operated_broker(settings: Settings) -> AsyncIterator[Broker]:
    async with mosquitto(settings.data_dir / "mosquitto") as broker:
        yield OperatedBroker(broker)


BROKERS = {"embedded": embedded_broker, "mosquitto": operated_broker}


@dataclass(slots=True)
class Rig:
    """A broker, a database, homes, and as many ingest processes as a test wants."""

    broker: Broker
    settings: Settings
    database_url: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def ingest(self, *options: str, folder: Path | None = None) -> subprocess.Popen[bytes]:
        """`carebell ingest` as a process of its own."""
        log = (folder or self.settings.data_dir) / f"ingest-{next(self._numbers)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CAREBELL_")}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "carebell", "ingest", *options],
                stdout=output, stderr=output,
                env=kept | {
                    "CAREBELL_DATA_DIR": str(folder or self.settings.data_dir),
                    "CAREBELL_DATABASE_URL": self.database_url,
                    "CAREBELL_MQTT_LISTEN": str(self.settings.mqtt_listen),
                    **self.broker.environment,
                },
            )  # fmt: skip
        self.processes.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait(10)

    def homes(self, count: int, area_id: str = "city") -> list[Button]:
        """Homes with a button each."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "INSERT INTO area (area_id, parent_id, name) VALUES (%s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                (area_id, None if area_id == "city" else "city", area_id),
            )
        made = provision_homes(
            self.database_url, self.settings, count, prefix=area_id, kinds=[DeviceKind.BUTTON]
        )
        buttons = []
        with psycopg.connect(self.database_url) as connection:
            for home in made.homes:
                for table, key in (("premises", home["premises_id"]),
                                   ("person", home["person"]["id"]),
                                   ("device", home["devices"][0]["id"])):  # fmt: skip
                    connection.execute(
                        f"UPDATE {table} SET area_id = %s WHERE {table}_id = %s".encode(),
                        (area_id, key),
                    )
                device = home["devices"][0]
                address = self.broker.address
                login = Login(address.host, address.port, device["id"], device["secret"])
                prefix = device_prefix(area_id, home["premises_id"], device["id"])
                buttons.append(Button(login, prefix, device["kind"]))
        return buttons

    def alarms(self) -> list[tuple[str, str, str]]:
        """Device, message id and area of every recorded press."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(
                "SELECT device_id, message_id, area_id FROM alarm WHERE kind = 'press'"
                " ORDER BY 1, 2"
            ).fetchall()

    def observed(self) -> int:
        """Distinct telemetry messages stored."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute("SELECT count(DISTINCT message_key) FROM observation")
            found = row.fetchone()
        return int(found[0]) if found else 0

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait(10)


class Line:
    """A device on the wire: presses, telemetry, and what it is told."""

    def __init__(self, button: Button) -> None:
        self.button = button
        self.answered: set[int] = set()
        self.told: list[dict[str, Any]] = []
        self._pressed: dict[int, bytes] = {}
        self.line = DeviceLine(
            button.login,
            on_puback=lambda token, _: self.answered.add(token),
            on_message=lambda _, payload, __: self.told.append(msgspec.json.decode(payload)),
            subscribe=button.command_filter,
        )
        self._loop = asyncio.get_running_loop()
        self.line.start()

    def press(self, number: int, topic: str | None = None) -> None:
        """Again with the same number: the same bytes, as a device repeats them."""
        if number not in self._pressed:
            content = {"action": "emergency", "message_id": f"m{number}", "observed_at": _now_ms()}
            self._pressed[number] = msgspec.json.encode(content)
        wanted = topic.encode() if topic else self.button.press_topic
        self._publish(wanted, self._pressed[number], number)

    def report(self, number: int, topic: str | None = None) -> None:
        """One telemetry message."""
        payload = {"samples": [{"measure": "heart_rate_per_min", "value": 70}],
                   "message_id": f"t{number}", "observed_at": _now_ms()}  # fmt: skip
        wanted = topic.encode() if topic else self.button.vitals_topic
        self._publish(wanted, msgspec.json.encode(payload), number)

    def _publish(self, topic: bytes, payload: bytes, number: int) -> None:
        """From any thread: conditions are looked at in one."""
        self._loop.call_soon_threadsafe(self.line.publish, topic, payload, number)

    def stages(self, number: int) -> set[str]:
        return {said["stage"] for said in self.told if said.get("message_id") == f"m{number}"}

    async def press_until_received(self, number: int) -> None:
        """As a device does: what it was told while its line was cut it has to hear again."""
        async with asyncio.timeout(60):
            while "received" not in self.stages(number):
                self.press(number)
                await asyncio.sleep(REPEAT_S)

    async def close(self) -> None:
        await self.line.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def rig(name: str, database_url: str, folder: Path) -> AsyncIterator[Rig]:
    """Everything but ingest, which the test starts."""
    settings = settings_in(folder)
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    bootstrap(database_url, settings, "a long enough password")
    async with BROKERS[name](settings) as broker:
        made = Rig(broker, settings, database_url)
        try:
            yield made
        finally:
            made.end()
            await asyncio.to_thread(_show_logs, folder)


def _show_logs(folder: Path) -> None:
    """For whoever has to find out why a test failed."""
    for log in sorted([*folder.glob("*.log"), *folder.glob("*/*.log")]):
        print(f"---- {log.name}", *log.read_text(errors="replace").splitlines()[-60:], sep="\n")


async def until(holds: Any, within_s: float = 30.0) -> None:
    """Wait for it; fail if it never comes."""

    async def now() -> bool:
        with suppress(psycopg.Error):
            return bool(await asyncio.to_thread(holds))
        return False

    await eventually(now, within_s)
