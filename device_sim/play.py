"""What each action of a scenario does: the table between scenario and devices."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from device_sim.acceleration import Movement
from device_sim.device import Device
from device_sim.fleet import Home
from device_sim.household import IN_BED, Household
from device_sim.laying import PERSONAL_ACTIONS, Happening
from device_sim.motions import a_fall, claim_fall, send_window
from device_sim.scenario import Action, read_duration_s
from device_sim.surroundings import Surroundings
from device_sim.truth import NEEDS_HELP
from schemas.alarms import (
    Hazard,
    HazardKind,
    HazardPhase,
    Position,
    PositionSource,
    Press,
    PressAction,
)
from schemas.telemetry import WornState
from schemas.vocabulary import DeviceKind

PRESS_ACTIONS: dict[Action, PressAction] = {
    Action.PRESS: PressAction.EMERGENCY,
    Action.HELP: PressAction.HELP,
    Action.CANCEL: PressAction.CANCEL,
    Action.DURESS_CANCEL: PressAction.CANCEL,
    Action.TEST: PressAction.TEST,
}

REBOOT_TAKES_S = 25.0
"""Ours: from the reset to a new connection, for a modem that has to find its network."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a happening takes place."""

    home: Home
    household: Household
    device: Device | None
    at_home: Sequence[Device]
    around: Surroundings
    time_factor: float


def perform(happening: Happening, scene: Scene, due_s: float) -> None:
    """Let it happen, and write down that it did."""
    step, action = happening.step, happening.action
    _note(happening, scene, due_s)
    if action in PERSONAL_ACTIONS or action is Action.FALL:
        _to_the_person(happening, scene)
    elif step.room is not None and not happening.ends:
        scene.household.place(step.room)
        _tell_changes(scene)
    if action in HOME_DOINGS:
        HOME_DOINGS[action](scene)
    elif scene.device is not None and action not in PERSONAL_ACTIONS:
        seed = f"{scene.around.seed}/{scene.device.identity.id}/{round(due_s, 3)}"
        DEVICE_DOINGS[action](scene.device, happening, seed)


def _note(happening: Happening, scene: Scene, due_s: float) -> None:
    step, action = happening.step, happening.action
    is_hazard = action is Action.HAZARD
    phase = HazardPhase.ENDED if happening.ends else step.phase
    scene.around.truth.note(
        action,
        scene.home,
        happening.device_id,
        due_s,
        needs_help=action in NEEDS_HELP and not (is_hazard and phase is HazardPhase.ENDED),
        detail={
            "room": step.room if not happening.ends else None,
            "hazard": step.hazard.value if is_hazard else None,
            "phase": phase.value if is_hazard else None,
            "failure": step.failure.value if action is Action.VITALS_FAIL else None,
            "course": step.course.value if action is Action.DETERIORATE else None,
            "over_s": read_duration_s(step.over) if action is Action.DETERIORATE else None,
            "movement": step.movement.value if step.movement else None,
            "by_s": read_duration_s(step.by) if action is Action.CLOCK_JUMP else None,
        },
    )


def _to_the_person(happening: Happening, scene: Scene) -> None:
    step, household = happening.step, scene.household
    match happening.action:
        case Action.PLACE:
            household.place(step.room)
        case Action.LIE:
            household.lie(step.room)
        case Action.FALL:
            room = step.room or household.resident().room
            household.lie("bedroom" if room == IN_BED else room)
        case Action.WANDER:
            household.wander()
        case Action.RESUME:
            household.resume()
        case Action.VITALS_FAIL:
            household.fail(step.failure)
        case Action.DETERIORATE:
            household.decline(step.course, read_duration_s(step.over) / scene.time_factor)
        case _:
            household.recover()
    _tell_changes(scene)


def _tell_changes(scene: Scene) -> None:
    for device in scene.at_home:
        if device.powered:
            device.reporter.report_changes()


def position_of(device: Device) -> Position | None:
    """A fix if the device can have one, else the registered place of the home."""
    home = device.home
    fix = device.hardware.position() if device.hardware.worn is not None else None
    if fix is not None or home.latitude is None or home.longitude is None:
        return fix
    return Position(home.latitude, home.longitude, source=PositionSource.PREMISES)


def press(device: Device, action: PressAction, *, duress: bool = False) -> str:
    """The person presses the button of this device; what the press is known by."""
    return device.raise_alarm(
        Press(
            message_id=device.new_message_id(),
            observed_at=device.hardware.time(),
            action=action,
            position=position_of(device),
            duress=duress,
        )
    )


def hazard(device: Device, kind: HazardKind, phase: HazardPhase) -> None:
    """The device's sensor says that a hazard began or ended."""
    device.raise_alarm(
        Hazard(
            message_id=device.new_message_id(),
            observed_at=device.hardware.time(),
            hazard=kind,
            phase=phase,
            position=position_of(device),
        )
    )


def _press(device: Device, happening: Happening, _seed: str) -> None:
    action = happening.action
    if device.powered:
        press(device, PRESS_ACTIONS[action], duress=action is Action.DURESS_CANCEL)


def _fall(device: Device, _happening: Happening, seed: str) -> None:
    """On the table or the charger a wristband feels nothing of it."""
    if device.powered and device.hardware.worn in (None, WornState.WORN):
        claim_fall(device, seed, send_window(device, a_fall(seed), seed))


def _false_fall(device: Device, _happening: Happening, seed: str) -> None:
    if device.powered:
        claim_fall(device, seed, impact_g=None)


def _move(device: Device, happening: Happening, seed: str) -> None:
    if device.powered:
        send_window(device, happening.step.movement or Movement.SIT_DOWN, seed)


def _hazard(device: Device, happening: Happening, _seed: str) -> None:
    step = happening.step
    if device.powered:
        hazard(device, step.hazard, HazardPhase.ENDED if happening.ends else step.phase)


def _reboot(device: Device, _happening: Happening, _seed: str) -> None:
    device.power(on=False)
    device.later(REBOOT_TAKES_S, lambda: device.power(on=True))


def _clock_jump(device: Device, happening: Happening, _seed: str) -> None:
    device.hardware.jump(read_duration_s(happening.step.by))


def _freeze(device: Device, happening: Happening, _seed: str) -> None:
    device.hardware.freeze(tuple(happening.step.measures))


DEVICE_DOINGS: Mapping[Action, Callable[[Device, Happening, str], None]] = {
    **dict.fromkeys(PRESS_ACTIONS, _press),
    Action.FALL: _fall,
    Action.FALSE_FALL: _false_fall,
    Action.MOVE: _move,
    Action.HAZARD: _hazard,
    Action.REBOOT: _reboot,
    Action.CLOCK_JUMP: _clock_jump,
    Action.FREEZE: _freeze,
    Action.THAW: lambda device, _happening, _seed: device.hardware.freeze(()),
    Action.TAKE_OFF: lambda device, _happening, _seed: device.life.strap(on=False),
    Action.PUT_ON: lambda device, _happening, _seed: device.life.strap(on=True),
    Action.CHARGE: lambda device, _happening, _seed: device.life.charge(),
    Action.GO_SILENT: lambda device, _happening, _seed: device.power(on=False),
    Action.COME_BACK: lambda device, _happening, _seed: device.power(on=True),
}


def _struck(scene: Scene) -> Sequence[Device]:
    return scene.at_home if scene.device is None else (scene.device,)


def _cover(scene: Scene, *, on: bool) -> None:
    for device in _struck(scene):
        device.cover(on=on)


def _mains(scene: Scene, *, on: bool) -> None:
    """What has no battery goes dark; a hazard sensor says that the mains are lost, or back."""
    phase = HazardPhase.ENDED if on else HazardPhase.BEGAN
    for device in _struck(scene):
        if device.hardware.battery is None:
            device.power(on=on)
        elif device.identity.kind is DeviceKind.HAZARD_SENSOR and device.powered:
            hazard(device, HazardKind.MAINS_LOST, phase)


HOME_DOINGS: Mapping[Action, Callable[[Scene], None]] = {
    Action.COVERAGE_LOST: lambda scene: _cover(scene, on=False),
    Action.COVERAGE_BACK: lambda scene: _cover(scene, on=True),
    Action.POWER_CUT: lambda scene: _mains(scene, on=False),
    Action.POWER_BACK: lambda scene: _mains(scene, on=True),
}
