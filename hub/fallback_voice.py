"""With the database away nobody climbs the ladder: ingest calls the fallback contacts from memory.

Belongs to the alarm lane's loop. Once a second it looks at what the board knows to be open, counts
the actions that wait for their record, and calls for whatever nobody took in time; once per rung,
with bounded tries. When the database is back, what was told is recorded, so that the ladder goes on
from there (docs/adr/0028).
"""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from alerts.actions import Action
from alerts.errors import RateLimited, SendFailed, SendRefused
from alerts.fallback import Times, Wait, Why, begun, judge, offset_s, step_of, with_actions
from alerts.incident import Incident
from alerts.ladders import ladder_of
from alerts.notification import Notification, NotificationKind, NotificationState, urgency_of
from alerts.policy import FALLBACK_CONTACT, ChannelName
from alerts.ports import Channel
from hub.board import Board
from hub.clock import SystemClock
from hub.database import TRANSIENT
from hub.fallback_calls import Call
from hub.fallback_contacts import Contact, FallbackContacts
from hub.fallback_journal import Journal
from hub.fallback_words import WordsFromMemory
from hub.pace import in_slices
from schemas.ids import AreaId, IncidentId

LOOK_EVERY_S = 1.0
AT_ONCE = 8
"""Calls in flight: an earthquake without a database must not open ten thousand connections; the
most urgent go first."""
SEND_TIMEOUT_S = 15.0
"""As the courier's."""
FIRST_RETRY_S = 2
CALLS_KEPT = 20_000
"""Of the process before; twice an earthquake of 10,000. Older ones are only in the log file."""
RECORDED_AT_ONCE = 50
"""Incidents whose calls are recorded between two looks."""

_log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Writes down what was told from memory; `hub.store.told_from_memory` is one."""

    async def record(self, incident_id: str, calls: Sequence[Call], now: datetime) -> bool:
        """Whether they are recorded; False: the incident is not in the database yet. Raises one
        of `hub.database.TRANSIENT`."""
        ...


@dataclass(slots=True)
class _Message:
    """What is to be told, and how far that is."""

    kind: NotificationKind
    rung: int
    began_at: datetime
    due_at: datetime
    place: int = 0
    """Which of the contacts."""
    tries: int = 0
    flying: bool = False


@dataclass(slots=True)
class _Case:
    """One incident that waits, or was called for."""

    incident: Incident
    wait: Wait
    message: _Message | None = None
    told: bool = False
    """A contact was rung and must hear who has it, and that it is over."""
    coming: bool = False
    """It heard that."""
    calls: list[Call] = field(default_factory=list)
    """Not recorded yet."""


class FallbackVoice:
    """Calls, remembers, records."""

    def __init__(
        self,
        *,
        board: Board,
        areas: Mapping[str, Mapping[str, object]],
        clock: SystemClock,
        contacts: FallbackContacts,
        channels: Mapping[ChannelName, Channel],
        words: WordsFromMemory,
        times: Times,
        tries: int,
        actions: Callable[[], Sequence[Action]],
        away: Callable[[], bool],
        ours: Callable[[str], bool],
        journal: Journal,
        recorder: Recorder,
    ) -> None:
        """`actions` are those that wait for their record, in order; `away` says whether the
        database is; `ours` whether an area is this process's."""
        self._board = board
        self._areas = areas
        self._clock = clock
        self._contacts = contacts
        self._channels = channels
        self._words = words
        self._times = times
        self._tries = tries
        self._actions = actions
        self._away = away
        self._ours = ours
        self._journal = journal
        self._recorder = recorder
        self._cases: dict[IncidentId, _Case] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = False
        self._kept = journal.read()

    @property
    def unrecorded(self) -> int:
        """Calls that are not in the database yet; the ladder waits for them."""
        return sum(len(case.calls) for case in self._cases.values()) + len(self._kept.calls)

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
                await self.write_down()
            except Exception:  # noqa: BLE001 - a supervised loop; the lane must go on ringing
                _log.exception("fallback_failed")

    async def look(self) -> None:
        """See what waits, and call whom it is time to call."""
        now, away = self._clock.now(), self._away()
        if away or self._board.provisional or self._cases:
            waiting: dict[IncidentId, list[Action]] = defaultdict(list)
            for action in self._actions():
                waiting[action.incident_id].append(action)
            seen = self._board.open if away else {*self._board.provisional, *self._cases}
            async for incident_id in in_slices(list(seen)):
                if (incident := self._board.open.get(incident_id)) is not None:
                    after = with_actions(incident, waiting.get(incident_id, ()))
                    self._judge(after, now, away=away)
        for incident_id, case in list(self._cases.items()):
            if incident_id not in self._board.open:
                self._gone(incident_id, case, now)
        self._send_due(now)

    async def settled(self) -> None:
        """Every call in flight has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def write_down(self) -> None:
        """Into the database what can be, and what remains onto the disk."""
        if not self._away():
            await self._record()
        if self._changed:
            self._changed = False
            calls = [call for case in self._cases.values() for call in case.calls]
            waits = {
                str(case.incident.id): case.wait for case in self._cases.values() if case.wait.rungs
            }
            await asyncio.to_thread(self._journal.write, [*self._kept.calls, *calls], waits)

    # ---- what is to be told ----------------------------------------------------------------

    def _judge(self, incident: Incident, now: datetime, *, away: bool) -> None:
        if not self._ours(incident.area_id):
            return
        case = self._cases.get(incident.id)
        wait = case.wait if case else self._kept.waits.get(incident.id) or begun(incident)
        recorded = incident.id not in self._board.provisional
        why = judge(incident, wait, self._times, now, recorded=recorded, away=away)
        if case is None:
            if why not in (Why.CALLED, Why.NOT_YET):
                return
            told = any(call.rings and call.incident_id == incident.id for call in self._kept.calls)
            case = self._cases[incident.id] = _Case(incident, wait, told=told)
        case.incident = incident
        self._decide(case, why, now)
        idle = case.message is None and not case.calls
        if idle and (why in (Why.CLIMBS, Why.NOT_OURS) or (why is Why.TAKEN and not case.told)):
            del self._cases[incident.id]

    def _decide(self, case: _Case, why: Why, now: datetime) -> None:
        match why:
            case Why.CALLED:
                self._want(case, NotificationKind.RING, now)
            case Why.TAKEN:
                if _is(case.message, NotificationKind.RING):
                    case.message = None
                if not case.incident.open:
                    self._want(case, NotificationKind.OVER, now)
                elif not case.coming:
                    self._want(case, NotificationKind.COMING, now)
            case Why.CLIMBS if _is(case.message, NotificationKind.RING) and not _flies(
                case.message
            ):
                case.message = None

    def _want(self, case: _Case, kind: NotificationKind, now: datetime) -> None:
        """Begin to tell something, unless it is being told, or there is nobody to tell it to."""
        if case.message is not None or (kind is not NotificationKind.RING and not case.told):
            return
        rung = case.wait.rungs + 1 if kind is NotificationKind.RING else 0
        case.message = _Message(kind, rung, now, now)

    def _gone(self, incident_id: IncidentId, case: _Case, now: datetime) -> None:
        """The board does not know it any more: resolved, or merged into another."""
        if _is(case.message, NotificationKind.RING):
            case.message = None
        resolved = self._board.resolved.get(case.incident.subject)
        if resolved is not None and resolved.id == incident_id:
            case.incident = resolved
            self._want(case, NotificationKind.OVER, now)
        if case.message is None and not case.calls:
            del self._cases[incident_id]

    # ---- telling ---------------------------------------------------------------------------

    def _send_due(self, now: datetime) -> None:
        due = [
            (case.incident.priority.rank, case.incident.opened_at, case.incident.id)
            for case in self._cases.values()
            if case.message and not case.message.flying and case.message.due_at <= now
        ]
        for _, _, incident_id in sorted(due)[: max(0, AT_ONCE - len(self._tasks))]:
            case = self._cases[incident_id]
            if case.message is not None:
                case.message.flying = True
                task = asyncio.create_task(self._try(case, case.message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _try(self, case: _Case, message: _Message) -> None:
        contacts = self._contacts.of(case.incident.area_id, self._areas)
        if message.place >= len(contacts):
            state = NotificationState.FAILED if contacts else NotificationState.NOBODY
            why = "no contact took it" if contacts else "no fallback contact is configured"
            self._ended(case, message, None, state, why)
            return
        contact = contacts[message.place]
        try:
            word = await self._send(case, message, contact)
        except RateLimited as error:
            self._again(message, min(error.retry_after_s, SEND_TIMEOUT_S))
        except SendRefused as error:
            self._next(message, str(error))
        except (SendFailed, TimeoutError) as error:
            message.tries += 1
            if message.tries < self._tries:
                self._again(message, FIRST_RETRY_S * 2.0 ** (message.tries - 1))
            else:
                self._next(message, str(error))
        except Exception as error:  # noqa: BLE001 - a broken adapter must not silence the next contact
            _log.exception("fallback_channel_failed", channel=contact.channel)
            self._next(message, type(error).__name__)
        else:
            self._ended(case, message, contact, NotificationState.SENT, word)
        finally:
            message.flying = False

    async def _send(self, case: _Case, message: _Message, contact: Contact) -> str:
        channel = self._channels.get(contact.channel)
        if channel is None:
            raise SendRefused(f"{contact.channel} is not configured")
        incident = case.incident
        number = int(hashlib.sha256(_call_id(incident, message).encode()).hexdigest()[:12], 16)
        notification = Notification(
            id=-number,  # ids of the outbox are above zero; both are keys at the provider
            incident_id=incident.id,
            area_id=AreaId(incident.area_id),
            channel=contact.channel,
            recipient=FALLBACK_CONTACT,
            kind=message.kind,
            urgency=urgency_of(incident.priority, message.kind),
            body=self._words.body(incident, message.rung),
            attempts=message.tries + 1,
            created_at=message.began_at,
        )
        words = self._words.message(message.kind, incident, contact.channel)
        async with asyncio.timeout(SEND_TIMEOUT_S):
            return (await channel.send(notification, words, contact.address)).word

    def _again(self, message: _Message, after_s: float) -> None:
        message.due_at = self._clock.now() + timedelta(seconds=after_s)

    def _next(self, message: _Message, why: str) -> None:
        """The next contact, at once."""
        _log.warning("fallback_contact_failed", reason=why, place=message.place)
        message.place, message.tries = message.place + 1, 0
        message.due_at = self._clock.now()

    def _ended(
        self, case: _Case, message: _Message, contact: Contact | None, state: NotificationState,
        word: str,
    ) -> None:  # fmt: skip
        """It was told, or cannot be; a ring has its next rung."""
        incident, now = case.incident, self._clock.now()
        ladder = ladder_of(incident)
        ring = message.kind is NotificationKind.RING
        case.calls.append(
            Call(
                id=_call_id(incident, message),
                incident_id=incident.id,
                area_id=incident.area_id,
                kind=message.kind,
                channel=contact.channel if contact else ChannelName.WEBHOOK,
                rung=message.rung,
                step=step_of(ladder, message.rung) if ring else 0,
                urgency=urgency_of(incident.priority, message.kind),
                began_at=message.began_at,
                ended_at=now,
                state=state,
                word=word[:1000],
            )
        )
        if ring:
            # Late rungs are not made good in a row: the next one waits its time from this one.
            earliest = now - timedelta(seconds=offset_s(ladder, message.rung, self._times))
            case.wait = Wait(max(case.wait.since, earliest), message.rung)
            case.told = case.told or state is NotificationState.SENT
        else:
            case.coming = True
            case.told = case.told and message.kind is not NotificationKind.OVER
        case.message = None
        self._changed = True
        _log.warning("told_from_memory", kind=message.kind, state=state)

    # ---- writing down ----------------------------------------------------------------------

    async def _record(self) -> None:
        await self._record_kept()
        ready = [
            (incident_id, case)
            for incident_id, case in self._cases.items()
            if case.calls and case.message is None and incident_id not in self._board.provisional
        ]
        for incident_id, case in ready[:RECORDED_AT_ONCE]:
            calls = list(case.calls)
            try:
                done = await self._recorder.record(incident_id, calls, self._clock.now())
            except TRANSIENT as error:
                _log.warning("fallback_record_waits", error=type(error).__name__)
                return
            if done:
                del case.calls[: len(calls)]
                self._changed = True
                if not case.calls and case.message is None:
                    self._cases.pop(incident_id, None)
                    self._kept.waits.pop(incident_id, None)

    async def _record_kept(self) -> None:
        """What the process before could not."""
        by_incident: dict[str, list[Call]] = defaultdict(list)
        for call in self._kept.calls[-CALLS_KEPT:]:
            by_incident[call.incident_id].append(call)
        for incident_id, calls in by_incident.items():
            if incident_id in self._board.provisional:
                continue
            try:
                done = await self._recorder.record(incident_id, calls, self._clock.now())
            except TRANSIENT:
                return
            if done:
                self._kept.calls = [c for c in self._kept.calls if c.incident_id != incident_id]
                self._changed = True


def _is(message: _Message | None, kind: NotificationKind) -> bool:
    return message is not None and message.kind is kind


def _flies(message: _Message | None) -> bool:
    return message is not None and message.flying


def _call_id(incident: Incident, message: _Message) -> str:
    return f"{incident.id}-{message.kind}-{message.rung}-{message.began_at.timestamp():.0f}"
