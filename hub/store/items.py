"""What is recorded together in one transaction, and what became of it. Plain values."""

from collections.abc import Sequence
from dataclasses import dataclass

from alerts.actions import Action
from alerts.alarm import Alarm, Subject
from alerts.errors import AlertsError
from alerts.incident import Incident
from hub.detect.detector import Finding
from schemas.ids import AlarmId, AreaId, DeviceId, PersonId, PremisesId


@dataclass(frozen=True, slots=True)
class Found:
    """A finding as it is stored: the detector's claim, and whose device it came from."""

    id: AlarmId
    """The same on every replay: one for each phase and priority of an episode."""
    finding: Finding
    area_id: AreaId
    device_id: DeviceId
    person_id: PersonId | None
    premises_id: PremisesId | None
    carried: bool = False
    """The device goes along with its person."""

    @property
    def episode(self) -> "Episode":
        """What this is a phase of."""
        finding = self.finding
        return (finding.detector, finding.subject.id, finding.key)


Episode = tuple[str, str, str]
"""Detector, subject, key: the same for every phase of one claim."""


@dataclass(frozen=True, slots=True)
class AlarmItem:
    """An alarm to record; `derived` where its id comes from content alone."""

    alarm: Alarm
    derived: bool = False
    window_json: bytes | None = None
    found: Found | None = None
    """The finding behind it; None for a press and for what the hub says about itself."""
    asked: bool = False
    """The person was asked already, from memory, when it was announced."""
    unanswered: bool = False
    """... and their time to answer passed before this could be recorded."""


@dataclass(frozen=True, slots=True)
class ActionItem:
    """What a human did."""

    action: Action


@dataclass(frozen=True, slots=True)
class ClearItem:
    """What was found is over or better: a technical condition clears, an open question to the
    person is withdrawn, everything else is a note for the human who has it."""

    subject: Subject
    alarm: Alarm
    """The alarm-shaped record of the end, for the log."""
    found: Found | None = None


@dataclass(frozen=True, slots=True)
class NoteItem:
    """A finding that wakes nobody: a candidate, something worth a look by day, or a part of what
    a wider incident speaks of already."""

    found: Found


Item = AlarmItem | ActionItem | ClearItem | NoteItem


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an item."""

    item: Item
    incident: Incident | None
    cause: str | None
    """What it means to those who watch the incident; None: nothing to tell."""
    alarm: Alarm | None = None
    duplicate: bool = False
    shown: Sequence[Alarm] = ()
    """Alarms of an incident that nobody showed any more."""
    refusal: AlertsError | None = None
