"""The device itself: the receipt that tells the person how far their call has come."""

import msgspec

from alerts.errors import SendRefused
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Publisher


class DeviceChannel:
    """Publishes receipts at QoS 1; the broker keeps them for a device that is asleep."""

    name = ChannelName.DEVICE

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, notification: Notification) -> str:
        """Publish every receipt to each of its topics; `sent` means the broker has them."""
        messages = notification.body.get("messages")
        if not messages:
            raise SendRefused("the receipt has no topic")
        for message in messages:
            payload = msgspec.json.encode(message["receipt"])
            for topic in message["topics"]:
                await self._publisher.publish(topic, payload, qos=1)
        return f"broker has {len(messages)} receipt(s)"
