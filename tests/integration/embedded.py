"""Real servers for the tests of `hub.embedded`: a folder, settings on free ports, MQTT clients."""

import asyncio
import hashlib
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiomqtt

from hub.clock import SystemClock
from hub.embedded.broker import broker_url
from hub.embedded.callout import Callout
from hub.embedded.folder import HubFolder
from hub.embedded.secrets import load_secrets
from hub.embedded.supervisor import Supervisor
from hub.settings import Address, Settings

DEVICES = {"button-1": "secret-1", "button-2": "secret-2", "gone-1": "secret-3"}
ALARM_FILTER = "care/v1/+/+/+/alarm/+"
TELEMETRY_FILTER = "care/v1/+/+/+/telemetry/+"


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder outside pytest's: each pytest run closes `pytest-of-root` to other accounts again,
    and with it the database of a run that is still going on."""
    with tempfile.TemporaryDirectory(prefix="carebell-test-") as folder:
        yield Path(folder) / "hub"


def free_address() -> Address:
    """A loopback address nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Address("127.0.0.1", probe.getsockname()[1])


def settings_in(folder: Path) -> Settings:
    """Settings that touch nothing outside `folder` and its own ports."""
    return Settings(data_dir=folder, http_listen=free_address(), mqtt_listen=free_address())


def no_migrations(url: str, settings: Settings, administrator_password: str) -> None:
    """In place of the schema, which these tests do not need."""


def write_register(settings: Settings) -> None:
    """The snapshot as ingest writes it; fields the callout does not know are skipped."""
    register = {
        "version": 1,
        "written_at": "2026-01-01T00:00:00Z",
        "devices": {
            name: {
                "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
                "revoked": name == "gone-1",
                "premises_id": "home-1",
            }
            for name, secret in DEVICES.items()
        },
        "incidents": [],
    }
    HubFolder(settings.data_dir).register.write_text(json.dumps(register))


async def eventually(holds: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
    """Wait until something holds; fail if it never does."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - what we wait for lies outside this process
            await asyncio.sleep(0.05)


@asynccontextmanager
async def running(settings: Settings, *names: str) -> AsyncIterator[Supervisor]:
    """A supervisor with these children only, stopped in the end."""
    supervisor = Supervisor(settings, only=names, prepare_database=no_migrations)
    await supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


@asynccontextmanager
async def answering(settings: Settings) -> AsyncIterator[Callout]:
    """The callout service, inside the test's own process."""
    folder = HubFolder(settings.data_dir)
    callout = Callout(folder, load_secrets(folder), SystemClock())
    task = asyncio.create_task(callout.serve())
    try:
        yield callout
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def device(settings: Settings, name: str, **options: object) -> aiomqtt.Client:
    """A device's MQTT client with its own credential."""
    given = {"username": name, "password": DEVICES.get(name, "?")} | options
    address = settings.mqtt_listen
    return aiomqtt.Client(address.host, address.port, timeout=5, **given)  # type: ignore[arg-type]


def hub_client(settings: Settings, user: str, client_id: str) -> aiomqtt.Client:
    """One of the hub's own MQTT clients, with a persistent session."""
    password = broker_url(settings.data_dir, user).split(":")[2].rpartition("@")[0]
    address = settings.mqtt_listen
    return aiomqtt.Client(
        address.host,
        address.port,
        username=user,
        password=password,
        identifier=client_id,
        clean_session=False,
        timeout=5,
    )


async def make_session(settings: Settings, client_id: str, topic: str) -> None:
    """Leave behind a persistent session of the hub, as ingest does."""
    async with hub_client(settings, "hub-ingest", client_id) as client:
        await client.subscribe(topic, qos=1)


async def make_both_sessions(settings: Settings) -> None:
    """What opens the gate."""
    await make_session(settings, "carebell-alarm", ALARM_FILTER)
    await make_session(settings, "carebell-telemetry", TELEMETRY_FILTER)


async def is_admitted(settings: Settings, name: str, **options: object) -> bool:
    """Whether the broker lets this device in."""
    try:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(device(settings, name, **options))
    except aiomqtt.MqttError:
        return False
    return True


async def messages(client: aiomqtt.Client, count: int, within_s: float = 5.0) -> list[str]:
    """The next payloads a client receives."""
    received: list[str] = []
    async with asyncio.timeout(within_s):
        async for message in client.messages:
            received.append(bytes(message.payload).decode())
            if len(received) == count:
                break
    return received


async def silence(client: aiomqtt.Client, during_s: float = 0.5) -> bool:
    """Whether a client receives nothing for a while."""
    try:
        await messages(client, 1, within_s=during_s)
    except TimeoutError:
        return True
    return False
