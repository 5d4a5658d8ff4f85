"""A whole `carebell demo` in a folder of its own, and a browser in front of it."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

READY_WITHIN_S = 60.0

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=user-gesture-required",
]


def chromium_path() -> str:
    """Debian's browser."""
    found = shutil.which("chromium")
    assert found is not None, "chromium is missing: make test installs it"
    return found


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class DemoHub:
    """A running demo."""

    process: subprocess.Popen[bytes]
    folder: Path
    http_port: int
    mqtt_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def password(self) -> str:
        secrets = json.loads((self.folder / "secrets.json").read_text())
        return str(secrets["administrator_password"])

    @property
    def visitor(self) -> dict[str, str]:
        """The credential of the button that the demo shows its reader."""
        lines = json.loads((self.folder / "visitor.json").read_text())
        told = dict(line.split(maxsplit=1) for line in lines)
        return {
            "username": told["device"],
            "password": told["password"].split()[0],
            "topic_prefix": told["prefix"],
        }

    def press_arguments(self) -> list[str]:
        """How to press the visitor's button with the simulator."""
        return [
            sys.executable, "-m", "device_sim", "press",
            "--broker", f"127.0.0.1:{self.mqtt_port}",
            "--device", self.visitor["username"],
            "--secret", self.visitor["password"],
            "--topic-prefix", self.visitor["topic_prefix"],
        ]  # fmt: skip


@contextlib.contextmanager
def demo_hub(homes: int) -> Iterator[DemoHub]:
    """Start the README's demo and wait until it is ready; ends every process it started."""
    with _started("demo", "--homes", str(homes), "--no-browser", ready="visitor.json") as hub:
        yield hub


@contextlib.contextmanager
def empty_hub(environment: Mapping[str, str], **settings: str) -> Iterator[DemoHub]:
    """The same with nobody in it, settings by key; whoever it calls can call back."""
    port = free_port()
    chosen = {f"CAREBELL_{key.upper()}": value for key, value in settings.items()}
    chosen["CAREBELL_PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    chosen.update(environment)
    with _started("up", ready="secrets.json", http_port=port, environment=chosen) as hub:
        yield hub


@contextlib.contextmanager
def _started(
    command: str,
    *options: str,
    ready: str,
    http_port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[DemoHub]:
    """`ready` is the file that is there once people may come in."""
    folder = Path(tempfile.mkdtemp(prefix="carebell-e2e-"))
    http_port, mqtt_port = http_port or free_port(), free_port()
    log = (folder / "hub.log").open("wb")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "carebell", command,
            "--http", f"127.0.0.1:{http_port}",
            "--mqtt", f"127.0.0.1:{mqtt_port}",
            "--data", str(folder / "data"),
            *options,
        ],
        stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, "COLUMNS": "200", **(environment or {})},
    )  # fmt: skip
    hub = DemoHub(process, folder / "data", http_port, mqtt_port)
    try:
        _wait_until_ready(hub, hub.folder / ready, folder / "hub.log")
        yield hub
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(hub: DemoHub, file: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        assert hub.process.poll() is None, log.read_text()
        ready = f"{hub.url}/api/v1/health/ready"
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(ready, timeout=2) as answer,
        ):
            if answer.status == 200 and file.exists():
                return
        time.sleep(0.2)
    raise AssertionError(log.read_text())
