"""The two loops over their ports: nothing is called sent that was not, nothing stops the others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.address import Address
from alerts.alarm import Priority
from alerts.courier import Courier
from alerts.errors import SendFailed, SendRefused
from alerts.escalation import Decision, decide
from alerts.escalator import CLIMB_LIMIT, Escalator
from alerts.incident import State, opened_by
from alerts.ladders import URGENT
from alerts.messages import Message
from alerts.notification import Notification, NotificationKind, NotificationState
from alerts.policy import ChannelName
from alerts.ports import Announcement, Sent, Settled
from schemas.ids import AreaId, IncidentId
from tests.scenes import START, HandClock, alarm


def notification(
    number: int, channel: ChannelName, attempts: int = 1, *, age_s: int = 0, broken: int = 1
) -> Notification:
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
        created_at=START - timedelta(seconds=age_s),
        broken=broken,
    )


@dataclass
class Box:
    """An outbox that hands out what it holds, once."""

    waiting: list[Notification]
    settled: dict[int, tuple[NotificationState, datetime | None, str]] = field(default_factory=dict)

    async def claim_due(
        self, channel: ChannelName, now: datetime, limit: int, *, ordinary: int | None = None
    ) -> Sequence[Notification]:
        due = [n for n in self.waiting if n.channel is channel][:limit]
        self.waiting = [n for n in self.waiting if n not in due]
        return due

    async def channels_due(self, now: datetime) -> Collection[ChannelName]:
        return {n.channel for n in self.waiting}

    async def settle(self, settled: Sequence[Settled], now: datetime) -> None:
        for notification, outcome in settled:
            due = outcome.due_at if outcome.state is NotificationState.PENDING else None
            self.settled[notification.id] = (outcome.state, due, outcome.detail)

    async def pass_overdue(self, now: datetime, limit: int) -> int:
        return 0


class Everywhere:
    """Everybody has an address by every channel, and nothing is said."""

    async def look_up(self, recipient: str, incident_id: IncidentId) -> Address | None:
        return Address(recipient, "", "", "en", dict.fromkeys(ChannelName, ("here",)))

    async def words_for(self, notification: Notification, address: Address) -> Message:
        return Message("", "")


@dataclass
class Line:
    """A channel whose provider says what it is told to say."""

    name: ChannelName
    trouble: Exception | None = None
    taken: list[int] = field(default_factory=list)

    async def send(self, notification: Notification, message: Message, address: str) -> Sent:
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(notification.id)
        return Sent("taken")


async def delivered(
    trouble: Exception | None, attempts: int = 1, *, age_s: int = 0, broken: int = 1
) -> Box:
    """One ring at the desk, which works, and one by webhook with this trouble."""
    box = Box(
        [
            notification(1, ChannelName.WEBHOOK, attempts, age_s=age_s, broken=broken),
            notification(2, ChannelName.DESK, attempts),
        ]
    )
    channels = {
        ChannelName.WEBHOOK: Line(ChannelName.WEBHOOK, trouble),
        ChannelName.DESK: Line(ChannelName.DESK),
    }
    assert await courier(box, channels).run_once() == 2
    return box


def courier(box: Box, channels: Mapping[ChannelName, Line]) -> Courier:
    """Over these, with everybody at home."""
    return Courier(box, channels, Everywhere(), Everywhere(), HandClock())


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


async def test_a_ring_of_a_quarter_of_an_hour_ago_makes_no_sense_any_more() -> None:
    box = await delivered(SendFailed("busy"), attempts=20, age_s=890)
    assert box.settled[1] == (NotificationState.FAILED, None, "busy")


async def test_a_broken_adapter_stops_neither_the_loop_nor_the_others() -> None:
    box = await delivered(ZeroDivisionError("a mistake of ours"))
    assert box.settled[1][0] is NotificationState.PENDING
    assert box.settled[2][0] is NotificationState.SENT


async def test_a_row_that_breaks_the_adapter_again_and_again_is_set_apart() -> None:
    box = await delivered(ZeroDivisionError("a mistake of ours"), attempts=3, broken=3)
    poisoned = (NotificationState.POISONED, None, "ZeroDivisionError: a mistake of ours")
    assert box.settled[1] == poisoned
    assert box.settled[2][0] is NotificationState.SENT


async def test_a_channel_that_is_not_configured_reaches_nobody() -> None:
    box = Box([notification(1, ChannelName.WEBHOOK)])
    await courier(box, {}).run_once()
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
