"""Words about incidents that may wait while somebody presses. Pure."""

from collections import OrderedDict

MAY_WAIT = frozenset({"committed", "refreshed"})
"""Causes that tell the desk nothing it must act on: the press has rung, this is its record. After
an outage hundreds of them come at once."""


class Backlog:
    """The newest such word of ingest about each incident, in order of their first."""

    def __init__(self) -> None:
        self._words: OrderedDict[str, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._words)

    def put(self, incident_id: str, payload: bytes) -> None:
        """Keep a word; it says all that the one before it said."""
        self._words[incident_id] = payload

    def take(self, incident_id: str | None) -> bytes | None:
        """What waits for this incident."""
        return self._words.pop(incident_id, None) if incident_id is not None else None

    def oldest(self) -> bytes | None:
        """What has waited longest."""
        return self._words.popitem(last=False)[1] if self._words else None
