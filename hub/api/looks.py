"""Which lists and feeds are looks at personal data, and how they are logged within bounds.

A look at one person, home or incident is logged where it is answered, in the same transaction. A
list is asked for again and again by the same page: of the same reader and question there is at most
one entry a minute, of a wall board one an hour, with the number of looks it stands for.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOOK = "carebell.look"
"""Where a request's scope has what to call if the look is granted."""
AGAIN_AFTER_S = 60.0
"""Ours: who looked in which minute is as fine as anybody ever asked."""
BOARD = "/api/v1/wall"
"""Hangs on a wall and asks all day, with whatever is below it: one look, whoever passes by."""
BOARD_AGAIN_AFTER_S = 3600.0
REMEMBERED = 10_000
"""Readers and questions kept in mind, 300 bytes each; of more the oldest is forgotten, and its
next look is logged at once."""
QUESTION_LIMIT = 500
"""Characters of a question that an entry keeps."""

LISTS: Mapping[str, str] = {
    "/api/v1/incidents": "incidents",
    "/api/v1/events": "feed",
    "/api/v1/devices": "devices",
    "/api/v1/findings": "findings",
    "/api/v1/history/silent": "silent_devices",
    "/api/v1/responders": "responders",
    "/api/v1/rounds/summary": "rounds",
    "/api/v1/log": "log",
    "/api/v1/devices/{device_id}": "device",
    "/api/v1/devices/{device_id}/presses": "presses",
    "/api/v1/responders/{responder_id}": "responders",
    "/api/v1/assurance/conditions": "conditions",
    "/api/v1/assurance/contacts": "contacts",
    "/api/v1/assurance/people-without-responder": "people",
    "/api/v1/dead-letters": "dead_letters",
    "/api/v1/quarantine": "quarantine",
    "/api/v1/family/people": "family",
    "/api/v1/handovers": "handovers",
    "/api/v1/replies": "replies",
    "/api/v1/wall": "wall",
    "/api/v1/wall/homes": "wall",
    "/api/v1/outages/{outage_id}/devices": "devices",
    "/api/v1/incidents/{incident_id}/calls": "calls",
    "/api/v1/incidents/{incident_id}/deliveries": "deliveries",
    "/api/v1/incidents/{incident_id}/hand-offs": "hand_offs",
    "/api/v1/incidents/{incident_id}/ladder": "ladder",
    "/api/v1/incidents/{incident_id}/responders": "responders",
    "/api/v1/people/{person_id}/family": "family",
    "/api/v1/people/{person_id}/incidents": "incidents",
    "/api/v1/people/{person_id}/states": "states",
    "/api/v1/premises/{premises_id}/incidents": "incidents",
}
"""By the template of the route: what is read. A route is here, or logs the look itself where it
answers, or shows nobody: tests/integration/test_looks_logged.py calls them all."""
ACTIONS: Mapping[str, str] = {"feed": "connect"}
"""What the entry is called; every other one is `list`, or `look` where one thing was asked for."""


def action_of(noun: str, path: str) -> str:
    """What such a look is called in the log."""
    return ACTIONS.get(noun, "look" if "{" in path else "list")


@dataclass(slots=True)
class _Told:
    at_s: float
    since: int = 0
    """Looks since that entry, which the next one counts."""


@dataclass(slots=True)
class Looks:
    """What was logged lately, of one API process."""

    _told: "OrderedDict[tuple[str, str, str], _Told]" = field(default_factory=OrderedDict)

    def seen(
        self, account_id: str, path: str, question: str, now_s: float
    ) -> dict[str, Any] | None:
        """What an entry says of this look; None: it is counted in the next one."""
        noun = LISTS.get(path)
        if noun is None:
            return None
        again_after_s = AGAIN_AFTER_S
        if path.startswith(BOARD):
            path, question, again_after_s = BOARD, "", BOARD_AGAIN_AFTER_S
        key = (account_id, path, question[:QUESTION_LIMIT])
        told = self._told.get(key)
        if told is not None and now_s - told.at_s < again_after_s:
            told.since += 1
            return None
        looks = 1 if told is None else told.since + 1
        self._told[key] = _Told(now_s)
        self._told.move_to_end(key)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return {"noun": noun, "question": key[2], "looks": looks}
