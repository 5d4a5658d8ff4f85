"""The loop that empties the outbox: send, record the provider's word, try again with back-off."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from alerts.errors import SendFailed, SendRefused
from alerts.notification import Notification, NotificationState, retry_at
from alerts.policy import ChannelName
from alerts.ports import Channel, Clock, Outbox

CLAIM_LIMIT = 64
"""Notifications in flight per courier; a slow provider holds up at most this many."""

SEND_TIMEOUT_S = 15.0
"""Ours: longer than any provider's honest answer, shorter than the lease of a claim."""


@dataclass(slots=True)
class Courier:
    """Sends what is due; holds no state of its own (the outbox is rows with leases)."""

    outbox: Outbox
    channels: Mapping[ChannelName, Channel]
    clock: Clock

    async def run_once(self) -> int:
        """One cycle: claim the most urgent, send them side by side; how many were claimed."""
        claimed = await self.outbox.claim_due(self.clock.now(), CLAIM_LIMIT)
        await asyncio.gather(*(self._deliver(notification) for notification in claimed))
        return len(claimed)

    async def _deliver(self, notification: Notification) -> None:
        channel = self.channels.get(notification.channel)
        if channel is None:
            await self._settle(notification, NotificationState.NOBODY, "channel not configured")
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                word = await channel.send(notification)
        except SendRefused as error:
            await self._settle(notification, NotificationState.FAILED, str(error))
        except (SendFailed, TimeoutError) as error:
            await self._try_again(notification, str(error) or "no answer in time")
        except Exception as error:  # noqa: BLE001 - a broken adapter must not stop the others
            await self._try_again(notification, f"{type(error).__name__}: {error}")
        else:
            await self._settle(notification, NotificationState.SENT, word)

    async def _try_again(self, notification: Notification, detail: str) -> None:
        now = self.clock.now()
        due = retry_at(notification.attempts, now)
        if due is None:
            await self._settle(notification, NotificationState.FAILED, detail)
            return
        await self.outbox.settle(
            notification, NotificationState.PENDING, now, retry_at=due, detail=detail
        )

    async def _settle(
        self, notification: Notification, state: NotificationState, detail: str
    ) -> None:
        await self.outbox.settle(notification, state, self.clock.now(), detail=detail)
