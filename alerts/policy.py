"""A ladder is data: who is told, by which channels, and how long each rung waits.

`alerts.ladders` has the ladders a hub comes with and chooses between them and the areas' own;
`alerts.selection` turns a rung into people.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from alerts.alarm import Category, Priority
from alerts.errors import PolicyError


class ChannelName(StrEnum):
    """The ways to reach a human or a device."""

    DESK = "desk"
    DEVICE = "device"
    PUSH = "push"
    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


EVERY_CHANNEL = frozenset(ChannelName)
PHONES = (ChannelName.PUSH, ChannelName.SMS, ChannelName.VOICE)
"""Ours: what wakes most people soonest first; the courier takes the next where one fails."""

DISPATCHERS = "dispatchers"
"""Recipient: everybody signed in at a desk that watches the incident's area."""
FALLBACK_CONTACT = "fallback"
"""Recipient: the area's fallback contact of the configuration, e.g. a second hotline."""
EMERGENCY_SERVICE = "emergency_service"
"""Nobody is called by the hub: the desk is told to call 120 (119, 110) now."""

SELECTOR = re.compile(
    r"dispatchers|fallback|emergency_service|on_duty:(?:dispatcher|second|supervisor)"
    r"|family(?::[1-9])?|nearest(?::[1-9])?|(?:account|responder):[a-z0-9-]{1,64}"
)
"""Whom a target may name (docs/ladder.md)."""
ALLOWED = (
    "dispatchers, on_duty:dispatcher, on_duty:second, on_duty:supervisor, family, family:1 to"
    " family:9, nearest, nearest:1 to nearest:9, account:ID, responder:ID, fallback,"
    " emergency_service"
)
_ONLY_BY = {
    DISPATCHERS: ChannelName.DESK,
    EMERGENCY_SERVICE: ChannelName.DESK,
    FALLBACK_CONTACT: ChannelName.WEBHOOK,
}

STEPS_LIMIT = 20
TARGETS_LIMIT = 20
"""Ours: a ladder longer than this is read by nobody."""
SHORTEST_WAIT_S = 5
"""Ours: below it no human can answer before the next rung is rung."""
LONGEST_WAIT_S = 86_400
"""A day: whoever waits longer has forgotten it."""
LONGEST_LEASE_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell, as a selector, and the channels in the order in which they are tried."""

    who: str
    channels: tuple[ChannelName, ...] = (ChannelName.DESK,)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: everybody in `targets` is told at once, then it waits for a human."""

    targets: tuple[Target, ...]
    wait_s: int


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When notices of low priority may wait, in minutes of the home's local day; over midnight
    where it begins later than it ends. Nothing that concerns a person ever waits."""

    from_min: int
    until_min: int

    def cover(self, minute: int) -> bool:
        """Whether this minute of the day is in them.

        >>> QuietHours(1320, 420).cover(60), QuietHours(1320, 420).cover(720)
        (True, False)
        """
        if self.from_min <= self.until_min:
            return self.from_min <= minute < self.until_min
        return minute >= self.from_min or minute < self.until_min


@dataclass(frozen=True, slots=True)
class Policy:
    """A ladder and the two leases of responsibility. The last step repeats (promise 2).

    Raises PolicyError, which names the step and what is allowed, where it could fall silent.
    """

    steps: tuple[Step, ...]
    acknowledged_lease_s: int
    """After acknowledging, progress must come within this."""
    attended_lease_s: int
    """After somebody arrived, an outcome must come within this."""
    responder_stops_ladder: bool = False
    """Whether a responder's "I am going" holds the ladder like a dispatcher's acknowledgement."""
    quiet_hours: QuietHours | None = None
    name: str = ""
    """As people call it; stored with the incident."""

    def __post_init__(self) -> None:
        if not 0 < len(self.steps) <= STEPS_LIMIT:
            raise PolicyError(f"a ladder has 1 to {STEPS_LIMIT} steps")
        for number, step in enumerate(self.steps, 1):
            _check_step(step, f"step {number}")
        if all(target.who == EMERGENCY_SERVICE for target in self.steps[-1].targets):
            raise PolicyError(
                f"step {len(self.steps)} is the last and repeats, so it must name somebody whom"
                f" the hub can tell; allowed: {ALLOWED}"
            )
        if min(self.acknowledged_lease_s, self.attended_lease_s) <= 0:
            raise PolicyError("both leases must be above zero seconds")
        if max(self.acknowledged_lease_s, self.attended_lease_s) > LONGEST_LEASE_S:
            raise PolicyError(f"a lease ends within {LONGEST_LEASE_S} s")
        quiet = self.quiet_hours
        if quiet and not all(0 <= m < 1440 for m in (quiet.from_min, quiet.until_min)):
            raise PolicyError("quiet_hours: minutes of the day, 0 to 1439")


def _check_step(step: Step, where: str) -> None:
    if not SHORTEST_WAIT_S <= step.wait_s <= LONGEST_WAIT_S:
        raise PolicyError(f"{where}: wait_s must be {SHORTEST_WAIT_S} to {LONGEST_WAIT_S} s")
    if len(step.targets) > TARGETS_LIMIT:
        raise PolicyError(f"{where}: at most {TARGETS_LIMIT} targets")
    for target in step.targets:
        if SELECTOR.fullmatch(target.who) is None:
            raise PolicyError(f"{where}: {target.who!r} names nobody; allowed: {ALLOWED}")
        _check_channels(target, where)


def _check_channels(target: Target, where: str) -> None:
    only = _ONLY_BY.get(target.who)
    if only is not None and target.channels != (only,):
        raise PolicyError(f"{where}: {target.who} is told by the channel {only} alone")
    wanted = set(target.channels) - {ChannelName.DEVICE, ChannelName.DESK}
    if only is None and (not wanted or len(target.channels) != len(wanted)):
        allowed = ", ".join(sorted(set(ChannelName) - {ChannelName.DEVICE, ChannelName.DESK}))
        raise PolicyError(f"{where}: {target.who} needs channels, each once, of: {allowed}")


def to_data(policy: Policy) -> dict[str, Any]:
    """The policy as JSON has it."""
    data: dict[str, Any] = msgspec.to_builtins(policy)
    return data


def from_data(data: Any) -> Policy:
    """A policy out of JSON. Raises PolicyError, which says where."""
    try:
        return msgspec.convert(data, Policy)
    except msgspec.ValidationError as error:
        raise PolicyError(str(error)) from None


def wakes(category: Category, priority: Priority) -> bool:
    """Whether a finding opens an incident at all.

    IEC 60601-1-8 knows three priorities; low ones about a person (a drift over days, a long stay
    in bed, restlessness) are for whoever looks after them by day: recorded, shown in a list of
    their own, and noted where an incident is open. A technical one has its own slow ladder.

    >>> wakes(Category.PHYSIOLOGICAL, Priority.LOW), wakes(Category.TECHNICAL, Priority.LOW)
    (False, True)
    """
    return priority is not Priority.LOW or category is Category.TECHNICAL
