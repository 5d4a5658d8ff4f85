"""An alarm: a condition that needs a human. What a message or a finding becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from schemas.alarms import Fall, Hazard, HazardKind, HazardPhase, Position, Press, PressAction
from schemas.ids import AlarmId, AreaId, DeviceId, PersonId, PremisesId


class Category(StrEnum):
    """Who may end it: only a human, or (technical) the condition itself."""

    PERSONAL = "personal"
    PHYSIOLOGICAL = "physiological"
    HAZARD = "hazard"
    TECHNICAL = "technical"


class Priority(StrEnum):
    """The three priorities of IEC 60601-1-8."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 is the most urgent."""
        return _RANKS[self]


_RANKS = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}


def higher(one: Priority, other: Priority) -> Priority:
    """The more urgent of two priorities."""
    return one if one.rank <= other.rank else other


class SubjectKind(StrEnum):
    """What an incident is about."""

    PERSON = "person"
    PREMISES = "premises"
    DEVICE = "device"
    AREA = "area"
    HUB = "hub"
    DRILL = "drill"
    """Practice about a person: never the incident that a real press of theirs joins."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident is about; at most one incident per subject is open at a time."""

    kind: SubjectKind
    id: str


class Flag(StrEnum):
    """Something a dispatcher must know about how this alarm arrived."""

    LATE = "late"
    """Observed long before it arrived."""
    CLOCK_UNKNOWN = "clock_unknown"
    CLOCK_AHEAD = "clock_ahead"
    UNREADABLE = "unreadable"
    """The payload could not be read at all; something on this device wants help."""
    DAMAGED = "damaged"
    """Parts of the payload could not be read."""
    WRONG_PREMISES = "wrong_premises"
    UNKNOWN_DEVICE = "unknown_device"
    DURESS = "duress"
    """The cancel was forced: escalate silently."""
    REPEATED = "repeated"
    NOT_SERVED = "not_served"
    """The person moved or their service ended: the desk looks, nobody else is called."""


class Bearing(StrEnum):
    """What an alarm wants of the ladder."""

    RINGS = "rings"
    """Somebody is needed; with `ask_s` the person is asked first."""
    REMINDS = "reminds"
    """What was told already goes on: noted where an incident is open, rings where none is."""
    RECORDED = "recorded"
    """Kept, and noted where an incident is open; wakes nobody."""


LATE_AFTER_S = 120
"""Ours: a device repeats every 15 s at most; two minutes on the way means it was out of reach."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One condition that needs a human; `id` is derived from the message (schemas.identity)."""

    id: AlarmId
    area_id: AreaId
    subject: Subject
    device_id: DeviceId
    """As claimed in the topic; may be unknown to the register."""
    person_id: PersonId | None
    premises_id: PremisesId | None
    kind: str
    """press, fall, motion, hazard, device_silent, session_lost, unreadable ..."""
    category: Category
    priority: Priority
    action: PressAction | None
    """Only of a press."""
    message_id: str | None
    observed_at: datetime | None
    """Device clock; None where it is unknown."""
    received_at: datetime
    flags: tuple[Flag, ...] = ()
    position: Position | None = None
    """WGS-84."""
    text: str = ""
    """What the detector or device says beyond the kind, for the desk."""
    reply_prefix: str | None = None
    """The topic prefix the device used: receipts go back there."""
    ends_hazard: bool = False
    evidence: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What it rests on, as the detector measured it; rendered for people by alerts.evidence."""
    ask_s: int = 0
    """How long the person is asked before anybody is woken, seconds."""
    bearing: Bearing = Bearing.RINGS
    drill: bool = False
    """Practice: nobody pressed."""

    @property
    def late(self) -> bool:
        """Whether it was long on its way."""
        return Flag.LATE in self.flags

    @property
    def rings(self) -> bool:
        """Whether it must reach a desk. A test press and a plain cancel are only recorded; so is
        what a detector found not worth waking anybody for."""
        if self.ends_hazard or self.bearing is Bearing.RECORDED:
            return False
        if self.action is PressAction.TEST:
            return False
        return self.action is not PressAction.CANCEL or Flag.DURESS in self.flags


PRESS_PRIORITIES: dict[PressAction, Priority] = {
    PressAction.EMERGENCY: Priority.HIGH,
    PressAction.HELP: Priority.MEDIUM,
    PressAction.CANCEL: Priority.HIGH,
    PressAction.TEST: Priority.LOW,
}
"""docs/contract.md: `emergency` always rings, `help` is medium. A cancel matters under duress."""

HAZARD_PRIORITIES: dict[HazardKind | None, Priority] = {
    HazardKind.SMOKE: Priority.HIGH,
    HazardKind.GAS: Priority.HIGH,
    HazardKind.CARBON_MONOXIDE: Priority.HIGH,
    HazardKind.WATER: Priority.MEDIUM,
    HazardKind.COLD: Priority.MEDIUM,
    HazardKind.MAINS_LOST: Priority.MEDIUM,
    HazardKind.TAMPER: Priority.MEDIUM,
    None: Priority.HIGH,
}
"""Ours: what can kill within minutes is high; a hazard that cannot be read counts as the worst."""

SURE_FALL_CONFIDENCE = 0.5
"""Ours, until the hub's own detector judges: below even odds the claim is medium priority."""


def press_priority(press: Press) -> Priority:
    """Priority of a press by what the person meant."""
    return PRESS_PRIORITIES[press.action]


def fall_priority(fall: Fall) -> Priority:
    """Priority of a wristband's own claim; a claim without confidence counts as sure."""
    if fall.confidence is None or fall.confidence >= SURE_FALL_CONFIDENCE:
        return Priority.HIGH
    return Priority.MEDIUM


def hazard_priority(hazard: Hazard) -> Priority:
    """Priority of a hazard; its end is low."""
    if hazard.phase is HazardPhase.ENDED:
        return Priority.LOW
    return HAZARD_PRIORITIES[hazard.hazard]
