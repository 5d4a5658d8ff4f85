"""What the API needs for rota, presence and assurance; the adapters live in `hub.store`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from alerts.people import Account
from alerts.policy import ChannelName
from alerts.rota import Gap
from hub.desk import AtDesk
from hub.quarantine import Operator
from hub.rota import PlannedChange, PlannedWeekly
from hub.view import View


class PresenceStore(Protocol):
    """Who sits at a desk of this process. Raises DatabaseAway."""

    async def renew(
        self,
        feed_id: str,
        root_area_id: str,
        desks: Sequence[AtDesk],
        synthetic: tuple[str, datetime] | None,
        now: datetime,
    ) -> None: ...

    async def leave(self, feed_id: str) -> None: ...

    async def listed(self, areas: Sequence[str] | None, now: datetime) -> list[View]: ...


class RotaStore(Protocol):
    """Raises DatabaseAway; changes raise NotThere and BadRota."""

    async def show(self, areas: Sequence[str] | None, since: datetime, until: datetime) -> View: ...

    async def gaps(
        self, areas: Sequence[str] | None, now: datetime, until: datetime
    ) -> list[Gap]: ...

    async def candidates(self, area_id: str, up_to: str, q: str, limit: int) -> list[View]: ...

    async def plan(
        self, planned: PlannedWeekly, operator: Operator, now: datetime
    ) -> list[int]: ...

    async def end(
        self, weekly_id: int, last_day: date, operator: Operator, now: datetime
    ) -> bool: ...

    async def change(self, planned: PlannedChange, operator: Operator, now: datetime) -> int: ...

    async def drop(self, change_id: int, operator: Operator, now: datetime) -> bool: ...


class HandoverStore(Protocol):
    """Raises DatabaseAway; an offer raises NotThere and BadHandover."""

    async def owned(self, account_id: str) -> list[View]: ...

    async def offer(
        self,
        account: Account,
        to_id: str,
        note: str,
        incident_ids: Sequence[str] | None,
        now: datetime,
    ) -> View: ...

    async def list(
        self, account: Account, areas: Sequence[str] | None, limit: int, *, past: bool
    ) -> list[View]: ...

    async def settle(
        self, handover_id: str, state: str, account: Account, now: datetime
    ) -> View | None: ...

    async def note_result(self, handover_id: str, results: Mapping[str, str]) -> None: ...


class ConditionStore(Protocol):
    """What is wrong before anybody presses. Raises DatabaseAway."""

    async def conditions(self, areas: Sequence[str] | None, limit: int) -> list[View]: ...

    async def alone(self, areas: Sequence[str] | None, after: str, limit: int) -> list[View]: ...

    async def presses(self, limit: int) -> list[View]: ...


class ProofStore(Protocol):
    """Which ways to people are proven. Raises DatabaseAway; asking raises NotThere, CannotAsk."""

    async def ask(
        self, recipient: str, channel: ChannelName, operator: Operator, now: datetime
    ) -> int: ...

    async def verify_by_hand(
        self, recipient: str, channel: ChannelName, operator: Operator, now: datetime
    ) -> bool: ...

    async def of_person(self, person_id: str) -> list[View]: ...

    async def overdue(
        self, areas: Sequence[str] | None, since: datetime, after: str, limit: int
    ) -> list[View]: ...

    async def start(
        self,
        area_id: str,
        channels: Sequence[ChannelName],
        per_minute: int,
        operator: Operator,
        now: datetime,
    ) -> int: ...

    async def stop(self, campaign_id: int, operator: Operator, now: datetime) -> bool: ...

    async def campaigns(self, areas: Sequence[str] | None, limit: int) -> list[View]: ...


@dataclass(frozen=True, slots=True)
class AssurancePorts:
    """All of it, as one thing to wire."""

    presence: PresenceStore
    rota: RotaStore
    handovers: HandoverStore
    conditions: ConditionStore
    proofs: ProofStore
    time_zone: str = "Asia/Shanghai"
    """The hub's: of shifts that name none."""
    verify_contacts_every_days: int = 180
