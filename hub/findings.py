"""From finding to incident: what a detector's claim means for people. Pure."""

from alerts.alarm import Alarm, Bearing
from alerts.policy import wakes
from hub.detect.detector import Finding, Phase
from hub.device import Device
from hub.store.items import AlarmItem, ClearItem, Found, Item, NoteItem
from schemas import identity
from schemas.ids import AlarmId
from schemas.vocabulary import DeviceKind

CARRIED = frozenset({DeviceKind.WRISTBAND, DeviceKind.PHONE})
"""Devices that go along with their person."""


def finding_id(finding: Finding) -> AlarmId:
    """The same on every replay: one alarm for each phase and priority of an episode."""
    parts = (finding.detector, finding.kind, finding.subject.id, finding.key)
    return identity.unreadable_alarm_id(
        "/".join((*parts, finding.phase.value, finding.priority.value)), b""
    )


def found_of(device: Device, finding: Finding) -> Found:
    """The finding as it is stored."""
    return Found(
        id=finding_id(finding),
        finding=finding,
        area_id=device.area_id,
        device_id=device.id,
        person_id=device.person_id,
        premises_id=device.premises_id,
        carried=device.kind in CARRIED,
    )


def bearing_of(finding: Finding) -> Bearing:
    """Whether it wants somebody: a certain claim of some urgency does, and so does any claim that
    asks the person first. What a wider incident speaks of already does not."""
    if finding.within is not None or finding.phase is Phase.WITHDRAWN:
        return Bearing.RECORDED
    if finding.ask_s:
        return Bearing.RINGS
    certain = finding.phase is Phase.CONFIRMED
    return (
        Bearing.RINGS
        if certain and wakes(finding.category, finding.priority)
        else (Bearing.RECORDED)
    )


def alarm_of(device: Device, finding: Finding) -> Alarm:
    """The alarm a finding raises by itself, without a message behind it."""
    return Alarm(
        id=finding_id(finding),
        area_id=device.area_id,
        subject=finding.subject,
        device_id=device.id,
        person_id=device.person_id,
        premises_id=device.premises_id,
        kind=finding.kind,
        category=finding.category,
        priority=finding.priority,
        action=None,
        message_id=None,
        observed_at=None,
        received_at=finding.at,
        text=finding.text,
        evidence=finding.evidence,
        ask_s=finding.ask_s,
        bearing=bearing_of(finding),
    )


def item_of(device: Device, finding: Finding) -> Item:
    """What is recorded of a finding: an alarm, the end of one, or a note that wakes nobody."""
    found = found_of(device, finding)
    if finding.phase is Phase.WITHDRAWN:
        return ClearItem(finding.subject, alarm_of(device, finding), found)
    if bearing_of(finding) is Bearing.RECORDED:
        return NoteItem(found)
    return AlarmItem(alarm_of(device, finding), found=found)
