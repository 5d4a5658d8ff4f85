"""A quarantined message goes to its lane again: inside an envelope, with the time it first came.

The lane opens the envelope and runs all its steps. `received_at` stays the first one, so the record
tells when the person pressed and not when an operator got round to it; an alarm is flagged late.
The alarm's id is derived from the message's: what was raised as an unknown device's alarm rings
once more for the person it belongs to, and a second retry changes nothing.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import msgspec

from alerts.alarm import Alarm, Flag
from alerts.errors import SendFailed
from hub.quarantine import Kept, NotSent
from schemas import identity, topics
from schemas.codec import Malformed

LANES = {
    topics.Lane.ALARM.value: topics.DESK_RETRY_ALARM,
    topics.Lane.TELEMETRY.value: topics.DESK_RETRY_TELEMETRY,
}

MAX_ENVELOPE_BYTES = 64 * 1024
"""The embedded broker takes no larger message (`max_payload`)."""
SEND_WITHIN_S = 1.5
"""Less than a statement of the API may take, since the row is held meanwhile."""


class _Heading(msgspec.Struct, omit_defaults=True):
    topic: str
    received_at: datetime
    spoken: bool = False


_heading = msgspec.json.Decoder(_Heading)


def enveloped(kept: Kept) -> tuple[str, bytes]:
    """Topic and payload: one line that says what it is, then the bytes as they came."""
    heading = msgspec.json.encode(_Heading(kept.topic, kept.received_at))
    return LANES[kept.lane], heading + b"\n" + kept.payload


@dataclass(frozen=True, slots=True)
class Opened:
    """The message as the device sent it, and when it first came."""

    topic: str
    payload: bytes
    received_at: datetime
    spoken: bool = False
    """The person said it by telephone just now: it never came before."""


def spoken(topic: str, payload: bytes, at: datetime) -> tuple[str, bytes]:
    """Topic and payload of what somebody said by telephone instead of pressing a button."""
    heading = msgspec.json.encode(_Heading(topic, at, spoken=True))
    return topics.DESK_RETRY_ALARM, heading + b"\n" + payload


def opened(envelope: bytes) -> Opened:
    """Open an envelope. Raises Malformed."""
    line, found, payload = envelope.partition(b"\n")
    try:
        heading = _heading.decode(line)
    except msgspec.MsgspecError:
        raise Malformed("not an envelope of the hub") from None
    if not found or heading.received_at.tzinfo is None:
        raise Malformed("not an envelope of the hub")
    return Opened(heading.topic, payload, heading.received_at, heading.spoken)


def again(alarm: Alarm) -> Alarm:
    """The alarm of a retried message: late, and told apart from the one it was before."""
    flags = tuple(dict.fromkeys((*alarm.flags, Flag.LATE)))
    return replace(alarm, id=identity.unreadable_alarm_id(f"retry/{alarm.id}", b""), flags=flags)


class Line(Protocol):
    """Publishes and waits for the broker's PUBACK."""

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """Raises alerts.errors.SendFailed."""
        ...


async def send(line: Line, kept: Kept) -> None:
    """Hand it to the broker; returns once the broker has it. Raises NotSent."""
    topic, payload = enveloped(kept)
    if len(payload) > MAX_ENVELOPE_BYTES:
        raise NotSent(f"{len(payload)} bytes with its envelope; the broker takes 65,536")
    try:
        async with asyncio.timeout(SEND_WITHIN_S):
            await line.publish(topic, payload, qos=1)
    except (SendFailed, TimeoutError) as error:
        raise NotSent(str(error) or "no answer in time") from error
