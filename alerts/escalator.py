"""The loop that keeps every ladder moving: what is due now?"""

from dataclasses import dataclass

from alerts.escalation import Reason
from alerts.ports import Announcement, Announcer, Clock, EscalationStore

CLIMB_LIMIT = 200
"""Incidents per transaction: short enough that a desk's action never waits behind it."""

_CAUSES = {Reason.LEASE_LAPSED: "realarmed", Reason.NO_ANSWER: "raised"}


@dataclass(slots=True)
class Escalator:
    """Climbs due ladders; holds no state of its own (deadlines are rows)."""

    store: EscalationStore
    announcer: Announcer
    clock: Clock

    async def run_once(self) -> int:
        """One cycle: everything that is due now, in bounded transactions; how many climbed."""
        climbed = 0
        while True:
            decisions = await self.store.climb_due(self.clock.now(), CLIMB_LIMIT)
            for decision in decisions:
                cause = _CAUSES.get(decision.reason, "escalated")
                await self.announcer.announce(
                    Announcement(decision.incident, cause, {"reason": decision.reason})
                )
            climbed += len(decisions)
            if len(decisions) < CLIMB_LIMIT:
                return climbed
