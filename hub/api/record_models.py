"""The shapes of figures, visits, rounds and the log's seal over HTTP."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.api.models import Id, Name, Question, Text
from hub.visits import VisitKind

Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Share = Annotated[float | None, Field(description="Percent; null where there is nothing to share.")]
Seconds = float | None


class ServiceRow(BaseModel):
    """Figures of one group; every share stands beside the counts it is made of."""

    key: str
    """Day, area, account; empty: all together, or nobody answered."""
    label: str | None
    incidents: int
    tests: int
    """Resolved as a test: not among the others."""
    high: int
    open: int
    rang: int
    """Of these a human was called; the others only asked their person."""
    answered: int
    answered_60: int
    answered_60_percent: Share
    answered_180: int
    answered_180_percent: Share
    answer_p50_s: Seconds
    answer_p90_s: Seconds
    answer_p99_s: Seconds
    attended: int
    attended_of: int
    attended_within: int
    attended_within_percent: Share
    attend_p50_s: Seconds
    attend_p90_s: Seconds
    sent_first: int
    dwell_p50_s: Seconds
    dwell_p90_s: Seconds
    dwell_p99_s: Seconds
    resolved: int
    false_alarms: int
    false_alarm_percent: Share
    rerang: int
    told: int
    undelivered: int


class Figures(BaseModel):
    """What every report says of itself."""

    area_id: str
    since: date = Field(serialization_alias="from")
    until: date = Field(serialization_alias="to")
    concern: str
    time_zone: str
    as_of: datetime | None


class ServiceReport(Figures):
    """Figures of the service by group."""

    by: str
    items: list[ServiceRow]
    next_cursor: str | None


class FalseAlarmRow(BaseModel):
    """What one kind, model and firmware of device and one detector raised."""

    device_kind: str
    device_model: str
    firmware: str = ""
    """As the device said when it raised; empty: it never said."""
    detector: str
    devices: int
    incidents: int
    judged: int
    """Resolved by a human with an outcome."""
    false_alarms: int
    false_alarm_percent: Share
    unfounded: int
    withdrawn: int


class FalseAlarmReport(Figures):
    """The most false alarms first."""

    items: list[FalseAlarmRow]


class PresserRow(BaseModel):
    """Somebody who presses falsely again and again."""

    person_id: str
    name: str
    area_id: str
    state: str
    false_presses: int
    presses: int
    last_day: date
    device_id: str | None


class PresserReport(Figures):
    """The most false presses first."""

    least: int
    items: list[PresserRow]


class UndeliveredRow(BaseModel):
    """Notifications that reached nobody."""

    channel: str
    state: str
    reason: str
    kind: str
    notifications: int
    incidents: int


class UndeliveredReport(Figures):
    """The most first."""

    items: list[UndeliveredRow]


class NewVisit(Question):
    """Somebody was there; each proof is optional, and the list says which there are."""

    model_config = ConfigDict(title="NewVisit")

    id: Id | None = None
    """Of the caller's, to record the same visit once only."""
    at: datetime | None = None
    """Default: now."""
    kind: VisitKind = VisitKind.MONTHLY
    visitor_name: Annotated[Name, StringConstraints(max_length=100)]
    visitor_id: Annotated[str, StringConstraints(max_length=64)] | None = None
    note: Text | None = None
    photo_sha256: Digest | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    signature_reference: Annotated[str, StringConstraints(max_length=200)] | None = None


class WithdrawVisit(Question):
    """Why a visit does not count."""

    model_config = ConfigDict(title="WithdrawVisit")

    reason: Name


class VisitView(BaseModel):
    """A visit as it was recorded."""

    visit_id: str
    person_id: str
    area_id: str
    at: datetime
    kind: str
    visitor_name: str
    visitor_id: str | None
    note: str | None
    photo_sha256: str | None
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None
    signature_reference: str | None
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str | None
    withdrawn_reason: str | None


class VisitPage(BaseModel):
    """Visits, the newest first."""

    items: list[VisitView]
    next_cursor: str | None


class VisitMistake(BaseModel):
    """A row of a file that is wrong."""

    row: int
    what: str


class VisitImport(BaseModel):
    """What came of a file, or would."""

    committed: bool
    rows: int
    added: int
    known: int
    errors: list[VisitMistake]
    error_count: int


class RoundRow(BaseModel):
    """A person with their last test press and last visit, and the proof of each."""

    person_id: str
    name: str
    area_id: str
    premises_id: str | None
    state: str
    has_button: bool
    test_overdue: bool
    last_test_at: datetime | None
    last_test_device_id: str | None
    last_test_alarm_id: str | None
    visit_overdue: bool
    last_visit_at: datetime | None
    last_visit_id: str | None
    visit_kind: str | None
    visitor_name: str | None
    photo_sha256: str | None
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None
    signature_reference: str | None


class RoundPage(BaseModel):
    """People by id."""

    button_test_every_days: int
    visit_every_days: int
    items: list[RoundRow]
    next_cursor: str | None


class RoundSummaryRow(BaseModel):
    """How many people of an area, and below it, are up to date."""

    area_id: str
    name: str
    people: int
    excused: int
    """Away or in hospital."""
    with_button: int
    tested: int
    tested_percent: Share
    to_visit: int
    visited: int
    visited_percent: Share


class RoundSummary(BaseModel):
    """Areas by id."""

    button_test_every_days: int
    visit_every_days: int
    items: list[RoundSummaryRow]
    next_cursor: str | None


class SealState(BaseModel):
    """How far the log is sealed."""

    head: str | None
    """NUMBER:HASH: keep it elsewhere, and `carebell audit verify --head` compares."""
    sealed_at: datetime | None
    waiting: int
    """Entries no block has yet; at most 100,000 are counted."""
    waiting_s: float | None
