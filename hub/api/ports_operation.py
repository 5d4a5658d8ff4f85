"""What the routes of operation need from the outside; the adapters live in `hub.store`."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from hub.maintenance import Planned
from hub.quarantine import Kept, Operator, Question, Row


class QuarantineStore(Protocol):
    """What waits for an operator. Raises DatabaseAway; a deed that cannot be done, NothingToDo."""

    async def page(self, question: Question) -> list[Row]: ...

    async def one(self, message_id: int, operator: Operator, now: datetime) -> Row | None: ...

    async def retry(
        self,
        message_id: int,
        operator: Operator,
        now: datetime,
        send: Callable[[Kept], Awaitable[None]],
    ) -> bool: ...

    async def discard(self, message_id: int, operator: Operator, now: datetime) -> bool: ...

    async def dead_letters(
        self,
        areas: tuple[str, ...] | None,
        before: int,
        limit: int,
        states: Sequence[str] = ...,
    ) -> list[Row]: ...

    async def send_again(self, notification_id: int, operator: Operator, now: datetime) -> bool: ...

    async def give_up(self, notification_id: int, operator: Operator, now: datetime) -> bool: ...

    async def waiting(self) -> dict[str, int]: ...


class MaintenanceStore(Protocol):
    """Planned maintenance. Raises DatabaseAway; NotThere for an area nobody knows."""

    async def plan(self, planned: Planned, operator: Operator, now: datetime) -> int: ...

    async def end(self, maintenance_id: int, operator: Operator, now: datetime) -> bool: ...

    async def list(
        self, areas: tuple[str, ...] | None, before: int, limit: int, since: datetime | None
    ) -> list[Row]: ...


class FigureStore(Protocol):
    """What the database tells about itself. Raises DatabaseAway."""

    async def read(self, now: datetime) -> dict[str, float]: ...

    async def oldest_observation_s(self, now: datetime) -> float | None: ...
