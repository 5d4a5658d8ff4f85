"""What devices say of their own accord: in time, well formed, and nothing they cannot know."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.agenda import Agenda
from device_sim.care_bed import bed, vitals
from device_sim.fleet import FleetDevice, Home, Resident
from device_sim.hardware import Hardware
from device_sim.household import DayClock, Household
from device_sim.pace import MAX_BEHIND_S, Pace
from device_sim.report import Moment
from device_sim.reporter import Reporter
from device_sim.reports import REPORTS
from device_sim.resident import EpisodeKind, ResidentState, resident_at
from device_sim.tally import Latencies
from device_sim.traits import ordinary
from schemas.codec import decode_telemetry, encode, kind_of
from schemas.telemetry import (
    Activity,
    Bed,
    BedState,
    Status,
    TelemetryMessage,
    Vitals,
    WornState,
)
from schemas.vocabulary import DEVICE_CLASSES, MEASURE_BY_KEY, DeviceKind, Quality, quality_of

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


class HandClock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.s)

    def monotonic_s(self) -> float:
        return self.s


class Ward:
    """One device whose reports are written down with their time."""

    def __init__(self, kind: DeviceKind, name: str = "device-1") -> None:
        self.clock, self.agenda = HandClock(), Agenda()
        self.said: list[tuple[float, TelemetryMessage]] = []
        identity = FleetDevice(name, kind, "secret")
        home = Home(
            "city", "home-1", Resident("person-1"), [identity], latitude=31.23, longitude=121.47
        )
        self.household = Household(home, "1", self.clock, DayClock(START, 0.0, 1.0))
        self.hardware = Hardware(identity, ordinary(kind), self.household, self.clock, "1")
        self.reporter = Reporter(
            identity, self.household, self.hardware, self.clock, self.agenda, self._say
        )

    def _say(self, message: TelemetryMessage, *, first: bool = False) -> None:
        self.said.append((self.clock.s, message))

    def live(self, seconds: float) -> None:
        end_s = self.clock.s + seconds
        while (next_s := self.agenda.run_due(self.clock.s)) is not None and next_s <= end_s:
            self.clock.s = next_s
        self.clock.s = end_s


def moment_of(state: ResidentState, observed_at: datetime) -> Moment:
    return Moment("device-1", lambda: state, observed_at, 60.0, worn=WornState.WORN)


@pytest.mark.parametrize("kind", DeviceKind)
def test_heartbeats_keep_the_rhythm_of_the_class(kind: DeviceKind) -> None:
    heartbeat_s = DEVICE_CLASSES[kind].heartbeat_s
    ward = Ward(kind)
    ward.reporter.start()
    ward.live(10 * heartbeat_s)
    beats = [at_s for at_s, message in ward.said if isinstance(message, Status)]
    assert len(beats) == 10
    assert all(b - a == pytest.approx(heartbeat_s) for a, b in pairwise(beats))


def test_a_fleet_spreads_its_heartbeats() -> None:
    firsts = []
    for number in range(100):
        ward = Ward(DeviceKind.WRISTBAND, f"band-{number}")
        ward.reporter.start()
        ward.live(60)
        firsts.append(next(at_s for at_s, m in ward.said if isinstance(m, Status)))
    assert all(sum(low <= at_s < low + 10 for at_s in firsts) >= 5 for low in range(0, 60, 10))


@given(st.sampled_from(DeviceKind), st.integers(0, 525_600), st.text(min_size=1, max_size=6))
def test_every_report_reads_back_whole_and_plausible(
    kind: DeviceKind, minute: int, seed: str
) -> None:
    observed_at = START + timedelta(minutes=minute)
    moment = moment_of(resident_at(seed, observed_at), observed_at)
    for report in REPORTS[kind]:
        message = report.make(moment)
        if message is None:
            continue
        decoded = decode_telemetry(kind_of(message)[1], encode(message))
        assert (decoded.unknown_fields, decoded.damage) == (0, ())
        if isinstance(decoded.message, Vitals):
            for sample in decoded.message.samples:
                measure = MEASURE_BY_KEY[sample.measure]
                quality = quality_of(measure, sample.value, sample.quality)
                assert quality is not Quality.IMPLAUSIBLE


def test_an_empty_bed_measures_nobody() -> None:
    noon = resident_at("anybody", START.replace(hour=12))
    night = resident_at("anybody", START.replace(hour=1))
    assert not noon.in_bed
    assert night.in_bed
    assert vitals(moment_of(noon, START)) is None
    assert bed(moment_of(noon, START)).state is BedState.EMPTY
    assert bed(moment_of(night, START)).state is BedState.OCCUPIED


def test_a_change_is_said_at_once_and_a_failing_body_is_measured() -> None:
    ward = Ward(DeviceKind.WRISTBAND)
    ward.reporter.start()
    ward.live(5)
    ward.household.place("bathroom")
    ward.reporter.report_changes()
    at_s, message = ward.said[-1]
    assert at_s == 5
    assert isinstance(message, Activity)
    assert message.room == "bathroom"
    ward.household.fail(EpisodeKind.HYPOXIA)
    ward.live(120)
    last = next(m for _, m in reversed(ward.said) if isinstance(m, Vitals))
    by_measure = {sample.measure: sample.value for sample in last.samples}
    assert by_measure["oxygen_saturation_percent"] < 90
    ward.household.recover()
    assert ward.household.resident().oxygen_saturation_percent > 95


def test_a_bed_that_is_left_says_so_at_once() -> None:
    ward = Ward(DeviceKind.CARE_BED)
    ward.household.place("bed")
    ward.reporter.start()
    ward.live(70)
    left_s = ward.clock.s
    ward.household.place("bathroom")
    ward.reporter.report_changes()
    ward.live(1)
    told = [(at_s, m) for at_s, m in ward.said if at_s >= left_s and isinstance(m, Bed)]
    assert told[0][1].state is BedState.EMPTY


@given(st.floats(0.5, 20_000), st.lists(st.floats(0.0, 0.1), min_size=1, max_size=60))
def test_the_pace_is_exact_without_stalls(per_s: float, naps_s: list[float]) -> None:
    pace, now_s, sent = Pace(per_s, 0.0), 0.0, 0
    for nap_s in naps_s:
        now_s += nap_s
        sent += pace.owed(now_s)
    if per_s * MAX_BEHIND_S > 1:  # slower paces may wait for their first message longer than that
        assert abs(sent - now_s * per_s) <= 1 + 1e-6 * sent


def test_a_stall_is_not_made_up_for_in_a_burst() -> None:
    pace = Pace(1000, 0.0)
    sent = pace.owed(60.0)
    assert sent == pytest.approx(1000 * MAX_BEHIND_S, abs=1)
    assert sent + pace.behind == pytest.approx(60_000, abs=2), "and what was missed is told"


def test_a_slow_pace_sends_too() -> None:
    pace = Pace(0.5, 0.0)
    assert sum(pace.owed(tick / 100) for tick in range(1001)) == 5
    assert pace.behind == 0


def test_load_says_every_kind_of_report_in_turn() -> None:
    ward = Ward(DeviceKind.WRISTBAND)
    for _ in range(8):
        ward.reporter.say_next()
    kinds = [kind_of(message)[1] for _, message in ward.said]
    assert kinds == ["status", "vitals", "activity", "location"] * 2


@given(st.lists(st.floats(0.0001, 200), min_size=1, max_size=200))
def test_percentiles_are_at_most_five_percent_too_high(seconds: list[float]) -> None:
    latencies = Latencies()
    for value in seconds:
        latencies.add(value)
    ordered = sorted(seconds)
    exact_ms = ordered[-(-len(ordered) * 99 // 100) - 1] * 1000
    told_ms = latencies.percentile_ms(99)
    assert told_ms is not None
    assert exact_ms * 0.999 - 0.001 <= told_ms <= exact_ms * 1.051 + 0.051
    assert Latencies().percentile_ms(50) is None
