"""The wall board as the API speaks of it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hub.api.models import Moment
from hub.api.rota_models import DeskView, ShiftView


class WallView(BaseModel):
    """What a room full of people must know of the service; nobody who is served is named."""

    model_config = ConfigDict(title="Wall")

    at: Moment
    """When it was put together."""
    counted_at: Moment | None
    """As of when incidents were counted; none: never yet."""
    rang: int
    """Incidents of people that called for a human today, in the hub's time zone."""
    answered_60: int
    answered_60_percent: float | None
    on_duty: list[ShiftView]
    at_desk: list[DeskView]
    synthetic_press: Literal["ok", "missing", "off", "unknown"]
    last_press_age_s: float | None
    last_press_took_s: float | None
    conditions_ringing: int
    video_links: dict[str, str]
    """Of homes with an open incident that have one, by the home's id."""


class SquareView(BaseModel):
    """Homes that are close together, in their middle."""

    model_config = ConfigDict(title="SquareOfHomes")

    latitude: float
    longitude: float
    homes: int


class HomesView(BaseModel):
    """Where the homes of an area are; none of them is named."""

    model_config = ConfigDict(title="HomesOnTheMap")

    squares: list[SquareView]
    """The fullest first; a few far away may be missing."""
