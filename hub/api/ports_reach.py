"""What the API needs to know of who is nearest; the adapter is `hub.store.reach_desk`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from alerts.reach import Candidate, Point
from hub.desk import Entry
from hub.reach import Near
from hub.view import View


class ReachStore(Protocol):
    """Nearest responders, their own reports, circles of areas, hand-offs. Raises DatabaseAway."""

    async def near(
        self, incident_id: str, areas: Sequence[str] | None, limit: int, now: datetime
    ) -> Near | None: ...

    async def own(self, account_id: str) -> View | None: ...

    async def report_position(
        self, account_id: str, position: Mapping[str, Any], entry: Entry
    ) -> View: ...

    async def set_availability(
        self, account_id: str, availability: str, travel_mode: str | None, entry: Entry
    ) -> View: ...

    async def area_reach(self, area_id: str) -> tuple[View, View] | None: ...

    async def set_area_reach(
        self, area_id: str, changes: Mapping[str, Any], entry: Entry
    ) -> tuple[View, View]: ...

    async def hand_offs(self, incident_id: str) -> list[View]: ...

    async def hand_off_arrived(self, incident_id: str, hand_off_id: int, entry: Entry) -> None: ...


class Routes(Protocol):
    """Travel times by road; `hub.routing.RoutingService` is one."""

    async def refine(self, found: Sequence[Candidate], to: Point) -> list[Candidate]: ...
