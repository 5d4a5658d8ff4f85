"""What is wrong before anybody presses, and which ways are proven, as the API speaks of them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from alerts.assurance import Concern
from hub.api.models import Moment
from hub.proof import MOST_PER_MINUTE, USUAL_PER_MINUTE
from schemas.ids import ID_PATTERN

Id = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
Recipient = Annotated[
    str, StringConstraints(pattern=rf"^(contact|responder|account):{ID_PATTERN}$")
]
ProvableChannel = Literal["sms", "voice", "email", "push"]


class ConditionView(BaseModel):
    """Something that is wrong just now."""

    model_config = ConfigDict(title="AssuranceCondition")

    concern: Concern
    area_id: str
    text: str
    """In your language."""
    since: Moment
    raised_at: Moment | None
    """When it rang; none: it has not held for long enough, or waits for the day."""
    ending: bool
    """It is gone, but not for long enough to be over."""
    evidence: dict[str, Any]
    """What it rests on; lists name at most 200."""


class ConditionList(BaseModel):
    """What rings first."""

    items: list[ConditionView]


class SyntheticPress(BaseModel):
    """One press of the hub's own, in seconds from its sending; none: it did not come so far."""

    model_config = ConfigDict(title="SyntheticPress")

    sent_at: Moment
    receipt_s: float | None
    recorded_s: float | None
    shown_s: float | None
    took_s: float | None


class PressList(BaseModel):
    """Newest first."""

    items: list[SyntheticPress]


class AlonePerson(BaseModel):
    """Somebody whom nobody could be sent to."""

    model_config = ConfigDict(title="PersonWithoutResponder")

    person_id: str
    name: str
    area_id: str
    premises_id: str | None


class AlonePage(BaseModel):
    """By id."""

    items: list[AlonePerson]
    next_cursor: str | None


class OverdueContact(BaseModel):
    """Somebody none of whose ways was proven in time."""

    model_config = ConfigDict(title="UnprovenContact")

    recipient: str
    name: str
    relation: str | None
    area_id: str
    person_id: str | None
    person_name: str | None
    channel: str | None
    """By which they were asked last."""
    asked_at: Moment | None
    verified_at: Moment | None
    verified_by: str | None
    failed_at: Moment | None
    failure: str | None
    waiting: bool
    """A test message waits for its answer."""


class OverduePage(BaseModel):
    """By recipient."""

    items: list[OverdueContact]
    next_cursor: str | None


class AskBody(BaseModel):
    """Whom to send a test message, and how."""

    model_config = ConfigDict(title="ContactTest", extra="forbid")

    recipient: Recipient
    channel: ProvableChannel


class Asked(BaseModel):
    """The test message's notification."""

    notification_id: int


class CampaignBody(BaseModel):
    """Test messages to everybody of an area who is not proven, at a bounded rate."""

    model_config = ConfigDict(title="ProofCampaignOrder", extra="forbid")

    area_id: Id
    channels: Annotated[list[ProvableChannel], Field(min_length=1, max_length=4)]
    per_minute: Annotated[int, Field(ge=1, le=MOST_PER_MINUTE)] = USUAL_PER_MINUTE


class CampaignView(BaseModel):
    """A campaign."""

    model_config = ConfigDict(title="ProofCampaign")

    id: int
    area_id: str
    channels: list[str]
    per_minute: int
    asked: int
    created_at: Moment
    created_by: str
    ended_at: Moment | None


class CampaignList(BaseModel):
    """Newest first."""

    items: list[CampaignView]


class CampaignMade(BaseModel):
    """Its number."""

    id: int


class Assured(BaseModel):
    """How the hub's own press does, and whether somebody outside is told that the hub lives."""

    model_config = ConfigDict(title="HealthAssurance")

    synthetic_press: Literal["ok", "missing", "off", "unknown"]
    last_press_age_s: float | None
    last_press_took_s: float | None
    watcher: Literal["ok", "unreachable", "off", "unknown"]
    watcher_age_s: float | None
    conditions_ringing: int
