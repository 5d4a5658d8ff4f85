"""Short messages, through whichever vendor takes them."""

from alerts.gateways import Gateways
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Sent


class SmsChannel:
    """`sent` means that a vendor took it; receipts come by call-back."""

    name = ChannelName.SMS

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Raises SendFailed, SendRefused or RateLimited."""
        return await self._gateways.send(notification.reference, message, address)
