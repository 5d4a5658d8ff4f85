"""The ordered steps an alarm takes before anything is written. One tuple shows everything.

    decode > identify > stamp > place > detect > raise

then the lane goes on: deduplicate > announce > commit > PUBACK > receipt. No step drops an alarm:
what cannot be read or is not known is flagged and rings anyway.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from alerts.alarm import (
    LATE_AFTER_S,
    Alarm,
    Bearing,
    Category,
    Flag,
    Priority,
    Subject,
    SubjectKind,
    hazard_priority,
)
from hub import retry
from hub.alarm_states import AlarmStates, Kept
from hub.asking import asking_devices
from hub.board import Board
from hub.detect.detector import Context, Detector, Finding
from hub.detect.fall import FallDetector
from hub.device import Device
from hub.findings import bearing_of, found_of
from hub.geo import to_wgs84
from hub.observation import Observation
from hub.register import Register
from hub.sources.mqtt import Delivery
from hub.store.items import Found
from schemas import identity, topics
from schemas.alarms import (
    AlarmMessage,
    Hazard,
    HazardPhase,
    Position,
    Press,
    PressAction,
)
from schemas.codec import Decoded, Malformed, decode_alarm
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.topics import Topic
from schemas.vocabulary import DeviceKind

_log = structlog.get_logger(__name__)

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
    found: Found | None = None
    """The finding as it is stored; not of a press, which is its own evidence."""
    failed: bool = False
    """A detector failed on it."""
    kept: list[Kept] = field(default_factory=list)
    """What the detectors remember of it."""
    alarm: Alarm | None = None
    derived: bool = False
    """Without an id of its own: its alarm's id is from content alone."""
    retried: bool = False
    """An operator sent it again out of quarantine; `received_at` is when it first came."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the steps may look at."""

    register: Register
    board: Board
    root_area_id: AreaId
    states: AlarmStates = field(default_factory=AlarmStates)


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


def place(incoming: Incoming, desk: Desk) -> None:
    """Whether its person is served at all; a press of somebody who is not stays at the desk."""
    person_id = incoming.device.person_id if incoming.device else None
    person = desk.register.people.get(person_id) if person_id else None
    if isinstance(incoming.message, Press) and person is not None and not person.state.served:
        incoming.flags.append(Flag.NOT_SERVED)


def detect(incoming: Incoming, desk: Desk) -> None:
    """What the detectors of this lane make of it."""
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
    for detector in desk.states.detectors:
        if observation.measure in detector.measures:
            _observe(incoming, desk.states, detector, observation)
    if incoming.finding is not None and not isinstance(incoming.message, Press):
        incoming.found = found_of(device, incoming.finding)


def _observe(
    incoming: Incoming, states: AlarmStates, detector: Detector[Any], observation: Observation
) -> None:
    known = incoming.device is not None
    try:
        findings, kept = states.observe(detector, observation, known=known)
    except Exception as error:
        if not isinstance(detector, FallDetector):
            raise
        # Whatever a window did to the numbers, it stays a possible fall that must be decided.
        _log.exception("fall_not_judged", device=observation.device.id)
        incoming.failed = True
        after, findings = detector.unjudged(
            states.state_of(detector, observation.device),
            observation,
            Context(observation.device, observation.received_at),
            type(error).__name__,
        )
        kept = (
            states.replaced(detector, observation.device, after, observation.received_at)
            if known
            else None
        )
    if kept is not None:
        incoming.kept.append(kept)
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
    bearing = _bearing(incoming)
    incoming.alarm = Alarm(
        id=alarm_id,
        area_id=device.area_id if device else desk.root_area_id,
        subject=_subject(device, finding, message, source),
        device_id=source,
        person_id=_person(device),
        premises_id=_premises(device),
        kind=_kind(incoming, bearing),
        category=_category(incoming),
        priority=_priority(incoming),
        action=message.action if isinstance(message, Press) else None,
        message_id=message.message_id if message else None,
        observed_at=message.observed_at if message else None,
        received_at=incoming.received_at,
        flags=tuple(incoming.flags),
        position=_position(message),
        text=_text(incoming),
        reply_prefix=_prefix(topic),
        ends_hazard=isinstance(message, Hazard) and message.phase is HazardPhase.ENDED,
        evidence=_evidence(incoming),
        ask_s=_ask_s(finding, device, desk),
        bearing=bearing,
    )
    if incoming.retried and incoming.unreadable is None:
        incoming.alarm, incoming.derived = retry.again(incoming.alarm), False


ALARM_STEPS: tuple[Callable[[Incoming, Desk], None], ...] = (
    decode,
    identify,
    stamp,
    place,
    detect,
    raise_alarm,
)


def undigested(incoming: Incoming, desk: Desk, reason: str) -> Incoming:
    """The alarm of a message that a step failed on: only its topic is trusted."""
    again = Incoming(
        incoming.delivery, incoming.received_at, topic=incoming.topic, retried=incoming.retried
    )
    identify(again, desk)
    again.unreadable = reason
    raise_alarm(again, desk)
    return again


def _stranger(topic: Topic) -> Device:
    """A device nobody registered: it rings in the root area under its claimed id."""
    return Device(topic.device_id, DeviceKind.BUTTON, topic.area_id, topic.premises_id)


def _bearing(incoming: Incoming) -> Bearing:
    """A message that is no finding is known already: a hazard that goes on must not be forgotten
    where nobody has it, a movement or a second word about one fall is only kept."""
    finding, message = incoming.finding, incoming.message
    if finding is not None:
        return bearing_of(finding)
    if message is None:
        return Bearing.RINGS
    return Bearing.REMINDS if isinstance(message, Hazard) else Bearing.RECORDED


def _evidence(incoming: Incoming) -> Mapping[str, Any]:
    """What the desk can show; of a hazard known already at least which it is."""
    if incoming.finding is not None:
        return incoming.finding.evidence
    message = incoming.message
    if isinstance(message, Hazard) and message.hazard is not None:
        return {"hazard": message.hazard.value, "value": message.value}
    return {}


def _ask_s(finding: Finding | None, device: Device | None, desk: Desk) -> int:
    """How long the person is asked first; where nobody can ask, the ladder begins at once."""
    if finding is None or device is None or not finding.ask_s:
        return 0
    return finding.ask_s if asking_devices(desk.register, desk.board, device) else 0


def _kind(incoming: Incoming, bearing: Bearing) -> str:
    """What it is called: a window is a fall only once a detector is sure of it."""
    if incoming.message is None or incoming.topic is None:
        return "unreadable"
    if incoming.finding is None or bearing is Bearing.RECORDED:
        return incoming.topic.kind
    return incoming.finding.kind


def _category(incoming: Incoming) -> Category:
    if isinstance(incoming.message, Hazard):
        return Category.HAZARD
    return incoming.finding.category if incoming.finding else Category.PERSONAL


def _priority(incoming: Incoming) -> Priority:
    if Flag.NOT_SERVED in incoming.flags:
        return Priority.LOW
    if incoming.finding is not None:
        return incoming.finding.priority
    match incoming.message:
        case Hazard() as hazard:
            return hazard_priority(hazard)
        case None:
            return Priority.HIGH
        case _:
            return Priority.MEDIUM


def _subject(
    device: Device | None,
    finding: Finding | None,
    message: AlarmMessage | None,
    source: DeviceId,
) -> Subject:
    if device is None:
        return Subject(SubjectKind.DEVICE, source)
    if finding is not None:
        return finding.subject
    if isinstance(message, Hazard):
        return Subject(SubjectKind.PREMISES, device.premises_id)
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
