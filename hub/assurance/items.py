"""A condition as something that is recorded: an alarm when it rings, its end when it is over."""

from collections.abc import Mapping
from datetime import datetime

from alerts.alarm import Alarm, Bearing, Category, Priority
from alerts.assurance import Standing, priority_of, sentence
from hub.detect.detector import Finding, Phase
from hub.findings import finding_id
from hub.store.items import AlarmItem, ClearItem, Found, Item
from schemas.ids import AreaId, DeviceId

DETECTOR = "assurance"
HUB_DEVICE = DeviceId("hub")
"""Stands in for the device that a condition does not have."""


def item_of(standing: Standing, now: datetime, *, over: bool) -> Item:
    """What is recorded of it. The same episode has the same id, however often it is tried."""
    seen = standing.seen
    finding = Finding(
        detector=DETECTOR,
        kind=seen.concern.value,
        phase=Phase.WITHDRAWN if over else Phase.CONFIRMED,
        category=Category.TECHNICAL,
        priority=priority_of(seen),
        subject=seen.subject,
        key=str(int(standing.since.timestamp())),
        at=now,
        text=sentence(seen.concern, seen.values, chinese=False)[:500],
        evidence=_plain(seen.values),
    )
    area_id = AreaId(seen.area_id)
    found = Found(finding_id(finding), finding, area_id, HUB_DEVICE, None, None)
    alarm = Alarm(
        id=found.id,
        area_id=area_id,
        subject=finding.subject,
        device_id=HUB_DEVICE,
        person_id=None,
        premises_id=None,
        kind=finding.kind,
        category=finding.category,
        priority=finding.priority,
        action=None,
        message_id=None,
        observed_at=now,
        received_at=now,
        text=finding.text,
        evidence=finding.evidence,
        bearing=Bearing.RECORDED if over else _bearing(finding.priority),
    )
    return ClearItem(alarm.subject, alarm, found) if over else AlarmItem(alarm, found=found)


def _bearing(priority: Priority) -> Bearing:
    """What can wait for the day is noted where an incident of its subject is open already."""
    return Bearing.REMINDS if priority is Priority.LOW else Bearing.RINGS


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value is not None}
