"""The shapes of reach over HTTP: who could go, where responders are, circles, hand-offs."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.types import AwareDatetime

from alerts.handoff import NUMBER_LIMIT, EmergencyService, Owed
from alerts.reach import Arrival, Fixed, Settlement, Standing, TravelMode
from hub.api.models import Moment, Question
from hub.api.register_models import Changes, Latitude, Longitude
from hub.register_nouns import Availability, ResponderKind

WithinMin = Annotated[int, Field(ge=1, le=240)]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9-]{2,19}$", max_length=NUMBER_LIMIT)]


class PlaceView(BaseModel):
    """WGS-84 degrees."""

    latitude: float
    longitude: float


class CandidateView(BaseModel):
    """A responder who could go, and how soon they would be there."""

    model_config = ConfigDict(title="Candidate")

    id: str
    name: str
    kind: ResponderKind
    phone: str | None
    mode: TravelMode
    standing: Standing
    distance_m: int
    """As the crow flies."""
    travel_s: int
    """From now to the door."""
    within_circle_min: int | None
    """The smallest service circle that holds it: 10, 15 or 40 minutes."""
    within_target: bool
    """Whether that is in time for this area's circle."""
    by_route: bool
    """By a routing service; otherwise estimated."""
    fixed: Fixed
    position: PlaceView
    position_age_s: int | None
    """Of a reported position; null where it is the registered one."""
    answer: str | None
    """What they said to this incident: told, going, declined, arrived; null: not asked."""
    told_at: Moment | None
    expected_at: Moment | None


class AnswerView(BaseModel):
    """Somebody who was told of the incident."""

    kind: str
    id: str
    name: str | None
    answer: str
    told_at: Moment | None
    answered_at: Moment | None
    expected_at: Moment | None
    arrived_at: Moment | None


class UnplacedView(BaseModel):
    """A responder of whom nobody knows where they are."""

    id: str
    name: str
    kind: ResponderKind
    phone: str | None
    availability: Availability


class NearView(BaseModel):
    """Who could go, the soonest first; before them, when somebody should be there."""

    arrive_by: Moment | None
    """Null: nobody has to go there."""
    arrival: Arrival | None
    within_min: int
    settlement: Settlement
    place: PlaceView | None
    """Null: nobody wrote down where the home is; then there are no candidates."""
    items: list[CandidateView]
    told: list[AnswerView]
    unplaced: list[UnplacedView]


class OwnResponderView(BaseModel):
    """The responder a log-in is."""

    id: str
    area_id: str
    kind: ResponderKind
    name: str
    phone: str | None
    availability: Availability
    travel_mode: TravelMode
    registered: PlaceView | None
    reported: PlaceView | None
    accuracy_m: float | None
    fixed_at: Moment | None


class PositionReport(Question):
    """Where a responder is, in WGS-84 or as their phone's map calls it."""

    latitude: Latitude
    longitude: Longitude
    accuracy_m: Annotated[float, Field(ge=0, le=100_000)] | None = None
    fixed_at: AwareDatetime | None = None
    """When the fix was made; missing: now."""
    datum: Literal["wgs84", "gcj02", "bd09"] = "wgs84"


class AvailabilityReport(Question):
    """Whether a responder can be sent."""

    availability: Availability
    travel_mode: TravelMode | None = None


class AreaReachView(BaseModel):
    """What an area says itself, and what holds there by the areas above."""

    area_id: str
    arrive_within_min: int | None
    settlement: Settlement | None
    ambulance_number: str | None
    fire_number: str | None
    police_number: str | None
    holds: "HoldsView"


class HoldsView(BaseModel):
    """What holds in an area."""

    arrive_within_min: int
    settlement: Settlement
    ambulance_number: str
    fire_number: str
    police_number: str


class AreaReachChanges(Changes):
    """What is to change; null: as the area above."""

    arrive_within_min: WithinMin | None = None
    settlement: Settlement | None = None
    ambulance_number: Number | None = None
    fire_number: Number | None = None
    police_number: Number | None = None


class HandOffView(BaseModel):
    """A call to an emergency service, and what is still owed."""

    id: int
    service: EmergencyService
    number: str
    reference: str
    """What the service calls the case; empty where it gave none."""
    at: Moment
    by_name: str
    arrived_at: Moment | None
    arrived_by: str | None
    owed: list[Owed]


class HandOffList(BaseModel):
    """Hand-offs of one incident, oldest first."""

    items: list[HandOffView]


def place_view(latitude: float | None, longitude: float | None) -> dict[str, Any] | None:
    """A place as JSON-ready values; None where it is not known."""
    if latitude is None or longitude is None:
        return None
    return {"latitude": latitude, "longitude": longitude}
