"""What the hub tells a device."""

from enum import StrEnum

import msgspec

from schemas.fields import HubTime, Length


class ReceiptStage(StrEnum):
    """How far the hub has come with this press; the rows stand in the order of the stages."""

    HEARD = "heard"
    """Announced to a desk, not yet recorded: keep repeating."""
    RECEIVED = "received"
    """Recorded: stop repeating."""
    COMING = "coming"
    """A human took responsibility."""
    OVER = "over"


class Tone(StrEnum):
    """A hint for devices with a buzzer."""

    SHORT = "short"
    RISING = "rising"
    CALM = "calm"


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """command/receipt: the hub's answer to a press, keyed by the press's `message_id`."""

    stage: ReceiptStage
    at: HubTime
    text: str
    """One sentence in the person's language, fit to be shown or spoken."""
    message_id: str | None = None
    """None only where the press carried none and the device must take it for its last press."""
    incident_id: str | None = None
    who: str | None = None
    """At `coming`: who took responsibility."""
    expected_at: HubTime | None = None
    """At `coming`: when somebody is expected to be there, if known."""
    tone: Tone = Tone.SHORT
    light: str = "green"
    """A colour, or `off`."""
    vibrate: bool = True


class CheckIn(msgspec.Struct, frozen=True, omit_defaults=True):
    """command/check_in: ask the person "are you well?".

    Answered by a press: `cancel` means "I am well", `emergency` or `help` that they are not. No
    answer in time is an answer too. The question ends with the next receipt.
    """

    check_in_id: str
    """The same however often the question comes; later receipts carry it as `incident_id`."""
    text: str
    """One or two sentences in the person's language, fit to be shown or spoken."""
    answer_within_s: int
    """Counted from `at`; somebody is called afterwards."""
    at: HubTime | None = None
    """When the hub asked. A question that arrives after its time is not worth showing."""
    tone: Tone = Tone.RISING
    light: str = "amber"
    """A colour, or `off`."""
    vibrate: bool = True


class Locate(msgspec.Struct, frozen=True, omit_defaults=True):
    """command/locate: ask for a fix now."""

    request_id: str
    accuracy_m: Length | None = None


class Configure(msgspec.Struct, frozen=True, omit_defaults=True):
    """command/configure: how often to report."""

    heartbeat_s: int | None = None
    vitals_interval_s: int | None = None
    location_interval_s: int | None = None


CommandMessage = Receipt | CheckIn | Locate | Configure
