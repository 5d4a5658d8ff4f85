"""The ladders a hub comes with, and which ladder an incident gets. Pure.

Chosen most specific first: a policy of the person, then one of the alarm's kind, of its category,
of its priority, then the nearest area's; what names nothing of these is for all. A policy that
names neither kind nor category nor person speaks of people and their homes: a weak battery rings
nobody's family because an area wrote down whom to call in an emergency. Where no area brings its
own, the shipped ladders below hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerts.alarm import Category, Priority, higher
from alerts.incident import Incident, State
from alerts.policy import (
    DISPATCHERS,
    EMERGENCY_SERVICE,
    FALLBACK_CONTACT,
    PHONES,
    ChannelName,
    Policy,
    Step,
    Target,
)

_DESK = Target(DISPATCHERS)
_FALLBACK = Target(FALLBACK_CONTACT, (ChannelName.WEBHOOK,))
_SECOND = Target("on_duty:second", PHONES)
_FAMILY = Target("family", PHONES)
_NEAREST = Target("nearest:3", PHONES)
_SUPERVISOR = Target("on_duty:supervisor", PHONES)
_CALL_120 = Target(EMERGENCY_SERVICE)

URGENT = Policy(
    name="urgent",
    steps=(
        Step((_DESK,), wait_s=30),
        Step((_DESK, _SECOND, _FALLBACK), wait_s=30),
        Step((_DESK, _FAMILY, _FALLBACK), wait_s=60),
        Step((_DESK, _NEAREST, _SUPERVISOR, _FALLBACK), wait_s=60),
        Step((_DESK, _FAMILY, _FALLBACK, _CALL_120), wait_s=60),
    ),
    acknowledged_lease_s=600,
    attended_lease_s=3600,
)
"""Ours: an unaccepted SOS reaches the next tier after 30 s; alarm centres aim to answer within 60 s
(UK Telecare Services Association). The leases are ours too: ten minutes without any progress means
that the dispatcher was called away."""

HAZARD = Policy(
    name="hazard",
    steps=(
        Step((_DESK, _CALL_120), wait_s=30),
        Step((_DESK, _SECOND, _FAMILY, _FALLBACK), wait_s=30),
        Step((_DESK, _NEAREST, _SUPERVISOR, _FALLBACK, _CALL_120), wait_s=60),
    ),
    acknowledged_lease_s=600,
    attended_lease_s=3600,
)
"""Smoke, gas and carbon monoxide kill within minutes: the fire brigade is thought of at once, and
everybody near is told a minute earlier than after a press (ours)."""

PROMPT = Policy(
    name="prompt",
    steps=(
        Step((_DESK,), wait_s=120),
        Step((_DESK, _SECOND), wait_s=180),
        Step((_DESK, _FALLBACK), wait_s=300),
    ),
    acknowledged_lease_s=1800,
    attended_lease_s=3600,
)
"""Medium physiological findings: the desk, not the whole ladder at once. The Royal College of
Physicians asks for an urgent assessment within the hour at NEWS2 5 to 6; the waits are ours, and
five minutes without a human at the desk reach the fallback contact."""

TECHNICAL = Policy(
    name="technical",
    steps=(Step((_DESK,), wait_s=900),),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""Chinese elder-care system standards ask for 2 h to mend or bridge a life-critical fault; a
reminder every quarter of an hour until somebody takes it is ours."""

FAULT = Policy(
    name="fault",
    steps=(
        Step((_DESK,), wait_s=60),
        Step((_DESK, _SECOND, _SUPERVISOR), wait_s=120),
        Step((_DESK, _SUPERVISOR, _FALLBACK), wait_s=300),
    ),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""A technical alarm of high priority: nobody could answer, a loop stands, a whole area is silent.
Nobody lies on the floor, so neither family nor neighbours are woken and nobody is told to call 120;
but an alarm might not arrive now, so a human must be found within minutes (ours). The lease is that
of `technical`."""

NOT_SERVED = Policy(
    name="not_served",
    steps=(Step((_DESK,), wait_s=300),),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""A press of somebody who is not served any more: a human looks, nobody else is called, whatever
an area's policies say (docs/adr/0009). Again every five minutes (ours): it may be an emergency
after all."""

SHIPPED: Mapping[str, Policy] = {
    policy.name: policy for policy in (URGENT, HAZARD, PROMPT, FAULT, TECHNICAL, NOT_SERVED)
}
"""By name."""

_LADDERS: Mapping[tuple[Category, Priority], Policy] = {
    (Category.PERSONAL, Priority.LOW): NOT_SERVED,
    (Category.HAZARD, Priority.HIGH): HAZARD,
    (Category.TECHNICAL, Priority.HIGH): FAULT,
    (Category.TECHNICAL, Priority.MEDIUM): TECHNICAL,
    (Category.TECHNICAL, Priority.LOW): TECHNICAL,
    (Category.PHYSIOLOGICAL, Priority.MEDIUM): PROMPT,
    (Category.PHYSIOLOGICAL, Priority.LOW): PROMPT,
}


def shipped_for(category: Category, priority: Priority) -> Policy:
    """The ladder where no area brings its own; what is not in the table is urgent."""
    return _LADDERS.get((category, priority), URGENT)


def ladder_of(incident: Incident) -> Policy:
    """The ladder an incident climbs: its own snapshot; without one (it was opened by an earlier
    release, or is not committed yet) the shipped one."""
    return incident.policy or shipped_for(incident.category, incident.priority)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a policy is for; None: for all."""

    area_id: str
    """The area and everything below it."""
    kind: str | None = None
    category: Category | None = None
    priority: Priority | None = None
    person_id: str | None = None

    def covers(self, incident: Incident, areas: Mapping[str, int]) -> bool:
        """Whether it speaks of this incident; `areas` are the incident's area and those above it,
        by how far above."""
        if self.area_id not in areas or self.priority not in (None, _priority(incident)):
            return False
        named = (self.kind, self.category, self.person_id) != (None, None, None)
        if incident.category is Category.TECHNICAL and not named:
            return False
        return (
            self.kind in (None, incident.kind)
            and self.category in (None, incident.category)
            and self.person_id in (None, incident.person_id)
        )

    def rank(self, areas: Mapping[str, int]) -> tuple[bool, bool, bool, bool, int]:
        """The least is the most specific."""
        return (
            self.person_id is None,
            self.kind is None,
            self.category is None,
            self.priority is None,
            areas[self.area_id],
        )


def choose(
    incident: Incident, own: Iterable[tuple[Scope, Policy]], areas: Mapping[str, int]
) -> Policy:
    """The ladder for an incident: the most specific of the areas' own, else a shipped one.

    `areas`: the incident's area at 0, its parent at 1 ...
    """
    priority = _priority(incident)
    shipped = shipped_for(incident.category, priority)
    if shipped is NOT_SERVED:
        return NOT_SERVED
    covering = [(scope, policy) for scope, policy in own if scope.covers(incident, areas)]
    if not covering:
        return shipped
    return min(covering, key=lambda pair: pair[0].rank(areas))[1]


def _priority(incident: Incident) -> Priority:
    """While the person is asked, what it will be when they do not answer."""
    if incident.state is State.CHECKING:
        return higher(incident.priority, Priority.MEDIUM)
    return incident.priority
