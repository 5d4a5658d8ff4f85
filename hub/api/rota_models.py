"""The rota and hand-overs as the API speaks of them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.types import AwareDatetime

from alerts.rota import DutyRole
from hub.api.models import Moment
from hub.rota import HANDED_OVER_AT_ONCE, NOTE_LIMIT
from schemas.ids import ID_PATTERN

Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
Hours = Annotated[str, StringConstraints(max_length=20)]
"""`08:00-16:00`, `22:00-06:00`, `00:00-24:00`."""
Days = Annotated[str, StringConstraints(max_length=40)]
"""`mon-fri`, `sat,sun`, `daily`."""
Words = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True)]


class WeeklyBody(BaseModel):
    """A shift of every week, in local time."""

    model_config = ConfigDict(title="WeeklyShift", extra="forbid")

    area_id: Id
    """With everything below it."""
    duty: DutyRole
    account_id: Id
    weekdays: Days
    hours: Hours
    """An end that is not after the beginning is on the next day."""
    time_zone: Annotated[str, StringConstraints(max_length=64)] | None = None
    """IANA name; else the hub's."""
    valid_from: date | None = None
    """Else from today."""
    valid_until: date | None = None
    """The last day on which it begins."""


class EndBody(BaseModel):
    """From when a weekly shift is not repeated any more."""

    model_config = ConfigDict(title="WeeklyShiftEnd", extra="forbid")

    last_day: date | None = None
    """The last day on which it begins; else yesterday."""


class ChangeBody(BaseModel):
    """What holds once: `account_id` alone is an additional shift, with `instead_of` a swap;
    `instead_of` alone says that somebody is away."""

    model_config = ConfigDict(title="RotaChangeOrder", extra="forbid")

    area_id: Id
    duty: DutyRole
    account_id: Id | None = None
    instead_of: Id | None = None
    from_at: AwareDatetime
    until_at: AwareDatetime
    why: Words = ""


class WeeklyView(BaseModel):
    """A shift of every week."""

    model_config = ConfigDict(title="WeeklyShiftRow")

    id: int
    area_id: str
    duty: DutyRole
    account_id: str
    account_name: str
    weekday: int
    """0 is Monday."""
    from_min: int
    until_min: int
    time_zone: str
    valid_from: date
    valid_until: date | None


class ChangeView(BaseModel):
    """What holds once."""

    model_config = ConfigDict(title="RotaChange")

    id: int
    area_id: str
    duty: DutyRole
    account_id: str | None
    account_name: str | None
    instead_of: str | None
    instead_of_name: str | None
    from_at: Moment
    until_at: Moment
    why: str


class ShiftView(BaseModel):
    """Somebody on duty, after all changes."""

    model_config = ConfigDict(title="Shift")

    area_id: str
    duty: DutyRole
    account_id: str
    account_name: str
    from_at: Moment
    until_at: Moment
    at_desk: bool = False
    """Of those on duty now: whether their live feed is open."""


class GapView(BaseModel):
    """Nobody is on duty, though the rota plans this duty for the area."""

    model_config = ConfigDict(title="RotaGap")

    area_id: str
    duty: DutyRole
    from_at: Moment
    until_at: Moment


class CandidateView(BaseModel):
    """Somebody who can be planned."""

    model_config = ConfigDict(title="RotaCandidate")

    account_id: str
    name: str
    role: str


class CandidateList(BaseModel):
    """By name."""

    items: list[CandidateView]


class RotaView(BaseModel):
    """What is planned, and what comes of it."""

    model_config = ConfigDict(title="Rota")

    weekly: list[WeeklyView]
    changes: list[ChangeView]
    shifts: list[ShiftView]
    gaps: list[GapView]


class DutyNow(BaseModel):
    """Who is on duty and who sits at a desk, at this moment."""

    model_config = ConfigDict(title="DutyNow")

    on_duty: list[ShiftView]
    at_desk: list["DeskView"]


class DeskView(BaseModel):
    """Somebody who may acknowledge, with the live feed open."""

    model_config = ConfigDict(title="DeskPresence")

    account_id: str
    account_name: str
    area_id: str
    role: str
    since: Moment


class Numbers(BaseModel):
    """The rows that were made."""

    model_config = ConfigDict(title="RotaNumbers")

    ids: list[int]


class OfferBody(BaseModel):
    """What one leaves, and to whom."""

    model_config = ConfigDict(title="HandoverOffer", extra="forbid")

    to_account_id: Id
    note: Annotated[str, StringConstraints(max_length=NOTE_LIMIT, strip_whitespace=True)]
    """What the other one must know."""
    incident_ids: Annotated[list[Id], Field(max_length=HANDED_OVER_AT_ONCE)] | None = None
    """Else every open incident that is yours."""


class AnswerBody(BaseModel):
    """Yes or no of whoever is asked; whoever offered may withdraw."""

    model_config = ConfigDict(title="HandoverAnswer", extra="forbid")

    state: Literal["confirmed", "declined", "withdrawn"]


class HandedView(BaseModel):
    """One incident of a hand-over."""

    model_config = ConfigDict(title="HandedIncident")

    incident_id: str
    kind: str
    priority: str
    state: str
    result: str | None
    """taken, pending, or why not; none before the answer."""


class HandoverView(BaseModel):
    """From whom to whom, with what."""

    model_config = ConfigDict(title="Handover")

    id: str
    area_id: str
    from_id: str
    from_name: str
    to_id: str
    to_name: str
    note: str
    state: Literal["offered", "confirmed", "declined", "withdrawn"]
    offered_at: Moment
    settled_at: Moment | None
    incidents: list[HandedView]


class HandoverList(BaseModel):
    """Open ones first."""

    items: list[HandoverView]


class Settled(BaseModel):
    """What became of each incident."""

    model_config = ConfigDict(title="HandoverOutcome")

    state: str
    results: dict[str, str]


DutyNow.model_rebuild()
