"""What every route is given: the API's parts, and who asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, Request

from alerts.people import Account
from hub.api.access import MEANING, Deed, may
from hub.api.deeds import Deeds
from hub.api.figures import Figures
from hub.api.gauging import Gauging
from hub.api.looks import LOOK, Looks, action_of
from hub.api.ports import (
    AccountStore,
    ApiDependencies,
    Clock,
    DeskStore,
    HistoryStore,
    RegisterStore,
)
from hub.api.ports_care import CareStore, LearnedStore, OutageStore
from hub.api.ports_ladder import PolicyStore
from hub.api.ports_reach import ReachStore
from hub.api.ports_record import RecordPorts
from hub.api.problems import Problem
from hub.api.sessions import COOKIE, Sessions
from hub.api.switchboard import Switchboard
from hub.api.throttle import Throttle
from hub.desk import DeskSession, Entry

MAX_TOKEN_LENGTH = 128
"""Ours have 43 characters."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The API's parts, made once by `create_app`."""

    dependencies: ApiDependencies
    switchboard: Switchboard
    sessions: Sessions
    throttle: Throttle
    deeds: Deeds
    figures: Figures
    gauging: Gauging
    looks: Looks = field(default_factory=Looks)

    @property
    def store(self) -> DeskStore:
        """Incidents, register, log."""
        return self.dependencies.store

    @property
    def register(self) -> RegisterStore:
        """Areas, homes, people, responders, accounts."""
        return self.dependencies.register

    @property
    def history(self) -> HistoryStore:
        """What was measured."""
        return self.dependencies.history

    @property
    def care(self) -> CareStore:
        """Limits, fences and settings of people."""
        return self.dependencies.care

    @property
    def learned(self) -> LearnedStore:
        """What was learned of homes."""
        return self.dependencies.learned

    @property
    def outages(self) -> OutageStore:
        """Silent areas."""
        return self.dependencies.outages

    @property
    def reach(self) -> ReachStore:
        """Who is nearest."""
        return self.dependencies.reach

    @property
    def policies(self) -> PolicyStore:
        """Ladders of areas and people."""
        return self.dependencies.policies

    @property
    def record(self) -> RecordPorts:
        """Figures, visits, whole cases."""
        return self.dependencies.record

    @property
    def accounts(self) -> AccountStore:
        """Who may sign in."""
        return self.dependencies.accounts

    @property
    def clock(self) -> Clock:
        """Time."""
        return self.dependencies.clock

    def entry(
        self,
        account: Account,
        action: str,
        area_id: str,
        detail: Mapping[str, Any],
        incident_id: str | None = None,
    ) -> Entry:
        """A line for the audit log, as of now."""
        return Entry(self.clock.now(), area_id, account, action, dict(detail), incident_id)


def parts_of(request: Request) -> Parts:
    """The parts of the application that got this request."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]


async def signed_in(request: Request, parts: PartsOf) -> DeskSession:
    """The log-in behind the request's cookie, or the program behind its token."""
    token, by_token = request.cookies.get(COOKIE, ""), False
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token, by_token = bearer.strip(), True
    session = None
    if 0 < len(token) <= MAX_TOKEN_LENGTH:
        session = await parts.sessions.verify(token)
        if session is not None and session.by_token is not by_token:
            session = None
    if session is None:
        raise Problem(401, "Log in first", "There is no log-in, or it has ended.")
    return session


SignedIn = Annotated[DeskSession, Depends(signed_in)]


async def human(session: SignedIn) -> DeskSession:
    """A log-in that somebody made with a password."""
    if session.by_token:
        raise Problem(403, "Your role does not allow this", "A token has no log-ins of its own.")
    return session


Human = Annotated[DeskSession, Depends(human)]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A dependency: the account, if its role may do the deed; the OpenAPI document says which."""

    deed: Deed

    async def __call__(self, session: SignedIn, request: Request) -> Account:
        """Raises Problem 403."""
        if session.must_change_password:
            raise Problem(
                403, "Choose a password first", "Yours was given to you by somebody else."
            )
        if not may(session.account.role, self.deed):
            lacking = f"It does not include: {MEANING[self.deed]}."
            raise Problem(403, "Your role does not allow this", lacking)
        if request.method == "GET":
            # Once it is answered (hub.api.border): who was refused has seen nothing.
            request.scope[LOOK] = partial(_note_list, request, session.account)
        return session.account


def _note_list(request: Request, account: Account) -> None:
    """A list or a feed, once in a while, with the area it reaches."""
    parts = parts_of(request)
    path = getattr(request.scope.get("route"), "path", "")
    question = request.url.query
    if "{" in path:  # which of them was asked for is part of the question
        question = f"{request.url.path}?{question}".removesuffix("?")
    told = parts.looks.seen(account.id, path, question, parts.clock.monotonic_s())
    if told is not None:
        action = action_of(told["noun"], path)
        seat = {"area_id": account.area_id, "role": account.role}
        parts.switchboard.note_look(parts.entry(account, action, account.area_id, told | seat))


Looking = Annotated[Account, Depends(Allowed(Deed.LOOK))]
Acting = Annotated[Account, Depends(Allowed(Deed.ACT))]
Browsing = Annotated[Account, Depends(Allowed(Deed.BROWSE))]
Revealing = Annotated[Account, Depends(Allowed(Deed.REVEAL))]
Provisioning = Annotated[Account, Depends(Allowed(Deed.PROVISION))]
Registering = Annotated[Account, Depends(Allowed(Deed.REGISTER))]
Caring = Annotated[Account, Depends(Allowed(Deed.CARE))]
Accounting = Annotated[Account, Depends(Allowed(Deed.ACCOUNTS))]
Recalling = Annotated[Account, Depends(Allowed(Deed.HISTORY))]
Reporting = Annotated[Account, Depends(Allowed(Deed.REPORT))]
Inspecting = Annotated[Account, Depends(Allowed(Deed.INSPECT))]
Planning = Annotated[Account, Depends(Allowed(Deed.PLAN))]
Operating = Annotated[Account, Depends(Allowed(Deed.OPERATE))]
Kin = Annotated[Account, Depends(Allowed(Deed.KIN))]
Going = Annotated[Account, Depends(Allowed(Deed.GO))]
"""One a deed. A route that takes none of them fails tests/integration/test_api_roles.py."""
