"""A press: the person's own word. Always a confirmed finding; SOS is exempt from every filter."""

from datetime import datetime

import msgspec

from alerts.alarm import (
    Category,
    Priority,
    Subject,
    SubjectKind,
    fall_priority,
    hazard_priority,
    press_priority,
)
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import Fall, Hazard, Motion, Press


class ButtonState(msgspec.Struct, frozen=True, array_like=True):
    """Nothing needs to be remembered between presses: each one counts."""


class ButtonDetector:
    """Takes presses, and what a device itself claims (fall, hazard), at their word.

    Raw motion becomes a candidate: whether it was a fall is for a fall detector to say.
    """

    name = "button"
    scope = Scope.DEVICE
    measures = frozenset({"press", "fall", "motion", "hazard"})
    state_type = ButtonState

    def observe(
        self, state: ButtonState | None, observation: Observation, context: Context
    ) -> tuple[ButtonState | None, Findings]:
        """One finding a message; the key is left to the message's own identity."""
        message = observation.message
        if message is None:
            return state, NONE
        phase = Phase.CANDIDATE if isinstance(message, Motion) else Phase.CONFIRMED
        finding = Finding(
            detector=self.name,
            kind=observation.measure,
            phase=phase,
            category=Category.HAZARD if isinstance(message, Hazard) else Category.PERSONAL,
            priority=_priority(message),
            subject=subject_of(context.device),
            key="",
            at=observation.received_at,
            text=_text(message),
        )
        return state, (finding,)

    def deadline(self, state: ButtonState, context: Context) -> datetime | None:
        """A press waits for nothing."""
        del state, context
        return None

    def expire(
        self, state: ButtonState, now: datetime, context: Context
    ) -> tuple[ButtonState, Findings]:
        """Never due."""
        del now, context
        return state, NONE


def subject_of(device: Device) -> Subject:
    """Whom an alarm of this device is about: its person, else everybody in the home."""
    if device.person_id is not None:
        return Subject(SubjectKind.PERSON, device.person_id)
    return Subject(SubjectKind.PREMISES, device.premises_id)


def _priority(message: Press | Fall | Motion | Hazard) -> Priority:
    match message:
        case Press():
            return press_priority(message)
        case Fall():
            return fall_priority(message)
        case Hazard():
            return hazard_priority(message)
        case Motion():
            return Priority.MEDIUM


def _text(message: Press | Fall | Motion | Hazard) -> str:
    match message:
        case Fall():
            parts = []
            if message.confidence is not None:
                parts.append(f"confidence {message.confidence:.0%}")
            if message.impact_g is not None:
                parts.append(f"impact {message.impact_g:.1f} g")
            return ", ".join(parts)
        case Hazard():
            value = "" if message.value is None else f" {message.value:g}"
            return f"{message.hazard or 'unknown hazard'} {message.phase}{value}"
        case _:
            return ""
