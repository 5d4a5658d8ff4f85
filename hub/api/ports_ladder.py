"""What the routes of policies need from the outside."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from alerts.policy_check import Complaint
from hub.policies import Case, Draft, Preview
from hub.quarantine import Operator
from hub.view import View


class PolicyStore(Protocol):
    """Policies. Raises DatabaseAway, NotThere, BadPolicy."""

    async def page(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]: ...

    async def read(self, policy_id: str) -> View | None: ...

    async def check(self, draft: Draft, now: datetime) -> list[Complaint]: ...

    async def put(self, draft: Draft, operator: Operator, now: datetime) -> View: ...

    async def drop(self, policy_id: str, operator: Operator, now: datetime) -> bool: ...

    async def preview(self, case: Case, now: datetime, draft: Draft | None = None) -> Preview: ...

    async def ladder(self, incident_id: str, now: datetime) -> Preview | None: ...
