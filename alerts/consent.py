"""Who may be told which of a person's data. Pure: defaults, decisions, and what they leave.

Whereabouts and health data are sensitive personal information (Personal Information Protection Law
of the PRC, article 28): a person decides for each kind of data and each audience. Where they
decided nothing the table `DEFAULTS` holds; docs/adr/0025 says why each cell stands as it does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class DataType(StrEnum):
    """What can be told of somebody."""

    INCIDENTS = "incidents"
    """That they need somebody, who they are, and the address. Without it nobody is told at all."""
    LOCATION = "location"
    """Where they were measured to be; the home's own address belongs to `incidents`."""
    HEALTH = "health"
    """Vital signs, falls' figures, and that an alarm is about them."""
    ACTIVITY = "activity"
    """When they moved, slept, left the bed or the safe area."""
    MEDICAL_NOTES = "medical_notes"
    ACCESS_NOTES = "access_notes"
    """How one gets in. The code of a key safe is never told by a message, whatever is set."""


class Audience(StrEnum):
    """To whom."""

    DISPATCHERS = "dispatchers"
    """The desks and whoever is on duty."""
    RESPONDERS = "responders"
    """Neighbours, stations, teams."""
    FAMILY = "family"
    """The person's contacts."""
    EMERGENCY_SERVICE = "emergency_service"
    """120, 119, 110."""
    OUTSIDE = "outside"
    """Programs: the fallback contact's webhook, group robots."""


ALWAYS: frozenset[tuple[Audience, DataType]] = frozenset(
    {(Audience.DISPATCHERS, DataType.INCIDENTS)}
)
"""Cannot be taken back while the service lasts: it is the service. Whoever wants that ends it."""

_TOLD: Mapping[Audience, frozenset[DataType]] = {
    Audience.DISPATCHERS: frozenset(DataType),
    Audience.RESPONDERS: frozenset({DataType.INCIDENTS, DataType.LOCATION, DataType.ACCESS_NOTES}),
    Audience.FAMILY: frozenset({DataType.INCIDENTS, DataType.LOCATION}),
    Audience.EMERGENCY_SERVICE: frozenset(DataType),
    Audience.OUTSIDE: frozenset({DataType.INCIDENTS}),
}

DEFAULTS: Mapping[tuple[Audience, DataType], bool] = {
    (audience, data): data in _TOLD[audience] for audience in Audience for data in DataType
}
"""What holds where nothing was decided, during an incident. Outside of one nothing is told."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided, or somebody who may for them."""

    audience: Audience
    data: DataType
    allowed: bool


def allowed(audience: Audience, decisions: Iterable[Decision]) -> frozenset[DataType]:
    """What this audience may be told; empty where it may not even be told that something happened.

    >>> sorted(allowed(Audience.FAMILY, [Decision(Audience.FAMILY, DataType.LOCATION, False)]))
    [<DataType.INCIDENTS: 'incidents'>]
    """
    said = {(one.audience, one.data): one.allowed for one in decisions}
    found = frozenset(
        data
        for data in DataType
        if (audience, data) in ALWAYS or said.get((audience, data), DEFAULTS[audience, data])
    )
    return found if DataType.INCIDENTS in found else frozenset()
