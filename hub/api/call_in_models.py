"""Calls to the hotline as the API speaks of them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.api.models import Id, IncidentView, Question
from hub.call_in import Whose

Number = Annotated[str, StringConstraints(pattern=r"^[+]?[0-9()/. -]{3,40}$")]
"""As a telephone system or a human writes it."""
CallId = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class CallerView(BaseModel):
    """Somebody whom a call from this number may be about."""

    model_config = ConfigDict(title="Caller", from_attributes=True)

    whose: Whose
    """Their own number, their home's, or a contact's of theirs."""
    area_id: str
    person_id: str | None
    premises_id: str | None
    name: str
    address: str | None
    contact_name: str | None
    relation: str | None


class CallerList(BaseModel):
    """Own numbers first, then homes, then contacts; at most twenty."""

    items: list[CallerView]


class CallInBody(Question):
    """Somebody is on the telephone. Whom it is about comes from the number, unless it is said."""

    number: Number | None = None
    person_id: Id | None = None
    premises_id: Id | None = None
    call_id: CallId | None = None
    """The same one again is the same call."""


class CallHeard(BaseModel):
    """What a telephone system tells of a call; more than this is ignored."""

    model_config = ConfigDict(title="CallHeard", extra="ignore")

    number: Annotated[str, Field(max_length=40)] = ""
    """Empty or unreadable: withheld. It rings all the same."""
    call_id: CallId


class CallInDone(BaseModel):
    """The incident, as soon as the desks show it."""

    model_config = ConfigDict(title="CallInDone")

    incident: IncidentView | None
    pending: bool
    """The broker has it; ingest has not answered yet."""


class CallInAddress(BaseModel):
    """Where a telephone system reports calls. Whoever knows it can make the desks ring."""

    model_config = ConfigDict(title="CallInAddress")

    path: str
