"""The loop that empties the outbox: look up, say, send, and record the provider's word.

Every channel has a lane of its own, so that a slow provider holds up nobody else, and a part of
every lane is kept for what is most urgent. Nothing is decided here: what follows from an attempt is
`alerts.delivery`'s.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerts.address import Directory, masked
from alerts.delivery import (
    CRASHES_ALLOWED,
    LONGEST_DELAY_S,
    RATHER_ANOTHER_WAY_S,
    Outcome,
    Reason,
    not_taken,
    taken,
)
from alerts.errors import LookUpFailed, RateLimited, SendFailed, SendRefused
from alerts.notification import Notification
from alerts.policy import ChannelName
from alerts.ports import Channel, Clock, Outbox, Sent, Settled, Wording

SEND_TIMEOUT_S = 15.0
"""Ours: longer than any provider's honest answer, shorter than the lease of a claim."""
MINUTE_S = 60.0
LEARNED_FOR_S = 15.0
"""Ours: after this a provider that was full is tried with everything again."""
LEARNED_FROM = 20
"""Ours: a provider that is full after fewer in a second says nothing about what it takes."""
LEARNED_SHARE = 0.95
"""Ours: its second and ours do not begin together."""
SHORT_LOOK_S = 0.05
"""Ours: how often a lane looks whether a full provider takes the next ones."""
OVERDUE_LIMIT = 200
"""Missing receipts looked at in one transaction."""
MAX_ADDRESSES = 5
"""One person's telephones and browsers; more are not written to."""


@dataclass(frozen=True, slots=True)
class Width:
    """How much of a channel is under way at once."""

    in_flight: int
    reserved: int
    """Of these, kept free for what is most urgent."""


WIDTHS: Mapping[ChannelName, Width] = {
    ChannelName.DESK: Width(256, 64),
    ChannelName.DEVICE: Width(256, 64),
    ChannelName.SMS: Width(64, 16),
    ChannelName.VOICE: Width(8, 4),
}
"""Ours. Desk and device go to the hub's own broker, which takes thousands a second; a vendor of
short messages answers in a tenth of a second and takes hundreds; a gateway has few lines to call
with. Everything else has `USUAL`."""
USUAL = Width(16, 8)
GATHER_S = 0.02
"""While more is under way, this long is waited for others to end with what has: they are settled,
and their places filled, together. One that is alone never waits."""


@dataclass(slots=True)
class Pace:
    """How many a provider is given in a minute; what is more waits, and costs nobody an attempt.

    A provider that says it is full is given for a while as many a second as it took in the second
    before: a burst and a pause by turns would be less than it takes.
    """

    per_minute: int
    """0: as many as there are."""
    _began: deque[datetime] = field(default_factory=deque)
    _taken: deque[datetime] = field(default_factory=deque)
    """In the last second."""
    _learned: int = 0
    _learned_at: datetime | None = None

    def learned(self, now: datetime) -> bool:
        """Whether the provider was full a moment ago."""
        at = self._learned_at
        return at is not None and 0 <= _since_s(now, at) < LEARNED_FOR_S

    def room(self, now: datetime, most: int) -> int:
        """How many may begin now, at most `most`."""
        kept_s = MINUTE_S if self.per_minute > 0 else 1.0
        while self._began and not 0 <= _since_s(now, self._began[0]) < kept_s:
            self._began.popleft()
        if self.per_minute > 0:
            most = min(most, self.per_minute - len(self._began))
        if self.learned(now):
            most = min(most, self._learned - self._within_second(now))
        return max(0, most)

    def took(self, now: datetime, count: int) -> None:
        """So many began."""
        self._began.extend([now] * count)

    def taken(self, now: datetime) -> None:
        """The provider took one."""
        self._taken.append(now)
        while not 0 <= _since_s(now, self._taken[0]) < 1.0:
            self._taken.popleft()

    def full(self, now: datetime) -> None:
        """The provider says that it takes no more for now."""
        count = sum(0 <= _since_s(now, at) < 1.0 for at in self._taken)
        if count >= LEARNED_FROM:
            self._learned, self._learned_at = int(count * LEARNED_SHARE), now

    def _within_second(self, now: datetime) -> int:
        """How many began in the last second."""
        count = 0
        for began in reversed(self._began):
            if not 0 <= _since_s(now, began) < 1.0:
                break
            count += 1
        return count


def _since_s(now: datetime, at: datetime) -> float:
    return (now - at).total_seconds()


@dataclass(slots=True)
class Lane:
    """One channel's part of the courier. What it holds in memory is under way, never waiting."""

    name: ChannelName
    channel: Channel | None
    outbox: Outbox
    directory: Directory
    wording: Wording
    clock: Clock
    width: Width = USUAL
    pace: Pace = field(default_factory=lambda: Pace(0))
    _under_way: dict[asyncio.Task[None], int] = field(default_factory=dict)
    _outcomes: list[Settled] = field(default_factory=list)
    _paused_until: datetime | None = None

    async def run_once(self) -> int:
        """Claim, send and settle until nothing of this claim is under way; how many there were."""
        claimed = await self.fill()
        while self._under_way or self._outcomes:
            await self.progress()
        return claimed

    async def fill(self) -> int:
        """Begin as many as there is room for; how many."""
        # First: after a long outage leases have run out, and what went out must not go out again.
        await self._settle()
        now = self.clock.now()
        if 0 < self._pause_s(now) <= RATHER_ANOTHER_WAY_S:
            return 0
        room = self.pace.room(now, self.width.in_flight - len(self._under_way))
        if room <= 0:
            return 0
        unreserved = self.width.in_flight - self.width.reserved - len(self._under_way)
        claimed = await self.outbox.claim_due(
            self.name, now, room, ordinary=max(0, min(unreserved, room))
        )
        self.pace.took(now, len(claimed))
        for notification in claimed:
            task = asyncio.create_task(self._carry(notification))
            self._under_way[task] = notification.id
            task.add_done_callback(self._under_way.__delitem__)
        return len(claimed)

    async def progress(self, within_s: float | None = None) -> bool:
        """Wait until something is done, and settle all that is; whether anything was.

        What could not be settled is settled the next time: a provider's word is not forgotten
        because the database is away.
        """
        if self._under_way and not self._outcomes:
            await asyncio.wait(
                self._under_way, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
            )
            if self._under_way and self._outcomes:
                await asyncio.wait(self._under_way, timeout=GATHER_S)
        return await self._settle()

    async def _settle(self) -> bool:
        outcomes = self._outcomes[:]
        if not outcomes:
            return False
        await self.outbox.settle(outcomes, self.clock.now())
        del self._outcomes[: len(outcomes)]
        return True

    def _pause_s(self, now: datetime) -> float:
        """How long the provider takes nothing, in seconds. Through a long pause claims go on, so
        that what has another channel takes that one."""
        if self._paused_until is None:
            return 0.0
        pause_s = (self._paused_until - now).total_seconds()
        return pause_s if 0.0 < pause_s <= LONGEST_DELAY_S else 0.0  # a clock set back ends it

    def look_in_s(self, usual_s: float) -> float:
        """When to look again, in seconds: `usual_s`, or sooner where a pause ends before, or what
        waits for the next second of a full provider may begin."""
        now = self.clock.now()
        pause_s = self._pause_s(now)
        if pause_s > 0:
            return min(usual_s, pause_s)
        return SHORT_LOOK_S if self.pace.learned(now) else usual_s

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits to be settled."""
        return not self._under_way and not self._outcomes

    async def close(self) -> None:
        """End what is under way; it is sent again by whoever claims it after its lease."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, notification: Notification) -> None:
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                outcome = await self._attempt(notification)
        except LookUpFailed as error:
            outcome = self._trouble(notification, Reason.LOOK_UP_FAILED, str(error))
        except TimeoutError:
            outcome = self._trouble(notification, Reason.FAILED, "no answer in time")
        except Exception as error:  # noqa: BLE001 - one broken row must not stop the others
            detail = f"{type(error).__name__}: {error}"
            outcome = self._trouble(notification, Reason.BROKEN, detail)
        self._outcomes.append((notification, outcome))

    async def _attempt(self, notification: Notification) -> Outcome:
        if notification.broken > CRASHES_ALLOWED:
            return self._trouble(notification, Reason.CRASHED, "no word after any claim")
        if self.channel is None:
            return self._trouble(notification, Reason.NOT_CONFIGURED, "channel not configured")
        pause_s = self._pause_s(self.clock.now())
        if pause_s > 0:
            return not_taken(
                notification, Reason.RATE_LIMITED, self.clock.now(),
                detail="the provider takes no more for now", retry_after_s=pause_s,
            )  # fmt: skip
        address = await self.directory.look_up(notification.recipient, notification.incident_id)
        if address is None:
            return self._trouble(notification, Reason.NOT_TO_BE_TOLD, "not to be told")
        values = address.by(self.name)[:MAX_ADDRESSES]
        if not values:
            return self._trouble(notification, Reason.NO_ADDRESS, "no address by this channel")
        message = await self.wording.words_for(notification, address)
        answers = await asyncio.gather(
            *(self.channel.send(notification, message, value) for value in values),
            return_exceptions=True,
        )
        return self._outcome(notification, values, answers)

    def _outcome(
        self,
        notification: Notification,
        values: Sequence[str],
        answers: Sequence[Sent | BaseException],
    ) -> Outcome:
        """One address that took it is enough; else the trouble that passes soonest counts."""
        shown = ", ".join(masked(value) for value in values)
        for answer in answers:
            if isinstance(answer, Sent):
                self.pace.taken(self.clock.now())
                return taken(
                    notification,
                    self.clock.now(),
                    word=answer.word,
                    address=shown,
                    provider_id=answer.provider_id,
                    receipt_within_s=answer.receipt_within_s,
                )
        troubles = [error for error in answers if isinstance(error, BaseException)]
        for error in troubles:
            if not isinstance(error, SendFailed | SendRefused | RateLimited | TimeoutError):
                raise error
        limited = [error for error in troubles if isinstance(error, RateLimited)]
        if limited:
            wait_s = min(error.retry_after_s for error in limited)
            self.pace.full(self.clock.now())
            self._paused_until = self.clock.now() + timedelta(seconds=min(wait_s, LONGEST_DELAY_S))
            return not_taken(
                notification, Reason.RATE_LIMITED, self.clock.now(), detail=str(limited[0]),
                address=shown, retry_after_s=wait_s,
            )  # fmt: skip
        passing = [error for error in troubles if not isinstance(error, SendRefused)]
        reason = Reason.FAILED if passing else Reason.REFUSED
        detail = str((passing or troubles)[0]) or "no answer in time"
        return not_taken(notification, reason, self.clock.now(), detail=detail, address=shown)

    def _trouble(self, notification: Notification, reason: Reason, detail: str) -> Outcome:
        return not_taken(notification, reason, self.clock.now(), detail=detail)


class Courier:
    """A lane for every channel there is; what no provider is configured for has one too, so that
    it goes on to the next channel, or is recorded as reaching nobody."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Mapping[ChannelName, Channel],
        directory: Directory,
        wording: Wording,
        clock: Clock,
        *,
        widths: Mapping[ChannelName, Width] = WIDTHS,
        paces_per_minute: Mapping[ChannelName, int] | None = None,
    ) -> None:
        """`paces_per_minute`: what the provider of a channel is given at most; none: no limit."""
        paces = paces_per_minute or {}
        self._outbox = outbox
        self._clock = clock
        self.lanes = [
            Lane(
                name,
                channels.get(name),
                outbox,
                directory,
                wording,
                clock,
                widths.get(name, USUAL),
                Pace(paces.get(name, 0)),
            )
            for name in ChannelName
        ]

    async def run_once(self) -> int:
        """One cycle of every lane, to its end, and the missing receipts; how many were handled."""
        handled = await asyncio.gather(*(lane.run_once() for lane in self.lanes))
        return sum(handled) + await self.pass_overdue()

    async def lanes_due(self) -> list[Lane]:
        """Those that have something to begin."""
        due = await self._outbox.channels_due(self._clock.now())
        return [lane for lane in self.lanes if lane.name in due]

    async def pass_overdue(self) -> int:
        """Send on what was taken and never confirmed; how many."""
        passed = 0
        while True:
            found = await self._outbox.pass_overdue(self._clock.now(), OVERDUE_LIMIT)
            passed += found
            if found < OVERDUE_LIMIT:
                return passed
