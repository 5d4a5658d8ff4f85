"""What the alarm lane holds between arrival and commit. Plain bookkeeping, one loop, no IO.

It is recorded in the order in which it came, except that in a backlog what rings with high priority
and what humans did goes first; of one incident nothing ever overtakes anything.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from alerts.alarm import Priority
from alerts.incident import Incident
from hub.alarm_states import Kept
from hub.sources.mqtt import Ticket
from hub.store.cases import ActionItem, AlarmItem, Item
from hub.store.upkeep import Quarantined
from schemas.identity import DERIVED_REPEAT_S
from schemas.ids import AlarmId, IncidentId

SETTLED_REMEMBERED = 10_000
"""Presses without an id that were recorded a moment ago; more than any minute brings."""


@dataclass(slots=True)
class Entry:
    """An alarm or action between arrival and commit."""

    item: Item
    arrived_s: float
    tickets: list[Ticket] = field(default_factory=list)
    quarantined: Quarantined | None = None
    provisional_id: IncidentId | None = None
    """The incident it was announced in."""
    joined: Incident | None = None
    """That incident as it was before; None: this alarm opened it."""
    kept: tuple[Kept, ...] = ()
    """What detectors remember of it, saved with it."""
    topic: str = ""
    payload: bytes = b""
    """As they came, for the quarantine."""
    told_slow: bool = False
    refused: bool = False
    key: str = ""
    """What a further delivery of the same message is known by."""
    number: int = 0


class InFlight:
    """Entries by message and by the incident they were announced in, and what is recorded next."""

    def __init__(self) -> None:
        self._numbers = count()
        self._entries: dict[int, Entry] = {}
        self._newest: dict[str, Entry] = {}
        self._first: deque[Entry] = deque()
        self._queue: deque[Entry] = deque()
        self._queued_for: Counter[IncidentId] = Counter()
        """How much of `_queue` is about an incident."""
        self._waiting_for: Counter[IncidentId] = Counter()
        self._settled: OrderedDict[str, tuple[float, AlarmId]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def add(self, entry: Entry) -> None:
        """It has been announced and waits for its commit."""
        entry.number = next(self._numbers)
        if entry.provisional_id is not None:
            self._waiting_for[entry.provisional_id] += 1
        self._entries[entry.number] = entry
        self._newest[entry.key] = entry
        about = _about(entry)
        if about is not None and not self._queued_for[about] and _goes_first(entry):
            self._first.append(entry)
            return
        self._queue.append(entry)
        if about is not None:
            self._queued_for[about] += 1

    def take(self, limit: int) -> list[Entry]:
        """The next batch to commit; its entries stay in flight until they are forgotten."""
        batch = [self._first.popleft() for _ in range(min(limit, len(self._first)))]
        for _ in range(min(limit - len(batch), len(self._queue))):
            entry = self._queue.popleft()
            batch.append(entry)
            if (about := _about(entry)) is not None:
                self._queued_for[about] -= 1
                if not self._queued_for[about]:
                    del self._queued_for[about]
        return batch

    def forget(self, entry: Entry) -> None:
        """It is recorded, or set aside."""
        del self._entries[entry.number]
        if self._newest.get(entry.key) is entry:
            del self._newest[entry.key]
        if entry.provisional_id is not None:
            self._waiting_for[entry.provisional_id] -= 1
            if not self._waiting_for[entry.provisional_id]:
                del self._waiting_for[entry.provisional_id]

    def newest(self, key: str) -> Entry | None:
        """The newest entry of this message."""
        return self._newest.get(key)

    def concerns(self, incident_id: IncidentId) -> bool:
        """Whether what was announced of an incident is newer than what is recorded of it."""
        return incident_id in self._waiting_for

    def oldest(self) -> Entry | None:
        """The one that waits longest."""
        return next(iter(self._entries.values()), None)

    def settled(self, key: str, alarm_id: AlarmId, now_s: float) -> None:
        """A press without an id was recorded just now under this alarm id."""
        self._settled[key] = (now_s, alarm_id)
        self._settled.move_to_end(key)
        if len(self._settled) > SETTLED_REMEMBERED:
            self._settled.popitem(last=False)

    def just_settled(self, key: str, now_s: float) -> AlarmId | None:
        """The alarm a delivery marked as a duplicate repeats: one we recorded within a minute.

        The broker may have sent it again while the first one waited for a slow commit, and we
        read it only afterwards.
        """
        at_s, alarm_id = self._settled.get(key, (-DERIVED_REPEAT_S - 1.0, None))
        return alarm_id if now_s - at_s <= DERIVED_REPEAT_S else None


def _about(entry: Entry) -> IncidentId | None:
    """The incident it changes, as far as that is known before it is recorded."""
    item = entry.item
    return item.action.incident_id if isinstance(item, ActionItem) else entry.provisional_id


def _goes_first(entry: Entry) -> bool:
    item = entry.item
    if isinstance(item, AlarmItem):
        return item.alarm.rings and item.alarm.priority is Priority.HIGH
    return isinstance(item, ActionItem)
