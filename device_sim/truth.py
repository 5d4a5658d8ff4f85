"""What really happened, to whom and when: the answers against which a detector is scored.

One JSON line an event. The same scenario, fleet and seed write the same lines but for `at`, which
is the start of the run plus `t_s`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from device_sim.fleet import Home
from device_sim.scenario import Action

NEEDS_HELP = frozenset(
    {
        Action.PRESS, Action.HELP, Action.DURESS_CANCEL, Action.FALL, Action.VITALS_FAIL,
        Action.DETERIORATE, Action.LIE, Action.WANDER, Action.HAZARD,
    }
)  # fmt: skip
"""What a hub ought to bring somebody for; everything else ought to wake nobody."""

Detail = str | int | float | bool | None


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the log."""

    t_s: float
    """Seconds since the start of the run."""
    at: datetime
    what: str
    needs_help: bool = False
    area_id: str
    premises_id: str
    person_id: str
    device_id: str | None = None
    detail: dict[str, Detail] = {}


class Truth:
    """Writes the log; without a writer it forgets."""

    def __init__(
        self, started_at: datetime, started_s: float, write: Callable[[bytes], None] | None = None
    ) -> None:
        self._started_at, self._started_s, self._write = started_at, started_s, write

    def note(
        self,
        what: str,
        home: Home,
        device_id: str | None,
        due_s: float,
        *,
        needs_help: bool = False,
        detail: Mapping[str, Detail] | None = None,
    ) -> None:
        """Something happened; `due_s` is when it was due on the monotonic clock, so that a busy
        machine does not change the answers."""
        if self._write is None:
            return
        t_s = round(due_s - self._started_s, 3)
        event = Event(
            t_s=t_s,
            at=self._started_at + timedelta(seconds=t_s),
            what=what,
            needs_help=needs_help,
            area_id=home.area_id,
            premises_id=home.premises_id,
            person_id=home.person.id,
            device_id=device_id,
            detail={name: value for name, value in (detail or {}).items() if value is not None},
        )
        self._write(msgspec.json.encode(event) + b"\n")
