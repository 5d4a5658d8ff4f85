"""A fleet of invented homes, for rehearsals and checks: no broker ever sees its secrets."""

from collections.abc import Sequence

from device_sim.fleet import BrokerAddress, Fleet, FleetDevice, Home, Resident
from device_sim.place import scattered
from schemas.vocabulary import DeviceKind

CENTRE = (31.2304, 121.4737)
"""Somewhere in Shanghai, WGS-84 degrees."""
SPREAD_M = 2_000.0


def invented_fleet(homes: int, kinds: Sequence[DeviceKind]) -> Fleet:
    """So many homes with one person and one device of each kind."""
    return Fleet(BrokerAddress("", 0), [_home(number, kinds) for number in range(1, homes + 1)])


def _home(number: int, kinds: Sequence[DeviceKind]) -> Home:
    premises_id = f"home-{number:05d}"
    latitude, longitude = scattered(CENTRE, premises_id, SPREAD_M)
    devices = [
        FleetDevice(f"{kind.value.replace('_', '-')}-{premises_id}", kind, "") for kind in kinds
    ]
    person = Resident(f"person-{premises_id}")
    return Home("city", premises_id, person, devices, latitude=latitude, longitude=longitude)
