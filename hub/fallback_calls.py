"""One call to a fallback contact that was made from memory. A plain value."""

from dataclasses import dataclass
from datetime import datetime

from alerts.notification import NotificationKind, NotificationState
from alerts.policy import ChannelName


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a fallback contact, and what became of it."""

    id: str
    incident_id: str
    area_id: str
    kind: NotificationKind
    channel: ChannelName
    rung: int
    """The how many-th call of its incident; 0 for what is not a ring."""
    step: int
    """The step of the ladder it belongs to; 0: none."""
    urgency: int
    began_at: datetime
    ended_at: datetime
    state: NotificationState
    word: str

    @property
    def rings(self) -> bool:
        """Whether somebody was rung by it."""
        return self.kind is NotificationKind.RING and self.state is NotificationState.SENT
