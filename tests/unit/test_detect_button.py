"""A press is the person's own word: every message is a finding, whatever came before."""

import pytest

from alerts.alarm import Category, Priority, Subject, SubjectKind
from hub.detect.button import ButtonDetector
from hub.detect.detector import Context, Finding, Phase
from hub.device import Device
from hub.observation import Observation
from schemas.alarms import (
    AlarmMessage,
    Fall,
    Hazard,
    Motion,
    Press,
    PressAction,
)
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind
from tests.scenes import START

BUTTON = ButtonDetector()


def found(message: AlarmMessage, person: str | None = "anna") -> Finding:
    owner = PersonId(person) if person else None
    device = Device(DeviceId("d-1"), DeviceKind.BUTTON, AreaId("city"), PremisesId("home-1"), owner)
    kind = type(message).__name__.lower()
    observation = Observation(device, kind, START, None, message=message)
    state, (finding,) = BUTTON.observe(None, observation, Context(device, START))
    assert state is None
    return finding


@pytest.mark.parametrize(
    ("message", "priority"),
    [
        (Press(), Priority.HIGH),
        (Press(action=PressAction.HELP), Priority.MEDIUM),
        (Press(action=PressAction.TEST), Priority.LOW),
    ],
)
def test_a_press_is_confirmed_with_its_priority(message: AlarmMessage, priority: Priority) -> None:
    finding = found(message)
    assert (finding.phase, finding.priority) == (Phase.CONFIRMED, priority)
    assert finding.category is Category.PERSONAL


def test_a_device_of_the_whole_home_is_never_guessed_to_be_one_persons() -> None:
    assert found(Press()).subject == Subject(SubjectKind.PERSON, "anna")
    assert found(Press(), person=None).subject == Subject(SubjectKind.PREMISES, "home-1")


@pytest.mark.parametrize("message", [Fall(), Motion(), Hazard()])
def test_what_a_machine_says_is_for_other_detectors(message: AlarmMessage) -> None:
    device = Device(DeviceId("d-1"), DeviceKind.WRISTBAND, AreaId("city"), PremisesId("home-1"))
    observation = Observation(device, "press", START, None, message=message)
    assert BUTTON.observe(None, observation, Context(device, START)) == (None, ())
