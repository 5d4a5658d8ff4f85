"""Shows a lane's observations to its detectors, keeps their states, lets their deadlines pass.

A state is what the last message of the last batch made of it, committed or not: whoever stores a
shard takes it between two batches and stores it after the older of them. What a batch changes and
its stored observations would not bring back is in its `Draft`.

Deadlines are lazy: an observation that moves one later costs nothing, an entry that turns out early
is put down again with its real deadline. Nearer they move only where a detector says so
(`hastened_by`); of one that does not say, each is looked at again within `LOOK_AGAIN_S`.
"""

from array import array
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
    keys_of,
    shard_of,
)
from hub.detect.deadlines import Deadlines
from hub.detect.detector import Context, Detector, Finding
from hub.detect.states import Column, KeptState, Place, States
from hub.device import Device
from hub.observation import Observation
from schemas.ids import DeviceId

LOOK_AGAIN_S = 60.0
"""Ours: a deadline that has moved nearer is seen this late at most; the shortest limit of any
detector is three minutes."""
LOOKS_PER_EXPIRY = 3
"""Entries looked at for each one that may expire: bounds a batch after a long stall, to some thirty
milliseconds."""
ROWS_LET_GO = 10_000
"""Of people and devices that are gone, before their places are given to others."""

_SHARED = int(KeptFor.PREMISES)
"""From here on a state is several people's. Plain integers: these are compared for every state."""

Observe = Callable[[Any, Observation, Context], tuple[Any, Sequence[Finding]]]
Hastens = Callable[[Any, Any], bool]


@dataclass(slots=True, eq=False)
class Draft:
    """What a batch changes, until it is committed."""

    findings: list[tuple[Device, Finding]] = field(default_factory=list)
    keep: dict[tuple[Place, str], None] = field(default_factory=dict)
    """States to be stored with this batch: its observations alone would not bring them back."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which a detector looks at a measure."""

    place: Place
    begins: bool
    """Whether this measure can begin a state."""
    looked_at: "array[int] | None"
    """By row, when its deadline is looked at (0: it has none); None: it never has any."""
    hastens: Hastens | None
    """Which changes may move a deadline nearer; None: by this measure none."""


Wanted = tuple[Column, int, Observe, Terms]
"""A detector that looks at a measure: its states, whose they are (a `KeptFor`), what looks. Plain
and short, since it is taken apart for every value; a named tuple costs several times as much."""


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
        self._deadlines = Deadlines(self._states.looked_at)
        by_measure: dict[str, list[Wanted]] = {}
        for place, detector in zip(self._states.places, self._detectors, strict=True):
            for measure in detector.measures:
                by_measure.setdefault(measure, []).append(self._wanted(place, detector, measure))
        self._expected: tuple[tuple[Place, Callable[[Device, datetime], Any]], ...] = tuple(
            (place, detector.expected)
            for place, detector in zip(self._states.places, self._detectors, strict=True)
            if place.kind is KeptFor.DEVICE and hasattr(detector, "expected")
        )
        self._by_measure = {measure: tuple(rows) for measure, rows in by_measure.items()}
        self.wanted: Callable[[str], tuple[Wanted, ...] | None] = self._by_measure.get
        """The detectors that look at a measure; None: no one does."""
        self._belongings: dict[DeviceId, Belonging] = {}
        self._unswept = SHARDS
        """Shards in which there may be states that are nobody's any more: at first they all are
        what some earlier process knew."""
        self.listening_since = listening_since

    def _wanted(self, place: Place, detector: Detector[Any], measure: str) -> Wanted:
        looked_at = self._states.looked_at[place.index] if _is_timed(detector) else None
        hastens: Hastens | None = None
        if looked_at is not None and measure in getattr(detector, "hastened_by", ()):
            hastens = getattr(detector, "hastens", _always)
        begins = measure in getattr(detector, "begins_with", detector.measures)
        terms = Terms(place, begins, looked_at, hastens)
        return self._states.columns[place.index], int(place.kind), detector.observe, terms

    def __len__(self) -> int:
        return len(self._states)

    def draft(self) -> Draft:
        """An empty batch."""
        return Draft()

    def belonging(self, device: Device) -> Belonging:
        """Where the device belongs, for `show`; not to be kept longer than a message takes."""
        belonging = self._belongings.get(device.id)
        if belonging is None or belonging.device is not device:
            belonging = self._settle(device)
        if belonging.own.listening_since is not self.listening_since:
            belonging.listen_from(self.listening_since)
        return belonging

    def observe(self, draft: Draft, observation: Observation, *, stored: bool = True) -> None:
        """Show one observation to every detector that wants it; `stored` says whether recovery
        will find it among the stored observations."""
        wanted = self._by_measure.get(observation.measure)
        if wanted is not None:
            self.show(draft, self.belonging(observation.device), wanted, observation, stored)

    def show(
        self,
        draft: Draft,
        belonging: Belonging,
        wanted: tuple[Wanted, ...],
        observation: Observation,
        stored: bool,
    ) -> None:
        """The same, for whoever has looked up who wants it and where its device belongs."""
        if not belonging.watched:
            return
        rows, own = belonging.rows, belonging.own
        for column, kind, observe, terms in wanted:
            row = rows[kind]
            state = column[row]
            if state is None and not terms.begins:
                continue
            after, findings = observe(
                state, observation, own if kind < _SHARED else belonging.shared
            )
            if after is not state:
                column[row] = after
                looked_at = terms.looked_at
                if looked_at is not None and (
                    not looked_at[row]
                    or (terms.hastens is not None and terms.hastens(state, after))
                ):
                    context = own if kind < _SHARED else belonging.shared
                    now_s = observation.received_at.timestamp()
                    self._put_down(terms.place, row, context, now_s)
                if not stored:
                    draft.keep[terms.place, keys_of(observation.device)[kind]] = None
            if findings:
                device = observation.device
                draft.keep[terms.place, keys_of(device)[kind]] = None
                draft.findings.extend((device, finding) for finding in findings)

    def expire(self, draft: Draft, now: datetime, limit: int) -> None:
        """Let at most `limit` deadlines up to `now` pass."""
        horizon_s = now.timestamp()
        for second, index, row in self._deadlines.take(horizon_s, limit * LOOKS_PER_EXPIRY):
            if limit <= 0:
                self._deadlines.put(index, row, second)
                continue
            place, detector = self._states.places[index], self._detectors[index]
            column, key = self._states.columns[index], self._states.rows[place.kind].keys[row]
            state = column[row]
            if state is None or key is None:
                continue
            found = self._context(place.kind, key)
            if found is None:
                continue
            device, context = found
            due = detector.deadline(state, context)
            if due is not None and due <= now:
                limit -= 1
                column[row], findings = detector.expire(state, now, context)
                draft.keep[place, key] = None
                draft.findings.extend((device, finding) for finding in findings)
            self._put_down(place, row, context, horizon_s)

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
            if device is not None:
                self._settle(device)
            were, are = keys_of(was.device), keys_of(device or was.device)
            for place in self._states.places:
                for key in {were[place.kind], are[place.kind]}:
                    # Also that there is no state: nothing before this batch may make one.
                    draft.keep[place, key] = None
                    row, column = (
                        self._states.row(place.kind, key),
                        self._states.columns[place.index],
                    )
                    if not self._is_somebodys(place.kind, key, device):
                        column[row] = None
                    elif self._is_timed(place) and column[row] is not None:
                        self._deadlines.put(place.index, row, soon_s)
        for device_id, was in before.items():
            device = self._surroundings.device(device_id)
            for kind, key in zip(KeptFor, keys_of(was.device), strict=True):
                if not self._is_somebodys(kind, key, device):
                    self._states.forget(kind, key)
        self._give_rows_on()

    def resettled(self) -> None:
        """The register was read anew: nothing that was known of people and homes is believed."""
        self._unswept = SHARDS
        self._belongings.clear()
        for rows in self._states.rows:
            rows.settled = bytearray(len(rows.settled))

    def kept(self, draft: Draft) -> list[KeptState]:
        """The states to store with this batch."""
        return [self._states.kept(place, key) for place, key in draft.keep]

    def begin(self, draft: Draft, devices: Iterable[Device], now: datetime) -> None:
        """From now on those of the devices that were never heard are expected to speak."""
        for device in devices:
            belonging = self._settle(device)
            row = belonging.rows[KeptFor.DEVICE]
            if not belonging.watched or not self._states.is_empty(KeptFor.DEVICE, row):
                continue
            for place, expected in self._expected:
                self._states.columns[place.index][row] = expected(device, now)
                draft.keep[place, device.id] = None
                self._look_soon(place, row, device.id)

    def table(self, name: str) -> Mapping[str, Any]:
        """The states of one detector by key, live: to be read on the lane's own thread, between
        two batches."""
        return self._states.table(name)

    def shard(self, number: int) -> bytes:
        """One shard of all states as they are now, what is not committed yet included, as stored.
        States that are nobody's any more end here."""
        if self._unswept > 0:
            self._unswept -= 1
            for kind in KeptFor:
                rows = self._states.rows[kind]
                for row in rows.in_shard(number):
                    key = rows.keys[row]
                    if key is None or rows.settled[row]:
                        continue
                    if not self._is_somebodys(kind, key):
                        self._states.forget(kind, key)
            self._give_rows_on()
        return self._states.shard(number)

    def load_shard(self, stored: bytes) -> None:
        """Take the states of a stored shard; unknown detectors and damaged states are left."""
        for place, rows in self._states.load(stored):
            if rows and self._is_timed(place):
                key = self._states.rows[place.kind].keys[rows[0]]
                self._deadlines.put_new(place.index, rows, self._soon_s(key or ""))

    def load_kept(self, kept: KeptState) -> bool:
        """Take a state that was stored with its batch; False if it cannot be read."""
        loaded = self._states.load_kept(kept)
        if loaded is None:
            return False
        place, row = loaded
        if self._states.columns[place.index][row] is not None:
            self._look_soon(place, row, kept.key)
        return True

    def replay(self, observation: Observation, is_news: Callable[[str, str], bool]) -> None:
        """Show a stored observation again to the detectors for whose state it `is_news` (name of
        the detector, key). Findings are dropped: they were committed with their batch."""
        belonging = self.belonging(observation.device)
        wanted = self._by_measure.get(observation.measure)
        if wanted is None or not belonging.watched:
            return
        keys, rows, own = keys_of(observation.device), belonging.rows, belonging.own
        for column, kind, observe, terms in wanted:
            row = rows[kind]
            state = column[row]
            if (state is None and not terms.begins) or not is_news(
                self._detectors[terms.place.index].name, keys[kind]
            ):
                continue
            after, _ = observe(state, observation, own if kind < _SHARED else belonging.shared)
            if after is not state:
                column[row] = after
                looked_at = terms.looked_at
                if looked_at is not None and not looked_at[row] and after is not None:
                    self._look_soon(terms.place, row, keys[kind])

    def _give_rows_on(self) -> None:
        """The rows of those who are gone, once they are many: nobody may hold their numbers."""
        if all(rows.let_go < ROWS_LET_GO for rows in self._states.rows):
            return
        for belonging in self._belongings.values():
            belonging.rows = self._states.rows_of(keys_of(belonging.device))
        for rows in self._states.rows:
            rows.reuse()

    def _settle(self, device: Device) -> Belonging:
        known = self._belongings.get(device.id)
        if known is not None and known.device is device:
            return known
        belonging = belonging_of(device, self._surroundings, self.listening_since)
        belonging.rows = self._states.rows_of(keys_of(device))
        self._belongings[device.id] = belonging
        if belonging.watched:
            for rows, row in zip(self._states.rows, belonging.rows, strict=True):
                rows.settled[row] = 1
        return belonging

    def _context(self, kind: KeptFor, key: str) -> tuple[Device, Context] | None:
        """In which a deadline passes; None if the state is nobody's, or nobody may be called."""
        device = device_of(kind, key, self._surroundings)
        if device is None:
            return None
        belonging = self.belonging(device)
        if not belonging.watched or (kind < KeptFor.PREMISES and keys_of(device)[kind] != key):
            return None
        return device, belonging.context_for(kind)

    def _is_somebodys(self, kind: KeptFor, key: str, likely: Device | None = None) -> bool:
        """Whether anybody feeds the state. `likely` is asked first: to look through an area's
        devices at every press would cost a city's whole second."""
        if likely is not None and keys_of(likely)[kind] == key and self.belonging(likely).watched:
            return True
        return self._context(kind, key) is not None

    def _is_timed(self, place: Place) -> bool:
        return _is_timed(self._detectors[place.index])

    def _put_down(self, place: Place, row: int, context: Context, now_s: float) -> None:
        """Its deadline, or an earlier moment where it may have moved nearer by then."""
        detector, state = self._detectors[place.index], self._states.columns[place.index][row]
        due = None if state is None else detector.deadline(state, context)
        if due is None:
            self._states.looked_at[place.index][row] = 0
            return
        due_s = due.timestamp()
        if not hasattr(detector, "hastened_by"):
            again_s = now_s + LOOK_AGAIN_S
            if hasattr(detector, "soonest"):
                again_s = max(again_s, detector.soonest(state, context).timestamp())
            due_s = min(due_s, again_s)
        self._deadlines.put(place.index, row, due_s)

    def _look_soon(self, place: Place, row: int, key: str) -> None:
        """Loaded states are looked at within `LOOK_AGAIN_S`, spread over it."""
        if not self._states.looked_at[place.index][row] and self._is_timed(place):
            self._deadlines.put(place.index, row, self._soon_s(key))

    def _soon_s(self, key: str) -> float:
        spread_s = LOOK_AGAIN_S * (shard_of(key) % 60) / 60
        return self.listening_since.timestamp() + spread_s


def _is_timed(detector: Detector[Any]) -> bool:
    return bool(getattr(detector, "timed", True))


def _always(before: object, after: object) -> bool:
    """Any change may have moved it nearer."""
    del before, after
    return True
