"""A ladder is data: who is told, by which channel, and how long each rung waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError


class ChannelName(StrEnum):
    """The ways to reach a human or a device."""

    DESK = "desk"
    DEVICE = "device"
    WEBHOOK = "webhook"


DISPATCHERS = "dispatchers"
"""Recipient: everybody signed in at a desk that watches the incident's area."""
FALLBACK_CONTACT = "fallback"
"""Recipient: the area's fallback contact of the configuration, e.g. a second hotline."""


@dataclass(frozen=True, slots=True)
class Target:
    """One recipient by one channel."""

    channel: ChannelName
    recipient: str


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: everybody in `targets` is told at once, then it waits for a human."""

    targets: tuple[Target, ...]
    wait_s: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A ladder and the two leases of responsibility. The last step repeats (promise 2).

    Raises PolicyError where it could fall silent.
    """

    steps: tuple[Step, ...]
    acknowledged_lease_s: int
    """After acknowledging, progress (attended, resolved, prolonged) must come within this."""
    attended_lease_s: int
    """After somebody arrived, an outcome must come within this."""

    def __post_init__(self) -> None:
        if not self.steps or not self.steps[-1].targets:
            raise PolicyError
        if min(s.wait_s for s in self.steps) <= 0:
            raise PolicyError
        if min(self.acknowledged_lease_s, self.attended_lease_s) <= 0:
            raise PolicyError


_DESK = Target(ChannelName.DESK, DISPATCHERS)
_FALLBACK = Target(ChannelName.WEBHOOK, FALLBACK_CONTACT)

URGENT = Policy(
    steps=(
        Step((_DESK,), wait_s=30),
        Step((_DESK, _FALLBACK), wait_s=30),
        Step((_DESK, _FALLBACK), wait_s=60),
    ),
    acknowledged_lease_s=600,
    attended_lease_s=3600,
)
"""Ours: an unaccepted SOS reaches the next tier after 30 s; alarm centres aim to answer within 60 s
(UK Telecare Services Association). The leases are ours too: ten minutes without any progress means
that the dispatcher was called away."""

PROMPT = Policy(
    steps=(
        Step((_DESK,), wait_s=120),
        Step((_DESK,), wait_s=180),
        Step((_DESK, _FALLBACK), wait_s=300),
    ),
    acknowledged_lease_s=1800,
    attended_lease_s=3600,
)
"""Medium physiological findings: the desk, not the whole ladder at once. The Royal College of
Physicians asks for an urgent assessment within the hour at NEWS2 5 to 6; the waits are ours, and
five minutes without a human at the desk reach the fallback contact."""

TECHNICAL = Policy(
    steps=(Step((_DESK,), wait_s=900),),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""Chinese elder-care system standards ask for 2 h to mend or bridge a life-critical fault; a
reminder every quarter of an hour until somebody takes it is ours."""


NOT_SERVED = Policy(
    steps=(Step((_DESK,), wait_s=300),),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""A press of somebody who is not served any more: a human looks, nobody else is called
(docs/adr/0009). Again every five minutes (ours): it may be an emergency after all."""


def policy_for(category: Category, priority: Priority) -> Policy:
    """The ladder for an incident, until areas bring their own."""
    return _LADDERS.get((category, priority), URGENT)


_LADDERS: Mapping[tuple[Category, Priority], Policy] = {
    (Category.PERSONAL, Priority.LOW): NOT_SERVED,
    (Category.TECHNICAL, Priority.MEDIUM): TECHNICAL,
    (Category.TECHNICAL, Priority.LOW): TECHNICAL,
    (Category.PHYSIOLOGICAL, Priority.MEDIUM): PROMPT,
    (Category.PHYSIOLOGICAL, Priority.LOW): PROMPT,
}
"""By category and priority; what is not here is urgent."""


def wakes(category: Category, priority: Priority) -> bool:
    """Whether a finding opens an incident at all.

    IEC 60601-1-8 knows three priorities; low ones about a person (a drift over days, a long stay
    in bed, restlessness) are for whoever looks after them by day: recorded, shown in a list of
    their own, and noted where an incident is open. A technical one has its own slow ladder.

    >>> wakes(Category.PHYSIOLOGICAL, Priority.LOW), wakes(Category.TECHNICAL, Priority.LOW)
    (False, True)
    """
    return priority is not Priority.LOW or category is Category.TECHNICAL
