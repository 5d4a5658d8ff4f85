"""The ordered steps an alarm takes before anything is written. One tuple shows everything.

    decode > identify > stamp > detect > raise

then the lane goes on: deduplicate > announce > commit > PUBACK > receipt. No step drops an alarm:
what cannot be read or is not known is flagged and rings anyway.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.alarm import LATE_AFTER_S, Alarm, Category, Flag, Priority, Subject, SubjectKind
from hub.board import Board
from hub.detect.detector import Context, Finding
from hub.detect.registry import ALARM_DETECTORS
from hub.device import Device
from hub.geo import to_wgs84
from hub.observation import Observation
from hub.register import Register
from hub.sources.mqtt import Delivery
from schemas import identity, topics
from schemas.alarms import AlarmMessage, Hazard, HazardPhase, Position, Press, PressAction
from schemas.codec import Decoded, Malformed, decode_alarm
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.topics import Topic
from schemas.vocabulary import DeviceKind

CLOCK_AHEAD_S = 300
"""Ours: NTP keeps a healthy device within a second; five minutes ahead is a clock that lies."""


@dataclass(slots=True)
class Incoming:
    """An alarm message on its way through the steps."""

    delivery: Delivery
    received_at: datetime
    topic: Topic | None = None
    message: AlarmMessage | None = None
    decoded: Decoded[AlarmMessage] | None = None
    unreadable: str | None = None
    """Why the payload is kept in quarantine."""
    device: Device | None = None
    flags: list[Flag] = field(default_factory=list)
    finding: Finding | None = None
    alarm: Alarm | None = None
    derived: bool = False
    """Without an id of its own: its alarm's id is from content alone."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the steps may look at."""

    register: Register
    board: Board
    root_area_id: AreaId


def decode(incoming: Incoming, desk: Desk) -> None:
    """Bytes to a message, as far as they can be read."""
    del desk
    incoming.topic = topics.parse(incoming.delivery.topic)
    if incoming.topic is None:
        incoming.unreadable = "the topic is not one of the contract's"
        return
    try:
        incoming.decoded = decode_alarm(incoming.topic.kind, incoming.delivery.payload)
    except Malformed as error:
        incoming.unreadable = error.reason
        return
    incoming.message = incoming.decoded.message
    if incoming.decoded.damage:
        incoming.flags.append(Flag.DAMAGED)


def identify(incoming: Incoming, desk: Desk) -> None:
    """Whose device is it? The device id is authoritative, whatever premises the topic names."""
    if incoming.topic is None:
        incoming.flags.append(Flag.UNKNOWN_DEVICE)
        return
    device = desk.register.devices.get(incoming.topic.device_id)
    incoming.device = device
    if device is None:
        incoming.flags.append(Flag.UNKNOWN_DEVICE)
        reason = "the device is not in the register"
        incoming.unreadable = incoming.unreadable or reason
    elif device.premises_id != incoming.topic.premises_id:
        incoming.flags.append(Flag.WRONG_PREMISES)


def stamp(incoming: Incoming, desk: Desk) -> None:
    """Compare the device's clock with ours; neither repairs the other."""
    del desk
    if incoming.message is None:
        return
    observed_at = incoming.message.observed_at
    if observed_at is None:
        incoming.flags.append(Flag.CLOCK_UNKNOWN)
    elif observed_at - incoming.received_at > timedelta(seconds=CLOCK_AHEAD_S):
        incoming.flags.append(Flag.CLOCK_AHEAD)
    elif incoming.received_at - observed_at > timedelta(seconds=LATE_AFTER_S):
        incoming.flags.append(Flag.LATE)
    message = incoming.message
    if isinstance(message, Press) and message.duress and message.action is PressAction.CANCEL:
        incoming.flags.append(Flag.DURESS)


def detect(incoming: Incoming, desk: Desk) -> None:
    """What the detectors of this lane make of it."""
    del desk
    if incoming.message is None or incoming.topic is None:
        return
    device = incoming.device or _stranger(incoming.topic)
    observation = Observation(
        device,
        incoming.topic.kind,
        incoming.received_at,
        incoming.message.observed_at,
        message=incoming.message,
    )
    context = Context(device, incoming.received_at)
    for detector in ALARM_DETECTORS:
        if observation.measure in detector.measures:
            _, findings = detector.observe(None, observation, context)
            for finding in findings:
                incoming.finding = finding


def raise_alarm(incoming: Incoming, desk: Desk) -> None:
    """A finding becomes an alarm; what could not be read becomes one too."""
    topic, device, finding = incoming.topic, incoming.device, incoming.finding
    message = incoming.message
    if topic is not None and message is not None:
        alarm_id = identity.alarm_id(topic, message)
        incoming.derived = identity.derived(message)
    else:
        delivery = incoming.delivery
        alarm_id = identity.unreadable_alarm_id(delivery.topic, delivery.payload)
        incoming.derived = True
        incoming.flags.append(Flag.UNREADABLE)
    source = topic.device_id if topic is not None else DeviceId("unknown")
    incoming.alarm = Alarm(
        id=alarm_id,
        area_id=device.area_id if device else desk.root_area_id,
        subject=_subject(device, finding, source),
        device_id=source,
        person_id=_person(device),
        premises_id=_premises(device),
        kind=finding.kind if finding else "unreadable",
        category=finding.category if finding else Category.PERSONAL,
        priority=finding.priority if finding else Priority.HIGH,
        action=message.action if isinstance(message, Press) else None,
        message_id=message.message_id if message else None,
        observed_at=message.observed_at if message else None,
        received_at=incoming.received_at,
        flags=tuple(incoming.flags),
        position=_position(message),
        text=_text(incoming),
        reply_prefix=_prefix(topic),
        ends_hazard=isinstance(message, Hazard) and message.phase is HazardPhase.ENDED,
    )


ALARM_STEPS: tuple[Callable[[Incoming, Desk], None], ...] = (
    decode,
    identify,
    stamp,
    detect,
    raise_alarm,
)


def undigested(incoming: Incoming, desk: Desk, reason: str) -> Incoming:
    """The alarm of a message that a step failed on: only its topic is trusted."""
    again = Incoming(incoming.delivery, incoming.received_at, topic=incoming.topic)
    identify(again, desk)
    again.unreadable = reason
    raise_alarm(again, desk)
    return again


def _stranger(topic: Topic) -> Device:
    """A device nobody registered: it rings in the root area under its claimed id."""
    return Device(topic.device_id, DeviceKind.BUTTON, topic.area_id, topic.premises_id)


def _subject(device: Device | None, finding: Finding | None, source: DeviceId) -> Subject:
    if device is None:
        return Subject(SubjectKind.DEVICE, source)
    if finding is not None:
        return finding.subject
    if device.person_id is not None:
        return Subject(SubjectKind.PERSON, device.person_id)
    return Subject(SubjectKind.PREMISES, device.premises_id)


def _person(device: Device | None) -> PersonId | None:
    return device.person_id if device else None


def _premises(device: Device | None) -> PremisesId | None:
    return device.premises_id if device else None


def _position(message: AlarmMessage | None) -> Position | None:
    if message is None or message.position is None:
        return None
    return to_wgs84(message.position)


def _prefix(topic: Topic | None) -> str | None:
    if topic is None:
        return None
    return topics.device_prefix(topic.area_id, topic.premises_id, topic.device_id)


def _text(incoming: Incoming) -> str:
    parts = [incoming.finding.text] if incoming.finding and incoming.finding.text else []
    if incoming.unreadable:
        parts.append(incoming.unreadable)
    if incoming.decoded and incoming.decoded.damage:
        parts.append("unreadable: " + "; ".join(incoming.decoded.damage))
    return " · ".join(parts).replace("\0", "")[:500]
