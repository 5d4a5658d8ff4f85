"""What the alarm lane tells the desks: incidents as they are, and what became of their actions."""

from collections import Counter
from collections.abc import Callable

from alerts.actions import Action, perform
from alerts.alarm import Alarm
from alerts.errors import AlertsError
from alerts.incident import Incident
from alerts.ladders import ladder_of
from hub.board import Board
from hub.clock import SystemClock
from hub.desk_bus import action_result, incident_announcement
from hub.register import Register
from hub.synthetic import announcement as synthetic_announcement
from hub.view import View, alarm_view, incident_view
from schemas import topics


class Voice:
    """Publishes on the desk bus at QoS 0; who misses it reads the database."""

    def __init__(
        self,
        register: Register,
        board: Board,
        clock: SystemClock,
        publish: Callable[[str, bytes], bool],
        counts: Counter[str],
    ) -> None:
        """`publish` hands a QoS 0 message to the hub's own connection."""
        self._register = register
        self._board = board
        self._clock = clock
        self._publish = publish
        self._counts = counts

    def view(self, incident: Incident, pending: str | None = None) -> View:
        """The incident as a desk sees it, by what the board knows."""
        return incident_view(
            incident,
            self._register.cards(incident),
            self._board.alarms.get(incident.id, ()),
            provisional=incident.id in self._board.provisional,
            pending_action=pending,
        )

    def announce(
        self,
        cause: str,
        incident: Incident,
        alarm: Alarm | None,
        *,
        unrecorded: bool = False,
        merged_from: str | None = None,
    ) -> None:
        """The incident is so now; `alarm` is the one that changed it."""
        view = self.view(incident)
        if unrecorded:
            view["provisional"] = True
        message = incident_announcement(
            cause,
            view,
            self._clock.now(),
            alarm=alarm_view(alarm) if alarm else None,
            merged_from=merged_from,
        )
        if not self._publish(topics.DESK_ANNOUNCE, message):
            self._counts["announcements_lost"] += 1

    def synthetic(self, alarm: Alarm) -> None:
        """The hub's own press, where every other one would be announced."""
        self._publish(topics.DESK_ANNOUNCE, synthetic_announcement(alarm))

    def acted(
        self, action: Action, incident: Incident | None, refusal: AlertsError | None = None
    ) -> None:
        """What became of a dispatcher's action."""
        view = self.view(incident) if incident is not None else None
        self._publish(topics.DESK_ANNOUNCE, action_result(action.id, view, refusal=refusal))

    def began(self, order_id: str, incident: Incident | None) -> None:
        """The drill that a desk began is shown."""
        view = self.view(incident) if incident is not None else None
        self._publish(topics.DESK_ANNOUNCE, action_result(order_id, view))

    def pending(self, action: Action) -> None:
        """The action is kept, and not recorded yet: shown as if it were, and marked."""
        incident = self._board.open.get(action.incident_id)
        if incident is None:
            return
        try:
            perform(incident, action, ladder_of(incident))
        except AlertsError:
            return
        view = self.view(incident, pending=action.verb.value)
        self._publish(topics.DESK_ANNOUNCE, action_result(action.id, view, pending=True))
        message = incident_announcement("pending", view, self._clock.now())
        self._publish(topics.DESK_ANNOUNCE, message)
