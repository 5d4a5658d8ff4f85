"""The shapes of history: points and last values."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.api.models import Moment, ObservationView


class HistoryPoint(BaseModel):
    """One observation, or one hour or day of them. Numbers whose quality is not good or poor are
    counted and left out of min, max, mean and last."""

    at: Moment
    """When it was observed, or when the bucket begins."""
    count: int
    good_percent: float
    min: float | None
    max: float | None
    mean: float | None
    last: float | None
    last_state: str | None


class HistoryPoints(BaseModel):
    """History of a person or device, oldest first."""

    model_config = ConfigDict(title="History")

    device_id: str | None
    person_id: str | None
    measure: str
    unit: str | None
    """UCUM."""
    resolution: Literal["raw", "hour", "day"]
    time_zone: str
    """Where days begin."""
    complete_until: Moment | None
    """Buckets have everything that was recorded until then; null: until now."""
    cut: bool
    """There is more than an answer may hold: ask for a shorter span."""
    items: list[HistoryPoint]


class LastValue(ObservationView):
    """The newest value of one measure of one device."""

    model_config = ConfigDict(title="LastValue")

    received_at: Moment


class LastValues(BaseModel):
    """What was said last."""

    items: list[LastValue]


class SilentDevice(BaseModel):
    """A device that said nothing for long."""

    device_id: str
    kind: str
    area_id: str
    person_id: str | None
    received_at: Moment
    """When it was heard last."""


class SilentDevices(BaseModel):
    """Devices that said nothing for long, the longest first."""

    as_of: Moment | None
    """Null: nothing has been counted yet."""
    items: list[SilentDevice]


class ReportDay(BaseModel):
    """One day of one measure of everybody in an area."""

    at: Moment
    devices: int
    count: int
    good_percent: float
    min: float | None
    max: float | None
    mean: float | None


class Report(BaseModel):
    """One measure of everybody in an area and below, day by day; nobody's own values."""

    area_id: str
    measure: str
    unit: str | None
    time_zone: str
    items: list[ReportDay]
