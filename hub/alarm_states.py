"""What the detectors of the alarm lane remember, and their deadlines. Plain bookkeeping, no IO.

Unlike the telemetry lane, this one announces before it commits, so new state counts at once; it
is saved in the transaction of what it found (`Kept`). After a crash in between the broker
delivers the message again, and the state saved before finds the same once more.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from hub.detect.detector import Context, Detector, Finding, Scope
from hub.detect.registry import ALARM_DETECTORS
from hub.device import Device
from hub.observation import Observation
from schemas.ids import AreaId, DeviceId, PersonId


@dataclass(frozen=True, slots=True)
class Kept:
    """A detector's memory of one scope, as it is stored."""

    detector: str
    scope_id: str
    area_id: AreaId
    device_id: DeviceId
    """The device that spoke last: what the detector is given when time passes."""
    state: bytes
    """JSON."""


Key = tuple[str, str]
"""Detector and scope."""


@dataclass(slots=True)
class AlarmStates:
    """States of the detectors of single messages; bounded by the register's devices."""

    detectors: Sequence[Detector[Any]] = ALARM_DETECTORS
    watched_people: frozenset[PersonId] = frozenset()
    """People about whom something is undecided. Replaced whole: another thread reads it."""
    _states: dict[Key, tuple[Any, Device]] = field(default_factory=dict)
    _due: dict[Key, datetime] = field(default_factory=dict)

    def observe(
        self, detector: Detector[Any], observation: Observation, *, known: bool
    ) -> tuple[Sequence[Finding], Kept | None]:
        """Show a message to a detector. Of devices nobody registered nothing is remembered."""
        device = observation.device
        key = (detector.name, scope_id(detector.scope, device))
        state, _ = self._states.get(key, (None, device)) if known else (None, device)
        context = Context(device, observation.received_at)
        after, findings = detector.observe(state, observation, context)
        if not known or after is state:
            return findings, None
        return findings, self._keep(detector, key, after, context)

    def replaced(self, detector: Detector[Any], device: Device, after: Any, at: datetime) -> Kept:
        """A state that was not made by `observe`."""
        key = (detector.name, scope_id(detector.scope, device))
        return self._keep(detector, key, after, Context(device, at))

    def state_of(self, detector: Detector[Any], device: Device) -> Any:
        """What the detector remembers of the device's scope; None: nothing."""
        key = (detector.name, scope_id(detector.scope, device))
        return self._states.get(key, (None, device))[0]

    def corroborate(self, observation: Observation) -> None:
        """What another sensor says of somebody about whom something is undecided.

        Not saved by itself: after a crash the person is asked once more than necessary.
        """
        for detector in self.detectors:
            key = (detector.name, scope_id(detector.scope, observation.device))
            if observation.measure not in detector.measures or key not in self._due:
                continue
            state, device = self._states[key]
            context = Context(device, observation.received_at)
            after, _ = detector.observe(state, observation, context)
            self._keep(detector, key, after, context)

    def next_deadline(self) -> datetime | None:
        """When something must be decided."""
        return min(self._due.values(), default=None)

    def due(self, now: datetime) -> list[Key]:
        """What must be decided by now."""
        return [key for key, due in self._due.items() if due <= now]

    def decide(self, key: Key, now: datetime) -> tuple[Device, Sequence[Finding], Kept]:
        """Let the deadline of one scope pass."""
        detector = next(one for one in self.detectors if one.name == key[0])
        state, device = self._states[key]
        # Whatever happens below, it is not tried ten times a second for ever.
        del self._due[key]
        context = Context(device, now)
        after, findings = detector.expire(state, now, context)
        return device, findings, self._keep(detector, key, after, context)

    def load(
        self,
        stored: Iterable[Kept],
        device_of: Callable[[DeviceId], Device | None],
        now: datetime,
    ) -> None:
        """Take what was saved, where nothing newer is known; damaged or foreign rows are left."""
        by_name = {detector.name: detector for detector in self.detectors}
        for kept in stored:
            detector, device = by_name.get(kept.detector), device_of(kept.device_id)
            key = (kept.detector, kept.scope_id)
            if detector is None or device is None or key in self._states:
                continue
            try:
                state = msgspec.json.decode(kept.state, type=detector.state_type)
            except (msgspec.DecodeError, msgspec.ValidationError):
                continue
            self._put(detector, key, state, Context(device, now))

    def _keep(self, detector: Detector[Any], key: Key, after: Any, context: Context) -> Kept:
        self._put(detector, key, after, context)
        device = context.device
        return Kept(*key, device.area_id, device.id, msgspec.json.encode(after))

    def _put(self, detector: Detector[Any], key: Key, after: Any, context: Context) -> None:
        self._states[key] = (after, context.device)
        due = detector.deadline(after, context)
        if due is None:
            self._due.pop(key, None)
        else:
            self._due[key] = due
        self.watched_people = frozenset(
            device.person_id
            for waiting in self._due
            if (device := self._states[waiting][1]).person_id is not None
        )


def scope_id(scope: Scope, device: Device) -> str:
    """What a state is kept for; a wearable that is nobody's speaks for itself."""
    match scope:
        case Scope.PERSON:
            return device.person_id or device.id
        case Scope.PREMISES:
            return device.premises_id
        case Scope.AREA:
            return device.area_id
        case Scope.DEVICE:
            return device.id
