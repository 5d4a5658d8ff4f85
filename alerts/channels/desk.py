"""The desk: a ring on the live feed of every dispatcher who watches the area."""

import msgspec

from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Publisher, Sent
from schemas.topics import DESK_ANNOUNCE


class DeskChannel:
    """Rings at the desks. The feed itself is resumed from the store, so QoS 0 suffices."""

    name = ChannelName.DESK

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Publish the ring; raises SendFailed while the broker is away."""
        del message, address  # its rows carry what is said, and to which topics
        body = {"type": "ring", "incident_id": notification.incident_id, **notification.body}
        await self._publisher.publish(DESK_ANNOUNCE, msgspec.json.encode(body), qos=0)
        return Sent("published")
