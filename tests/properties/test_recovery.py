"""Killed at any instant, with a checkpoint anywhere: the next process knows what this one knew.

The database is a list of rows and a few dictionaries; runner, detectors and circumstances are real.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.people import PersonState
from hub.circumstances import Circumstances
from hub.detect.belonging import SHARDS
from hub.detect.registry import TELEMETRY_DETECTORS
from hub.detect.runner import Runner
from hub.detect.states import KeptState
from hub.observation import ALIVE, Observation
from hub.recovery import Marks, observations_of
from hub.register import Register
from schemas.ids import DeviceId, PersonId
from schemas.vocabulary import MEASURE_BY_KEY, Quality
from tests.scenes import DEVICES, START, register

VALUES = {
    "heart_rate_per_min": (30.0, 75.0, 140.0),
    "systolic_blood_pressure_mmhg": (120.0, 170.0),
    "steps": (0.0, 12.0),
    "battery_percent": (3.0, 80.0),
    "movement_percent": (2.0, 60.0),
}
STATES = {
    "bed_state": ("occupied", "empty"),
    "worn_state": ("worn", "off"),
    "motion": ("detected",),
    "link_state": ("online",),
}


@dataclass(slots=True)
class Stored:
    """What a crash leaves."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    shards: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    kept: dict[tuple[str, str], tuple[int, KeptState]] = field(default_factory=dict)
    batch_id: int = 0


class Life:
    """One process, from its start or after a crash."""

    def __init__(self, known: Register, stored: Stored, now: datetime) -> None:
        self.known, self.stored, self.now = known, stored, now
        self.circumstances = Circumstances(known, list)
        self.runner = Runner(TELEMETRY_DETECTORS, self.circumstances, START)
        self._recover()

    def _recover(self) -> None:
        marks = Marks()
        for shard, (watermark, state) in self.stored.shards.items():
            self.runner.load_shard(state)
            marks.shards[shard] = watermark
        for name, (batch_id, kept) in self.stored.kept.items():
            if batch_id > marks.shards.get(kept.shard, 0) and self.runner.load_kept(kept):
                marks.kept[name] = batch_id
        for row in self.stored.rows:
            marks.batch_id = row["batch_id"]
            for seen in observations_of(self.known.devices[DeviceId(row["device_id"])], row):
                self.runner.replay(seen, marks.is_news)

    def batch(self, said: list[tuple[str, str, int]], wait_s: int, person: str | None) -> None:
        """A batch: circumstances, messages, deadlines, commit."""
        self.now += timedelta(seconds=wait_s)
        self.stored.batch_id += 1
        draft = self.runner.draft()
        if person is not None:
            anna = self.known.people[PersonId("anna")]
            self.known.people[anna.id] = replace(anna, state=PersonState(person))
            self.known.note("person", anna.id)
        self.runner.circumstances_changed(draft, self.circumstances.refresh() or ())
        for device_id, measure, choice in said:
            self.now += timedelta(microseconds=1)
            self._hear(draft, device_id, measure, choice)
        self.runner.expire(draft, self.now, 1000)
        for kept in self.runner.kept(draft):
            self.stored.kept[kept.detector, kept.key] = (self.stored.batch_id, kept)

    def _hear(self, draft: Any, device_id: str, measure: str, choice: int) -> None:
        device = self.known.devices[DeviceId(device_id)]
        value = state = None
        if measure in VALUES:
            value = VALUES[measure][choice % len(VALUES[measure])]
        else:
            state = STATES[measure][choice % len(STATES[measure])]
        self.runner.observe(draft, Observation(device, ALIVE, self.now, None))
        seen = Observation(device, measure, self.now, self.now, value, state)
        self.runner.observe(draft, seen)
        self.stored.rows.append(
            {
                "device_id": device_id, "measure": MEASURE_BY_KEY[measure].code,
                "observed_at": self.now, "received_at": self.now, "value": value, "state": state,
                "latitude": None, "longitude": None, "accuracy_m": None,
                "quality": Quality.GOOD.code, "batch_id": self.stored.batch_id,
            }
        )  # fmt: skip

    def checkpoint(self, first: int, count: int) -> None:
        for number in range(first, first + count):
            shard = number % SHARDS
            self.stored.shards[shard] = (self.stored.batch_id, self.runner.shard(shard))

    def states(self) -> dict[str, dict[str, Any]]:
        return {d.name: dict(self.runner.table(d.name)) for d in TELEMETRY_DETECTORS}


DEVICE_IDS = st.sampled_from(sorted(DEVICES))
MESSAGES = st.lists(
    st.tuples(DEVICE_IDS, st.sampled_from([*VALUES, *STATES]), st.integers(0, 3)), max_size=6
)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of messages, so long after the last; before them somebody says where Anna is."""

    said: list[tuple[str, str, int]]
    wait_s: int
    anna: str | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Some shards are written."""

    first: int
    count: int


STEPS = st.lists(
    st.one_of(
        st.builds(
            Batch,
            MESSAGES,
            st.sampled_from([1, 60, 200, 4_000, 50_000]),
            st.sampled_from([None, None, None, "home", "away", "service_ended"]),
        ),
        st.builds(Checkpoint, st.integers(0, SHARDS - 1), st.sampled_from([1, 20, SHARDS])),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_the_next_process_knows_what_this_one_knew(steps: list[Batch | Checkpoint]) -> None:
    life = Life(register(), Stored(), START)
    for step in steps:
        if isinstance(step, Batch):
            life.batch(step.said, step.wait_s, step.anna)
        else:
            life.checkpoint(step.first, step.count)
    again = Life(life.known, life.stored, life.now)
    before, after = _living(life), _living(again)
    assert after == before


def _living(life: Life) -> dict[str, dict[str, Any]]:
    """States that are somebody's: the others may go at any time."""
    known = life.runner
    for number in range(SHARDS):
        known.resettled()
        known.shard(number)
    return life.states()
