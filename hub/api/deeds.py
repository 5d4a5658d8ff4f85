"""What a dispatcher does to an incident: handed to ingest by the broker, answered in 1.5 s."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

import msgspec

from alerts.actions import Verb
from alerts.errors import SendFailed
from alerts.people import Account
from hub.api.access import Whose
from hub.api.figures import Figures
from hub.api.ports import Clock, DeskBus, DeskStore
from hub.api.problems import Problem, later
from hub.api.switchboard import Switchboard
from hub.view import View, iso
from schemas import topics

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
        """Raises Problem: 404, 409 (refused), 503 (nothing was done)."""
        try:
            before = await self.find(incident_id, account)
            done = await self._carry(verb, before, account, details)
        except Problem as problem:
            results = {404: "not_found", 409: "refused"}
            self._figures.actions.labels(verb, results.get(problem.status_code, "away")).inc()
            raise
        self._figures.actions.labels(verb, "pending" if done.pending else "done").inc()
        return done

    async def find(self, incident_id: str, account: Account) -> View:
        """An incident the account may see: from memory while it is open, else from the database."""
        view = self._board.feed.find(incident_id)
        if view is None:
            view = (await self._store.views([incident_id])).get(incident_id)
        if view is None or not self._board.sight(account)(Whose.of(view)):
            raise Problem(404, NO_SUCH_INCIDENT)
        return view

    async def _carry(
        self, verb: Verb, before: View, account: Account, details: dict[str, Any]
    ) -> Done:
        action_id = secrets.token_hex(16)
        body = {
            "id": action_id,
            "incident_id": before["id"],
            "area_id": before["area_id"],
            "verb": verb.value,
            "by": {"account_id": account.id, "name": account.name},
            "at": iso(self._clock.now()),
            "expected_arrival_s": details.get("expected_arrival_s"),
            "outcome": details.get("outcome"),
            "note": details.get("note"),
        }
        answer = self._board.expect(action_id)
        try:
            await self._hand_over(msgspec.json.encode(body))
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


def _refused(refusal: dict[str, Any]) -> Problem:
    title = str(refusal.get("title") or "This cannot be done to the incident as it is now")
    if refusal.get("kind") == "not_found":
        return Problem(404, NO_SUCH_INCIDENT, title)
    return Problem(409, title, more={"kind": refusal.get("kind")})
