"""The shapes of care settings, inactivity lines and area outages as OpenAPI describes them."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from hub.api.models import Moment, Question

Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
MinuteOfDay = Annotated[int, Field(ge=0, le=1439)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Value = Annotated[float, Field(allow_inf_nan=False)]


class LimitBody(Question):
    """A clinician's limits for one measure, in its unit; what is left out is not limited."""

    model_config = ConfigDict(title="NewLimit")

    low: Value | None = None
    high: Value | None = None


class LimitView(BaseModel):
    """A limit with who set it."""

    model_config = ConfigDict(title="Limit")

    measure: str
    unit: str
    low: float | None
    high: float | None
    author: str
    set_on: date


class SettingsBody(Question):
    """What else is set for a person; the whole of it."""

    model_config = ConfigDict(title="CareSettings")

    oxygen_scale_2: bool = False
    """NEWS2's second saturation scale: target 88 to 92 %, on a clinician's decision only."""
    on_oxygen: bool = False
    inactivity_limit_percent: Annotated[int, Field(ge=50, le=200)] = 100
    """Share of the usual time after which a silent home is asked about."""


class CircleShape(Question):
    """Everywhere within a radius, WGS-84."""

    type: Literal["circle"]
    latitude: Latitude
    longitude: Longitude
    radius_m: Annotated[float, Field(ge=20, le=50_000, allow_inf_nan=False)]


class PolygonShape(Question):
    """A drawn area, WGS-84: corners as [latitude, longitude]; the last joins the first."""

    type: Literal["polygon"]
    corners: Annotated[list[tuple[Latitude, Longitude]], Field(min_length=3, max_length=64)]


Shape = Annotated[CircleShape | PolygonShape, Field(discriminator="type")]


class FenceBody(Question):
    """Where somebody is safe: several shapes together are one fence."""

    model_config = ConfigDict(title="NewFence")

    label: Label
    shapes: Annotated[list[Shape], Field(min_length=1, max_length=8)]
    active_from_min: MinuteOfDay | None = None
    """Local minute of the day from which leaving counts; without it always."""
    active_until_min: MinuteOfDay | None = None
    """... and until which; before `active_from_min` it runs over midnight."""


class FenceView(FenceBody):
    """A fence with who drew it."""

    model_config = ConfigDict(title="Fence", extra="ignore")

    fence_id: str
    author: str
    set_on: date


class CareView(BaseModel):
    """Everything that is set for one person."""

    model_config = ConfigDict(title="Care")

    person_id: str
    limits: list[LimitView]
    fences: list[FenceView]
    oxygen_scale_2: bool
    on_oxygen: bool
    inactivity_limit_percent: int
    settings_author: str | None
    settings_set_on: date | None


class SilenceOfDay(BaseModel):
    """A stretch without a sign of life, and how long it might have lasted."""

    model_config = ConfigDict(title="Silence")

    began_at: Moment
    ended_at: Moment | None
    """Null: it lasts."""
    near_bed: bool
    limit_min: int
    """Minutes by the line of the moment it began; what detectors know besides (away, sensors
    down, a home hardly used) may have made it longer."""


class LineView(BaseModel):
    """The learned alert line of a home, and the day so far: ready to be drawn."""

    model_config = ConfigDict(title="InactivityLine")

    premises_id: str
    learning: bool
    days: int
    """Days learned from."""
    days_needed: int
    learned_on: date | None
    time_zone: str
    slot_min: int
    day_rooms_min: list[int]
    """By half hour of the last activity: minutes of silence until the alarm; anywhere but near the
    bed. Empty while learning."""
    bed_rooms_min: list[int]
    limit_percent: int
    last_sign_at: Moment | None
    """When somebody was active last, since yesterday's midnight; null: nothing told of it."""
    silences: list[SilenceOfDay]
    """Since local midnight, ten minutes or longer, oldest first."""


class BedHabit(BaseModel):
    """What a care bed's detector has learned of its sleeper."""

    model_config = ConfigDict(title="BedHabit")

    device_id: str
    evening_limit_min: int
    night_limit_min: int
    morning_limit_min: int
    learned: bool
    """False: general limits while fewer than eight absences are known in some part of the night."""
    usual_rising: str
    """Local time, HH:MM."""


class BedHabits(BaseModel):
    """By device."""

    items: list[BedHabit]


class OutageView(BaseModel):
    """An area whose devices fell silent together."""

    model_config = ConfigDict(title="Outage")

    outage_id: str
    """Also the id of its incident's first alarm."""
    area_id: str
    began_at: Moment
    cleared_at: Moment | None
    silent: int
    """Devices silent now."""
    most: int
    """... and at most."""


class OutageList(BaseModel):
    """Open ones first."""

    items: list[OutageView]


class OutageDevice(BaseModel):
    """A device of a silent area."""

    model_config = ConfigDict(title="OutageDevice")

    device_id: str
    kind: str | None
    premises_id: str | None
    person_id: str | None
    heard_at: Moment
    back_at: Moment | None


class OutageDevices(BaseModel):
    """By id."""

    items: list[OutageDevice]
    next_cursor: str | None
