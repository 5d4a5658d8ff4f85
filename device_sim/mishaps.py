"""What chance has for a device by its traits: no network for a while, a fall that was none."""

from functools import partial

from device_sim.acceleration import EVERYDAY, Movement
from device_sim.chance import Chance
from device_sim.device import Device
from device_sim.motions import claim_fall, send_window
from device_sim.scenario import Action
from device_sim.seeded import fraction
from device_sim.surroundings import Surroundings
from schemas.telemetry import WornState

DAY_S = 86_400.0
WORN_MOVEMENTS = tuple(movement for movement in EVERYDAY if movement is not Movement.QUAKE)


def let_happen(device: Device, around: Surroundings) -> None:
    """Plan the first of each; every one plans the next."""
    now_s = around.clock.monotonic_s()
    traits, seed = device.hardware.traits, f"{around.seed}/{device.identity.id}"
    coverage, motion = traits.coverage, traits.motion
    lose = partial(_lose_coverage, device, around, seed)
    Chance(around, f"{seed}/cover", coverage.lost_every_s, lose).start(now_s)
    if motion.false_falls_per_day:
        claim = partial(_false_fall, device, seed)
        Chance(around, f"{seed}/claim", DAY_S / motion.false_falls_per_day, claim).start(now_s)
    if motion.windows_per_day:
        move = partial(_move, device, seed)
        Chance(around, f"{seed}/move", DAY_S / motion.windows_per_day, move).start(now_s)


def _lose_coverage(device: Device, around: Surroundings, seed: str, due_s: float) -> None:
    mean_s = device.hardware.traits.coverage.lost_for_s
    lasts_s = max(1.0, 2 * mean_s * fraction(seed, "lost for", round(due_s, 3)))
    device.note(Action.COVERAGE_LOST, due_s, lasts_s=round(lasts_s, 1))
    device.cover(on=False)

    def regain() -> None:
        device.note(Action.COVERAGE_BACK, due_s + lasts_s)
        device.cover(on=True)

    around.agenda.add(due_s + lasts_s, regain)


def _false_fall(device: Device, seed: str, due_s: float) -> None:
    if _is_worn(device):
        device.note(Action.FALSE_FALL, due_s)
        claim_fall(device, f"{seed}/{round(due_s, 3)}", impact_g=None)


def _move(device: Device, seed: str, due_s: float) -> None:
    if not _is_worn(device):
        return
    moment = f"{seed}/{round(due_s, 3)}"
    movement = WORN_MOVEMENTS[int(len(WORN_MOVEMENTS) * fraction(moment, "movement"))]
    device.note(Action.MOVE, due_s, movement=movement.value)
    send_window(device, movement, moment)


def _is_worn(device: Device) -> bool:
    return device.powered and device.hardware.worn in (None, WornState.WORN)
