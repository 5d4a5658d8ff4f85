"""A device of the register, and what the hub may expect of it."""

import msgspec

from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind


class Device(msgspec.Struct, frozen=True, gc=False):
    """A device as it was provisioned; `person_id` None where it serves a whole home."""

    id: DeviceId
    kind: DeviceKind
    area_id: AreaId
    premises_id: PremisesId
    person_id: PersonId | None = None
    label: str = ""
    revoked: bool = False
    voice_number: str | None = None
    """The SIM or SIP number by which one talks through it."""

    @property
    def silent_after_s(self) -> int:
        """Seconds without a word until its silence is a finding."""
        return DEVICE_CLASSES[self.kind].heartbeat_s * MISSED_HEARTBEATS_UNTIL_SILENT

    @property
    def shows_receipt(self) -> bool:
        """Whether it can tell its person something."""
        return DEVICE_CLASSES[self.kind].shows_receipt
