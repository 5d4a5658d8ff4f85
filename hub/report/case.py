"""An incident with everything that is known of it, as loaded for a report. Plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.view import View

FORM = "carebell case 1"
"""Of the JSON: a reader that knows it understands what is in it."""
LOG_LIMIT = 2_000
ALARMS_LIMIT = 200
NOTIFICATIONS_LIMIT = 500
OBSERVATIONS_LIMIT = 500
"""Ours: more than the longest incident seen has; a report says where it leaves something out."""


@dataclass(frozen=True, slots=True)
class Case:
    """One incident. Lists are oldest first."""

    incident: View
    """The row: subject, state, times, targets, owner, outcome, note."""
    area_path: tuple[str, ...]
    """Names from the root down."""
    person: View | None
    premises: View | None
    device: View | None
    time_zone: str
    made_at: datetime
    made_by: str
    release: str
    answered: View | None
    """The first human deed: who, when."""
    rang_at: datetime | None
    """When a human was called first."""
    alarms: list[View] = field(default_factory=list)
    findings: list[View] = field(default_factory=list)
    log: list[View] = field(default_factory=list)
    """Each entry with `seal`: its digest, block and proof; None: not sealed yet."""
    notifications: list[View] = field(default_factory=list)
    """Each with its `deliveries`."""
    names: dict[str, str] = field(default_factory=dict)
    """What those who were told are called, by `recipient`; who is gone from the register is not."""
    responders: list[View] = field(default_factory=list)
    hand_offs: list[View] = field(default_factory=list)
    calls: list[View] = field(default_factory=list)
    observations: list[View] | None = None
    """Round the incident; None: the reader may not see them."""
    seal: dict[str, Any] = field(default_factory=dict)
    """Head of the log, and how much waits."""
    left_out: tuple[str, ...] = ()
    """Lists that are longer than what is here."""
    form: str = FORM
