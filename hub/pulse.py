"""Once a second ingest says how it is: the figures the desk, the metrics and health are made of."""

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec

from hub.clock import SystemClock
from hub.view import iso
from schemas import topics

if TYPE_CHECKING:
    from hub.ingest_process import IngestProcess

BEAT_S = 1.0
SLOW_AFTER_S = 1.0
AWAY_AFTER_S = 5.0


class Pulse:
    """Publishes ingest's figures on the desk bus, QoS 0."""

    def __init__(self, process: "IngestProcess", clock: SystemClock) -> None:
        self._process = process
        self._clock = clock
        self._last_count = 0
        self._last_s = clock.monotonic_s()
        self._started_s = self._last_s

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await asyncio.sleep(BEAT_S)
            self._process.publish(topics.DESK_STATS, msgspec.json.encode(self._figures()))

    def _figures(self) -> dict[str, Any]:
        process, now_s = self._process, self._clock.monotonic_s()
        alarm, telemetry = process.alarm, process.telemetry
        counted = alarm.counts["messages"] + (telemetry.counts["messages"] if telemetry else 0)
        elapsed_s = max(now_s - self._last_s, 1e-3)
        rate = (counted - self._last_count) / elapsed_s
        self._last_count, self._last_s = counted, now_s
        sums = alarm.counts + telemetry.counts if telemetry else alarm.counts
        return {
            "type": "ingest",
            "at": iso(self._clock.now()),
            "messages_per_s": round(rate, 1),
            "oldest_unacknowledged_s": round(self._waiting_s(now_s), 3),
            "unacknowledged": process.unacknowledged(),
            "unrecorded_alarms": alarm.unrecorded + process.fallback.unrecorded,
            "unrecorded_deeds": len(alarm.waiting_actions()) + process.fallback.unrecorded,
            "devices_online": process.devices_online(),
            "devices_total": len(process.register.devices),
            "database": self._database(now_s),
            "connected": process.connected,
            "quarantined": sums["quarantined"],
            "unknown_fields": sums["unknown_fields"],
            "repeats": alarm.counts["repeats"],
            "alarms": alarm.counts["alarms"],
            "step_failures": alarm.counts["step_failures"],
            "messages": counted,
            "uptime_s": round(now_s - self._started_s),
        }

    def _waiting_s(self, now_s: float) -> float:
        telemetry = self._process.telemetry
        waiting = [self._process.alarm.oldest_unrecorded_s()]
        if telemetry is not None and telemetry.committing_since_s is not None:
            waiting.append(now_s - telemetry.committing_since_s)
        return max(waiting)

    def _database(self, now_s: float) -> str:
        waiting_s = self._waiting_s(now_s)
        seen_at_s = self._process.database_seen_at_s()
        if seen_at_s is None or now_s - seen_at_s > AWAY_AFTER_S:
            return "away"
        return "slow" if waiting_s > SLOW_AFTER_S or now_s - seen_at_s > 2.5 else "ok"
