"""What each action of a story does: the table between story and devices."""

from collections.abc import Callable, Sequence

from device_sim.device import Device
from device_sim.household import Household
from device_sim.story import Action, Step
from schemas.alarms import Fall, Hazard, Position, PositionSource, Press, PressAction

PRESS_ACTIONS: dict[Action, PressAction] = {
    Action.PRESS: PressAction.EMERGENCY,
    Action.HELP: PressAction.HELP,
    Action.CANCEL: PressAction.CANCEL,
    Action.DURESS_CANCEL: PressAction.CANCEL,
    Action.TEST: PressAction.TEST,
}


def perform(
    step: Step, household: Household, device: Device | None, at_home: Sequence[Device]
) -> None:
    """Let one step of a story happen."""
    if step.room is not None or step.action is Action.PLACE:
        household.place(step.room)
        for neighbour in at_home:
            neighbour.reporter.report_changes()
    if step.action is Action.VITALS_FAIL:
        household.fail(step.failure)
    elif step.action is Action.VITALS_RECOVER:
        household.recover()
    elif device is not None and step.action is not Action.PLACE:
        DEVICE_ACTIONS[step.action](device, step)


def position_of(device: Device) -> Position | None:
    """The registered place of the home, if the fleet file knows it."""
    home = device.home
    if home.latitude is None or home.longitude is None:
        return None
    return Position(home.latitude, home.longitude, source=PositionSource.PREMISES)


def press(device: Device, action: PressAction, *, duress: bool = False) -> str:
    """The person presses the button of this device; the id of the press."""
    return device.raise_alarm(
        Press(
            message_id=device.new_message_id(),
            observed_at=device.time(),
            action=action,
            position=position_of(device),
            duress=duress,
        )
    )


def _press(device: Device, step: Step) -> None:
    press(device, PRESS_ACTIONS[step.action], duress=step.action is Action.DURESS_CANCEL)


def _fall(device: Device, _step: Step) -> None:
    device.raise_alarm(
        Fall(
            message_id=device.new_message_id(),
            observed_at=device.time(),
            confidence=0.86,
            impact_g=3.4,
            position=position_of(device),
        )
    )


def _hazard(device: Device, step: Step) -> None:
    device.raise_alarm(
        Hazard(
            message_id=device.new_message_id(),
            observed_at=device.time(),
            hazard=step.hazard,
            phase=step.phase,
            position=position_of(device),
        )
    )


DEVICE_ACTIONS: dict[Action, Callable[[Device, Step], None]] = {
    **dict.fromkeys(PRESS_ACTIONS, _press),
    Action.FALL: _fall,
    Action.HAZARD: _hazard,
    Action.GO_SILENT: lambda device, _step: device.line.power(on=False),
    Action.COME_BACK: lambda device, _step: device.line.power(on=True),
}
