"""What the courier's desk and device lanes say: their rows carry it already."""

from alerts.address import Address
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Wording

CARRIED = frozenset({ChannelName.DESK, ChannelName.DEVICE})
"""Channels whose notifications were worded when they were written: a receipt belongs to its press,
and the desk reads the incident itself."""
NOTHING = Message("", "")


class WordsWhereNeeded:
    """Implements `alerts.ports.Wording`: asks for words only where a human reads or hears them."""

    def __init__(self, words: Wording | None) -> None:
        self._words = words

    async def words_for(self, notification: Notification, address: Address) -> Message:
        """Raises what the words' own source raises."""
        if notification.channel in CARRIED or self._words is None:
            return NOTHING
        return await self._words.words_for(notification, address)
