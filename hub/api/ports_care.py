"""What the routes of care, inactivity and outages need from outside; adapters in `hub.store`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from hub.desk import Entry
from hub.detect.fence import Circle, Polygon
from hub.view import View


class CareStore(Protocol):
    """One person's limits, settings and fences. Raises DatabaseAway, NotThere."""

    async def care(self, person_id: str, look: Entry | None) -> View | None: ...

    async def put_limit(
        self, person_id: str, measure: str, low: float | None, high: float | None, entry: Entry
    ) -> None: ...

    async def drop_limit(self, person_id: str, measure: str, entry: Entry) -> None: ...

    async def put_settings(
        self, person_id: str, settings: Mapping[str, bool | int], entry: Entry
    ) -> None: ...

    async def put_fence(
        self,
        person_id: str,
        fence_id: str,
        label: str,
        shapes: tuple[Circle | Polygon, ...],
        active_min: tuple[int, int] | None,
        most: int,
        entry: Entry,
    ) -> None: ...

    async def drop_fence(self, person_id: str, fence_id: str, entry: Entry) -> None: ...


class LearnedStore(Protocol):
    """What the hub has learned of a home, and the day it is drawn over. Raises DatabaseAway."""

    async def line(self, premises_id: str) -> View | None: ...

    async def signs_of_life(
        self, premises_id: str, since: datetime, until: datetime, look: Entry
    ) -> list[View]: ...

    async def forget(self, premises_id: str, entry: Entry) -> None: ...

    async def bed_habits(self, person_id: str) -> list[View]: ...


class OutageStore(Protocol):
    """Areas that are or were silent. Raises DatabaseAway."""

    async def outages(
        self, areas: Sequence[str] | None, since: datetime, limit: int
    ) -> list[View]: ...

    async def area_of_outage(self, outage_id: str) -> str | None: ...

    async def outage_devices(
        self, outage_id: str, after: str, limit: int, *, silent: bool
    ) -> list[View]: ...
