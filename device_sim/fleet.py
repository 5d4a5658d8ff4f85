"""The fleet file: who lives where, with which devices and secrets.

Whoever provisions the devices writes it, with mode 0600: it holds every secret.
"""

from pathlib import Path

import msgspec

from schemas.ids import is_id
from schemas.topics import device_prefix
from schemas.vocabulary import DeviceKind

MAX_FLEET_BYTES = 256 * 1024 * 1024
"""100,000 homes of three devices are about 60 MiB; four times that is not a fleet file."""


class FleetUnreadable(Exception):
    """The fleet file cannot be used; the message says what to correct."""


class SharedLogin(msgspec.Struct, frozen=True):
    """A login of the broker that may speak for every device; see `trunk`."""

    user: str
    secret: str


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where the devices connect to."""

    host: str
    port: int
    shared: SharedLogin | None = None
    """None: every device has only its own."""


class Resident(msgspec.Struct, frozen=True):
    """Whom the devices belong to, as far as a device or its body model needs to know."""

    id: str
    name: str = ""
    birth_year: int | None = None
    language: str = "zh-CN"


class FleetDevice(msgspec.Struct, frozen=True):
    """A provisioned device; the id is its MQTT user name, the secret its password."""

    id: str
    kind: DeviceKind
    secret: str


class Home(msgspec.Struct, frozen=True):
    """One home: a resident and their devices. Position in WGS-84 degrees, if it is known."""

    area_id: str
    premises_id: str
    person: Resident
    devices: list[FleetDevice]
    time_zone: str = "Asia/Shanghai"
    latitude: float | None = None
    longitude: float | None = None

    def topic_prefix(self, device: FleetDevice) -> str:
        """Under which `device` publishes, as it learnt when it was provisioned."""
        return device_prefix(self.area_id, self.premises_id, device.id)

    def device_of_kind(self, kind: DeviceKind) -> FleetDevice | None:
        """The home's first device of this kind."""
        return next((device for device in self.devices if device.kind is kind), None)


class Fleet(msgspec.Struct, frozen=True):
    """All homes that one simulator process plays."""

    broker: BrokerAddress
    homes: list[Home]

    @property
    def device_count(self) -> int:
        return sum(len(home.devices) for home in self.homes)


def load_fleet(path: Path) -> Fleet:
    """Read and check a fleet file. Raises `FleetUnreadable`."""
    try:
        if path.stat().st_size > MAX_FLEET_BYTES:
            raise FleetUnreadable(f"{path}: larger than {MAX_FLEET_BYTES} bytes")
        fleet = msgspec.json.decode(path.read_bytes(), type=Fleet)
    except OSError as error:
        raise FleetUnreadable(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FleetUnreadable(f"{path}: {error}") from None
    _check(fleet, path)
    return fleet


def _check(fleet: Fleet, path: Path) -> None:
    if not fleet.device_count:
        raise FleetUnreadable(f"{path}: no device in any home")
    seen: set[str] = set()
    for home in fleet.homes:
        for name in (home.area_id, home.premises_id, *(device.id for device in home.devices)):
            if not is_id(name):
                raise FleetUnreadable(f"{path}: {name!r} is no id (a-z, 0-9 and '-', at most 64)")
        for device in home.devices:
            if device.id in seen:
                raise FleetUnreadable(f"{path}: device {device.id!r} stands there twice")
            seen.add(device.id)
