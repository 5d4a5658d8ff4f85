"""Gathers what /metrics shows of others: bus, database, broker, callout, supervisor."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from hub.api.figures import (
    STATES,
    dwell_of,
    of_assurance,
    of_ingest,
    of_worker,
    tallied_of,
)
from hub.desk import DatabaseAway

if TYPE_CHECKING:
    from hub.api.gate import Parts

ASK_DATABASE_EVERY_S = 10.0
"""Prometheus asks every 15 s by default; several of them cost the database one look."""
ASK_OLDEST_EVERY_S = 600.0
"""The oldest row changes once a day, and finding it may look into many partitions."""
PRIORITIES = ("high", "medium", "low")
_ONE = {
    "incidents_overdue": "carebell_incidents_overdue",
    "notifications_pending": "carebell_notifications_pending",
    "notifications_oldest_due_seconds": "carebell_notifications_oldest_due_seconds",
    "dead_letters": "carebell_dead_letters",
    "maintenance_open": "carebell_maintenance_open",
    "muted_conditions": "carebell_muted_conditions",
    "audit_blocks": "carebell_audit_blocks",
    "audit_unsealed_entries": "carebell_audit_unsealed_entries",
    "audit_unsealed_seconds": "carebell_audit_unsealed_seconds",
    "database_bytes": "carebell_database_bytes",
    "database_connections": "carebell_database_connections",
    "database_oldest_transaction_seconds": "carebell_database_oldest_transaction_seconds",
    "retention_aggregates_age_seconds": "carebell_retention_aggregates_age_seconds",
    "retention_oldest_observation_seconds": "carebell_retention_oldest_observation_seconds",
}
_BY_LANE = {"quarantine_alarm": "alarm", "quarantine_telemetry": "telemetry"}

Found = dict[str, dict[tuple[str, ...], float]]


class Gauging:
    """One for an API process; what the database said is kept for a few seconds."""

    def __init__(self) -> None:
        self._database: dict[str, float] = {}
        self._asked_at_s = -1e9
        self._oldest_at_s = -1e9
        self._oldest_s: float | None = None

    async def measure(self, parts: "Parts") -> None:
        """Bring every figure up to now."""
        board, figures = parts.switchboard, parts.figures
        figures.feed_clients.set(len(board.listeners))
        figures.broker_connected.set(board.broker_connected)
        figures.ingest_heard.set(board.ingest_fresh)
        open_now = Counter(view["priority"] for view in board.feed.open_views(lambda _: True))
        for priority in PRIORITIES:
            figures.open_incidents.labels(priority).set(open_now[priority])
        _one_of(figures.database, parts.store.state)
        found: Found = of_ingest(board.ingest_word) | of_worker(board.worker_word)
        figures.dwell = dwell_of(board.worker_word)
        found["carebell_loop_cycle_age_seconds"] = {
            (loop,): age_s for loop, age_s in board.cycle_ages().items()
        }
        figures.desks_present.set(len(board.desks_present()))
        found |= of_assurance(board.assurance_word)
        figures.tallied = tallied_of(board.assurance_word)
        found |= await asyncio.to_thread(_labelled, parts)
        found |= await self._of_database(parts)
        figures.mirrored = {name: values for name, values in found.items() if values}

    async def _of_database(self, parts: "Parts") -> Found:
        now_s, now = parts.clock.monotonic_s(), parts.clock.now()
        store = parts.dependencies.figures
        if now_s - self._asked_at_s >= ASK_DATABASE_EVERY_S:
            self._asked_at_s = now_s
            try:
                self._database = await store.read(now)
                if now_s - self._oldest_at_s >= ASK_OLDEST_EVERY_S:
                    self._oldest_s = await store.oldest_observation_s(now)
                    self._oldest_at_s = now_s
            except DatabaseAway:
                self._database = {}
        row = self._database
        if row and self._oldest_s is not None:
            row = row | {"retention_oldest_observation_seconds": self._oldest_s}
        found: Found = {_ONE[key]: {(): value} for key, value in row.items() if key in _ONE}
        found["carebell_quarantine_waiting"] = {
            (_BY_LANE[key],): value for key, value in row.items() if key in _BY_LANE
        }
        return found


def _labelled(parts: "Parts") -> Found:
    outside: Mapping[str, Mapping[str, float]] = parts.dependencies.outside()
    return {
        name: {((label,) if label else ()): value for label, value in values.items()}
        for name, values in outside.items()
    }


def _one_of(gauge: Gauge, state: object) -> None:
    for known in STATES:
        gauge.labels(known).set(known == state)
