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
    HazardKind,
    HazardPhase,
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
        (Fall(), Priority.HIGH),
        (Fall(confidence=0.5), Priority.HIGH),
        (Fall(confidence=0.49), Priority.MEDIUM),
        (Hazard(hazard=HazardKind.SMOKE), Priority.HIGH),
        (Hazard(hazard=HazardKind.WATER), Priority.MEDIUM),
        (Hazard(), Priority.HIGH),
        (Hazard(hazard=HazardKind.SMOKE, phase=HazardPhase.ENDED), Priority.LOW),
    ],
)
def test_what_a_device_claims_is_confirmed_with_its_priority(
    message: AlarmMessage, priority: Priority
) -> None:
    finding = found(message)
    assert (finding.phase, finding.priority) == (Phase.CONFIRMED, priority)
    hazard = isinstance(message, Hazard)
    assert finding.category is (Category.HAZARD if hazard else Category.PERSONAL)


def test_raw_motion_is_a_candidate() -> None:
    assert found(Motion()).phase is Phase.CANDIDATE


def test_a_device_of_the_whole_home_is_never_guessed_to_be_one_persons() -> None:
    assert found(Press()).subject == Subject(SubjectKind.PERSON, "anna")
    assert found(Press(), person=None).subject == Subject(SubjectKind.PREMISES, "home-1")


def test_the_desk_reads_what_the_device_measured() -> None:
    assert found(Fall(confidence=0.834, impact_g=3.14)).text == "confidence 83%, impact 3.1 g"
    smoke = Hazard(hazard=HazardKind.SMOKE, value=0.25)
    assert found(smoke).text == "smoke began 0.25"
    assert found(Hazard()).text == "unknown hazard began"
