"""The protocol every detector follows, and what it is given and gives back.

    observe(state, observation, context) -> (state, findings)
    deadline(state, context) -> when, or None
    expire(state, now, context) -> (state, findings)

All three are pure. State is immutable, small, survives JSON; None is the state before the first
observation. Replaying the same observations from a checkpoint gives the same findings with the
same keys, so that nothing is reported twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from typing import Any, Protocol, TypeVar

import msgspec

from alerts.alarm import Category, Priority, Subject
from hub.detect.fence import Fence
from hub.device import Device
from hub.observation import Observation


class Scope(StrEnum):
    """What one state is kept for."""

    DEVICE = "device"
    PERSON = "person"
    PREMISES = "premises"
    AREA = "area"


class Phase(StrEnum):
    """How far a claim has come."""

    CANDIDATE = "candidate"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Finding:
    """A detector's claim with its evidence; `key` is the same for the same episode, for ever."""

    detector: str
    kind: str
    phase: Phase
    category: Category
    priority: Priority
    subject: Subject
    key: str
    at: datetime
    text: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    ask_s: int = 0
    """How long the ladder asks the person before it wakes anybody, seconds; 0: not at all."""
    within: Subject | None = None
    """The wider subject (an area) whose open incident speaks of this already: kept with that one,
    opens none of its own."""


class Whereabouts(StrEnum):
    """Where the person is as far as their care is concerned."""

    HOME = "home"
    AWAY = "away"
    HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True)
class Limit:
    """A clinician's own limit for one measure; overrides the general one."""

    measure: str
    low: float | None
    high: float | None
    author: str
    set_on: date


@dataclass(frozen=True, slots=True)
class PersonContext:
    """What is known of the person; the defaults hold for somebody nobody has described."""

    time_zone: tzinfo = timezone(timedelta(hours=8))
    """Mainland China's one zone, unless the home names another."""
    whereabouts: Whereabouts = Whereabouts.HOME
    limits: tuple[Limit, ...] = ()
    oxygen_scale_2: bool = False
    """NEWS2's second saturation scale, only by a clinician's setting."""
    on_oxygen: bool = False
    incident_open: bool = False
    """Baselines do not learn while somebody is being looked after."""
    inactivity_line_min: tuple[int, ...] = ()
    """The learned alert line as `hub.detect.inactivity_line.Line.flat` writes it: 98 integers, or
    48 where one line holds for all rooms; empty while learning."""
    inactivity_limit_percent: int = 100
    """Share of the usual time after which an inactivity is asked about; a carer's setting."""
    fences: tuple[Fence, ...] = ()
    """Where the person is safe."""


class Context(msgspec.Struct, frozen=True, gc=False):
    """What a detector may know besides its own state; frozen for the whole call."""

    device: Device
    """The device that spoke; in `expire` of a wider scope, one that belongs to it."""
    listening_since: datetime
    """Silence counts only from here: before, the hub itself was not listening."""
    person: PersonContext = PersonContext()


State = TypeVar("State")
Findings = Sequence[Finding]
NONE: Findings = ()


class Detector(Protocol[State]):
    """One way of noticing that somebody needs help."""

    name: str
    scope: Scope
    measures: frozenset[str]
    """The measures it wants to see; `alive` stands for any message at all."""
    state_type: type[State]
    # Where they are there: `timed` False says that `deadline` is always None; `begins_with`, which
    # measures can begin a state: without one the others are not shown; `expected` makes the state
    # of a device that was never heard; `hastened_by`, which measures alone can move a deadline
    # nearer, and `hastens(before, after)`, which changes of them; `soonest(state, context)`, before
    # when nothing can make it due. Without these a deadline is looked at again every minute.

    def observe(
        self, state: State | None, observation: Observation, context: Context
    ) -> tuple[State | None, Findings]:
        """Take one observation."""
        ...

    def deadline(self, state: State, context: Context) -> datetime | None:
        """When `expire` must be called if nothing else comes; None: never."""
        ...

    def expire(self, state: State, now: datetime, context: Context) -> tuple[State, Findings]:
        """The deadline has passed without a further observation."""
        ...
