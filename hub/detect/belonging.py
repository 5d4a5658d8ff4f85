"""Whose states an observation feeds: its device's, wearer's, person's, home's or area's.

A device with a person never feeds anybody else; one without (a bed nobody is registered for) keeps
what a person would have under itself and its home. So a reading is never a guessed person's, and
whoever gets a device that was somebody else's starts anew.
"""

from datetime import datetime
from enum import IntEnum
from typing import Protocol
from zlib import crc32

import msgspec

from hub.detect.detector import Context, PersonContext, Scope
from hub.device import Device
from schemas.ids import DeviceId

SHARDS = 64
"""Pieces a checkpoint is written in, so that its work is spread over a round."""


class KeptFor(IntEnum):
    """What a state is kept for; the position in `keys_of` and `Belonging.rows`."""

    DEVICE = 0
    """The thing itself, wherever it is moved to."""
    WEARER = 1
    """What one device says of one person, or of one home."""
    PERSON = 2
    PREMISES = 3
    AREA = 4


OF_THE_THING = frozenset({"silence", "unheard", "sequence", "battery", "frozen", "cached"})
"""Detectors of device scope that look at the device and not at who wears it."""

_BY_SCOPE = {
    Scope.DEVICE: KeptFor.WEARER,
    Scope.PERSON: KeptFor.PERSON,
    Scope.PREMISES: KeptFor.PREMISES,
    Scope.AREA: KeptFor.AREA,
}


class Surroundings(Protocol):
    """What the runner must be told of the world beyond a device."""

    def device(self, device_id: DeviceId) -> Device | None:
        """The device as it is registered now."""
        ...

    def contexts(self, device: Device) -> tuple[PersonContext, PersonContext] | None:
        """What is known of its person and of its home; None: nothing about it calls anybody."""
        ...

    def member(self, scope: Scope, key: str) -> Device | None:
        """A device that stands for this person, home or area, always the same one; None: none."""
        ...


class Belonging(msgspec.Struct, gc=False):
    """A device's place in the world, as of the last change of either. (Not for the garbage
    collector to look at: there is one a device, and nothing here points back.)"""

    device: Device
    watched: bool
    own: Context
    """With what is known of its person."""
    shared: Context
    """With what is known of its home: for what several people share."""
    rows: tuple[int, ...] = ()
    """Where the states of each key lie, by `KeptFor`."""

    def context_for(self, kind: KeptFor) -> Context:
        """The person's for what is about a person, the home's for what several people share."""
        return self.shared if kind >= KeptFor.PREMISES else self.own

    def listen_from(self, listening_since: datetime) -> None:
        """The hub was deaf until then."""
        alone = self.shared is self.own
        self.own = Context(self.device, listening_since, self.own.person)
        self.shared = (
            self.own if alone else Context(self.device, listening_since, self.shared.person)
        )


_NOBODY = PersonContext()


def belonging_of(
    device: Device, surroundings: Surroundings, listening_since: datetime
) -> Belonging:
    """Where the device belongs now."""
    contexts = None if device.revoked else surroundings.contexts(device)
    person, home = contexts or (_NOBODY, _NOBODY)
    own = Context(device, listening_since, person)
    shared = own if home is person else Context(device, listening_since, home)
    return Belonging(device, contexts is not None, own, shared)


def keys_of(device: Device) -> tuple[str, str, str, str, str]:
    """Whose states it feeds, by `KeptFor`. A slash cannot stand in an id, so that nothing is
    mistaken for another."""
    worn = f"{device.id}/{device.person_id or device.premises_id}"
    return device.id, worn, device.person_id or worn, device.premises_id, device.area_id


def kept_for(name: str, scope: Scope) -> KeptFor:
    """What a detector's states are kept for."""
    return KeptFor.DEVICE if name in OF_THE_THING else _BY_SCOPE[scope]


def device_of(kind: KeptFor, key: str, surroundings: Surroundings) -> Device | None:
    """The device to hand to a detector whose deadline passes; None if the state is nobody's."""
    if kind is KeptFor.DEVICE or "/" in key:
        return surroundings.device(DeviceId(key.partition("/")[0]))
    scope = next(scope for scope, of in _BY_SCOPE.items() if of is kind)
    return surroundings.member(scope, key)


def shard_of(key: str) -> int:
    """The shard a state belongs to; stable over releases."""
    return crc32(key.encode()) % SHARDS
