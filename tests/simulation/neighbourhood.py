"""Real brokers, a small fleet and a stand-in for the hub that only answers, for simulator tests."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt

from device_sim.fleet import Fleet, load_fleet
from schemas import topics
from schemas.codec import encode
from schemas.commands import Receipt, ReceiptStage

HUB = ("hub", "hub-password")
KINDS = {"button": "button", "band": "wristband", "bed": "care_bed"}


def fleet_file(folder: Path, port: int, homes: int = 2) -> Path:
    """A fleet as whoever provisions writes it, with one field this simulator does not know."""
    path = folder / "fleet.json"
    path.write_text(
        json.dumps(
            {
                "broker": {"host": "127.0.0.1", "port": port},
                "homes": [
                    {
                        "area_id": "city",
                        "premises_id": f"home-{number}",
                        "person": {"id": f"person-{number}", "name": "Ms Zhang", "language": "en"},
                        "storeys": 2,
                        "devices": [
                            {"id": f"{name}-{number}", "kind": kind, "secret": f"s-{name}-{number}"}
                            for name, kind in KINDS.items()
                        ],
                    }
                    for number in range(homes)
                ],
            }
        )
    )
    path.chmod(0o600)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A real broker that can be killed, frozen and started again on its folder and port."""

    folder: Path
    port: int
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self.process = self._spawn()

        async def answers() -> bool:
            with suppress(OSError, aiomqtt.MqttError):
                async with aiomqtt.Client("127.0.0.1", self.port, username=HUB[0], password=HUB[1]):
                    return True
            return False

        await eventually(answers)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with (self.folder / "broker.log").open("ab") as log:
            return subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


def nats(folder: Path, homes: int = 2) -> Broker:
    """The embedded broker's engine with a plain list of users."""
    port = free_port()
    accounts = ", ".join(
        f'{{user: "{user}", password: "{password}"}}' for user, password in _accounts(homes)
    )
    (folder / "nats.conf").write_text(
        f'server_name: sim\nlisten: "127.0.0.1:{free_port()}"\n'
        f'jetstream {{ store_dir: "{folder}/js" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "5s", max_ack_pending: 8192 }}\n'
        f"authorization {{ users: [{accounts}] }}\n"
    )
    server = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
    return Broker(folder, port, [server, "-c", "nats.conf"])


def mosquitto(folder: Path, homes: int = 2) -> Broker:
    """Debian's Mosquitto with stored sessions; passwords are not what is tested with it."""
    port = free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        f"persistence true\npersistence_location {folder}/\nautosave_interval 1\n"
        "autosave_on_changes true\nuser root\n"
    )
    server = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    return Broker(folder, port, [server or "mosquitto", "-c", "mosquitto.conf"])


BROKERS: dict[str, Callable[[Path], Broker]] = {"nats": nats, "mosquitto": mosquitto}


def fleet_of(broker: Broker, homes: int = 2) -> Fleet:
    return load_fleet(fleet_file(broker.folder, broker.port, homes))


def _accounts(homes: int) -> list[tuple[str, str]]:
    names = [f"{name}-{number}" for name in KINDS for number in range(homes)]
    return [HUB, *((name, f"s-{name}") for name in names)]


@dataclass
class Heard:
    """One alarm message as it came out of the broker."""

    topic: str
    payload: bytes

    @property
    def message_id(self) -> str:
        return str(json.loads(self.payload)["message_id"])


@dataclass
class Answerer:
    """In place of the hub: writes down what comes and answers alarms with `stages`."""

    stages: list[ReceiptStage]
    alarms: list[Heard] = field(default_factory=list)
    telemetry: list[Heard] = field(default_factory=list)
    client: aiomqtt.Client | None = None

    async def answer(self, heard: Heard, stage: ReceiptStage) -> None:
        """Publish one receipt."""
        assert self.client is not None
        topic = topics.parse(heard.topic)
        assert topic is not None
        target = topics.command(topic.area_id, topic.premises_id, topic.device_id, "receipt")
        receipt = Receipt(stage, datetime.now(UTC), "", message_id=heard.message_id, who="Wang Li")
        await self.client.publish(target, encode(receipt), qos=1)

    async def listen(self) -> None:
        """Take what comes, for ever."""
        assert self.client is not None
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            heard = Heard(str(message.topic), message.payload)
            if "/alarm/" not in heard.topic:
                self.telemetry.append(heard)
                continue
            self.alarms.append(heard)
            for stage in self.stages:
                await self.answer(heard, stage)


@asynccontextmanager
async def answering(broker: Broker, *stages: ReceiptStage) -> AsyncIterator[Answerer]:
    """A stand-in that is subscribed when the block begins."""
    answerer = Answerer(list(stages))
    async with aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=HUB[0],
        password=HUB[1],
        identifier="stand-in",
        clean_session=False,
    ) as client:
        answerer.client = client
        await client.subscribe(topics.ALARM_FILTER, qos=1)
        await client.subscribe(topics.TELEMETRY_FILTER, qos=1)
        listening = asyncio.create_task(answerer.listen())
        try:
            yield answerer
        finally:
            while not listening.done():  # Python 3.11's wait_for, in aiomqtt, may eat a cancel
                listening.cancel()
                await asyncio.wait({listening}, timeout=0.5)
            with suppress(asyncio.CancelledError, aiomqtt.MqttError):
                listening.result()


async def eventually(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float = 20.0
) -> None:
    """Wait for a real broker to come round; fails when it does not in time."""
    async with asyncio.timeout(within_s):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)
