"""What every route is given: the API's parts, and who asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from alerts.people import Account
from hub.api.access import Deed, may
from hub.api.deeds import Deeds
from hub.api.figures import Figures
from hub.api.ports import AccountStore, ApiDependencies, Clock, DeskStore
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

    @property
    def store(self) -> DeskStore:
        """Incidents, register, log."""
        return self.dependencies.store

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
        detail: dict[str, str | None],
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
    """The log-in behind the request's cookie."""
    token = request.cookies.get(COOKIE, "")
    session = None
    if 0 < len(token) <= MAX_TOKEN_LENGTH:
        session = await parts.sessions.verify(token)
    if session is None:
        raise Problem(401, "Log in first", "There is no log-in, or it has ended.")
    return session


SignedIn = Annotated[DeskSession, Depends(signed_in)]


def allowed(deed: Deed) -> Callable[[DeskSession], Awaitable[Account]]:
    """A dependency: the account, if its role may do that."""

    async def check(session: SignedIn) -> Account:
        if not may(session.account.role, deed):
            raise Problem(403, "Your role does not allow this", f"It lacks: {deed}.")
        return session.account

    return check


Looking = Annotated[Account, Depends(allowed(Deed.LOOK))]
Acting = Annotated[Account, Depends(allowed(Deed.ACT))]
Provisioning = Annotated[Account, Depends(allowed(Deed.PROVISION))]
Inspecting = Annotated[Account, Depends(allowed(Deed.INSPECT))]
