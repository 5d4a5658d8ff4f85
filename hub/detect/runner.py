"""Shows a lane's observations to its detectors, keeps their states, lets their deadlines pass.

A batch that is not committed yet can be told from what is: its `Draft` remembers how every cell was
before, so that a checkpoint holds committed states only, also while the next batch is being made.
The heap of deadlines is lazy: an observation costs no heap work, an entry that turns out early goes
back with its real deadline, and one that is far off is looked at again within `LOOK_AGAIN_S`, since
a deadline may have moved nearer.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.detect.belonging import (
    SHARDS,
    Belonging,
    KeptFor,
    Surroundings,
    belonging_of,
    device_of,
    shard_of,
)
from hub.detect.detector import Context, Detector, Finding
from hub.detect.states import Cell, KeptState, Place, States
from hub.device import Device
from hub.observation import Observation
from schemas.ids import DeviceId

LOOK_AGAIN_S = 60.0
"""Ours: a deadline that has moved nearer (up from bed: half an hour instead of half a day) is seen
this late at most; the shortest limit of any detector is three minutes."""
LOOKS_PER_EXPIRY = 10
"""Entries looked at for each one that may expire: bounds a batch after a long stall."""

_SHARED = int(KeptFor.PREMISES)
"""From here on a state is several people's. Plain integers: these are compared for every state."""

Observe = Callable[[Any, Observation, Context], tuple[Any, Sequence[Finding]]]


@dataclass(slots=True, eq=False)
class Draft:
    """What a batch changes, until it is committed."""

    findings: list[tuple[Device, Finding]] = field(default_factory=list)
    before: list[tuple[Cell, list[Any]]] = field(default_factory=list)
    """Every cell it has changed, with its states as they were."""
    keep: dict[tuple[Cell, Place], None] = field(default_factory=dict)
    """States to be stored with this batch: its observations alone would not bring them back."""


class Runner:
    """Runs a table of detectors of any scope."""

    def __init__(
        self,
        detectors: Sequence[Detector[Any]],
        surroundings: Surroundings,
        listening_since: datetime,
    ) -> None:
        self._detectors = tuple(detectors)
        self._surroundings = surroundings
        self._states = States(detectors)
        by_measure: dict[str, list[tuple[Place, int, int, int, bool, Observe]]] = {}
        for place, detector in zip(self._states.places, self._detectors, strict=True):
            timed = 1 << place.at if getattr(detector, "timed", True) else 0
            begins = getattr(detector, "begins_with", detector.measures)
            for measure in detector.measures:
                row = (place, int(place.kind), place.at, timed, measure in begins, detector.observe)
                by_measure.setdefault(measure, []).append(row)
        self._expected: tuple[tuple[Place, Callable[[Device, datetime], Any]], ...] = tuple(
            (place, detector.expected)
            for place, detector in zip(self._states.places, self._detectors, strict=True)
            if place.kind is KeptFor.DEVICE and hasattr(detector, "expected")
        )
        self._by_measure = {measure: tuple(rows) for measure, rows in by_measure.items()}
        self._belongings: dict[DeviceId, Belonging] = {}
        self._heap: list[tuple[float, int, Cell]] = []
        self._drafts: list[Draft] = []
        """Not committed yet, oldest first."""
        self._unswept = SHARDS
        """Shards in which there may be states that are nobody's any more: at first they all are
        what some earlier process knew."""
        self.listening_since = listening_since

    def __len__(self) -> int:
        return len(self._states)

    def wants(self, measure: str) -> bool:
        """Whether any detector looks at this measure."""
        return measure in self._by_measure

    def draft(self) -> Draft:
        """An empty batch, on top of what is not committed yet."""
        draft = Draft()
        self._drafts.append(draft)
        return draft

    def observe(self, draft: Draft, observation: Observation, *, stored: bool = True) -> None:
        """Show one observation to every detector that wants it; `stored` says whether recovery
        will find it among the stored observations."""
        wanted = self._by_measure.get(observation.measure)
        if wanted is None:
            return
        device = observation.device
        belonging = self._belongings.get(device.id)
        if belonging is None or belonging.device is not device:
            belonging = self._settle(device)
        if not belonging.watched:
            return
        cells, since, own = belonging.cells, self.listening_since, belonging.person
        context = Context(device, since, own)
        for place, kind, at, timed, begins, observe in wanted:
            cell = cells[kind]
            states = cell.states
            state = states[at]
            if state is None and not begins:
                continue
            around = context
            if kind >= _SHARED and belonging.home is not own:
                around = Context(device, since, belonging.home)
            after, findings = observe(state, observation, around)
            if after is not state:
                if cell.touched is not draft:
                    cell.touched = draft
                    draft.before.append((cell, states.copy()))
                states[at] = after
                if timed and not cell.queued & timed:
                    self._queue_if_due(place, cell, around, observation.received_at)
                if not stored:
                    draft.keep[cell, place] = None
            if findings:
                draft.keep[cell, place] = None
                draft.findings.extend((device, finding) for finding in findings)

    def expire(self, draft: Draft, now: datetime, limit: int) -> None:
        """Let at most `limit` deadlines up to `now` pass."""
        horizon = now.timestamp()
        looks = limit * LOOKS_PER_EXPIRY
        heap = self._heap
        while heap and heap[0][0] <= horizon and limit > 0 and looks > 0:
            looks -= 1
            _, index, cell = heapq.heappop(heap)
            place, detector = self._states.places[index], self._detectors[index]
            cell.queued &= ~(1 << place.at)
            state = cell.states[place.at]
            found = None if state is None else self._context(place.kind, cell.key)
            if found is None:
                continue
            device, context = found
            due = detector.deadline(state, context)
            if due is not None and due <= now:
                limit -= 1
                state, findings = detector.expire(state, now, context)
                self._change(draft, cell, place, state)
                draft.keep[cell, place] = None
                draft.findings.extend((device, finding) for finding in findings)
                due = detector.deadline(state, context)
            if due is not None:
                self._queue(place, cell, min(due.timestamp(), horizon + LOOK_AGAIN_S))

    def accept(self, draft: Draft) -> None:
        """The batch is committed: its states are the states now. Batches are committed in the
        order in which they were begun."""
        self._drafts.remove(draft)
        draft.before.clear()

    def rescheduled(self, listening_since: datetime) -> None:
        """The hub was deaf until now: no silence counts before."""
        self.listening_since = listening_since

    def circumstances_changed(self, draft: Draft, devices: Iterable[DeviceId]) -> None:
        """Something about these devices' people or homes is different from here on. Their states
        are stored with this batch: what came before was judged by what held before."""
        soon_s = self.listening_since.timestamp()
        before = {i: was for i in devices if (was := self._belongings.pop(i, None)) is not None}
        for device_id, was in sorted(before.items()):
            device = self._surroundings.device(device_id)
            now = self._settle(device).keys if device is not None else was.keys
            for place in self._states.places:
                for key in {was.keys[place.kind], now[place.kind]}:
                    cell = self._states.cell(place.kind, key)
                    # Also that there is no state: nothing before this batch may make one.
                    draft.keep[cell, place] = None
                    if not self._is_somebodys(place.kind, key):
                        self._change(draft, cell, place, None)
                    elif self._is_timed(place) and cell.states[place.at] is not None:
                        self._queue(place, cell, soon_s)
        for was in before.values():
            for kind, key in zip(KeptFor, was.keys, strict=True):
                if not self._is_somebodys(kind, key):
                    self._states.forget(kind, key)

    def resettled(self) -> None:
        """The register was read anew: nothing that was known of people and homes is believed."""
        self._unswept = SHARDS
        self._belongings.clear()

    def kept(self, draft: Draft) -> list[KeptState]:
        """The states to store with this batch."""
        return [self._states.kept(place, cell) for cell, place in draft.keep]

    def begin(self, draft: Draft, devices: Iterable[Device], now: datetime) -> None:
        """From now on those of the devices that were never heard are expected to speak."""
        for device in devices:
            belonging = self._settle(device)
            cell = belonging.cells[KeptFor.DEVICE]
            if not belonging.watched or any(state is not None for state in cell.states):
                continue
            for place, expected in self._expected:
                self._change(draft, cell, place, expected(device, now))
                draft.keep[cell, place] = None
                self._look_soon(place, cell)

    def table(self, name: str) -> Mapping[str, Any]:
        """The states of one detector by key, live: to be read on the lane's own thread, between
        two batches."""
        return self._states.table(name)

    def shard(self, number: int) -> bytes:
        """One shard of all committed states, as stored. States that are nobody's any more end
        here."""
        if self._unswept > 0:
            self._unswept -= 1
            for kind in KeptFor:
                for key in self._states.keys(kind, number):
                    if not self._is_somebodys(kind, key):
                        self._states.forget(kind, key)
        before: dict[Cell, list[Any]] = {}
        for draft in reversed(self._drafts):
            before.update(draft.before)
        return self._states.shard(number, before)

    def load_shard(self, stored: bytes) -> None:
        """Take the states of a stored shard; unknown detectors and damaged states are left."""
        for place, cell in self._states.load(stored):
            self._look_soon(place, cell)

    def load_kept(self, kept: KeptState) -> bool:
        """Take a state that was stored with its batch; False if it cannot be read."""
        loaded = self._states.load_kept(kept)
        if loaded is None:
            return False
        place, cell = loaded
        if cell.states[place.at] is not None:
            self._look_soon(place, cell)
        return True

    def replay(self, observation: Observation, is_news: Callable[[str, str], bool]) -> None:
        """Show a stored observation again to the detectors for whose state it `is_news` (name of
        the detector, key). Findings are dropped: they were committed with their batch."""
        belonging = self._settle(observation.device)
        if not belonging.watched:
            return
        for place, kind, at, _, _, observe in self._by_measure.get(observation.measure, ()):
            cell = belonging.cells[kind]
            if not is_news(self._detectors[place.index].name, cell.key):
                continue
            person = belonging.context_for(place.kind)
            context = Context(observation.device, self.listening_since, person)
            cell.states[at], _ = observe(cell.states[at], observation, context)
            if cell.states[at] is not None:
                self._look_soon(place, cell)

    def _change(self, draft: Draft, cell: Cell, place: Place, state: Any) -> None:
        if cell.touched is not draft:
            cell.touched = draft
            draft.before.append((cell, cell.states.copy()))
        cell.states[place.at] = state

    def _settle(self, device: Device) -> Belonging:
        known = self._belongings.get(device.id)
        if known is not None and known.device is device:
            return known
        belonging = belonging_of(device, self._surroundings)
        pairs = zip(KeptFor, belonging.keys, strict=True)
        belonging.cells = tuple(self._states.cell(kind, key) for kind, key in pairs)
        self._belongings[device.id] = belonging
        return belonging

    def _context(self, kind: KeptFor, key: str) -> tuple[Device, Context] | None:
        """In which a deadline passes; None if the state is nobody's, or nobody may be called."""
        device = device_of(kind, key, self._surroundings)
        if device is None:
            return None
        belonging = self._settle(device)
        if not belonging.watched or (kind < KeptFor.PREMISES and belonging.keys[kind] != key):
            return None
        return device, Context(device, self.listening_since, belonging.context_for(kind))

    def _is_somebodys(self, kind: KeptFor, key: str) -> bool:
        return self._context(kind, key) is not None

    def _is_timed(self, place: Place) -> bool:
        return bool(getattr(self._detectors[place.index], "timed", True))

    def _queue_if_due(self, place: Place, cell: Cell, context: Context, now: datetime) -> None:
        due = self._detectors[place.index].deadline(cell.states[place.at], context)
        if due is not None:
            self._queue(place, cell, min(due.timestamp(), now.timestamp() + LOOK_AGAIN_S))

    def _queue(self, place: Place, cell: Cell, due_s: float) -> None:
        cell.queued |= 1 << place.at
        heapq.heappush(self._heap, (due_s, place.index, cell))

    def _look_soon(self, place: Place, cell: Cell) -> None:
        """Loaded states are looked at within `LOOK_AGAIN_S`, spread over it."""
        if not cell.queued >> place.at & 1 and self._is_timed(place):
            spread_s = LOOK_AGAIN_S * (shard_of(cell.key) % 60) / 60
            self._queue(place, cell, self.listening_since.timestamp() + spread_s)
