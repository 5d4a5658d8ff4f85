"""What a family sees of one of their people outside of incidents, as OpenAPI describes it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from alerts.consent import DataType
from hub.api.models import Moment, PositionView, Question


class TodayView(BaseModel):
    """Today so far, in the home's time."""

    model_config = ConfigDict(title="Today")

    up_since: Moment | None
    active_hours: list[int]
    """In which there was any sign of life, 0 to 23."""
    hours_so_far: int
    """How many hours of today have begun."""


class NightView(BaseModel):
    """One night."""

    model_config = ConfigDict(title="Night")

    evening: date
    quiet_from: Moment | None
    quiet_until: Moment | None
    times_up: int


class GlanceView(BaseModel):
    """How somebody is, as far as they share it."""

    model_config = ConfigDict(title="Glance")

    person_id: str
    at: Moment
    time_zone: str
    activity: Literal["shared", "not_shared", "nothing_measured"]
    last_active_at: Moment | None = None
    today: TodayView | None = None
    nights: list[NightView] = []
    location: Literal["shared", "not_shared", "unknown"] = "not_shared"
    position: PositionView | None = None


class FamilyConsentChange(Question):
    """What the family may know."""

    data: DataType
    allowed: bool | None
    """Null: as usual again (docs/adr/0025)."""


class FamilyConsentBody(Question):
    """Decided by the person, or by whoever may decide for them."""

    changes: Annotated[list[FamilyConsentChange], Field(min_length=1, max_length=12)]
