"""The hub's own press: which device, and how the others know it. Pure.

It is an ordinary device with a credential of its own, and its press is an ordinary `test`, so that
it takes the way every press takes. Only the audit log leaves it out: 500,000 entries a year would
hide what people did.
"""

import msgspec

from alerts.alarm import Alarm
from hub.view import View, iso
from schemas import identity, topics
from schemas.alarms import Press, PressAction
from schemas.ids import AlarmId, AreaId, DeviceId, PremisesId

DEVICE_ID = DeviceId("hub-synthetic")
PREMISES_ID = PremisesId("hub-synthetic")
LABEL = "Carebell"
"""What stands in the register as label and address."""
SHOWN = "synthetic"
"""The type of its message on the desk bus."""


def is_synthetic(alarm: Alarm) -> bool:
    """Whether it is the hub's own. Anything but a test of that device counts like all others."""
    return alarm.device_id == DEVICE_ID and alarm.action is PressAction.TEST


def announcement(alarm: Alarm) -> bytes:
    """What ingest tells the desks where it would announce an incident."""
    said: View = {
        "type": SHOWN,
        "id": alarm.message_id,
        "area_id": alarm.area_id,
        "received_at": iso(alarm.received_at),
    }
    return msgspec.json.encode(said)


def press_topic(area_id: str) -> str:
    """Where it is published."""
    prefix = topics.device_prefix(area_id, PREMISES_ID, DEVICE_ID)
    return topics.up(prefix, topics.Lane.ALARM, "press")


def receipt_topic(area_id: str) -> str:
    """Where its receipts come."""
    return topics.receipt_topic(topics.device_prefix(area_id, PREMISES_ID, DEVICE_ID))


def alarm_id_of(area_id: str, press: Press) -> AlarmId:
    """The alarm it becomes."""
    topic = topics.Topic(AreaId(area_id), PREMISES_ID, DEVICE_ID, topics.Lane.ALARM, "press")
    return identity.alarm_id(topic, press)
