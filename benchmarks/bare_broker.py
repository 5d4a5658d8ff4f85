"""The broker alone: the embedded one's engine and limits, and whoever comes is let in.

Some benchmarks speak for a hundred thousand devices, which no measuring process can be connected
as. So they bring a broker of their own, as an operator would (`CAREBELL_BROKER_URL`).
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from hub.embedded.broker import executable
from hub.embedded.process import tie_to_us
from hub.settings import Settings

USER, PASSWORD = "bench", "bench-only"
STARTED_WITHIN_S = 20.0


class BareBroker:
    """A nats-server in a fresh folder on free ports."""

    def __init__(self) -> None:
        """Start it and wait until it serves."""
        self.folder = Path(tempfile.mkdtemp(prefix="carebell-bench-broker-"))
        self.port, self._monitor = _free_port(), _free_port()
        limits = Settings.model_fields
        configuration = self.folder / "nats.conf"
        configuration.write_text(f"""\
listen: "127.0.0.1:-1"
http: "127.0.0.1:{self._monitor}"
server_name: bench
max_payload: 65536
max_pending: 16MB
jetstream {{ store_dir: "{self.folder}", max_file_store: 8GB, sync_interval: "1s" }}
mqtt {{
  listen: "127.0.0.1:{self.port}"
  ack_wait: "{limits["mqtt_ack_wait_s"].default}s"
  max_ack_pending: {limits["mqtt_max_unacknowledged"].default}
}}
""")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(executable()), "-c", str(configuration)], stdout=log, stderr=log,
                process_group=0,
                preexec_fn=tie_to_us(signal.SIGKILL),  # noqa: PLW1509 - prctl only
            )  # fmt: skip
        deadline_s = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < deadline_s:
            try:
                self._ask("healthz")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError("the broker does not start")

    @property
    def url(self) -> str:
        """For hubs and clients."""
        return f"mqtt://{USER}:{PASSWORD}@127.0.0.1:{self.port}"

    def serve_hubs(self) -> None:
        """Every hub started from here on uses this broker."""
        os.environ["CAREBELL_BROKER_URL"] = self.url

    def backlog(self, subject: str) -> int:
        """Messages of this subject (NATS spelling) that its reader has not answered yet."""
        waiting = 0
        for account in self._ask("jsz?accounts=true&consumers=true&config=true")["account_details"]:
            for stream in account.get("stream_detail", ()):
                for consumer in stream.get("consumer_detail") or ():
                    if subject in str(consumer.get("config", {}).get("filter_subject", "")):
                        waiting += consumer["num_pending"] + consumer["num_ack_pending"]
        return waiting

    def stop(self) -> None:
        """End it and remove its folder."""
        self._process.kill()
        self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask(self, path: str) -> Any:
        url = f"http://127.0.0.1:{self._monitor}/{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
