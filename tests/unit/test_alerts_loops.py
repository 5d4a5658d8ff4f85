"""The two loops over their ports: nothing is called sent that was not, nothing stops the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.alarm import Priority
from alerts.courier import Courier
from alerts.errors import SendFailed, SendRefused
from alerts.escalation import Decision, decide
from alerts.escalator import CLIMB_LIMIT, Escalator
from alerts.incident import State, opened_by
from alerts.notification import MAX_ATTEMPTS, Notification, NotificationKind, NotificationState
from alerts.policy import URGENT, ChannelName
from alerts.ports import Announcement
from schemas.ids import AreaId, IncidentId
from tests.scenes import START, HandClock, alarm


def notification(number: int, channel: ChannelName, attempts: int = 1) -> Notification:
    return Notification(
        id=number,
        incident_id=IncidentId("i"),
        area_id=AreaId("city"),
        channel=channel,
        recipient="dispatchers",
        kind=NotificationKind.RING,
        urgency=Priority.HIGH.rank,
        body={},
        attempts=attempts,
        created_at=START,
    )


@dataclass
class Box:
    """An outbox that hands out what it holds, once."""

    waiting: list[Notification]
    settled: dict[int, tuple[NotificationState, datetime | None, str]] = field(default_factory=dict)

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Notification]:
        claimed, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return claimed

    async def settle(
        self,
        notification: Notification,
        state: NotificationState,
        now: datetime,
        *,
        retry_at: datetime | None = None,
        detail: str = "",
    ) -> None:
        self.settled[notification.id] = (state, retry_at, detail)


@dataclass
class Line:
    """A channel whose provider says what it is told to say."""

    name: ChannelName
    trouble: Exception | None = None
    taken: list[int] = field(default_factory=list)

    async def send(self, notification: Notification) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(notification.id)
        return "taken"


async def delivered(trouble: Exception | None, attempts: int = 1) -> Box:
    """One ring at the desk, which works, and one by webhook with this trouble."""
    box = Box(
        [
            notification(1, ChannelName.WEBHOOK, attempts),
            notification(2, ChannelName.DESK, attempts),
        ]
    )
    channels = {
        ChannelName.WEBHOOK: Line(ChannelName.WEBHOOK, trouble),
        ChannelName.DESK: Line(ChannelName.DESK),
    }
    assert await Courier(box, channels, HandClock()).run_once() == 2
    return box


async def test_sent_is_what_the_provider_said() -> None:
    box = await delivered(None)
    assert box.settled[1] == (NotificationState.SENT, None, "taken")


async def test_trouble_is_tried_again_later() -> None:
    box = await delivered(SendFailed("busy"))
    again = START + timedelta(seconds=2)
    assert box.settled[1] == (NotificationState.PENDING, again, "busy")
    assert box.settled[2][0] is NotificationState.SENT


async def test_what_is_refused_is_not_tried_again() -> None:
    box = await delivered(SendRefused("no such number"))
    assert box.settled[1] == (NotificationState.FAILED, None, "no such number")


async def test_the_last_attempt_is_the_last() -> None:
    box = await delivered(SendFailed("busy"), attempts=MAX_ATTEMPTS)
    assert box.settled[1] == (NotificationState.FAILED, None, "busy")


async def test_a_broken_adapter_stops_neither_the_loop_nor_the_others() -> None:
    box = await delivered(ZeroDivisionError("a mistake of ours"))
    assert box.settled[1][0] is NotificationState.PENDING
    assert box.settled[2][0] is NotificationState.SENT


async def test_a_channel_that_is_not_configured_reaches_nobody() -> None:
    box = Box([notification(1, ChannelName.WEBHOOK)])
    await Courier(box, {}, HandClock()).run_once()
    assert box.settled[1] == (NotificationState.NOBODY, None, "channel not configured")


@dataclass
class Ladders:
    """Due incidents, handed out in pages."""

    due: int

    async def climb_due(self, now: datetime, limit: int) -> Sequence[Decision]:
        count = min(limit, self.due)
        self.due -= count
        states = (State.RAISED, State.ACKNOWLEDGED)
        incidents = [opened_by(alarm(), now, state=states[i % 2]) for i in range(count)]
        return [decide(incident, URGENT, now) for incident in incidents]


@dataclass
class Ears:
    """Hears every announcement."""

    heard: list[Announcement] = field(default_factory=list)

    async def announce(self, announcement: Announcement) -> None:
        self.heard.append(announcement)


async def test_one_cycle_climbs_everything_that_is_due_and_tells_every_desk() -> None:
    ears = Ears()
    climbed = await Escalator(Ladders(2 * CLIMB_LIMIT + 3), ears, HandClock()).run_once()
    assert climbed == len(ears.heard) == 2 * CLIMB_LIMIT + 3
    assert {heard.cause for heard in ears.heard} == {"escalated", "realarmed"}
