"""Calls to homes: placed through the voice gateways, and what their results become.

A result is handed to ingest as what it is: the outcome of a call (`call`), and what the person said
by a digit as their own device would have said it, so that one place decides about cancels.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from alerts.actions import Action, CallResult, Verb
from alerts.brief import Brief, Purpose, Whom
from alerts.errors import AlertsError, SendFailed
from alerts.gateways import Gateways
from alerts.home_call import CallKind, Consequence, HomeCall
from alerts.messages import render
from alerts.policy import ChannelName
from alerts.ports import Clock
from alerts.responders import Actor, ActorKind, Way
from hub import retry
from hub.desk import DatabaseAway, Entry
from hub.desk_bus import action_message
from hub.errors import HubError
from schemas import topics
from schemas.alarms import Press
from schemas.ids import IncidentId

LOOK_EVERY_S = 5.0
_log = structlog.get_logger("hub.home_calls")


class NotCallable(HubError):
    """This home cannot be called now."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where an incident is, as a telephone sees it."""

    area_id: str
    number: str | None
    whom: str
    language: str
    silent: bool
    drill: bool
    prefix: str = ""
    """The topic prefix of the device by which the person answers; empty: they have none."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One call."""

    call_id: str
    area_id: str
    incident_id: str
    kind: CallKind
    number: str
    """Dialled first."""
    bridge_to: str | None
    whom: str
    by_id: str
    by_name: str
    prefix: str = ""


Tell = Callable[[Placed, HomeCall, Consequence], Awaitable[None]]


class CallStore(Protocol):
    """Rows of calls. Raises DatabaseAway."""

    async def home(self, incident_id: str) -> Home | None: ...

    async def own_number(self, account_id: str) -> str | None: ...

    async def set_voice_number(self, device_id: str, number: str | None, entry: Entry) -> None: ...

    async def begin(self, call: Placed, entry: Entry) -> None: ...

    async def placed(self, call_id: str, provider_id: str | None, detail: str) -> None: ...

    async def settle(
        self, reference: str | None, provider_id: str | None, state: str | None,
        digits: str | None, now: datetime, tell: Tell,
    ) -> bool: ...  # fmt: skip

    async def end_overdue(self, now: datetime, tell: Tell) -> int: ...

    async def of_incident(self, incident_id: str) -> list[dict[str, object]]: ...


class Line(Protocol):
    """The broker; PUBACK means it is kept."""

    async def publish(self, topic: str, payload: bytes, *, qos: int) -> None:
        """Raises SendFailed."""
        ...


class HomeCalls:
    """Implements `hub.api.ports_answers.CheckInCalls`, and places calls."""

    def __init__(
        self,
        store: CallStore,
        gateways: Gateways | None,
        line: Line,
        clock: Clock,
        service: str,
        hotline: str,
        language: str,
    ) -> None:
        """`gateways` None: there is no voice gateway."""
        self._store = store
        self._gateways = gateways
        self._line = line
        self._clock = clock
        self._service = service
        self._hotline = hotline
        self._language = language

    async def place(self, kind: CallKind, incident_id: str, call_id: str, entry: Entry) -> None:
        """Dial. Raises NotCallable with what is missing, DatabaseAway, StillHolds."""
        if self._gateways is None:
            raise NotCallable("no voice gateway is configured")
        home = await self._store.home(incident_id)
        if home is None or not home.number:
            raise NotCallable("neither device nor home nor person has a number")
        if home.silent:
            raise NotCallable("it is a silent alarm: nothing may ring there")
        number, bridge_to = home.number, None
        if kind is CallKind.TALK:
            own = await self._store.own_number(entry.account.id)
            if not own:
                raise NotCallable("your account has no telephone number")
            number, bridge_to = own, home.number
        elif not home.prefix:
            raise NotCallable("no device of this person is known to answer for them")
        call = Placed(call_id, home.area_id, incident_id, kind, number, bridge_to, home.whom,
                      entry.account.id, entry.account.name, home.prefix)  # fmt: skip
        await self._store.begin(call, entry)
        try:
            sent = await self._gateways.send(
                call_id, render(self._brief(kind, home), ChannelName.VOICE,
                                home.language or self._language),
                number, bridge_to=bridge_to,
            )  # fmt: skip
        except AlertsError as error:
            await self.heard(call_id, None, state="failed", digits=None, now=self._clock.now())
            raise NotCallable(str(error)) from error
        await self._store.placed(call_id, sent.provider_id, sent.word)

    async def heard(
        self, reference: str | None, provider_id: str | None, *, state: str | None,
        digits: str | None, now: datetime,
    ) -> bool:  # fmt: skip
        """Whether the call-back was about such a call. Raises DatabaseAway: say it again."""
        return await self._store.settle(reference, provider_id, state, digits, now, self._tell)

    async def of_incident(self, incident_id: str) -> list[dict[str, object]]:
        """The newest calls first."""
        return await self._store.of_incident(incident_id)

    async def number_of(self, incident_id: str) -> str | None:
        """Where the home would be called; None under duress: nothing may ring there."""
        home = await self._store.home(incident_id)
        return None if home is None or home.silent else home.number

    async def set_voice_number(self, device_id: str, number: str | None, entry: Entry) -> None:
        """Raises NotThere."""
        await self._store.set_voice_number(device_id, number, entry)

    async def watch(self) -> None:
        """End calls of which the gateway says nothing more; for ever. What fell due while nobody
        looked is ended first."""
        while True:
            with suppress(DatabaseAway):
                await self.end_overdue()
            await asyncio.sleep(LOOK_EVERY_S)

    async def end_overdue(self) -> int:
        """The same once; how many. Raises DatabaseAway: nothing more was ended."""
        return await self._store.end_overdue(self._clock.now(), self._tell)

    def _brief(self, kind: CallKind, home: Home) -> Brief:
        purpose = Purpose.CHECK_IN if kind is CallKind.CHECK_IN else Purpose.CONNECT
        return Brief(purpose, self._clock.now(), self._service, self._hotline,
                     whom=Whom(home.whom), drill=home.drill)  # fmt: skip

    async def _tell(self, call: Placed, after: HomeCall, follows: Consequence) -> None:
        """Hand over what is known now; the same ids however often. Raises DatabaseAway if the
        broker does not take it: nothing is recorded then, and it is said again."""
        try:
            if follows.recorded is not None:
                await self._line.publish(
                    topics.DESK_ACTION, self._deed(call, after, follows.recorded), qos=1
                )
            if follows.press is not None:
                press = Press(message_id=f"{call.call_id[:40]}-{after.result}",
                              action=follows.press)  # fmt: skip
                topic, payload = retry.spoken(
                    topics.up(call.prefix, topics.Lane.ALARM, "press"),
                    msgspec.json.encode(press),
                    self._clock.now(),
                )
                await self._line.publish(topic, payload, qos=1)
        except SendFailed as error:
            _log.warning("call_result_waits", error=type(error).__name__)
            raise DatabaseAway("the broker is away") from error

    def _deed(self, call: Placed, after: HomeCall, result: CallResult) -> bytes:
        action = Action(
            id=f"{call.call_id}-{after.result}",
            incident_id=IncidentId(call.incident_id),
            verb=Verb.CALL,
            by=Actor(ActorKind.ACCOUNT, call.by_id, call.by_name),
            at=self._clock.now(),
            how=Way.VOICE,
            result=result,
            note=None if after.result is None else f"{call.kind}: {after.result}",
        )
        return action_message(action, call.area_id)
