"""TLS with real handshakes: devices and hub at the embedded broker, page and API over HTTPS."""

import asyncio
import os
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import aiomqtt
import httpx
import pytest
from cryptography import x509
from fastapi import FastAPI
from typer.testing import CliRunner

from hub.api.server import listening_socket, make_server
from hub.broker_line import BrokerLine
from hub.cli_tls import tls_app
from hub.clock import SystemClock
from hub.embedded.broker import broker_url
from hub.embedded.certificates import CertificateFiles, draw, issue_client
from hub.embedded.status import ChildState
from hub.embedded.supervisor import Supervisor
from hub.errors import StartError
from hub.settings import Address, Settings
from hub.sources.mqtt import Delivery, MqttConnection
from tests.brokers.lines import subscribed
from tests.integration.embedded import (
    ALARM_FILTER,
    DEVICES,
    TELEMETRY_FILTER,
    answering,
    eventually,
    free_address,
    own_folder,
    running,
    write_register,
)

TOPIC = "care/v1/city/home-1/button-1/alarm/press"


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker with TLS, and the files of whoever wants in."""

    settings: Settings
    server: CertificateFiles
    folder: Path
    supervisor: Supervisor

    async def press(self, *options: str, device: str = "button-1") -> int:
        """One press with mosquitto_pub; its exit code."""
        address = self.settings.mqtt_tls_listen
        assert address is not None
        process = await asyncio.create_subprocess_exec(
            "mosquitto_pub", "-h", address.host, "-p", str(address.port), "-i", device, "-q", "1",
            "-t", TOPIC.replace("button-1", device), "-m", "{}", *options,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        return await asyncio.wait_for(process.wait(), 10)


PASSWORD = ("-u", "button-1", "-P", DEVICES["button-1"])


@pytest.fixture(params=["password", "certificate"])
async def secured(request: pytest.FixtureRequest) -> AsyncIterator[Secured]:
    """Devices show a password, or a certificate; the hub's own sessions exist."""
    with own_folder() as folder:
        files = draw(folder / "tls", ["127.0.0.1"], "127.0.0.1", SystemClock().now())
        settings = Settings(
            data_dir=folder,
            http_listen=free_address(),
            mqtt_tls_listen=free_address(),
            mqtt_tls_certificate=str(files.certificate),
            mqtt_tls_key=str(files.key),
            mqtt_tls_client_ca=str(files.authority) if request.param == "certificate" else "",
        )
        async with running(settings, "broker") as supervisor, answering(settings):
            write_register(settings)
            url = broker_url(settings.data_dir, "hub-ingest")
            assert url.startswith("mqtts://")
            for client_id, wanted in (("carebell-alarm", ALARM_FILTER),
                                      ("carebell-telemetry", TELEMETRY_FILTER)):  # fmt: skip
                await subscribed(url, client_id, wanted)
            yield Secured(settings, files, folder / "tls", supervisor)


@pytest.mark.parametrize("secured", ["password"], indirect=True)
async def test_a_press_over_tls_reaches_the_hub(secured: Secured) -> None:
    trusted = ("--cafile", str(secured.server.authority))

    async def pressed() -> bool:
        return await secured.press(*trusted, *PASSWORD) == 0

    await eventually(pressed)
    assert await secured.press(*PASSWORD) != 0, "a device that speaks in the clear"
    strange = draw(secured.folder / "other", ["127.0.0.1"], "x", SystemClock().now())
    assert await secured.press("--cafile", str(strange.authority), *PASSWORD) != 0
    assert await secured.press(*trusted, "-u", "button-1", "-P", "wrong") != 0
    heard = await heard_by_the_hub(secured.settings)
    assert heard == {TOPIC: b"{}"}


@pytest.mark.parametrize("secured", ["certificate"], indirect=True)
async def test_a_certificate_in_the_devices_name_is_enough(secured: Secured) -> None:
    own = issue_client(secured.folder, "button-1", SystemClock().now())
    other = issue_client(secured.folder, "button-2", SystemClock().now())
    revoked = issue_client(secured.folder, "gone-1", SystemClock().now())
    strange = draw(secured.folder / "other", ["x"], "button-1", SystemClock().now())

    def shown(files: CertificateFiles) -> tuple[str, ...]:
        return ("--cafile", str(secured.server.authority), "--cert", str(files.certificate),
                "--key", str(files.key))  # fmt: skip

    async def pressed() -> bool:
        return await secured.press(*shown(own)) == 0

    await eventually(pressed)
    assert await secured.press(*shown(own), "-u", "button-1") == 0
    assert await secured.press(*shown(own), *PASSWORD) == 0
    assert await secured.press(*shown(own), "-u", "button-1", "-P", "wrong") != 0
    assert await secured.press(*shown(other), *PASSWORD) != 0, "somebody else's certificate"
    assert await secured.press(*shown(revoked), device="gone-1") != 0
    assert await secured.press(*shown(strange), *PASSWORD) != 0, "an authority nobody trusts"
    assert await secured.press("--cafile", str(secured.server.authority), *PASSWORD) != 0
    assert await heard_by_the_hub(secured.settings) == {TOPIC: b"{}"}


@asynccontextmanager
async def hub_line(secured: Secured, client_id: str) -> AsyncIterator[MqttConnection]:
    """One of the hub's own, connected."""
    line = MqttConnection(
        broker_url(secured.settings.data_dir, "hub-ingest"), client_id, clean=True,
        subscriptions={}, on_message=lambda _: None,
    )  # fmt: skip
    await line.start()
    try:
        await up(line)
        yield line
    finally:
        await line.stop()


async def up(line: MqttConnection) -> None:
    async def connected() -> bool:
        return line.connected

    await eventually(connected)


async def killed(secured: Secured) -> None:
    """The broker, with -9, until it is back."""
    before = secured.supervisor.children["broker"].pid
    assert before is not None
    os.kill(before, signal.SIGKILL)

    async def back() -> bool:
        now = secured.supervisor.children["broker"]
        return now.pid not in (None, before) and now.state is ChildState.RUNNING

    await eventually(back)


async def test_the_hub_comes_back_to_a_broker_that_was_killed(secured: Secured) -> None:
    """With client certificates the broker draws the hub's own anew at every start."""
    async with hub_line(secured, "carebell-own") as line:
        await killed(secured)
        await up(line)


def renew(secured: Secured) -> int:
    """By the same authority, as a tool does it; the new one's serial number."""
    new = issue_client(secured.folder, "127.0.0.1", SystemClock().now())
    secured.server.key.write_bytes(new.key.read_bytes())
    secured.supervisor.renew_certificate()
    assert shown(secured) != serial(new.certificate.read_bytes()), "half of it is new"
    secured.server.certificate.write_bytes(new.certificate.read_bytes())
    return serial(new.certificate.read_bytes())


def serial(pem: bytes) -> int:
    return x509.load_pem_x509_certificate(pem).serial_number


def shown(secured: Secured) -> int:
    """What a device is shown that connects now."""
    address = secured.settings.mqtt_tls_listen
    assert address is not None
    return serial(ssl.get_server_certificate((address.host, address.port)).encode())


@pytest.mark.parametrize("secured", ["password"], indirect=True)
async def test_a_renewed_certificate_is_shown_without_a_restart(secured: Secured) -> None:
    trusted = ("--cafile", str(secured.server.authority))
    async with hub_line(secured, "carebell-own") as line:
        wanted = await asyncio.to_thread(renew, secured)
        assert await asyncio.to_thread(shown, secured) != wanted
        async with hub_line(secured, "carebell-between"):
            """A hub process that starts before the broker has taken it up."""
        await asyncio.to_thread(secured.supervisor.renew_certificate)

        async def renewed() -> bool:
            return await asyncio.to_thread(shown, secured) == wanted

        await eventually(renewed)
        assert line.connected, "nobody was cut off for it"
        assert await secured.press(*trusted, *PASSWORD) == 0
        await killed(secured)
        await up(line)
    assert await asyncio.to_thread(shown, secured) == wanted


@pytest.mark.parametrize("secured", ["certificate"], indirect=True)
async def test_the_hub_comes_in_for_a_phone_with_the_phones_password(secured: Secured) -> None:
    """The phone page has no line to the broker of its own; the API shows the hub's certificate."""

    async def admitted(password: str) -> bool:
        line = BrokerLine.parse(broker_url(secured.settings.data_dir, "hub-api"))
        with suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(
                line.host, line.port, username="button-1", password=password,
                identifier="button-1-page", tls_context=line.tls(), timeout=5,
            ):  # fmt: skip
                return True
        return False

    async def with_its_own() -> bool:
        return await admitted(DEVICES["button-1"])

    await eventually(with_its_own)
    assert not await admitted("wrong")
    assert not await admitted("")


async def heard_by_the_hub(settings: Settings) -> dict[str, bytes]:
    heard: dict[str, bytes] = {}

    def take(delivery: Delivery) -> None:
        heard[delivery.topic] = delivery.payload
        line.ack(delivery.ticket)

    line = MqttConnection(
        broker_url(settings.data_dir, "hub-ingest"), "carebell-alarm", clean=False,
        subscriptions={ALARM_FILTER: 1}, on_message=take,
    )  # fmt: skip
    await line.start()
    try:

        async def some() -> bool:
            return bool(heard)

        await eventually(some)
    finally:
        await line.stop()
    return heard


def test_what_the_operator_forgot_is_said_in_words(tmp_path: Path) -> None:
    line = BrokerLine("broker", 8883, encrypted=True, ca=str(tmp_path / "missing.pem"))
    with pytest.raises(StartError, match=r"missing\.pem"):
        line.tls()
    assert BrokerLine.parse("mqtt://u:p@h").tls() is None
    odd = BrokerLine("::1", 1, "a b", "p@:/?", encrypted=True, ca="/a b.pem", pinned=True)
    assert BrokerLine.parse(odd.url()) == odd


def carebell(*arguments: str) -> tuple[int, str]:
    """The command's exit code, and what it says."""
    ended = CliRunner().invoke(tls_app, list(arguments))
    assert ended.exception is None or isinstance(ended.exception, SystemExit)
    return ended.exit_code, ended.output


def test_the_authority_outlives_what_is_typed(tmp_path: Path) -> None:
    """A device called `ca` would take its place: no device would trust the broker any more."""
    folder = str(tmp_path / "tls")
    assert carebell("self-signed", folder, "--name", "not a name")[0] == 1
    assert carebell("self-signed", "/proc/tls")[0] == 1
    assert carebell("self-signed", folder)[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert carebell("self-signed", folder)[0] == 1
    for name in ("ca", "server"):
        code, said = carebell("client", folder, name)
        assert (code, "another id" in said) == (1, True)
    assert carebell("client", folder, "button-1")[0] == 0
    assert carebell("client", folder, "button-1")[0] == 0, "a new one for the one that ends"
    after = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}
    assert {name: after[name] for name in before} == before
    (tmp_path / "tls" / "ca.pem").write_text("?")
    assert "no authority" in carebell("client", folder, "button-2")[1]


def test_a_pinned_line_trusts_nobody_else(tmp_path: Path) -> None:
    files = draw(tmp_path, ["hub.example.org"], "hub", SystemClock().now())
    pinned = BrokerLine("127.0.0.1", 1, encrypted=True, ca=str(files.certificate), pinned=True)
    context = pinned.tls()
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert not context.check_hostname


async def test_page_and_api_over_https(tmp_path: Path) -> None:
    files = draw(tmp_path, ["127.0.0.1"], "hub", SystemClock().now())
    app = FastAPI()
    app.state.parts = SimpleNamespace(
        switchboard=SimpleNamespace(cut=lambda _reason: None),
        dependencies=SimpleNamespace(phones=None),
    )
    app.get("/ok")(lambda: "ok")
    listener = listening_socket(Address("127.0.0.1", 0))
    server = make_server(app, certificate=str(files.certificate), key=str(files.key))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:

        async def up() -> bool:
            return server.started

        await eventually(up)
        port = listener.getsockname()[1]
        trust = ssl.create_default_context(cafile=files.authority)
        async with httpx.AsyncClient(verify=trust) as client:
            assert (await client.get(f"https://127.0.0.1:{port}/ok")).json() == "ok"
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.get(f"https://127.0.0.1:{port}/ok")
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 10)
