"""What a human does to an incident: handed to ingest by the broker, answered in 1.5 s."""

import asyncio
import secrets
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from alerts.actions import Action, CallResult, Verb
from alerts.errors import SendFailed
from alerts.incident import Outcome
from alerts.people import Account
from alerts.policy import ChannelName
from alerts.responders import Actor, ActorKind, Way
from hub.api.access import Deed, Whose, may
from hub.api.figures import Figures
from hub.api.ports import Clock, DeskBus, DeskStore
from hub.api.problems import Problem, later
from hub.api.switchboard import Switchboard
from hub.call_in import CallInOrder, call_in_message
from hub.desk_bus import action_message
from hub.drill import DrillOrder, drill_message
from hub.view import View
from schemas import topics
from schemas.ids import IncidentId

PUBLISH_WITHIN_S = 2.0
"""A broker that is well confirms in milliseconds."""
ANSWER_WITHIN_S = 1.5
"""Ours: longer than any healthy commit, shorter than a human's doubt whether the click counted."""

NO_SUCH_INCIDENT = "There is no such incident"


@dataclass(frozen=True, slots=True)
class Done:
    """The incident after an action; `pending`: kept by the broker, not yet recorded."""

    view: View
    pending: bool


class Deeds:
    """Carries actions to ingest, which alone records them."""

    def __init__(
        self,
        *,
        switchboard: Switchboard,
        store: DeskStore,
        bus: DeskBus,
        clock: Clock,
        figures: Figures,
    ) -> None:
        self._board = switchboard
        self._store = store
        self._bus = bus
        self._clock = clock
        self._figures = figures

    async def perform(
        self, verb: Verb, incident_id: str, account: Account, details: dict[str, Any]
    ) -> Done:
        """What somebody who is logged in does. Raises Problem: 404, 409 (refused), 503 (nothing
        was done)."""
        answers = may(account.role, Deed.ACT)
        how = Way.DESK if answers else Way.FAMILY_PAGE
        actor = _actor_of(account)
        return await self._counted(verb, self.find(incident_id, account), actor, how, details)

    async def perform_as(
        self, actor: Actor, how: Way, verb: Verb, incident_id: str, details: dict[str, Any]
    ) -> Done:
        """What somebody does who is not logged in: whoever calls this has made sure that it is
        them. Raises Problem like `perform`."""
        return await self._counted(verb, self._known(incident_id), actor, how, details)

    async def _counted(
        self,
        verb: Verb,
        finding: Awaitable[View],
        actor: Actor,
        how: Way,
        details: dict[str, Any],
    ) -> Done:
        try:
            done = await self._carry(verb, await finding, actor, how, details)
        except Problem as problem:
            results = {404: "not_found", 409: "refused"}
            self._figures.actions.labels(verb, results.get(problem.status_code, "away")).inc()
            raise
        self._figures.actions.labels(verb, "pending" if done.pending else "done").inc()
        return done

    async def begin_drill(self, order: DrillOrder) -> View | None:
        """Practise. The incident as the desks show it; None: the broker keeps the order. Raises
        Problem 503."""
        return await self._begun(order.id, drill_message(order))

    async def begin_call_in(self, order: CallInOrder) -> View | None:
        """Somebody is on the telephone. The same as of a drill."""
        return await self._begun(order.id, call_in_message(order))

    async def _begun(self, order_id: str, message: bytes) -> View | None:
        answer = self._board.expect(order_id)
        try:
            await self._hand_over(message)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                result = await answer
        except TimeoutError:
            return None
        finally:
            answer.cancel()
        view: View | None = result.get("incident")
        return view

    async def find(self, incident_id: str, account: Account) -> View:
        """An incident the account may see: from memory while it is open, else from the database."""
        view = await self._known(incident_id)
        if not self._board.sight(account)(Whose.of(view)):
            raise Problem(404, NO_SUCH_INCIDENT)
        return view

    async def _known(self, incident_id: str) -> View:
        view = self._board.feed.find(incident_id)
        if view is None:
            view = (await self._store.views([incident_id])).get(incident_id)
        if view is None:
            raise Problem(404, NO_SUCH_INCIDENT)
        return view

    async def _carry(
        self, verb: Verb, before: View, actor: Actor, how: Way, details: dict[str, Any]
    ) -> Done:
        action_id = secrets.token_hex(16)
        action = Action(
            id=action_id,
            incident_id=IncidentId(before["id"]),
            verb=verb,
            by=actor,
            at=self._clock.now(),
            how=how,
            **_details(details),
        )
        answer = self._board.expect(action_id)
        try:
            await self._hand_over(action_message(action, before["area_id"]))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                result = await answer
        except TimeoutError:
            return self._pending(verb, before, None)
        finally:
            answer.cancel()
        if not result.get("ok"):
            raise _refused(result.get("refusal") or {})
        if result.get("pending"):
            return self._pending(verb, before, result.get("incident"))
        view = result.get("incident") or self._board.feed.find(before["id"]) or before
        return Done(view, pending=False)

    async def _hand_over(self, payload: bytes) -> None:
        if not self._bus.connected:
            raise later("The broker is away", "Nothing was done. Try again in a moment.")
        try:
            async with asyncio.timeout(PUBLISH_WITHIN_S):
                await self._bus.publish(topics.DESK_ACTION, payload, qos=1)
        except (SendFailed, TimeoutError) as error:
            raise later(
                "The broker did not confirm the action",
                "It is not certain that it was taken. Look at the incident, then try again.",
            ) from error

    def _pending(self, verb: Verb, before: View, told: View | None) -> Done:
        view = told or self._board.feed.find(before["id"]) or before
        return Done(view | {"pending_action": view.get("pending_action") or verb.value}, True)


def _actor_of(account: Account) -> Actor:
    """Whoever is a responder of the register acts as the one that was told."""
    if not may(account.role, Deed.ACT) and len(account.responders) == 1:
        (responder_id,) = account.responders
        return Actor(ActorKind.RESPONDER, responder_id, account.name)
    return Actor(ActorKind.ACCOUNT, account.id, account.name)


def _details(said: dict[str, Any]) -> dict[str, Any]:
    """What was said, as an action has it."""
    whom = said.get("whom")
    if isinstance(whom, dict):
        whom = Actor(ActorKind(whom["kind"]), whom["id"], whom["name"])
    outcome, result = said.get("outcome"), said.get("result")
    return {
        "whom": whom,
        "expected_arrival_s": said.get("expected_arrival_s"),
        "outcome": None if outcome is None else Outcome(outcome),
        "note": said.get("note"),
        "channels": tuple(ChannelName(name) for name in said.get("channels") or ()),
        "service": said.get("service"),
        "reference": said.get("reference"),
        "result": None if result is None else CallResult(result),
    }


def _refused(refusal: dict[str, Any]) -> Problem:
    title = str(refusal.get("title") or "This cannot be done to the incident as it is now")
    if refusal.get("kind") == "not_found":
        return Problem(404, NO_SUCH_INCIDENT, title)
    return Problem(409, title, more={"kind": refusal.get("kind")})
