"""Scripted stories: what happens to whom, when, as TOML. What cannot happen is refused.

title = "A fall at night"

[[step]]
at = "12s"            # since the start; 500ms, 12s, 2m, 1h
home = 0              # index in the fleet (counted round), a premises id, or "any"
device = "wristband"  # a kind of device that the home has
action = "press"
room = "bathroom"     # optional: where the person is from now on
every = "10s"         # optional, with times: again and again
times = 3
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path

import msgspec

from device_sim.fleet import Fleet, Home
from device_sim.resident import EpisodeKind
from device_sim.seeded import fraction
from schemas.alarms import HazardKind, HazardPhase
from schemas.vocabulary import DeviceKind

MAX_HAPPENINGS = 1_000_000
"""A story of this length plays for days; a longer one is a slip in `every` or `times`."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class StoryUnreadable(Exception):
    """The story cannot be played; the message says which step and why."""


class Action(StrEnum):
    """What can happen in a story."""

    PRESS = "press"
    """An emergency."""
    HELP = "help"
    CANCEL = "cancel"
    DURESS_CANCEL = "duress_cancel"
    TEST = "test"
    FALL = "fall"
    HAZARD = "hazard"
    VITALS_FAIL = "vitals_fail"
    VITALS_RECOVER = "vitals_recover"
    PLACE = "place"
    """The person is in `room`; without one, where their day has them."""
    GO_SILENT = "go_silent"
    """The device loses its power."""
    COME_BACK = "come_back"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[step]]` of the file."""

    at: str
    home: int | str
    action: Action
    device: DeviceKind | None = None
    room: str | None = None
    failure: EpisodeKind = EpisodeKind.HYPOXIA
    hazard: HazardKind = HazardKind.SMOKE
    phase: HazardPhase = HazardPhase.BEGAN
    every: str | None = None
    times: int = 1


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A story file."""

    title: str
    step: list[Step] = []


@dataclass(frozen=True, slots=True)
class Happening:
    """One step at one moment in one home of this fleet."""

    at_s: float
    home_index: int
    device_id: str | None
    """None: it happens to the person, not to a device."""
    step: Step


def load_story(name: str) -> Story:
    """Read a story from a path, or a bundled one by its name. Raises `StoryUnreadable`."""
    try:
        text = _text_of(name)
        return msgspec.toml.decode(text, type=Story)
    except OSError as error:
        raise StoryUnreadable(
            f"story {name}: {error.strerror}; bundled are {', '.join(bundled_stories())}"
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StoryUnreadable(f"story {name}: {error}") from None


def bundled_stories() -> list[str]:
    """The names of the stories that come with the simulator."""
    folder = resources.files("device_sim") / "stories"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.is_file())


def read_duration_s(text: str) -> float:
    """Seconds in a duration. Raises ValueError.

    >>> read_duration_s("500ms"), read_duration_s("2m")
    (0.5, 120.0)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration; write 500ms, 12s, 2m or 1h")
    return float(match[1]) * _UNIT_S[match[2]]


def happenings(story: Story, fleet: Fleet, seed: str) -> list[Happening]:
    """The story laid over this fleet, in order of time. Raises `StoryUnreadable`."""
    found: list[Happening] = []
    for number, step in enumerate(story.step, start=1):
        try:
            found.extend(_lay(step, fleet, f"{seed}/{number}"))
        except ValueError as error:
            raise StoryUnreadable(f"{story.title}, step {number}: {error}") from None
        if len(found) > MAX_HAPPENINGS:
            raise StoryUnreadable(f"{story.title}: more than {MAX_HAPPENINGS} happenings")
    return sorted(found, key=lambda happening: happening.at_s)


def _lay(step: Step, fleet: Fleet, seed: str) -> list[Happening]:
    if not 1 <= step.times <= MAX_HAPPENINGS:
        raise ValueError(f"times = {step.times}; 1 to {MAX_HAPPENINGS} are allowed")
    if step.times > 1 and step.every is None:
        raise ValueError("times without every: how far apart?")
    at_s, every_s = read_duration_s(step.at), read_duration_s(step.every or "0s")
    able = _able_homes(step, fleet)
    laid = []
    for turn in range(step.times):
        index = able[int(len(able) * fraction(seed, turn))]
        laid.append(
            Happening(at_s + turn * every_s, index, _device_id(fleet.homes[index], step), step)
        )
    return laid


def _able_homes(step: Step, fleet: Fleet) -> list[int]:
    """The homes this step may happen in: one, or with `any` all that have the device."""
    homes = fleet.homes
    if step.home == "any":
        able = [i for i, home in enumerate(homes) if _has_device(home, step)]
        if not able:
            raise ValueError(f"no home has a {step.device}")
        return able
    if isinstance(step.home, int):
        if step.home < 0:
            raise ValueError(f"home {step.home}; homes are counted from 0")
        index = step.home % len(homes)
    else:
        named = [i for i, home in enumerate(homes) if home.premises_id == step.home]
        if not named:
            raise ValueError(f"no home {step.home!r} in the fleet")
        index = named[0]
    if not _has_device(homes[index], step):
        raise ValueError(f"home {homes[index].premises_id} has no {step.device}")
    return [index]


def _has_device(home: Home, step: Step) -> bool:
    if step.device is None:
        if step.action in PERSONAL_ACTIONS:
            return True
        raise ValueError(f"{step.action} needs a device")
    return home.device_of_kind(step.device) is not None


def _device_id(home: Home, step: Step) -> str | None:
    device = None if step.device is None else home.device_of_kind(step.device)
    return None if device is None else device.id


PERSONAL_ACTIONS = frozenset({Action.VITALS_FAIL, Action.VITALS_RECOVER, Action.PLACE})
"""What happens to the person; no device is needed."""


def _text_of(name: str) -> bytes:
    path = Path(name)
    if path.is_file() or name not in bundled_stories():
        return path.read_bytes()
    return (resources.files("device_sim") / "stories" / f"{name}.toml").read_bytes()
