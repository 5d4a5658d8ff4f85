"""A ladder is data: who is told, by which channel, and how long each rung waits."""

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

TECHNICAL = Policy(
    steps=(Step((_DESK,), wait_s=900),),
    acknowledged_lease_s=7200,
    attended_lease_s=7200,
)
"""Chinese elder-care system standards ask for 2 h to mend or bridge a life-critical fault; a
reminder every quarter of an hour until somebody takes it is ours."""


def policy_for(category: Category, priority: Priority) -> Policy:
    """The ladder for an incident, until areas bring their own."""
    if category is Category.TECHNICAL and priority is not Priority.HIGH:
        return TECHNICAL
    return URGENT
