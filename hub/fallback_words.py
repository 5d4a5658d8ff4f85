"""What a fallback contact is told from memory: what the register knows, and nothing beyond the
consent that holds for everybody."""

from typing import Any
from zoneinfo import ZoneInfo

from alerts.brief import Brief, Purpose, Where, Whom, anonymous, permitted
from alerts.consent import Audience, allowed
from alerts.incident import Incident
from alerts.messages import Message, render
from alerts.notification import NotificationKind
from alerts.policy import ChannelName
from hub.clock import SystemClock
from hub.register import Register
from hub.view import Cards, iso


class WordsFromMemory:
    """Words it as the courier would, from the register in memory."""

    def __init__(
        self, register: Register, clock: SystemClock, *, service: str, hotline: str,
        language: str, zone: str,
    ) -> None:  # fmt: skip
        self._register = register
        self._clock = clock
        self._service = service
        self._hotline = hotline
        self._language = language
        self._zone = ZoneInfo(zone)

    def message(self, kind: NotificationKind, incident: Incident, channel: ChannelName) -> Message:
        """In the hub's language; what decisions of the person would hide, nobody can look up now,
        so only what goes without asking is told."""
        brief = self._brief(kind, incident)
        told = permitted(brief, allowed(Audience.OUTSIDE, ())) or anonymous(brief)
        return render(told, channel, self._language)

    def body(self, incident: Incident, rung: int) -> dict[str, Any]:
        """What a webhook is posted beside the text; as the ladder's own ring has it."""
        return {
            "priority": incident.priority,
            "category": incident.category,
            "alarm_kind": incident.kind,
            "area_id": incident.area_id,
            "subject": {"kind": incident.subject.kind, "id": incident.subject.id},
            "opened_at": iso(incident.opened_at),
            "step": rung,
            "reason": "from_memory",
            "prompt": None,
            "drill": incident.drill,
        }

    def _brief(self, kind: NotificationKind, incident: Incident) -> Brief:
        cards = self._register.cards(incident)
        person, home = cards.person, cards.premises
        return Brief(
            purpose=Purpose(kind.value),
            now=self._clock.now(),
            service=self._service,
            hotline=self._hotline,
            zone=self._register.zone_of(incident.premises_id) or self._zone,
            incident_id=incident.id,
            area_id=incident.area_id,
            kind=incident.kind,
            category=incident.category,
            priority=incident.priority,
            state=incident.state,
            opened_at=incident.opened_at,
            drill=incident.drill,
            silent=incident.silent,
            subject=None if person else _named(incident, cards),
            whom=Whom(person.name, person.birth_year, person.phone) if person else None,
            where=Where(address=home.address, phone=home.phone) if home else None,
            owner=incident.owner.name if incident.owner else None,
            expected_at=incident.expected_at,
            outcome=incident.outcome,
        )


def _named(incident: Incident, cards: Cards) -> str:
    """What it is about, as people call it: a device, an area; by its id where nobody named it."""
    label = cards.device.label if cards.device else ""
    return label or cards.area or incident.subject.id
