"""A whole hub in a fresh folder on free ports, started as anybody would start it, and ended."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.wire import Login
from hub.embedded.database import database_url
from hub.embedded.folder import HubFolder
from hub.embedded.process import tie_to_us
from hub.embedded.secrets import load_secrets
from hub.embedded.status import ChildState, read_status
from hub.provision import HOME_KINDS, Neighbourhood, provision_homes
from hub.settings import Address, Settings
from hub.store.bootstrap import ADMINISTRATOR
from schemas import topics
from schemas.vocabulary import DeviceKind

READY_WITHIN_S = 60.0
STOP_WITHIN_S = 40.0
KNOWN_WITHIN_S = 3.0
"""How long ingest and callout take to see new devices: they look once a second."""
CHILDREN = ("database", "broker", "callout", "ingest", "worker", "api")


def say(text: str) -> None:
    """Progress, for the human who waits."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


class Hub:
    """`carebell up` as a child of ours."""

    def __init__(self, folder: Path) -> None:
        """Use `folder` for its data; nothing starts yet."""
        self.settings = Settings(
            data_dir=folder / "hub", http_listen=_free_address(), mqtt_listen=_free_address()
        )
        self.folder = HubFolder(self.settings.data_dir)
        self.url = f"http://{self.settings.http_listen}"
        self._log = folder / "up.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start and wait until a press would ring."""
        self.launch()
        await self.until_ready()

    def launch(self) -> None:
        """Start without waiting. From the main thread: the kernel ends the hub with it."""
        settings = self.settings
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "carebell", "up", "--http", str(settings.http_listen),
                 "--mqtt", str(settings.mqtt_listen), "--data", str(settings.data_dir)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
                preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509 - prctl only
            )  # fmt: skip

    async def until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait for `GET /api/v1/health/ready` to answer 200; raises TimeoutError."""
        answer = "no answer"
        deadline_s = time.monotonic() + within_s
        async with httpx.AsyncClient(timeout=2.0) as client:
            while time.monotonic() < deadline_s:
                if self._process is not None and self._process.poll() is not None:
                    raise ChildProcessError(f"carebell up ended: {self.last_words()}")
                with contextlib.suppress(httpx.HTTPError):
                    response = await client.get(f"{self.url}/api/v1/health/ready")
                    if response.status_code == httpx.codes.OK:
                        return
                    answer = response.text
                await asyncio.sleep(0.1)
        raise TimeoutError(f"the hub is not ready after {within_s:.0f} s: {answer}")

    def stop(self) -> None:
        """End everything in good order, or else at once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_WITHIN_S)

    def kill(self, name: str) -> int | None:
        """kill -9 one child; None if it does not run just now."""
        if name == "supervisor":
            assert self._process is not None
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
            return self._process.pid
        pid = self.pid_of(name)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pid

    def kill_postmaster(self) -> None:
        """kill -9 the database, also while it starts and is not ready yet."""
        try:
            said = (self.folder.cluster / "postmaster.pid").read_text()
            pid = int(said.split()[0])
        except (OSError, ValueError, IndexError):
            return
        if self._process is not None and _parent_of(pid) == self._process.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def pid_of(self, name: str) -> int | None:
        """The process id of a child that runs. A status an earlier supervisor left is not
        believed: the number may belong to somebody else by now."""
        status = read_status(self.folder)
        child = status.children.get(name) if status else None
        if child is None or child.pid is None or child.state is not ChildState.RUNNING:
            return None
        ours = self._process is not None and _parent_of(child.pid) == self._process.pid
        return child.pid if ours else None

    def all_run(self) -> bool:
        """Whether every child runs."""
        return all(self.pid_of(name) is not None for name in CHILDREN)

    def database(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of our own, to check what was recorded."""
        return psycopg.connect(
            database_url(self.settings.data_dir), autocommit=True, connect_timeout=5
        )

    def administrator(self) -> dict[str, str]:
        """What the first administrator logs in with."""
        password = load_secrets(self.folder).administrator_password
        return {"username": ADMINISTRATOR, "password": password}

    async def provision(
        self, homes: int, prefix: str = "home", kinds: Sequence[DeviceKind] = HOME_KINDS
    ) -> list["Button"]:
        """Register homes; their devices, once everybody knows them."""
        url = database_url(self.settings.data_dir)
        made = await asyncio.to_thread(
            provision_homes, url, self.settings, homes, prefix=prefix, kinds=kinds
        )
        await asyncio.sleep(KNOWN_WITHIN_S)
        return list(_devices(self.settings.mqtt_listen, made))

    def last_words(self) -> str:
        """The end of the supervisor's log."""
        return self._log.read_text(errors="replace")[-1500:]


class Button:
    """A provisioned device: its log-in and its topics."""

    def __init__(self, login: Login, prefix: str, kind: str) -> None:
        self.login = login
        self.id = login.device_id
        self.prefix = prefix
        self.kind = kind
        self.press_topic = topics.up(prefix, topics.Lane.ALARM, "press").encode()
        self.vitals_topic = topics.up(prefix, topics.Lane.TELEMETRY, "vitals").encode()
        self.command_filter = topics.command_filter(prefix)


def _devices(address: Address, made: Neighbourhood) -> Iterator[Button]:
    for home in made.homes:
        for device in home["devices"]:
            login = Login(address.host, address.port, device["id"], device["secret"])
            prefix = topics.device_prefix(home["area_id"], home["premises_id"], device["id"])
            yield Button(login, prefix, device["kind"])


@asynccontextmanager
async def running_hub(*, keep: bool = False) -> AsyncIterator[Hub]:
    """A hub that is ready; ended and its folder removed in the end, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="carebell-bench-"))
    hub = Hub(folder)
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        say(f"starting a hub in {folder}")
        await hub.start()
        yield hub
    finally:
        hub.stop()
        if keep:
            say(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def rss_mib(pid: int) -> float:
    """Resident memory of a process; 0 if it is gone."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pids: Sequence[int]) -> float:
    """Processor time of these and of their children that have ended, seconds."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _parent_of(pid: int) -> int | None:
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def process_tree(pid: int) -> list[int]:
    """A process and all its descendants, parents first."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            found.extend(int(child) for child in children)
    return found


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed; None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def _free_address() -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])
