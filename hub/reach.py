"""What API and store say to each other about who is nearest: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.reach import Arrival, Candidate, Point
from hub.view import View


@dataclass(frozen=True, slots=True)
class Target:
    """The arrival target of an incident."""

    area_id: str
    within_min: int
    settlement: str
    arrive_by: datetime | None
    """None: nobody has to go there."""
    arrival: Arrival | None
    point: Point | None
    """Where; None: nobody wrote it down."""


@dataclass(frozen=True, slots=True)
class Near:
    """Who could go, the soonest first, with what each has said to this incident."""

    target: Target
    candidates: Sequence[Candidate]
    phones: Mapping[str, str | None]
    """By responder."""
    answers: Sequence[View]
    """Everybody who was told, also who is no candidate."""
    unplaced: Sequence[View]
    """Responders of whom nobody knows where they are."""
