"""A press: the person's own word. Always a confirmed finding; SOS is exempt from every filter."""

from datetime import datetime

import msgspec

from alerts.alarm import Category, Subject, SubjectKind, press_priority
from hub.detect.detector import NONE, Context, Finding, Findings, Phase, Scope
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import Press


class ButtonState(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Nothing needs to be remembered between presses: each one counts."""


class ButtonDetector:
    """Takes presses at their word.

    >>> ButtonDetector().measures
    frozenset({'press'})
    """

    name = "button"
    scope = Scope.DEVICE
    measures = frozenset({"press"})
    state_type = ButtonState

    def observe(
        self, state: ButtonState | None, observation: Observation, context: Context
    ) -> tuple[ButtonState | None, Findings]:
        """One finding a message; the key is left to the message's own identity."""
        message = observation.message
        if not isinstance(message, Press):
            return state, NONE
        finding = Finding(
            detector=self.name,
            kind=observation.measure,
            phase=Phase.CONFIRMED,
            category=Category.PERSONAL,
            priority=press_priority(message),
            subject=subject_of(context.device),
            key="",
            at=observation.received_at,
            text="",
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
