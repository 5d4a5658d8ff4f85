"""Lays a scenario over a fleet: which homes and devices, at which second, decided by the seed."""

from collections.abc import Iterator
from dataclasses import dataclass

from device_sim.battery import BatteryTraits
from device_sim.delivery import DeliveryTraits
from device_sim.device_clock import ClockTraits
from device_sim.fix import Receiver
from device_sim.fleet import Fleet, Home
from device_sim.scenario import (
    Action,
    BatteryPart,
    Scenario,
    ScenarioUnreadable,
    Step,
    TraitPart,
    read_duration_s,
)
from device_sim.seeded import fraction
from device_sim.sensor_faults import SensorTraits
from device_sim.traits import CoverageTraits, MotionTraits, TraitRow

MAX_HAPPENINGS = 1_000_000
"""Ours: a scenario of this length plays for days; a longer one is a slip in `every` or `times`."""

PERSONAL_ACTIONS = frozenset(
    {
        Action.VITALS_FAIL, Action.DETERIORATE, Action.VITALS_RECOVER, Action.PLACE, Action.LIE,
        Action.WANDER, Action.RESUME,
    }
)  # fmt: skip
"""What happens to the person; no device is needed."""

HOME_ACTIONS = frozenset(
    {Action.COVERAGE_LOST, Action.COVERAGE_BACK, Action.POWER_CUT, Action.POWER_BACK}
)
"""What happens to one device, or without one to all of the home."""

ENDINGS: dict[Action, Action] = {
    Action.FALL: Action.RESUME,
    Action.PLACE: Action.RESUME,
    Action.LIE: Action.RESUME,
    Action.WANDER: Action.RESUME,
    Action.VITALS_FAIL: Action.VITALS_RECOVER,
    Action.DETERIORATE: Action.VITALS_RECOVER,
    Action.TAKE_OFF: Action.PUT_ON,
    Action.FREEZE: Action.THAW,
    Action.GO_SILENT: Action.COME_BACK,
    Action.COVERAGE_LOST: Action.COVERAGE_BACK,
    Action.POWER_CUT: Action.POWER_BACK,
    Action.HAZARD: Action.HAZARD,
}
"""What `lasts` ends with; a hazard ends with itself in the phase `ended`."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One step at one moment in one home of this fleet."""

    at_s: float
    home_index: int
    device_id: str | None
    """None: it happens to the person or to the whole home, not to one device."""
    step: Step
    action: Action
    """The step's, or what ends it."""
    ends: bool = False


def happenings(scenario: Scenario, fleet: Fleet, seed: str) -> list[Happening]:
    """The scenario laid over this fleet, in order of time. Raises `ScenarioUnreadable`."""
    found: list[Happening] = []
    for number, step in enumerate(scenario.step, start=1):
        try:
            for happening in _lay(step, fleet, f"{seed}/{number}"):
                found.append(happening)
                if len(found) > MAX_HAPPENINGS:
                    raise ValueError(f"more than {MAX_HAPPENINGS} happenings")
        except ValueError as error:
            raise ScenarioUnreadable(f"{scenario.title}, step {number}: {error}") from None
    return sorted(found, key=lambda happening: happening.at_s)


def _lay(step: Step, fleet: Fleet, seed: str) -> Iterator[Happening]:
    if step.times > 1 and step.every is None:
        raise ValueError("times without every: how far apart?")
    if step.lasts is not None and step.action not in ENDINGS:
        raise ValueError(f"{step.action} does not last")
    at_s, every_s = read_duration_s(step.at), read_duration_s(step.every or "0s")
    within_s = read_duration_s(step.within)
    able = _able_homes(step, fleet)
    for turn in range(step.times):
        for index in _struck(step, able, seed, turn):
            begins_s = at_s + turn * every_s + within_s * fraction(seed, turn, index, "moment")
            device_id = _device_id(fleet.homes[index], step)
            yield Happening(begins_s, index, device_id, step, step.action)
            if step.lasts is not None:
                ends_s = begins_s + read_duration_s(step.lasts)
                yield Happening(ends_s, index, device_id, step, ENDINGS[step.action], ends=True)


def _struck(step: Step, able: list[int], seed: str, turn: int) -> Iterator[int]:
    if step.home != "all":
        yield able[int(len(able) * fraction(seed, turn))]
        return
    for index in able:
        if fraction(seed, turn, index, "share") < step.share:
            yield index


def _able_homes(step: Step, fleet: Fleet) -> list[int]:
    """The homes this step may happen in: one, or with `any` and `all` those with the device."""
    homes = fleet.homes
    if step.home in ("any", "all"):
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
        if step.action in PERSONAL_ACTIONS or step.action in HOME_ACTIONS:
            return True
        raise ValueError(f"{step.action} needs a device")
    return home.device_of_kind(step.device) is not None


def _device_id(home: Home, step: Step) -> str | None:
    device = None if step.device is None else home.device_of_kind(step.device)
    return None if device is None else device.id


def trait_rows(scenario: Scenario) -> list[TraitRow]:
    """The scenario's traits in seconds."""
    return [_row(part) for part in scenario.trait]


def _row(part: TraitPart) -> TraitRow:
    clock, coverage, delivery, sensor = part.clock, part.coverage, part.delivery, part.sensor
    return TraitRow(
        of=part.of,
        share=part.share,
        clock=None
        if clock is None
        else ClockTraits(read_duration_s(clock.skew), clock.drift_ppm, clock.absent, clock.forgets),
        skew_spread_s=0.0 if clock is None else read_duration_s(clock.skew_spread),
        drift_spread_ppm=0.0 if clock is None else clock.drift_spread_ppm,
        coverage=None
        if coverage is None
        else CoverageTraits(
            read_duration_s(coverage.lost_every), read_duration_s(coverage.lost_for)
        ),
        delivery=None
        if delivery is None
        else DeliveryTraits(
            delivery.repeated,
            delivery.redelivered,
            delivery.reordered,
            delivery.lost,
            read_duration_s(delivery.within),
        ),
        sensor=None
        if sensor is None
        else SensorTraits(tuple(sensor.frozen), read_duration_s(sensor.cached_for)),
        receiver=_receiver(part),
        motion=None
        if part.motion is None
        else MotionTraits(part.motion.false_falls_per_day, part.motion.windows_per_day),
        battery=None if part.battery is None else _battery(part.battery),
        numbering=part.numbering,
        stores=part.stores,
        batches=part.batches,
        counts=part.counts,
    )


def _receiver(part: TraitPart) -> Receiver | None:
    if part.receiver is None:
        return None
    said = part.receiver
    return Receiver(tuple(said.sources), said.datum, said.accuracy, said.stale)


def _battery(said: BatteryPart) -> BatteryTraits:
    return BatteryTraits(
        read_duration_s(said.lasts), read_duration_s(said.charges_in), said.starts_percent
    )
