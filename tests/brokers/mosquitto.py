"""Debian's Mosquitto with the configuration we ship, on a free port and a folder of its own."""

import asyncio
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from hub.broker_line import BrokerLine
from hub.mosquitto_files import render_acl, render_passwords
from hub.settings import Address
from tests.integration.embedded import eventually, free_address

SHIPPED = Path(__file__).parents[2] / "config" / "mosquitto" / "carebell.conf"
_OF_A_LISTENER = ("use_username_as_clientid", "max_qos")
"""Settings that count for the listener above them."""
HUB = "hub"
HUB_PASSWORD = "hub-password"


class Mosquitto:
    """A broker that can be killed and started again."""

    def __init__(self, folder: Path, changes: Mapping[str, str | None]) -> None:
        self.folder = folder
        self.address: Address = free_address()
        self.configuration = folder / "mosquitto.conf"
        self.pid_file = folder / "mosquitto.pid"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(self._render(changes))

    @property
    def url(self) -> str:
        return f"mqtt://{HUB}:{HUB_PASSWORD}@{self.address}"

    def _render(self, changes: Mapping[str, str | None]) -> str:
        """The shipped file; what lies elsewhere here, and what a test wants otherwise."""
        listeners = {name: changes[name] for name in _OF_A_LISTENER if name in changes}
        values: dict[str, str | None] = {
            "persistence_location": f"{self.folder}/",
            "password_file": str(self.folder / "passwords"),
            "acl_file": str(self.folder / "acl"),
            "pid_file": str(self.pid_file),
            "sys_interval": "1",
            **{name: value for name, value in changes.items() if name not in listeners},
        }
        text = SHIPPED.read_text()
        text = re.sub(r"^(listener|certfile|keyfile) .*\n", "", text, flags=re.MULTILINE)
        for name, value in values.items():
            line = f"{name} {value}\n" if value is not None else ""
            text = re.sub(rf"^{name} .*\n", "", text, flags=re.MULTILINE) + line
        own = "".join(f"{name} {value}\n" for name, value in listeners.items())
        return f"{text}listener {self.address.port} 127.0.0.1\n{own}user root\n"

    async def start(self) -> None:
        executable = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
        assert executable is not None, "tests/ensure_system_packages.sh installs it"
        self._process = self._spawn(executable)

        async def listens() -> bool:
            try:
                _, writer = await asyncio.open_connection(self.address.host, self.address.port)
            except OSError:
                return False
            writer.close()
            return True

        await eventually(listens)

    def _spawn(self, executable: str) -> subprocess.Popen[bytes]:
        with (self.folder / "mosquitto.log").open("ab") as log:
            return subprocess.Popen(
                [executable, "-c", str(self.configuration)], stdout=log, stderr=log
            )

    async def until_written(self) -> None:
        """Until what is in memory now is on disk: two whole rounds of autosave."""
        path = self.folder / "mosquitto.db"
        for _ in range(2):
            before = path.stat().st_mtime_ns if path.exists() else 0

            async def newer(before: int = before) -> bool:
                return path.exists() and path.stat().st_mtime_ns > before

            await eventually(newer)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(20)


@asynccontextmanager
async def mosquitto(folder: Path, **changes: str | None) -> AsyncIterator[Mosquitto]:
    """Started, and ended in the end. `changes` are other values of settings; None: left out."""
    broker = Mosquitto(folder, changes)
    if not (folder / "passwords").exists():
        hub = BrokerLine.parse(broker.url)
        (folder / "passwords").write_text(render_passwords(hub, []))
        (folder / "acl").write_text(render_acl(hub))
        for name in ("passwords", "acl"):
            (folder / name).chmod(0o600)
    await broker.start()
    try:
        yield broker
    finally:
        broker.end()
