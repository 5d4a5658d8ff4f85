"""What the courier's outbox counts on its way."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.policy import ChannelName
from hub.figures.tally import CountedOutbox
from schemas.ids import AreaId, IncidentId

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


class MemoryOutbox:
    """An outbox nobody keeps."""

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Notification]:
        return []

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        now: datetime,
        *,
        retry_at: datetime | None = None,
        detail: str = "",
    ) -> None:
        if detail == "broken":
            raise OSError


def notification(
    *, sent: bool, after_s: float = 2.0, reason: str = "first_step"
) -> tuple[Notification, NotificationState, datetime]:
    """A ring and what became of it."""
    ring = Notification(
        id=1, incident_id=IncidentId("i"), area_id=AreaId("city"), channel=ChannelName.DESK,
        recipient="dispatchers", kind=NotificationKind.RING, urgency=0,
        body={"reason": reason, "opened_at": NOW.isoformat()}, attempts=1, created_at=NOW,
    )  # fmt: skip
    state = NotificationState.SENT if sent else NotificationState.FAILED
    return ring, state, NOW + timedelta(seconds=after_s)


async def test_the_dwell_time_is_that_of_the_first_ring_a_provider_confirmed() -> None:
    outbox = CountedOutbox(MemoryOutbox())
    await outbox.settle(*notification(sent=True, after_s=2.0))
    await outbox.settle(*notification(sent=True, after_s=40.0, reason="next_step"))
    await outbox.settle(*notification(sent=False, after_s=9.0))
    figures = outbox.figures()
    assert sum(figures["dwell"]) == 1
    assert figures["dwell_s"] == 2.0
    assert figures["notifications"] == [["desk", "failed", 1], ["desk", "sent", 2]]


async def test_what_could_not_be_recorded_is_not_counted() -> None:
    outbox = CountedOutbox(MemoryOutbox())
    ring, state, now = notification(sent=True)
    try:
        await outbox.settle(ring, state, now, detail="broken")
    except OSError:
        assert outbox.figures()["notifications"] == []
