"""Telephone calls: sentences read out, and a digit listened for."""

from alerts.errors import SendRefused
from alerts.gateways import Gateways
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Sent


class VoiceChannel:
    """`sent` means that a vendor dials; how it went comes by call-back."""

    name = ChannelName.VOICE

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """Raises SendFailed, SendRefused or RateLimited."""
        if not message.spoken:
            raise SendRefused("nothing to say")
        return await self._gateways.send(notification.reference, message, address)
