"""The device itself: how far the person's call has come, or whether they are well."""

import msgspec

from alerts.errors import SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Publisher, Sent


class DeviceChannel:
    """Publishes at QoS 1; the broker keeps them for a device that is asleep."""

    name = ChannelName.DEVICE

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Publish everything said to each of its topics; `sent` means the broker has it."""
        del message, address  # its rows carry what is said, and to which topics
        messages = notification.body.get("messages")
        if not messages:
            raise SendRefused("nothing to say")
        for each in messages:
            # Rows of the release before, still waiting, call it a receipt.
            payload = msgspec.json.encode(each.get("said") or each["receipt"])
            for topic in each["topics"]:
                await self._publisher.publish(topic, payload, qos=1)
        return Sent(f"broker has {len(messages)} message(s)")
