"""Which lists and feeds are looks at personal data, and how they are logged within bounds.

A look at one person, home or incident is logged where it is answered, in the same transaction. A
list is asked for again and again by the same page: of the same reader and question there is at most
one entry a minute, with the number of looks it stands for.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AGAIN_AFTER_S = 60.0
"""Ours: who looked in which minute is as fine as anybody ever asked."""
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
}
"""By the template of the route: what is listed."""
ACTIONS: Mapping[str, str] = {"feed": "connect"}
"""What the entry is called; every other one is `list`."""


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
        key = (account_id, path, question[:QUESTION_LIMIT])
        told = self._told.get(key)
        if told is not None and now_s - told.at_s < AGAIN_AFTER_S:
            told.since += 1
            return None
        looks = 1 if told is None else told.since + 1
        self._told[key] = _Told(now_s)
        self._told.move_to_end(key)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return {"noun": noun, "question": key[2], "looks": looks}
