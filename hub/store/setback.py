"""The clock was set back: what is due in hours that were to be seconds is brought forward.

Deadlines are instants, so that they outlive every restart. A machine that began with its clock
ahead (an hour of summer time, a time zone, a dead battery) and is put right by its time server
would leave every ladder silent for as long. So whoever climbs compares, at its first look, while
time is earlier than it was once, and every minute: nothing may wait longer than if it had begun to
wait now. Not only at the moment of the change: what was heard before it may be recorded after it,
and another machine's clock may be ahead.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from alerts.delivery import LONGEST_DELAY_S
from hub.store import queries
from hub.store.ledger import log_values, many
from hub.store.outbox import LEASE_S
from hub.store.whereabouts import Cursor

_SQL = queries.load("setback")
_LOG = queries.load("incidents")["log"]
_log = structlog.get_logger("hub.store.setback")

JITTER = timedelta(seconds=5)
"""Ours: clocks of several machines differ by less; nobody waits too long for it."""
LOOK_EVERY = timedelta(minutes=1)
"""Ours: a look reads the open incidents, 10,000 in some 20 ms, and holds none of them."""
LEASE_SLACK = timedelta(hours=2)
"""Ours: at the first look. A lease may be longer than the words that are kept of it say, and
somebody has the incident."""
SET_BACK = "clock_set_back"
"""Action of the entry in the log."""


@dataclass(slots=True)
class SetBack:
    """Belongs to one process: what it forgets, its first look makes good."""

    _latest: datetime | None = None
    """The latest time there was."""
    _looked: datetime | None = None
    _back: bool = False
    """Whether it is earlier now, and was mended at once."""

    async def mend(self, cursor: Cursor, now: datetime) -> int:
        """In the caller's transaction, where it is necessary; how many incidents were mended."""
        back = self._latest is not None and now < self._latest - JITTER
        if not back and self._looked is not None and now < self._looked + LOOK_EVERY:
            return 0
        just_now = back and not self._back
        patience = timedelta(seconds=0 if just_now else LONGEST_DELAY_S)
        values: dict[str, Any] = {
            "now": now,
            "beyond": now + patience,
            "jitter": JITTER,
            "slack": timedelta(0) if back else LEASE_SLACK,
            "leased_at_most": now + timedelta(seconds=LEASE_S),
        }
        await cursor.execute(_SQL["incidents"], values)
        rows = await cursor.fetchall()
        await cursor.execute(_SQL["notifications"], values)
        await cursor.execute(_SQL["receipts"], values)
        await many(cursor, _LOG, [_entry(row, now) for row in rows])
        if rows:
            _log.warning("clock_set_back", incidents=len(rows))
        return len(rows)

    def saw(self, now: datetime) -> None:
        """The transaction took effect."""
        if self._looked is None or not timedelta(0) <= now - self._looked < LOOK_EVERY:
            self._looked = now
        self._back = self._latest is not None and now < self._latest - JITTER
        self._latest = now if self._latest is None else max(self._latest, now)


def _entry(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    detail = {"was": row["was"], "next_deadline_at": row["due_at"]}
    return log_values(
        now, row["area_id"], row["incident_id"], SET_BACK, SET_BACK, detail,
        ("hub", "escalator", None),
    )  # fmt: skip
