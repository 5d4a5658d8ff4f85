"""What the courier's outbox counts on its way: notifications by fate, and the dwell time."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.policy import ChannelName
from alerts.ports import Outbox, Settled
from hub.figures.table import DWELL_BUCKETS_S


class CountedOutbox:
    """An `alerts.ports.Outbox` that counts; it decides nothing."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._fates: Counter[tuple[str, str]] = Counter()
        self._dwell = [0] * (len(DWELL_BUCKETS_S) + 1)
        self._dwell_s = 0.0

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, ordinary: int | None = None
    ) -> Sequence[Notification]:
        """As the outbox does."""
        return await self._outbox.claim_due(channel, now, limit, ordinary=ordinary)

    async def channels_due(self, now: datetime) -> Collection[ChannelName]:
        """As the outbox does."""
        return await self._outbox.channels_due(now)

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        """As the outbox does."""
        return await self._outbox.pass_overdue(now, limit)

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        """Settle, then count: what could not be recorded happens again."""
        await self._outbox.settle(settled, now)
        for notification, outcome in settled:
            self._fates[notification.channel.value, outcome.state.value] += 1
            if outcome.state is NotificationState.SENT and _is_first_ring(notification):
                took_s = max(0.0, (now - _opened_at(notification)).total_seconds())
                self._dwell[bisect_left(DWELL_BUCKETS_S, took_s)] += 1
                self._dwell_s += took_s

    def figures(self) -> dict[str, Any]:
        """As the desk bus carries it."""
        return {
            "notifications": [[*key, count] for key, count in sorted(self._fates.items())],
            "dwell": self._dwell,
            "dwell_s": round(self._dwell_s, 3),
        }


def _is_first_ring(notification: Notification) -> bool:
    return (
        notification.kind is NotificationKind.RING
        and notification.body.get("reason") == "first_step"
    )


def _opened_at(notification: Notification) -> datetime:
    try:
        return datetime.fromisoformat(str(notification.body["opened_at"]))
    except (KeyError, ValueError):
        return notification.created_at
