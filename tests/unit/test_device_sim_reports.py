"""What devices say of their own accord: in time, well formed, and nothing they cannot know."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.agenda import Agenda
from device_sim.care_bed import bed, vitals
from device_sim.fleet import FleetDevice, Home, Resident
from device_sim.household import DayClock, Household
from device_sim.pace import MAX_BEHIND_S, Pace, message_for, template_for
from device_sim.report import Moment
from device_sim.reporter import Reporter
from device_sim.reports import REPORTS
from device_sim.resident import EpisodeKind, resident_at
from device_sim.tally import Latencies
from schemas.codec import decode_telemetry, encode, kind_of
from schemas.identity import message_key
from schemas.telemetry import Activity, Bed, BedState, Status, TelemetryMessage, Vitals
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
        home = Home("city", "home-1", Resident("person-1"), [identity])
        self.household = Household(home, "1", self.clock, DayClock(START, 0.0, 1.0))
        self.reporter = Reporter(identity, self.household, self.clock, self.agenda, self._say)

    def _say(self, message: TelemetryMessage) -> None:
        self.said.append((self.clock.s, message))

    def live(self, seconds: float) -> None:
        end_s = self.clock.s + seconds
        while (next_s := self.agenda.run_due(self.clock.s)) is not None and next_s <= end_s:
            self.clock.s = next_s
        self.clock.s = end_s


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
    moment = Moment("device-1", resident_at(seed, observed_at), observed_at, 60.0)
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
    assert vitals(Moment("bed-1", noon, START, 60.0)) is None
    assert bed(Moment("bed-1", noon, START, 60.0)).state is BedState.EMPTY
    assert bed(Moment("bed-1", night, START, 60.0)).state is BedState.OCCUPIED


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


def test_a_bed_that_is_left_says_so_within_its_watch() -> None:
    ward = Ward(DeviceKind.CARE_BED)
    ward.household.place("bed")
    ward.reporter.start()
    ward.live(70)
    left_s = ward.clock.s
    ward.household.place("bathroom")
    ward.live(11)
    told = [(at_s, m) for at_s, m in ward.said if at_s >= left_s and isinstance(m, Bed)]
    assert told[0][1].state is BedState.EMPTY


@pytest.mark.parametrize("kind", [DeviceKind.BUTTON, DeviceKind.WRISTBAND])
def test_filled_templates_are_messages_and_never_duplicates(kind: DeviceKind) -> None:
    template = template_for(kind, "boot")
    name = kind_of(message_for(kind))[1]
    payloads = [template.fill(number, 1_700_000_000_000) for number in range(100)]
    for payload in payloads:
        decoded = decode_telemetry(name, payload)
        assert (decoded.unknown_fields, decoded.damage) == (0, ())
        assert decoded.message.observed_at is not None
    assert len({message_key("t", payload) for payload in payloads}) == 100


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
    assert pace.owed(60.0) == pytest.approx(1000 * MAX_BEHIND_S, abs=1)


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
