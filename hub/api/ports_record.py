"""What the API needs of the record: figures, visits, whole cases, and the seal of the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.desk import Entry
from hub.report.case import Case
from hub.report.page import Printer
from hub.service_report import ServiceFigureStore
from hub.visits import VisitStore


class CaseStore(Protocol):
    """Incidents with everything that is known of them. Raises DatabaseAway."""

    async def case(
        self, incident_id: str, now: datetime, look: Entry, *, observations: bool
    ) -> Case | None: ...

    async def seal(self, now: datetime) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class RecordPorts:
    """All of it, and what counts as overdue or frequent."""

    figures: ServiceFigureStore
    visits: VisitStore
    cases: CaseStore
    printer: Printer
    button_test_every_days: int = 7
    visit_every_days: int = 31
    frequent_false_presses: int = 3
