"""What the courier's outbox counts on its way."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from alerts.delivery import Reason, not_taken, taken
from alerts.notification import Notification, NotificationKind
from alerts.policy import ChannelName
from alerts.ports import Settled
from hub.figures.tally import CountedOutbox
from schemas.ids import AreaId, IncidentId

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)


class MemoryOutbox:
    """An outbox nobody keeps."""

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, ordinary: int | None = None
    ) -> Sequence[Notification]:
        return []

    async def channels_due(self, now: datetime) -> Collection[ChannelName]:
        return []

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        if any(outcome.detail == "broken" for _, outcome in settled):
            raise OSError

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        return 0


def notification(
    *, sent: bool, after_s: float = 2.0, reason: str = "first_step", said: str = "refused"
) -> tuple[list[Settled], datetime]:
    """A ring and what became of it."""
    ring = Notification(
        id=1, incident_id=IncidentId("i"), area_id=AreaId("city"), channel=ChannelName.DESK,
        recipient="dispatchers", kind=NotificationKind.RING, urgency=0,
        body={"reason": reason, "opened_at": NOW.isoformat()}, attempts=1, created_at=NOW,
    )  # fmt: skip
    now = NOW + timedelta(seconds=after_s)
    if sent:
        outcome = taken(
            ring, now, word="taken", address="", provider_id=None, receipt_within_s=None
        )
    else:
        outcome = not_taken(ring, Reason.REFUSED, now, detail=said)
    return [(ring, outcome)], now


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
    try:
        await outbox.settle(*notification(sent=False, said="broken"))
    except OSError:
        assert outbox.figures()["notifications"] == []
