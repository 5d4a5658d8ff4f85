"""`python -m benchmarks.detectors`: what detection costs, per telemetry message and fall window.

Homes over an hour of the clock, each with a wristband, a care bed, two motion sensors, a door
sensor and a button, reporting as the contract asks. The runner with its contexts is measured,
called as `hub.digest` calls it; decoding (which also works out when each value was measured),
storing and the register are not. CPU time of one thread, best of three.
"""

import argparse
import gc
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import sin
from time import thread_time
from typing import Any

import msgspec

from hub.detect.detector import Context, Detector, PersonContext
from hub.detect.fall import FallDetector
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Runner
from hub.device import Device
from hub.observation import ALIVE, Observation, seconds_of
from schemas.alarms import Motion, Position
from schemas.ids import AreaId, DeviceId, PersonId, PremisesId
from schemas.vocabulary import DeviceKind

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
REPEATS = 3
LINE_MIN = (180,) * 98
Message = list[Observation]


class World:
    """Implements `hub.detect.belonging.Surroundings` for one kind of home."""

    def __init__(self, homes: int) -> None:
        self.devices: dict[str, Device] = {}
        self.person = PersonContext(inactivity_line_min=LINE_MIN)
        for home in range(homes):
            for kind, number, worn in (
                (DeviceKind.WRISTBAND, 0, True), (DeviceKind.CARE_BED, 0, True),
                (DeviceKind.MOTION_SENSOR, 0, False), (DeviceKind.MOTION_SENSOR, 1, False),
                (DeviceKind.DOOR_SENSOR, 0, False), (DeviceKind.BUTTON, 0, True),
            ):  # fmt: skip
                name = f"{kind.value.replace('_', '-')}-{number}-{home}"
                person = PersonId(f"p-{home}") if worn else None
                label = ("bedroom", "kitchen")[number]
                self.devices[name] = Device(
                    DeviceId(name), kind, AreaId("east"), PremisesId(f"h-{home}"), person, label
                )

    def device(self, device_id: DeviceId) -> Device | None:
        return self.devices.get(device_id)

    def contexts(self, _device: Device) -> tuple[PersonContext, PersonContext]:
        return self.person, self.person

    def member(self, _scope: object, _key: str) -> Device | None:
        return next(iter(self.devices.values()))


def messages(world: World, minutes: int, seed: int = 1) -> Iterator[Message]:
    """What a telemetry lane would be shown, in order of time."""
    draw = random.Random(seed)
    for minute in range(minutes):
        for index, device in enumerate(world.devices.values()):
            at = START + timedelta(minutes=minute, seconds=index % 60)
            yield from _said(device, minute, at, draw)


def _said(device: Device, minute: int, at: datetime, draw: random.Random) -> Iterator[Message]:
    def message(*values: tuple[str, float | None, str | None]) -> Message:
        return [alive, *(_seen(device, m, at, value=v, state=s) for m, v, s in values)]

    at_s = int(at.timestamp())
    alive = Observation(device, ALIVE, at, None, arrived_s=at_s, moment_s=at_s)

    pulse = round(68 + 4 * sin(minute / 9) + draw.gauss(0, 2))
    breath = round(15 + draw.gauss(0, 1))
    if device.kind is DeviceKind.WRISTBAND:
        yield message(
            ("heart_rate_per_min", float(pulse), None),
            ("respiratory_rate_per_min", float(breath), None),
            ("oxygen_saturation_percent", float(draw.choice((96, 97, 97, 98))), None),
        )
        steps = draw.choice((0, 0, 0, 0, 12, 40))
        yield message(("steps", float(steps), None))
        battery = 90.0 - minute // 20
        yield message(("link_state", None, "online"), ("battery_percent", battery, None),
                      ("worn_state", None, "worn"))  # fmt: skip
        if minute % 5 == 0:
            fix = Position(39.9 + draw.gauss(0, 1e-4), 116.4 + draw.gauss(0, 1e-4), 12.0)
            yield [alive, _seen(device, "position", at, state="gnss", position=fix)]
    elif device.kind is DeviceKind.CARE_BED:
        yield message(
            ("heart_rate_per_min", float(pulse + 1), None),
            ("respiratory_rate_per_min", float(breath), None),
        )
        yield message(
            ("bed_state", None, "occupied"), ("movement_percent", draw.random() * 9, None)
        )
    elif device.kind is DeviceKind.MOTION_SENSOR:
        if draw.random() < 0.3:
            yield message(("motion", None, "detected"))
        if minute % 5 == 0:
            yield message(("link_state", None, "online"), ("battery_percent", 80.0, None))
    elif minute % 5 == 0 and (device.kind is DeviceKind.DOOR_SENSOR or minute % 10 == 0):
        yield message(("link_state", None, "online"), ("battery_percent", 70.0, None))


def _seen(device: Device, measure: str, at: datetime, **said: Any) -> Observation:
    """A value with its times, as the lane shows it."""
    times = msgspec.structs.asdict(seconds_of(at.timestamp(), at))
    return Observation(device, measure, at, at, **said, **times)


def microseconds_a_message(stories: list[Message], world: World) -> float:
    """All detectors, through the runner."""
    runner = Runner(TELEMETRY_DETECTORS, world, START)
    rest, spent_s = iter(stories), 0.0
    while batch := list(islice(rest, 1000)):
        draft = runner.draft()
        began_s = thread_time()
        for message in batch:
            belonging = runner.belonging(message[0].device)
            for observation in message:
                wanted = runner.wanted(observation.measure)
                if wanted is not None:
                    runner.show(draft, belonging, wanted, observation, True)
        spent_s += thread_time() - began_s
    return spent_s / len(stories) * 1e6


def by_detector(stories: list[Message], world: World) -> dict[str, float]:
    """Each alone, without the runner; microseconds, spread over all messages."""
    found: dict[str, float] = {}
    for detector in TELEMETRY_DETECTORS:
        wanted = [
            seen for message in stories for seen in message if seen.measure in detector.measures
        ]
        best = min(_alone(detector, wanted, world) for _ in range(REPEATS))
        found[detector.name] = round(best / len(stories) * 1e6, 2)
    return dict(sorted(found.items(), key=lambda row: -row[1]))


def _alone(detector: Detector[Any], wanted: list[Observation], world: World) -> float:
    states: dict[str, Any] = {}
    contexts = {d.id: Context(d, START, world.person) for d in world.devices.values()}
    began_s = thread_time()
    for seen in wanted:
        key = seen.device.id
        states[key], _ = detector.observe(states.get(key), seen, contexts[key])
    return thread_time() - began_s


def fall_windows_ms(count: int) -> dict[str, float]:
    """Wrist windows of six seconds at 50 Hz with an impact, each seen by a fresh detector state."""
    draw = random.Random(2)
    device = World(1).devices["wristband-0-0"]
    context = Context(device, START)
    spent: list[float] = []
    for number in range(count):
        axes = [[round(draw.gauss(rest, 60)) for _ in range(300)] for rest in (0, 0, 1000)]
        for axis in axes:
            axis[150 + number % 40] += draw.randrange(1500, 6000)
        motion = Motion(None, None, 50.0, 8.0, axes[0], axes[1], axes[2])
        at = START + timedelta(hours=number)
        seen = Observation(device, "motion", at, at, message=motion)
        detector = FallDetector()
        began_s = thread_time()
        detector.observe(None, seen, context)
        spent.append((thread_time() - began_s) * 1e3)
    spent.sort()
    return {"p50": round(spent[count // 2], 2), "p90": round(spent[count * 9 // 10], 2)}


def main() -> None:
    """Measure and print one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.detectors", description=__doc__)
    parser.add_argument("--homes", type=int, default=300)
    parser.add_argument("--minutes", type=int, default=60)
    options = parser.parse_args()
    world = World(options.homes)
    stories = list(messages(world, options.minutes))
    gc.freeze()
    best = min(microseconds_a_message(stories, world) for _ in range(REPEATS))
    fall_windows_ms(20)  # the model is loaded, numpy is warm
    print(
        json.dumps(
            {
                "telemetry_us_per_msg": round(best, 2),
                "by_detector": by_detector(stories, world),
                "fall_window_ms": fall_windows_ms(200),
                "messages": len(stories),
                "observations_per_message": round(sum(map(len, stories)) / len(stories), 2),
            }
        )
    )


if __name__ == "__main__":
    main()
