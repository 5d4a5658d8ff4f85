"""Complaints about what devices and gateways do, lived through here (docs/complaints.md).

The detectors of the telemetry lane listen to the town's devices; what they find is recorded and
told as the lane does it.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from alerts.actions import Verb
from alerts.outage import SINGLES_WAIT_S
from hub.circumstances import Circumstances
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Draft, Runner
from hub.observation import ALIVE, Observation
from schemas.ids import DeviceId
from schemas.vocabulary import DEVICE_CLASSES, MISSED_HEARTBEATS_UNTIL_SILENT, DeviceKind
from tests.acceptance.town import Town
from tests.scenes import START

BAND = "band-1"
HEARTBEAT_S = DEVICE_CLASSES[DeviceKind.WRISTBAND].heartbeat_s


@dataclass
class Ears:
    """The telemetry lane's detectors over a town."""

    town: Town
    runner: Runner = field(init=False)

    def __post_init__(self) -> None:
        around = Circumstances(self.town.register, list)
        self.runner = Runner(TELEMETRY_DETECTORS, around, START)

    async def hear(self, device: str, **values: float) -> None:
        """A device reports just now."""
        at, known = self.town.clock.now(), self.town.register.devices[DeviceId(device)]
        draft = self.runner.draft()
        self.runner.observe(draft, Observation(known, ALIVE, at, at))
        for measure, value in values.items():
            self.runner.observe(draft, Observation(known, measure, at, at, value=value))
        await self._tell(draft)

    async def later(self, step_s: float = 60, **span: float) -> None:
        """Time passes; deadlines pass with it, and the ladder climbs."""
        until = self.town.clock.now() + timedelta(**span)
        while (left_s := (until - self.town.clock.now()).total_seconds()) > 0:
            await self.town.later(seconds=min(step_s, left_s))
            draft = self.runner.draft()
            self.runner.expire(draft, self.town.clock.now(), 1000)
            await self._tell(draft)

    async def kinds(self) -> set[str]:
        """What is open just now."""
        return {row["kind"] for row in await self.town.incidents()}

    async def _tell(self, draft: Draft) -> None:
        for device, finding in draft.findings:
            await self.town.finds(device.id, finding)


@pytest.fixture
def ears(town: Town) -> Ears:
    return Ears(town)


async def test_a_silent_device_is_told_of_at_its_third_missed_heartbeat(ears: Ears) -> None:
    """Complaint 5. A wristband falls silent: the desk rings after three missed heartbeats and the
    wait for its neighbours, not thirty heartbeats later; it is over once the band is heard."""
    await ears.hear(BAND)
    due_s = HEARTBEAT_S * MISSED_HEARTBEATS_UNTIL_SILENT + SINGLES_WAIT_S
    await ears.later(seconds=due_s - 1)
    assert ears.town.rings() == []
    await ears.later(step_s=1, seconds=2)
    rung_at = ears.town.rings()
    assert [(at - START).total_seconds() <= due_s + 1 for at in rung_at] == [True]
    assert await ears.kinds() == {"device_silent"}
    await ears.hear(BAND)
    assert await ears.town.incidents() == []


async def test_time_in_which_nothing_was_heard_is_no_time_without_movement(ears: Ears) -> None:
    """Complaint 7. Anna moves, then the data of her home are lost for thirteen hours: that a device
    is silent is said (and somebody sees to it), that she did not move is not. Heard again, her time
    begins anew, and a stillness that is really heard rings."""
    await ears.hear(BAND, steps=40)
    await ears.later(step_s=300, minutes=20)
    (silent,) = await ears.town.incidents()
    assert silent["kind"] == "device_silent"
    await ears.town.desk(Verb.RESOLVE, silent["incident_id"])
    await ears.later(step_s=1800, hours=13)
    assert await ears.kinds() == set()
    await ears.hear(BAND)
    heard_again = ears.town.clock.now()
    assert await ears.kinds() == set()
    for _ in range(13 * 4):
        await ears.later(step_s=900, minutes=15)
        await ears.hear(BAND)
        if await ears.kinds():
            break
    assert await ears.kinds() == {"inactivity"}
    assert ears.town.clock.now() - heard_again >= timedelta(hours=4)


async def test_a_value_that_a_gateway_sends_again_is_no_sign_of_life(ears: Ears) -> None:
    """Complaint 10. A gateway sends what it has kept, minute after minute with fresh times: the
    desk is told to look at the gateway, and of the heart that seems to beat nothing is believed."""
    for _ in range(20):
        await ears.hear(BAND, heart_rate_per_min=71.0, respiratory_rate_per_min=15.0)
        await ears.later(minutes=1)
    assert await ears.kinds() == {"values_cached"}
    (told,) = await ears.town.alarms()
    assert told["category"] == "technical"
    await ears.hear(BAND, heart_rate_per_min=74.0, respiratory_rate_per_min=16.0)
    assert await ears.town.incidents() == [], "a living value ends it"
