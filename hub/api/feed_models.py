"""The shapes of the live feed's events. No route answers with them, so OpenAPI is told of them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from hub.api.models import AlarmView, IncidentView, Moment


class Stats(BaseModel):
    """Event `stats`, every two seconds: how the hub is."""

    model_config = ConfigDict(title="Stats")

    at: Moment
    messages_per_s: float
    open_incidents: int
    oldest_unacknowledged_s: float | None
    devices_online: int
    devices_total: int
    database: Literal["ok", "slow", "away"]
    broker: Literal["ok", "away"]
    ingest: Literal["ok", "away"]


class SnapshotEvent(BaseModel):
    """Event `snapshot`: everything that is open, first on every feed that cannot resume."""

    model_config = ConfigDict(title="SnapshotEvent")

    epoch: str
    incidents: list[IncidentView]
    stats: Stats | None


class IncidentEvent(BaseModel):
    """Event `incident`: an incident is so now; `alarm` is the one that changed it."""

    model_config = ConfigDict(title="IncidentEvent")

    incident: IncidentView
    cause: str
    """What happened: raised, realarmed, committed, merged, acknowledged ..."""
    alarm: AlarmView | None
    merged_into: str | None = None


def add_feed_shapes(schemas: dict[str, Any]) -> None:
    """Put them among the components of the OpenAPI document, where they refer to one another."""
    for model in (Stats, SnapshotEvent, IncidentEvent):
        shape = model.model_json_schema(
            ref_template="#/components/schemas/{model}", mode="serialization"
        )
        shape.pop("$defs", None)
        schemas[model.__name__] = shape
