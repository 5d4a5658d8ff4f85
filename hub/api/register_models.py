"""The shapes of the register over HTTP: areas, homes, people, responders."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from alerts.people import PersonState
from alerts.reach import TravelMode
from hub.api.models import Email, Id, Name, Phone, Question, Text
from hub.register_nouns import (
    CONTACTS_LIMIT,
    LABEL_LENGTH,
    WEB_ADDRESS,
    Availability,
    Level,
    Mobility,
    ResponderKind,
)

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
BirthYear = Annotated[int, Field(ge=1880, le=2200)]
Language = Literal["zh-CN", "en"]
TimeZone = Annotated[str, StringConstraints(max_length=64)]
Link = Annotated[str, StringConstraints(pattern=WEB_ADDRESS)]
Label = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LABEL_LENGTH)
]

CONTACT_CHANNELS = ("push", "sms", "voice", "email")
ContactChannel = Literal["push", "sms", "voice", "email"]
"""The ways to reach somebody at home; desk, device and webhook are not."""


def _without_defaults(schema: dict[str, Any]) -> None:
    """They are never used: what was not sent stays as it is."""
    for field in schema["properties"].values():
        field.pop("default", None)
    schema["minProperties"] = 1


class Changes(Question):
    """What is to change: fields that are not there stay as they are."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)

    @model_validator(mode="after")
    def _something(self) -> "Changes":
        if not self.model_fields_set:
            raise ValueError("nothing to change")
        return self

    def said(self) -> dict[str, Any]:
        """Only what was sent."""
        return self.model_dump(mode="json", exclude_unset=True)


# ---- areas --------------------------------------------------------------------------------------


class AreaView(BaseModel):
    """A node of the tree city, county, street, community."""

    model_config = ConfigDict(title="Area")

    id: str
    parent_id: str | None
    name: str
    level: Level
    time_zone: str | None = None
    """In which its days are counted; null: that of the nearest area above that has one, else the
    hub's."""


class AreaPage(BaseModel):
    """Areas by id."""

    items: list[AreaView]
    next_cursor: str | None


class NewAreaBody(Question):
    """An area to add below another one."""

    model_config = ConfigDict(title="NewArea")

    id: Id
    parent_id: Id
    name: Name
    level: Level
    time_zone: TimeZone | None = None


class AreaChanges(Changes):
    """What is to change of an area; its parent may be another one of yours."""

    parent_id: Id = ""
    name: Name = ""
    level: Level = Level.COMMUNITY
    time_zone: TimeZone | None = None


# ---- homes --------------------------------------------------------------------------------------


class PremisesItem(BaseModel):
    """A home in a list."""

    id: str
    area_id: str
    address: str
    phone: str | None
    latitude: float | None
    longitude: float | None
    residents: int


class PremisesPage(BaseModel):
    """Homes by id."""

    items: list[PremisesItem]
    next_cursor: str | None


class Resident(BaseModel):
    """Somebody who lives in a home."""

    id: str
    name: str
    state: PersonState


class PremisesCard(BaseModel):
    """A home; the code of its key safe has a route of its own."""

    id: str
    area_id: str
    address: str
    access_notes: str | None
    latitude: float | None
    longitude: float | None
    time_zone: str | None
    phone: str | None
    video_link: str | None
    """Of the video system, which asks for a log-in of its own."""
    has_key_safe: bool
    residents: list[Resident] = []


class NewPremisesBody(Question):
    """A home to register."""

    model_config = ConfigDict(title="NewPremises")

    id: Id
    area_id: Id
    address: Name
    access_notes: Text | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZone | None = None
    phone: Phone | None = None
    video_link: Link | None = None


class PremisesChanges(Changes):
    """What is to change of a home; in another area its people and devices belong there too."""

    area_id: Id = ""
    address: Name = ""
    access_notes: Text | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    time_zone: TimeZone | None = None
    phone: Phone | None = None
    video_link: Link | None = None


class KeySafe(Question):
    """How to get in."""

    code: Label
    place: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Where the safe hangs."""


class KeySafeView(BaseModel):
    """The code, shown because somebody has to go in; the look is logged."""

    code: str
    place: str | None
    changed_at: datetime


# ---- people -------------------------------------------------------------------------------------


class PersonItem(BaseModel):
    """Somebody we watch over, in a list."""

    id: str
    area_id: str
    premises_id: str | None
    name: str
    birth_year: int | None
    phone: str | None
    address: str | None
    state: PersonState
    state_since: datetime


class PersonPage(BaseModel):
    """People by id."""

    items: list[PersonItem]
    next_cursor: str | None


class PersonCard(BaseModel):
    """Somebody we watch over."""

    id: str
    area_id: str
    premises_id: str | None
    name: str
    birth_year: int | None
    language: str | None
    phone: str | None
    medical_notes: str | None
    """Null for roles that see no incidents."""
    lives_alone: bool | None
    mobility: Mobility | None
    state: PersonState
    state_since: datetime
    state_by: str | None
    state_reason: str | None


class NewPersonBody(Question):
    """Somebody to watch over; they belong to the area of their home."""

    model_config = ConfigDict(title="NewPerson")

    id: Id
    premises_id: Id
    name: Name
    birth_year: BirthYear | None = None
    language: Language | None = None
    phone: Phone | None = None
    medical_notes: Text | None = None
    lives_alone: bool | None = None
    mobility: Mobility | None = None


class PersonChanges(Changes):
    """What is to change of a person; with another home they belong to its area."""

    premises_id: Id = ""
    name: Name = ""
    birth_year: BirthYear | None = None
    language: Language | None = None
    phone: Phone | None = None
    medical_notes: Text | None = None
    lives_alone: bool | None = None
    mobility: Mobility | None = None


class StateBody(Question):
    """Where a person is from now on."""

    state: PersonState
    reason: Annotated[str, StringConstraints(max_length=500)] | None = None


class StateChange(BaseModel):
    """One change of where a person was."""

    state: PersonState
    since: datetime
    by_name: str | None
    reason: str | None


class StateHistory(BaseModel):
    """Newest first."""

    items: list[StateChange]


class Contact(Question):
    """Somebody to call for a person."""

    name: Name
    relation: Label
    phone: Phone
    has_key: bool = False
    contact_id: Id | None = None
    """Stays the same while the list is replaced; left out, it is found by the telephone number."""
    email: Email | None = None
    language: Language | None = None
    channels: list[ContactChannel] = Field(default_factory=list, max_length=len(CONTACT_CHANNELS))
    """In the order in which they want to be tried; empty: as the ladder says."""
    account_id: Id | None = None
    """Their log-in, if they have one: its browsers get web push."""


class Contacts(Question):
    """Whom to call, in order; the list is replaced as a whole."""

    items: Annotated[list[Contact], Field(max_length=CONTACTS_LIMIT)]


class FamilyBody(Question):
    """Lets an account see a person."""

    relation: Label
    decides: bool = False
    """Whether it may say what of the person is shared: their own log-in, or a representative's."""


class FamilyMember(BaseModel):
    """An account that sees a person."""

    account_id: str
    name: str
    relation: str
    decides: bool = False
    since: datetime


class Family(BaseModel):
    """Accounts that see a person."""

    items: list[FamilyMember]


class Relative(BaseModel):
    """One of a family account's people: how they are."""

    id: str
    name: str
    relation: str
    state: PersonState
    state_since: datetime
    open_incidents: int
    phone: str | None = None
    """Theirs, else the home's."""
    address: str | None = None
    time_zone: str | None = None
    """Of the home; null: the hub's."""
    decides: bool = False
    """Whether you may say what of them is shared."""
    shares_incidents: bool = True
    """False: they want no family to know when something happens. Nothing shown is then no sign
    that all is well."""


class Relatives(BaseModel):
    """The people an account is linked to."""

    items: list[Relative]


# ---- responders ---------------------------------------------------------------------------------


class ResponderView(BaseModel):
    """Somebody, a station or a team that goes there."""

    model_config = ConfigDict(title="Responder")

    id: str
    area_id: str
    kind: ResponderKind
    name: str
    phone: str | None
    latitude: float | None
    longitude: float | None
    availability: Availability
    notes: str | None
    account_id: str | None
    travel_mode: TravelMode


class ResponderPage(BaseModel):
    """Responders by id."""

    items: list[ResponderView]
    next_cursor: str | None


class NewResponderBody(Question):
    """A responder to register."""

    model_config = ConfigDict(title="NewResponder")

    id: Id
    area_id: Id
    kind: ResponderKind
    name: Name
    phone: Phone | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    availability: Availability = Availability.AVAILABLE
    notes: Text | None = None
    account_id: Id | None = None
    travel_mode: TravelMode = TravelMode.FOOT


class ResponderChanges(Changes):
    """What is to change of a responder."""

    area_id: Id = ""
    kind: ResponderKind = ResponderKind.PERSON
    name: Name = ""
    phone: Phone | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    availability: Availability = Availability.AVAILABLE
    notes: Text | None = None
    account_id: Id | None = None
    travel_mode: TravelMode = TravelMode.FOOT
