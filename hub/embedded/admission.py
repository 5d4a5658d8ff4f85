"""Who may come in and what they may do: the callout's decision, without any network."""

import hashlib
import hmac
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import structlog

from schemas.ids import is_id

HUB_CLIENT_ID_PREFIX = "carebell-"
"""Client ids of the hub's own sessions. A device that used one would take the session over, and
with `clean_session` delete it together with every message it holds."""

_NOBODY_SHA256 = "0" * 64

_log = structlog.get_logger("hub.embedded.callout")


class Refusal(StrEnum):
    """Why a device is turned away; the value is what the broker's log says."""

    NOT_READY = "the hub is not ready"
    WRONG_CREDENTIAL = "unknown device or wrong password"
    REVOKED = "the device is revoked"
    FOREIGN_CLIENT_ID = "the client id belongs to somebody else"


class RegisteredDevice(msgspec.Struct, frozen=True, gc=False):
    """What the callout needs of a device in the snapshot; other fields are skipped."""

    secret_sha256: str
    revoked: bool = False


class Snapshot(msgspec.Struct, frozen=True):
    """What the callout needs of `register.json`."""

    devices: dict[str, RegisteredDevice]


class ClientDetails(msgspec.Struct, frozen=True):
    """The broker's view of the connection."""

    mqtt_id: str = ""


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


class Question(msgspec.Struct, frozen=True):
    """The claims of the broker's question."""

    nats: AuthorizationRequest
    exp: int = 0


class Register:
    """The devices of the snapshot file, read again whenever the file was replaced."""

    def __init__(self, path: Path) -> None:
        """Watch this file; it need not exist yet."""
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._devices: dict[str, RegisteredDevice] | None = None
        self._decoder = msgspec.json.Decoder(Snapshot)

    def devices(self) -> dict[str, RegisteredDevice] | None:
        """All devices; None while there never was a snapshot.

        One stat a question; parsing 100,000 devices takes 0.1 s and follows a replacement only. A
        snapshot that cannot be read leaves the last good one in force: locking every device out
        would be worse than a stale secret.
        """
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if seen == self._seen:
                return self._devices
            self._seen = seen
            self._devices = self._decoder.decode(self._path.read_bytes()).devices
        except FileNotFoundError:
            pass
        except (OSError, msgspec.MsgspecError) as error:
            _log.error("register_unreadable", path=str(self._path), error=str(error))
        return self._devices


def admit(
    request: AuthorizationRequest, devices: dict[str, RegisteredDevice] | None, *, ready: bool
) -> Refusal | None:
    """Say why this client may not come in; None if it may."""
    if not ready or devices is None:
        return Refusal.NOT_READY
    device_id = request.connect_opts.username
    device = devices.get(device_id)
    given = hashlib.sha256(request.connect_opts.password.encode()).hexdigest()
    # The unknown take as long as the known: the answer's delay must not tell which ids exist.
    expected = device.secret_sha256 if device else _NOBODY_SHA256
    if not hmac.compare_digest(given, expected.lower()) or device is None or not is_id(device_id):
        return Refusal.WRONG_CREDENTIAL
    if device.revoked:
        return Refusal.REVOKED
    client_id = request.client_info.mqtt_id
    if client_id.startswith(HUB_CLIENT_ID_PREFIX) or (
        client_id != device_id and client_id in devices
    ):
        return Refusal.FOREIGN_CLIENT_ID
    return None


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
