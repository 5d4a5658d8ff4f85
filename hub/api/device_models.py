"""The shapes of devices over HTTP: their last word, provisioning, description and history."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from hub.api.models import Id, Moment, Question
from hub.register_nouns import MODEL_LENGTH
from hub.voice_number import VOICE_NUMBER
from schemas.vocabulary import DeviceKind

Model = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MODEL_LENGTH)
]
VoiceNumber = Annotated[str, StringConstraints(pattern=VOICE_NUMBER)]


class DeviceView(BaseModel):
    """A device and its last word."""

    model_config = ConfigDict(title="Device")

    id: str
    kind: str
    label: str
    area_id: str
    premises_id: str
    person_id: str | None
    person_name: str | None = None
    address: str | None = None
    """Only in lists."""
    online: bool
    last_seen_at: Moment | None
    """Nothing within seven days: null."""
    battery_percent: float | None
    firmware: str | None = None
    """As the device said last, within seven days; only in lists."""
    model: str | None = None
    """As the maker calls it."""
    voice_number: str | None = None
    """The SIM or SIP number by which one talks through it."""
    silent: bool
    """It spoke once, and has been quiet for longer than its kind may be."""
    revoked: bool = False
    """It may not connect any more. Lists leave revoked devices out."""


class DevicePage(BaseModel):
    """Devices by id."""

    items: list[DeviceView]
    next_cursor: str | None


class NewDeviceBody(Question):
    """A device to provision; it belongs to the area of its home."""

    model_config = ConfigDict(title="NewDevice")

    id: Id
    kind: DeviceKind
    premises_id: Id
    person_id: Id | None = None
    label: Annotated[str, StringConstraints(max_length=200)] = ""
    model: Model | None = None
    voice_number: VoiceNumber | None = None


class DeviceChanges(Question):
    """What is to change in a device's description: fields that are not there stay as they are."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    label: Annotated[str, StringConstraints(max_length=200)] | None = None
    model: Model | None = None
    voice_number: VoiceNumber | None = None

    @model_validator(mode="after")
    def _something(self) -> "DeviceChanges":
        if not self.model_fields_set:
            raise ValueError("nothing to change")
        return self


class MqttCredential(BaseModel):
    """What the device needs to connect; the password is shown this once."""

    username: str
    password: str
    topic_prefix: str


class ProvisionedDevice(BaseModel):
    """A device with its new secret, shown this once."""

    device: DeviceView
    secret: str
    mqtt: MqttCredential
    broker_url: str
    """Where it connects: mqtt(s)://HOST:PORT."""
    setup_url: str
    """All of it in one line, the content of the code."""
    qr_svg: str
    """The same as a QR code."""


class MoveBody(Question):
    """Where a device is from now on; without person it serves the whole home."""

    model_config = ConfigDict(title="DeviceMove")

    premises_id: Id
    person_id: Id | None = None


class SwapBody(Question):
    """The device that is put in the place of a broken one."""

    model_config = ConfigDict(title="DeviceSwap")

    id: Id
    kind: DeviceKind | None = None
    """Only if it is of another kind."""
    model: Model | None = None
    """Not told: that of the old one, if the kind is the same."""
    voice_number: VoiceNumber | None = None
    """That of the new one; a SIM card is not taken to have moved with the place."""


class DeviceMoment(BaseModel):
    """What was so of a device from a moment on."""

    entry_id: int
    at: Moment
    changes: list[
        Literal[
            "added", "rotated", "revoked", "restored", "moved", "described", "swapped_in",
            "swapped_out",
        ]
    ]  # fmt: skip
    area_id: str
    premises_id: str
    person_id: str | None
    kind: str
    label: str
    model: str | None = None
    revoked: bool
    other_device_id: str | None
    """The one it replaced or was replaced by."""


class DeviceHistory(BaseModel):
    """Newest first."""

    items: list[DeviceMoment]
    next_cursor: str | None
