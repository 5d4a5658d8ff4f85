"""The long tail: group robots of DingTalk, WeCom, Feishu and whatever else Apprise knows."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from apprise import Apprise, NotifyFormat, NotifyType

from alerts.errors import SendFailed, SendRefused
from alerts.messages import Message
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Sent

THREADS = 4
"""Apprise blocks; at most so many of its requests are under way."""


class AppriseChannel:
    """Apprise says only whether it worked; so nothing is ever refused for good, and a failure is
    tried again within its time."""

    name = ChannelName.APPRISE

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        """`address` is an Apprise URL. Raises SendFailed, or SendRefused for one it cannot read."""
        del notification
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, _notified, message, address)


def _notified(message: Message, address: str) -> Sent:
    robot = Apprise()
    if not robot.add(address):
        raise SendRefused("Apprise does not know this kind of address")
    done = robot.notify(
        body=message.text,
        title=message.subject,
        notify_type=NotifyType.WARNING,
        body_format=NotifyFormat.TEXT,
    )
    if not done:
        raise SendFailed("Apprise could not deliver it")
    return Sent("delivered by Apprise")
