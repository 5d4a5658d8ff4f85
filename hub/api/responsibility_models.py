"""The shapes of responsibility over HTTP: who has an incident, who goes there, what was done."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.types import AwareDatetime

from alerts.policy_check import Fault
from hub.api.models import (
    CategoryName,
    Id,
    IncidentView,
    Moment,
    Name,
    PriorityName,
    Question,
    Text,
)

ExpectedArrival = Annotated[int, Field(ge=0, le=86_400)]
"""Seconds until somebody is at the door, at most a day."""
CalledBy = Literal["push", "email", "sms", "voice", "webhook", "apprise"]
ActorKindName = Literal["account", "contact", "responder"]


class Whom(Question):
    """Somebody who goes there, or who was called."""

    kind: ActorKindName
    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    name: Name


class Remark(Question):
    """With a word why, for whoever comes after."""

    note: Text | None = None


class TakeOver(Remark):
    """I have it now, whoever had it before."""

    expected_arrival_s: ExpectedArrival | None = None


class OnTheWay(Question):
    """I am on my way."""

    expected_arrival_s: ExpectedArrival | None = None


class Note(Question):
    """For the record."""

    note: Annotated[Text, StringConstraints(min_length=1)]


class AddResponder(Question):
    """Somebody goes there, or is to be asked to."""

    whom: Whom
    expected_arrival_s: ExpectedArrival | None = None
    """They said so; they count as going."""
    channels: Annotated[list[CalledBy], Field(max_length=6, default_factory=list)]
    """How the hub calls them, in this order; none: they know already."""


class HandOff(Question):
    """An emergency service has been called and given the case."""

    service: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    """ambulance, fire, police, or the number: 120, 119, 110."""
    reference: Annotated[str, StringConstraints(max_length=64)] | None = None
    """What the service calls the case."""


class Call(Question):
    """A call that a human made."""

    whom: Whom | None = None
    """None: the person, at home."""
    result: Literal["answered", "no_reply", "refused"]
    note: Text | None = None


class Drill(Question):
    """Practise: everybody is told as if it were real, and every text says that it is not."""

    person_id: Id
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")] = "press"
    priority: PriorityName = "high"


class ReachedView(BaseModel):
    """Somebody a rung would tell."""

    model_config = ConfigDict(title="Reached")

    recipient: str
    name: str | None
    channels: list[str]
    prompt: str | None = None


class UnreachedView(BaseModel):
    """A target that would reach nobody."""

    model_config = ConfigDict(title="Unreached")

    who: str
    name: str | None = None
    """Of an account, a contact or a responder, where the register knows them."""
    reason: str


class TargetBody(Question):
    """Whom to tell, and by which channels, in this order."""

    model_config = ConfigDict(title="Target")

    who: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """dispatchers, on_duty:second, family:1, nearest:3 ... (docs/ladder.md)."""
    channels: Annotated[list[CalledBy | Literal["desk"]], Field(min_length=1, max_length=7)]


class StepBody(Question):
    """One rung."""

    model_config = ConfigDict(title="Step")

    targets: Annotated[list[TargetBody], Field(max_length=20)]
    wait_s: Annotated[int, Field(ge=5, le=86_400)]


class QuietHoursBody(Question):
    """When notices of low priority to a family may wait; minutes of the home's day."""

    model_config = ConfigDict(title="QuietHours")

    from_min: Annotated[int, Field(ge=0, le=1439)]
    until_min: Annotated[int, Field(ge=0, le=1439)]


class LadderBody(Question):
    """The ladder of a policy as data."""

    model_config = ConfigDict(title="LadderData")

    name: Annotated[str, StringConstraints(max_length=100)] = ""
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=20)]
    acknowledged_lease_s: Annotated[int, Field(ge=1, le=604_800)] = 600
    attended_lease_s: Annotated[int, Field(ge=1, le=604_800)] = 3600
    responder_stops_ladder: bool = False
    quiet_hours: QuietHoursBody | None = None


class PolicyBody(Question):
    """What a policy is for, and its ladder; null: for all."""

    area_id: Id
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")] | None = None
    category: CategoryName | None = None
    priority: PriorityName | None = None
    person_id: Id | None = None
    ladder: LadderBody


class PolicyTrial(Question):
    """A policy that need not be saved, and an incident it would be for."""

    policy: PolicyBody
    person_id: Id
    at: AwareDatetime | None = None
    """Null: now."""
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")] = "press"
    category: CategoryName = "personal"
    priority: PriorityName = "high"


class PolicyView(BaseModel):
    """A policy of an area's or a person's own."""

    model_config = ConfigDict(title="Policy")

    id: str
    area_id: str
    kind: str | None
    category: CategoryName | None
    priority: PriorityName | None
    person_id: str | None
    person_name: str | None = None
    ladder: LadderBody
    target_names: dict[str, str] = {}
    """What the accounts and responders it names are called; not said where it was just saved."""
    revision: int
    changed_at: Moment
    changed_by: str


class PolicyPage(BaseModel):
    """Policies by id. Most specific first: person, kind, category, priority, nearest area."""

    items: list[PolicyView]
    next_cursor: str | None


class ShippedPolicy(BaseModel):
    """A ladder that the hub comes with."""

    id: str
    ladder: LadderBody


class ShippedPolicies(BaseModel):
    """What holds where no policy is for an incident."""

    items: list[ShippedPolicy]


class ComplaintView(BaseModel):
    """Something about one step of a policy."""

    model_config = ConfigDict(title="Complaint")

    step: int
    target: int | None
    """Which of the step's targets, from 1; null: the step as a whole."""
    fault: Fault
    figure: int | None
    """How many contacts there are, or the seconds that it should not wait longer than."""
    text: str
    fatal: bool
    """It cannot be saved so."""


class PolicyCheck(BaseModel):
    """Whether a policy could be saved."""

    ok: bool
    complaints: list[ComplaintView]


class RungView(BaseModel):
    """One rung, and whom it means just now."""

    model_config = ConfigDict(title="Rung")

    step: int
    after_s: int
    """Since the ladder began, if nobody answers."""
    wait_s: int
    told: list[ReachedView]
    nobody: list[UnreachedView]
    passed: bool
    """It reaches nobody and is passed at once."""


class LadderView(BaseModel):
    """A ladder as it would be climbed."""

    model_config = ConfigDict(title="Ladder")

    name: str
    policy_id: str | None = None
    """None: a shipped one, or the snapshot an incident keeps."""
    at: Moment
    step: int = 0
    """The rung that was climbed last."""
    rungs: list[RungView]
    acknowledged_lease_s: int
    attended_lease_s: int
    responder_stops_ladder: bool


class DrillDone(BaseModel):
    """The drill, as soon as the desks show it."""

    model_config = ConfigDict(title="DrillDone")

    incident: IncidentView | None
    pending: bool
