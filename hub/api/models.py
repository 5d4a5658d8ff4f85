"""The shapes of the HTTP API, as OpenAPI describes them. Times are ISO 8601 in UTC with a Z."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alerts.actions import MAX_NOTE_LENGTH
from hub.api.page_settings import USUAL_PAGE, PageSettings
from hub.register_nouns import EMAIL, NAME_LENGTH
from schemas.ids import ID_PATTERN

Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH)
]
Text = Annotated[str, StringConstraints(max_length=MAX_NOTE_LENGTH)]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+() -]{3,30}$")]
Email = Annotated[str, StringConstraints(pattern=EMAIL, max_length=254)]

HumanOutcome = Literal[
    "helped", "false_alarm", "test", "no_reply", "handed_off", "unfounded", "fixed"
]
"""What a human may choose (alerts.incident.HUMAN_OUTCOMES)."""


CategoryName = Literal["personal", "physiological", "hazard", "technical"]
PriorityName = Literal["high", "medium", "low"]

Responses = dict[int | str, dict[str, Any]]
"""What a route answers besides its usual model."""


class Question(BaseModel):
    """What is sent to us: a misspelt field must not silently do nothing."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, sent: Any) -> Any:
        """PostgreSQL keeps no NUL in text."""
        if _holds_nul(sent):
            raise ValueError("text without the character NUL is wanted")
        return sent


def _holds_nul(sent: Any) -> bool:
    match sent:
        case str():
            return "\x00" in sent
        case dict():
            return any(_holds_nul(each) for each in sent.values())
        case list():
            return any(_holds_nul(each) for each in sent)
        case _:
            return False


class ProblemObject(BaseModel):
    """application/problem+json (RFC 9457)."""

    model_config = ConfigDict(title="Problem", extra="allow")

    type: str
    title: str
    status: int
    detail: str


# ---- log-in -------------------------------------------------------------------------------------


class LogIn(Question):
    """Who is there."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class AccountView(BaseModel):
    """Whoever is logged in."""

    model_config = ConfigDict(title="Account")

    id: str
    name: str
    role: str
    area_id: str
    language: str


class SessionView(BaseModel):
    """The log-in behind the cookie."""

    model_config = ConfigDict(title="Session")

    account: AccountView
    must_change_password: bool = False
    """Until then nothing else is allowed."""
    deeds: list[str] = []
    """What the account may do (docs/roles.md)."""
    page: PageSettings = USUAL_PAGE
    """What the page is to know of the hub's settings."""


# ---- incidents ----------------------------------------------------------------------------------


class SubjectView(BaseModel):
    """What an incident is about."""

    model_config = ConfigDict(title="Subject")

    kind: Literal["person", "premises", "device", "area", "hub", "drill"]
    id: str


class PersonView(BaseModel):
    """The one we watch over."""

    model_config = ConfigDict(title="Person")

    id: str
    name: str
    birth_year: int | None
    language: str | None
    phone: str | None
    medical_notes: str | None


class PremisesView(BaseModel):
    """A home."""

    model_config = ConfigDict(title="Premises")

    id: str
    address: str
    access_notes: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    phone: str | None


class IncidentDevice(BaseModel):
    """The device behind the first alarm; without kind where the register does not know it."""

    id: str
    kind: str | None
    label: str | None
    voice_number: str | None = None
    """Where one talks to the home through it; null under duress: nothing may ring there."""


class PositionView(BaseModel):
    """Where to go, in WGS-84."""

    model_config = ConfigDict(title="Position")

    latitude: float
    longitude: float
    accuracy_m: float | None
    source: str
    fixed_at: Moment | None


class AlarmView(BaseModel):
    """One alarm of an incident."""

    model_config = ConfigDict(title="Alarm")

    id: str
    device_id: str
    message_id: str | None
    kind: str
    category: CategoryName
    priority: PriorityName
    action: str | None
    observed_at: Moment | None
    received_at: Moment
    late: bool
    flags: list[str]
    text: str
    evidence: dict[str, Any] = {}
    """What it rests on, as the detector measured it."""
    texts: dict[str, str] = {}
    """The evidence in words, by language; empty where there is none."""


class OwnerView(BaseModel):
    """The dispatcher who took responsibility."""

    model_config = ConfigDict(title="Owner")

    account_id: str
    name: str


class RespondingView(BaseModel):
    """Somebody who was called to go there, and what they said."""

    model_config = ConfigDict(title="Responding")

    kind: Literal["account", "contact", "responder"]
    id: str
    name: str
    answer: Literal["told", "going", "declined", "arrived"]
    way: Literal["desk", "family_page", "sms", "voice", "link", "api"] | None
    """How they said so; null where they were only told."""
    told_at: Moment | None
    answered_at: Moment | None
    expected_at: Moment | None
    arrived_at: Moment | None


class HandedOffView(BaseModel):
    """An emergency service that was given the case."""

    model_config = ConfigDict(title="HandedOff")

    service: Literal["ambulance", "fire", "police"]
    number: str
    reference: str
    """What the service calls it; empty where it gives none."""
    at: Moment
    by: str
    """The name of whoever called."""


class IncidentView(BaseModel):
    """The case. Newer hubs may add fields."""

    model_config = ConfigDict(title="Incident", extra="allow")

    id: str
    revision: int
    state: Literal["checking", "raised", "acknowledged", "attended", "resolved"]
    provisional: bool
    """Announced, not yet committed."""
    priority: PriorityName
    category: CategoryName
    kind: str
    area_id: str
    area_name: str | None = None
    """As people call it; null where it is not known yet."""
    subject: SubjectView
    person: PersonView | None
    premises: PremisesView | None
    device: IncidentDevice | None
    position: PositionView | None
    alarms: list[AlarmView]
    alarm_count: int
    owner: OwnerView | None
    opened_at: Moment
    last_alarm_at: Moment
    acknowledged_at: Moment | None
    attended_at: Moment | None
    resolved_at: Moment | None
    expected_at: Moment | None = None
    arrive_by: Moment | None = None
    """When somebody should be at the door, by the service circle of its area."""
    outcome: str | None
    note: str | None
    next_deadline_at: Moment | None
    step: int
    follows: str | None
    silent: bool = False
    repeats: int = 0
    """How often the last rung of the ladder was rung again."""
    who_comes: str | None = None
    """The name the person hears: of the first responder who goes there, else of the owner."""
    responders: list[RespondingView] = []
    hand_offs: list[HandedOffView] = []
    ladder: str = ""
    """The name of the ladder it climbs, as it was when the incident got it."""
    same_address: str | None = None
    """The first of several open incidents at one address, where this is a later one."""
    drill: bool = False
    """Practice: not real, and in no figure."""
    pending_action: str | None
    """An action that the broker keeps until the database is back."""


class TimelineEntry(BaseModel):
    """One line of an incident's log."""

    at: Moment
    actor: str
    actor_name: str | None
    action: str
    reason: str | None
    detail: dict[str, Any]


class IncidentDetail(IncidentView):
    """The case with everything that happened to it."""

    model_config = ConfigDict(title="IncidentDetail", extra="allow")

    timeline: list[TimelineEntry]
    timeline_available: bool
    """False while the database is away: then an empty timeline means nothing."""


class IncidentPage(BaseModel):
    """Incidents, newest first."""

    items: list[IncidentView]
    next_cursor: str | None


class Acknowledge(Question):
    """I take responsibility."""

    expected_arrival_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """In how many seconds somebody will be at the door; the person is told."""


class Attend(Question):
    """Somebody is with the person."""

    note: Text | None = None


class Resolve(Question):
    """It is over."""

    outcome: HumanOutcome
    note: Text | None = None


# ---- what was measured, what could not be read --------------------------------------------------


class ObservationView(BaseModel):
    """What a device measured: a number with unit, or a state."""

    model_config = ConfigDict(title="Observation")

    observed_at: Moment
    device_id: str
    measure: str
    value: float | None
    unit: str | None
    """UCUM."""
    state: str | None
    quality: str


class ObservationList(BaseModel):
    """Observations, newest first; for older ones set `to` to the last one's time."""

    items: list[ObservationView]


# ---- health -------------------------------------------------------------------------------------


class Live(BaseModel):
    """The process runs."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """A press would ring now."""

    status: Literal["ready"] = "ready"
    checks: dict[str, str]
    children: dict[str, str]
    """The supervised processes by name, with their state."""


class Cycling(BaseModel):
    """The worker's loops go round."""

    status: Literal["ok"] = "ok"
    loops: list[str]
