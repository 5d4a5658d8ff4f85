"""Who may come in and what they may do: the callout's decision, without any network."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

from hub.embedded.door_register import RegisteredDevice
from schemas import topics
from schemas.ids import is_id
from schemas.topics import Lane

HUB_CLIENT_ID_PREFIX = "carebell-"
"""Client ids of the hub's own sessions. A device that used one would take the session over, and
with `clean_session` delete it together with every message it holds."""

_NOBODY_SHA256 = "0" * 64
_COMMAND_LEVELS = 6
"""care / v1 / area / premises / device / command"""


class Refusal(StrEnum):
    """Why a device is turned away; the value is what the broker's log says."""

    NOT_READY = "the hub is not ready"
    WRONG_CREDENTIAL = "unknown device or wrong password"
    REVOKED = "the device is revoked"
    FOREIGN_CLIENT_ID = "the client id belongs to somebody else"


class ClientDetails(msgspec.Struct, frozen=True):
    """The broker's view of the connection."""

    mqtt_id: str = ""


class TlsDetails(msgspec.Struct, frozen=True):
    """The line's encryption; chains are there only if the broker verified them."""

    verified_chains: tuple[tuple[str, ...], ...] | None = None
    """Each a list of certificates in PEM, the client's own first."""


class ConnectOptions(msgspec.Struct, frozen=True):
    """What the connecting client sent."""

    username: str = msgspec.field(default="", name="user")
    password: str = msgspec.field(default="", name="pass")


class ServerIdentity(msgspec.Struct, frozen=True):
    """The broker that asks."""

    id: str


class AuthorizationRequest(msgspec.Struct, frozen=True):
    """The `nats` part of the broker's question (NATS ADR-26)."""

    server_id: ServerIdentity
    user_nkey: str
    client_info: ClientDetails = ClientDetails()
    connect_opts: ConnectOptions = ConnectOptions()
    client_tls: TlsDetails | None = None


class Applicant(msgspec.Struct, frozen=True):
    """Who wants to come in, whichever broker asks."""

    username: str
    password: str
    client_id: str = ""
    certificate_name: str | None = None
    """Common name of a certificate that the broker has verified; None without one."""


class Question(msgspec.Struct, frozen=True):
    """The claims of the broker's question."""

    nats: AuthorizationRequest
    exp: int = 0


def applicant_of(
    request: AuthorizationRequest, is_ours: Callable[[str], bool] = lambda _: False
) -> Applicant:
    """The embedded broker's question, as a matter of who wants in.

    `is_ours` knows the certificate (PEM) of the hub's own processes: with it the API comes in for
    a phone and the worker as its own test device, and then only the password says who they are.
    """
    options, tls = request.connect_opts, request.client_tls
    name = None
    if tls is not None and tls.verified_chains and tls.verified_chains[0]:
        shown = tls.verified_chains[0][0]
        name = None if is_ours(shown) else common_name(shown)
    return Applicant(
        options.username or name or "", options.password, request.client_info.mqtt_id, name
    )


def common_name(certificate_pem: str) -> str:
    """The common name of a certificate; empty, which is nobody's, if it has none or several."""
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ""
    return str(names[0].value) if len(names) == 1 else ""


def admit(
    applicant: Applicant, devices: Mapping[str, RegisteredDevice] | None, *, ready: bool
) -> Refusal | None:
    """Say why this client may not come in; None if it may.

    A verified certificate in the device's name is enough; a password that is given as well must be
    right. A certificate in another name is refused whatever the password.
    """
    if not ready or devices is None:
        return Refusal.NOT_READY
    device_id = applicant.username
    device = devices.get(device_id)
    given = hashlib.sha256(applicant.password.encode()).hexdigest()
    # The unknown take as long as the known: the answer's delay must not tell which ids exist.
    expected = device.secret_sha256 if device else _NOBODY_SHA256
    proved = hmac.compare_digest(given, expected.lower())
    if applicant.certificate_name is not None:
        named = applicant.certificate_name == device_id
        proved = named and (proved or not applicant.password)
    if not proved or device is None or not is_id(device_id):
        return Refusal.WRONG_CREDENTIAL
    if device.revoked:
        return Refusal.REVOKED
    client_id = applicant.client_id
    if client_id.startswith(HUB_CLIENT_ID_PREFIX) or (
        client_id != device_id and client_id in devices
    ):
        return Refusal.FOREIGN_CLIENT_ID
    return None


def barred(
    before: Mapping[str, RegisteredDevice], after: Mapping[str, RegisteredDevice]
) -> frozenset[str]:
    """Devices that may have a connection they could not make any more: revoked, gone, or with
    another secret."""
    return frozenset(
        device_id
        for device_id, device in before.items()
        if not device.revoked
        and (
            (now := after.get(device_id)) is None
            or now.revoked
            or now.secret_sha256 != device.secret_sha256
        )
    )


def may_publish(device_id: str, topic: str) -> bool:
    """Whether a device may say something there: as itself, whatever area and premises it names."""
    parsed = topics.parse(topic)
    return (
        parsed is not None
        and parsed.device_id == device_id
        and parsed.lane in (Lane.ALARM, Lane.TELEMETRY)
    )


def may_read(device_id: str, topic_filter: str) -> bool:
    """Whether a device may subscribe to that filter, or be given a message of that topic."""
    levels = topic_filter.split("/")
    return (
        len(levels) >= _COMMAND_LEVELS
        and levels[:2] == topics.PREFIX.split("/")
        and levels[4:6] == [device_id, Lane.COMMAND]
        and "#" not in levels[2:4]
    )


def device_claims(device_id: str, user_nkey: str) -> dict[str, Any]:
    """What an admitted device may do: publish as itself, read its own commands.

    Area and premises are left open: a device that was moved still knows its old prefix and must
    ring all the same. The device id is authoritative and cannot be chosen.
    """
    own = f"care.v1.*.*.{device_id}"
    return {
        "sub": user_nkey,
        "aud": "CARE",
        "name": device_id,
        "nats": {
            "type": "user",
            "version": 2,
            "pub": {"allow": [f"{own}.alarm.*", f"{own}.telemetry.*"]},
            # MQTT's `command/#` is two subjects to NATS; `$MQTT.sub` is how QoS 1 is delivered.
            "sub": {"allow": [f"{own}.command", f"{own}.command.>", "$MQTT.sub.>"]},
            "allowed_connection_types": ["MQTT"],
            "subs": -1,
            "data": -1,
            "payload": -1,
        },
    }
