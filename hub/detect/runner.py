"""Keeps the states of a lane's detectors between observations, and their deadlines in a heap.

New state stays in the batch (`Draft`) and replaces the old only when the batch is committed. The
heap is lazy: an entry that turns out early goes back with its real deadline, so an observation
costs no heap work. Nothing here is durable; shards of state are what checkpoints are made of.
"""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

import msgspec

from hub.detect.detector import Context, Detector, Finding
from hub.device import Device
from hub.observation import Observation
from schemas.ids import DeviceId

SHARDS = 64
"""Pieces a checkpoint is written in: one a second spreads the work over a minute."""

Key = tuple[int, DeviceId]
"""Which detector, which scope."""


@dataclass(slots=True)
class Draft:
    """What a batch changes, until it is committed."""

    states: dict[Key, Any] = field(default_factory=dict)
    findings: list[tuple[Device, Finding]] = field(default_factory=list)


class Runner:
    """Runs a table of device-scoped detectors over observations."""

    def __init__(
        self,
        detectors: Sequence[Detector[Any]],
        device_of: Callable[[DeviceId], Device | None],
        listening_since: datetime,
    ) -> None:
        self._detectors = tuple(detectors)
        self._by_measure: dict[str, tuple[int, ...]] = {}
        for index, detector in enumerate(self._detectors):
            for measure in detector.measures:
                self._by_measure[measure] = (*self._by_measure.get(measure, ()), index)
        self._device_of = device_of
        self._states: dict[Key, Any] = {}
        self._heap: list[tuple[float, int, DeviceId]] = []
        self._queued: set[Key] = set()
        self._shard_keys: list[set[Key]] = [set() for _ in range(SHARDS)]
        self.listening_since = listening_since

    def __len__(self) -> int:
        return len(self._states)

    def wants(self, measure: str) -> bool:
        """Whether any detector looks at this measure."""
        return measure in self._by_measure

    def observe(self, draft: Draft, observation: Observation) -> None:
        """Show one observation to every detector that wants it."""
        indexes = self._by_measure.get(observation.measure)
        if indexes is None:
            return
        context = Context(observation.device, self.listening_since)
        for index in indexes:
            key = (index, observation.device.id)
            state = draft.states.get(key, self._states.get(key))
            after, findings = self._detectors[index].observe(state, observation, context)
            if after is not state:
                draft.states[key] = after
            for finding in findings:
                draft.findings.append((observation.device, finding))

    def expire(self, draft: Draft, now: datetime, limit: int) -> None:
        """Let at most `limit` deadlines up to `now` pass."""
        horizon = now.timestamp()
        while self._heap and self._heap[0][0] <= horizon and limit > 0:
            _, index, device_id = heapq.heappop(self._heap)
            key = (index, device_id)
            self._queued.discard(key)
            device = self._device_of(device_id)
            state = draft.states.get(key, self._states.get(key))
            if device is None or device.revoked or state is None:
                continue
            detector, context = self._detectors[index], Context(device, self.listening_since)
            due = detector.deadline(state, context)
            if due is not None and due <= now:
                limit -= 1
                state, findings = detector.expire(state, now, context)
                draft.states[key] = state
                for finding in findings:
                    draft.findings.append((device, finding))
                due = detector.deadline(state, context)
            if due is not None:
                self._queue(key, due)

    def accept(self, draft: Draft) -> None:
        """The batch is committed: its states are the states now."""
        for key, state in draft.states.items():
            self._set(key, state)

    def rescheduled(self, listening_since: datetime) -> None:
        """The hub was deaf until now: no silence counts before."""
        self.listening_since = listening_since

    def states_of(self, name: str) -> list[Any]:
        """The states of one detector, copied: another thread may count them."""
        wanted = {i for i, d in enumerate(self._detectors) if d.name == name}
        return [state for key, state in list(self._states.items()) if key[0] in wanted]

    def shard(self, number: int, draft: Draft | None = None) -> bytes:
        """One shard of all states, as stored; with what `draft` changes in it."""
        states = {key: self._states[key] for key in self._shard_keys[number]}
        if draft is not None:
            states |= {k: s for k, s in draft.states.items() if shard_of(k[1]) == number}
        content: dict[str, dict[str, Any]] = {detector.name: {} for detector in self._detectors}
        for (index, device_id), state in states.items():
            content[self._detectors[index].name][device_id] = state
        return msgspec.msgpack.encode(content)

    def load_shard(self, stored: bytes) -> None:
        """Take the states of a stored shard; unknown detectors and damaged states are left."""
        try:
            content = msgspec.msgpack.decode(stored, type=dict[str, dict[str, Any]])
        except msgspec.DecodeError:
            return
        for index, detector in enumerate(self._detectors):
            for device_id, value in content.get(detector.name, {}).items():
                try:
                    state = msgspec.convert(value, detector.state_type)
                except msgspec.ValidationError:
                    continue
                self._set((index, DeviceId(device_id)), state)

    def _set(self, key: Key, state: Any) -> None:
        if key not in self._states:
            self._shard_keys[shard_of(key[1])].add(key)
        self._states[key] = state
        if key in self._queued:
            return
        device = self._device_of(key[1])
        if device is None:
            return
        context = Context(device, self.listening_since)
        due = self._detectors[key[0]].deadline(state, context)
        if due is not None:
            self._queue(key, due)

    def _queue(self, key: Key, due: datetime) -> None:
        self._queued.add(key)
        heapq.heappush(self._heap, (due.timestamp(), key[0], key[1]))


def shard_of(device_id: str) -> int:
    """The shard a scope belongs to; stable over releases."""
    return crc32(device_id.encode()) % SHARDS
