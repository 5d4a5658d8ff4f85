"""Brokers somebody operates: a revoked device is cut off, each in the way that broker allows."""

import asyncio
import base64
import hashlib
import json
import os
import re
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import httpx
import psycopg
import pytest

from hub.broker_line import BrokerLine
from hub.clock import SystemClock
from hub.credential import new_credential
from hub.embedded.certificates import draw, issue_client
from hub.embedded.door import KEY_HEADER
from hub.embedded.operated import EmqxCutter, OperatedCallout
from hub.errors import StartError
from hub.mosquitto_files import LOOK_EVERY_S, keep_files, render_acl, render_passwords, write_files
from hub.settings import Address, Settings
from tests.brokers.mosquitto import SHIPPED, Mosquitto, mosquitto
from tests.integration.embedded import eventually, free_address, own_folder

PREFIX = "care/v1/city/home-1/button-1"


def registered(database_url: str, *names: str) -> dict[str, str]:
    """Devices of one home; their secrets."""
    secrets = {}
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO area VALUES ('city', NULL, 'City')")
        connection.execute("INSERT INTO ingest_owner VALUES"
                           " ('everything', '{}', 'x', 'x', 1, now(), now(), true)")  # fmt: skip
        connection.execute(
            "INSERT INTO premises (premises_id, area_id, address) VALUES ('home-1', 'city', 'x')"
        )
        for name in names:
            made = new_credential()
            secrets[name] = made.secret
            connection.execute(
                "INSERT INTO device (device_id, area_id, premises_id, kind, secret_sha256,"
                " mosquitto_hash) VALUES (%s, 'city', 'home-1', 'button', %s, %s)",
                (name, made.sha256, made.mosquitto_hash),
            )
    return secrets


async def let_in(broker: Mosquitto, name: str, password: str) -> aiomqtt.Client:
    client = aiomqtt.Client(
        broker.address.host, broker.address.port, identifier=name, username=name,
        password=password, timeout=5,
    )  # fmt: skip
    await client.__aenter__()
    return client


async def hang_up(client: aiomqtt.Client) -> None:
    with suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


async def dropped(client: aiomqtt.Client, within_s: float = 6.0) -> bool:
    try:
        async with asyncio.timeout(within_s):
            async for _ in client.messages:
                pass
    except aiomqtt.MqttError:
        return True
    except TimeoutError:
        return False
    return False


async def test_mosquitto_with_files_cuts_off_whoever_is_revoked_and_nobody_else(
    database_url: str,
) -> None:
    secrets = registered(database_url, "button-1", "button-2")
    with own_folder() as folder:
        async with mosquitto(folder) as broker:
            settings = Settings(broker_url=broker.url, database_url=database_url, data_dir=folder)
            keeping = asyncio.create_task(keep_files(settings, folder, broker.pid_file))
            try:

                async def comes_in() -> bool:
                    with suppress(aiomqtt.MqttError):
                        await hang_up(await let_in(broker, "button-1", secrets["button-1"]))
                        return True
                    return False

                hub = await let_in(broker, "hub", "hub-password")
                await eventually(comes_in)
                first = await let_in(broker, "button-1", secrets["button-1"])
                other = await let_in(broker, "button-2", secrets["button-2"])
                with psycopg.connect(database_url) as connection:
                    connection.execute("UPDATE device SET revoked = true"
                                       " WHERE device_id = 'button-1'")  # fmt: skip
                assert await dropped(first)
                with pytest.raises(aiomqtt.MqttError):
                    await let_in(broker, "button-1", secrets["button-1"])
                for stays in (hub, other):
                    assert not await dropped(stays, within_s=0.5)
                    await hang_up(stays)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)


def own_pid_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pid"
    path.write_text(str(os.getpid()))
    return path


@asynccontextmanager
async def kept_files(database_url: str, folder: Path) -> AsyncIterator[list[int]]:
    """The files of `--watch`, with this process in Mosquitto's place; what it was told (SIGHUP)."""
    told: list[int] = []
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, told.append, signal.SIGHUP)
    settings = Settings(broker_url="mqtt://hub:p@h:1", database_url=database_url, data_dir=folder)
    keeping = asyncio.create_task(keep_files(settings, folder, own_pid_file(folder)))
    try:
        yield told
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        loop.remove_signal_handler(signal.SIGHUP)


def logins(folder: Path) -> set[str]:
    """Who may come in, by the password file."""
    path = folder / "passwords"
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.partition(":")[0] for line in lines}


async def holds(folder: Path, *names: str) -> None:
    async def now() -> bool:
        return logins(folder) == {"hub", *names}

    await eventually(now)


async def test_who_was_revoked_by_a_long_transaction_is_not_passed_over(
    database_url: str,
) -> None:
    """An import that began first and ends last: its changes are the older ones by number."""
    registered(database_url, "button-1", "button-2")
    with own_folder() as folder:
        async with kept_files(database_url, folder):
            await holds(folder, "button-1", "button-2")
            with psycopg.connect(database_url) as slow:
                slow.execute("UPDATE device SET revoked = true WHERE device_id = 'button-1'")
                with psycopg.connect(database_url) as quick:
                    quick.execute("UPDATE device SET revoked = true WHERE device_id = 'button-2'")
                await holds(folder, "button-1")
            await holds(folder)


async def test_a_device_that_is_deleted_is_in_the_files_no_more(database_url: str) -> None:
    registered(database_url, "button-1")
    with own_folder() as folder:
        async with kept_files(database_url, folder):
            await holds(folder, "button-1")
            with psycopg.connect(database_url) as connection:
                connection.execute("DELETE FROM device")
            await holds(folder)


async def test_mosquitto_is_told_once_more_and_then_left_alone(database_url: str) -> None:
    """It forgets a SIGHUP that comes while it reads for the one before."""
    registered(database_url, "button-1")
    with own_folder() as folder:
        async with kept_files(database_url, folder) as told:

            async def twice() -> bool:
                return len(told) == 2

            await eventually(twice)
            await asyncio.sleep(2.2 * LOOK_EVERY_S)
            assert len(told) == 2


def with_certificates(broker: Mosquitto) -> tuple[Address, ssl.SSLContext]:
    """A listener as the shipped file has it in comments; what button-1 shows there."""
    files = draw(broker.folder / "tls", ["127.0.0.1"], "127.0.0.1", SystemClock().now())
    own = issue_client(broker.folder / "tls", "button-1", SystemClock().now())
    address = free_address()
    wanted = re.findall(r"^# (require_\w+ \w+|use_\w+ true)$", SHIPPED.read_text(), re.MULTILINE)
    lines = (f"listener {address.port} 127.0.0.1", f"certfile {files.certificate}",
             f"keyfile {files.key}", f"cafile {files.authority}", *wanted)  # fmt: skip
    broker.configuration.write_text(broker.configuration.read_text() + "\n".join(lines) + "\n")
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(own.certificate, own.key)
    return address, context


async def test_a_certificate_does_not_let_in_whom_the_register_does_not(database_url: str) -> None:
    secrets = registered(database_url, "button-1")
    with own_folder() as folder:
        async with mosquitto(folder) as broker:
            address, context = with_certificates(broker)
            broker.end()
            settings = Settings(broker_url=broker.url, database_url=database_url, data_dir=folder)
            await write_files(settings, folder, None)
            await broker.start()

            def device() -> aiomqtt.Client:
                return aiomqtt.Client(
                    address.host, address.port, identifier="button-1", username="button-1",
                    password=secrets["button-1"], tls_context=context, timeout=5,
                )  # fmt: skip

            client = device()
            await client.__aenter__()
            with psycopg.connect(database_url) as connection:
                connection.execute("UPDATE device SET revoked = true")
            await write_files(settings, folder, broker.pid_file)
            assert await dropped(client)
            with pytest.raises(aiomqtt.MqttError):
                await device().__aenter__()


async def test_mosquitto_with_files_keeps_devices_to_their_own_topics(database_url: str) -> None:
    """Each on a line of its own: Mosquitto hangs up after what it does not allow."""
    secrets = registered(database_url, "button-1")
    moved = "care/v1/elsewhere/home-9/button-1/alarm/press"
    with own_folder() as folder:
        async with mosquitto(folder) as broker:
            settings = Settings(broker_url=broker.url, database_url=database_url, data_dir=folder)
            written = await write_files(settings, folder, broker.pid_file)
            assert (written.devices, written.without) == (1, ())
            hub = await let_in(broker, "hub", "hub-password")
            await hub.subscribe("care/#", qos=1)
            await hub.subscribe("desk/#", qos=1)
            for topic in ("care/v1/city/home-1/button-2/alarm/press", "desk/action",
                          "desk/retry/1", f"{PREFIX}/command/receipt", moved):  # fmt: skip
                button = await let_in(broker, "button-1", secrets["button-1"])
                await button.publish(topic, "{}", qos=1)
                await hang_up(button)
            async with asyncio.timeout(10):
                heard = await anext(aiter(hub.messages))
            await hang_up(hub)
    assert str(heard.topic) == moved, "the others came before it, if they came"


async def test_no_device_comes_in_before_the_hubs_sessions_exist(database_url: str) -> None:
    registered(database_url, "button-1")
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE ingest_owner SET has_sessions = false")
    with own_folder() as folder:
        settings = Settings(broker_url="mqtt://hub:p@h:1", database_url=database_url,
                            data_dir=folder)  # fmt: skip
        written = await write_files(settings, folder, None)
        lines = (folder / "passwords").read_text().splitlines()
    assert (written.devices, written.open) == (0, False)
    assert [line.partition(":")[0] for line in lines] == ["hub"]


async def test_a_device_without_a_hash_is_named_and_not_let_in(database_url: str) -> None:
    registered(database_url, "button-1")
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE device SET mosquitto_hash = NULL")
    with own_folder() as folder:
        settings = Settings(broker_url="mqtt://hub:p@h:1", database_url=database_url,
                            data_dir=folder)  # fmt: skip
        assert (await write_files(settings, folder, None)).without == ("button-1",)
        nobody = settings.model_copy(update={"broker_url": "mqtt://h:1"})
        with pytest.raises(StartError, match="user name and password"):
            await write_files(nobody, folder, None)


def snapshot(folder: Path, secret: str, *, revoked: bool) -> None:
    path = folder / "snapshot"
    path.mkdir(parents=True, exist_ok=True)
    device = {"secret_sha256": hashlib.sha256(secret.encode()).hexdigest(), "revoked": revoked}
    draft = path / "register.new"
    draft.write_text(json.dumps({"devices": {"button-1": device}}))
    draft.replace(path / "register.json")
    clients = {"version": 1, "client_ids": ["carebell-alarm", "carebell-telemetry"]}
    (path / "sessions.json").write_text(json.dumps(clients))


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[OperatedCallout]:
    callout = OperatedCallout(settings, SystemClock())
    task = asyncio.create_task(callout.serve())
    try:
        yield callout
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.2)


async def test_any_broker_hangs_up_when_the_client_id_comes_again() -> None:
    """go-auth's case: Mosquitto has let it in on our word, and has no way to be told otherwise."""
    with own_folder() as folder:
        async with mosquitto(folder) as broker:
            address = free_address()
            settings = Settings(
                broker_url=broker.url, data_dir=folder, broker_auth_listen=address,
                broker_auth_secret="sixteen-or-longer",
            )  # fmt: skip
            snapshot(folder, "s1", revoked=False)
            device = new_credential()
            files = render_passwords_with(broker, "button-1", device.mosquitto_hash)
            (folder / "passwords").write_text(files)
            broker.end()
            await broker.start()
            async with (
                serving(settings),
                httpx.AsyncClient(
                    base_url=f"http://{address}", headers={KEY_HEADER: settings.broker_auth_secret}
                ) as plugin,
            ):

                async def up() -> bool:
                    with suppress(httpx.HTTPError):
                        return (await plugin.get("/health")).status_code == 200
                    return False

                await eventually(up)
                asked = {"username": "button-1", "password": "s1", "clientid": "anything"}
                assert (await plugin.post("/mosquitto/getuser", json=asked)).status_code == 200
                client = aiomqtt.Client(
                    broker.address.host, broker.address.port, identifier="anything",
                    username="button-1", password=device.secret, timeout=5,
                )  # fmt: skip
                await client.__aenter__()
                snapshot(folder, "s1", revoked=True)
                assert await dropped(client)
                assert (await plugin.post("/mosquitto/getuser", json=asked)).status_code == 403


def render_passwords_with(broker: Mosquitto, name: str, hashed: str) -> str:
    hub = BrokerLine.parse(broker.url)
    assert "topic readwrite #" in render_acl(hub)
    return render_passwords(hub, [(name, hashed)])


async def test_emqx_is_told_by_its_management_api() -> None:
    """DELETE /api/v5/clients/{clientid} with an API key; 404 is "not connected"."""
    asked: list[tuple[str, str]] = []
    answers = [204, 404, 500]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append((head.splitlines()[0], head))
        status = answers[len(asked) - 1]
        said = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        writer.write(said.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        cutter = EmqxCutter(f"http://key:top%20secret@127.0.0.1:{port}")
        assert await cutter.cut(["button-1", "button/2"]) == 2
        with pytest.raises(OSError, match="500"):
            await cutter.cut(["button-3"])
    assert [line for line, _ in asked] == [
        "DELETE /api/v5/clients/button-1 HTTP/1.1",
        "DELETE /api/v5/clients/button%2F2 HTTP/1.1",
        "DELETE /api/v5/clients/button-3 HTTP/1.1",
    ]
    token = base64.b64encode(b"key:top secret").decode()
    assert f"Basic {token}" in asked[0][1]


def test_the_door_is_not_opened_without_its_key() -> None:
    with pytest.raises(StartError, match="broker_auth_secret"):
        OperatedCallout(
            Settings(broker_url="mqtt://h:1", broker_auth_listen=Address("127.0.0.1", 8079)),
            SystemClock(),
        )
