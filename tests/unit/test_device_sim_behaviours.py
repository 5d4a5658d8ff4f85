"""How simulated devices fail: each behaviour by itself, on a clock moved by hand."""

from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sim.acceleration import EVERYDAY, FALLS, LENGTH_S, RATE_HZ, Movement, Window, window
from device_sim.battery import Battery, BatteryTraits
from device_sim.chance import gap_s
from device_sim.course import COURSES, Course, Decline
from device_sim.delivery import DeliveryTraits, fate_of
from device_sim.device_clock import FIRST_TIME, SYNC_AFTER_S, ClockTraits, DeviceClock
from device_sim.fix import ERRORS, Honesty, Receiver, take_fix
from device_sim.outbox import Outbox
from device_sim.place import METRES_PER_DEGREE, Place, wandering
from device_sim.resident import resident_at
from device_sim.sensor_faults import SensorFaults, SensorTraits
from device_sim.traits import Numbering, TraitRow, ordinary, traits_of
from hub.detect import news2
from hub.detect.fall_model import shipped
from hub.geo import to_wgs84
from schemas.alarms import Datum, Position, PositionSource
from schemas.telemetry import MAX_SAMPLES, Sample, Status, Vitals
from schemas.vocabulary import DeviceKind

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
SEEDS = st.text(min_size=1, max_size=6)
HOME = Place(31.2304, 121.4737, indoors=True)


def metres_between(one: tuple[float, float], other: tuple[float, float]) -> float:
    north_m = (one[0] - other[0]) * METRES_PER_DEGREE
    east_m = (one[1] - other[1]) * METRES_PER_DEGREE * float(np.cos(np.radians(one[0])))
    return float(np.hypot(north_m, east_m))


# The clock


def test_a_clock_is_off_drifts_and_jumps() -> None:
    clock = DeviceClock(ClockTraits(skew_s=-180, drift_ppm=100), 0.0)
    assert clock.read(NOW, 0.0) == NOW - timedelta(seconds=180)
    day_s = 86_400.0
    later = NOW + timedelta(seconds=day_s)
    assert clock.read(later, day_s) == later - timedelta(seconds=180 - 8.64)
    clock.jump(-3600)
    assert clock.read(NOW, 0.0) == NOW - timedelta(seconds=180 + 3600)
    clock.rebooted(0.0)
    assert clock.read(NOW, 0.0) == NOW - timedelta(seconds=180), "the network set it"


def test_a_clock_that_forgets_begins_at_2000_until_the_network_tells_it() -> None:
    clock = DeviceClock(ClockTraits(forgets=True), 0.0)
    assert clock.read(NOW, 5.0) == NOW
    clock.rebooted(10.0)
    assert clock.read(NOW, 12.0) == FIRST_TIME + timedelta(seconds=2)
    assert clock.read(NOW, 10.0 + SYNC_AFTER_S) == NOW
    assert DeviceClock(ClockTraits(absent=True), 0.0).read(NOW, 0.0) is None


@given(st.floats(-1e12, 1e12))
def test_no_jump_leaves_the_calendar(by_s: float) -> None:
    clock = DeviceClock(ClockTraits(skew_s=max(-9e9, min(9e9, by_s))), 0.0)
    assert clock.read(NOW, 0.0) is not None


# The battery


@given(st.floats(60, 1e7), st.floats(1, 100), st.lists(st.floats(0.1, 1e5), max_size=20))
def test_looking_at_a_battery_does_not_drain_it(
    lasts_s: float, percent: float, naps_s: list[float]
) -> None:
    battery, now_s = Battery(BatteryTraits(lasts_s), percent, 0.0), 0.0
    for nap_s in naps_s:
        now_s += nap_s
        battery.spend(0.0, now_s)
        assert 0.0 <= battery.percent(now_s) <= 100.0
    assert battery.percent(now_s) == pytest.approx(max(0.0, percent - 100 * now_s / lasts_s))


def test_a_battery_dies_is_charged_and_saves() -> None:
    battery = Battery(BatteryTraits(lasts_s=1000, charges_in_s=100), 12.0, 0.0)
    assert not battery.saving(0.0)
    assert battery.saving(30.0)
    assert battery.empty_in_s(0.0) == pytest.approx(120.0)
    assert battery.percent(500.0) == 0.0
    battery.charge(on=True, now_s=500.0)
    assert battery.empty_in_s(500.0) is None
    assert battery.percent(550.0) == pytest.approx(50.0)
    battery.charge(on=False, now_s=550.0)
    assert battery.percent(650.0) == pytest.approx(40.0)


# Delivery and storing


def test_fates_come_in_the_shares_that_were_asked_for_and_again_for_the_same_seed() -> None:
    traits = DeliveryTraits(repeated=0.1, redelivered=0.1, reordered=0.1, lost=0.1, within_s=3.0)
    fates = [fate_of(traits, "device", number) for number in range(5000)]
    assert fates == [fate_of(traits, "device", number) for number in range(5000)]
    shares = [
        sum(fate.after_s == () for fate in fates),
        sum(len(fate.after_s) == 2 for fate in fates),
        sum(fate.cut_line for fate in fates),
        sum(len(fate.after_s) == 1 and fate.after_s[0] > 0 for fate in fates),
    ]
    assert all(count == pytest.approx(500, abs=90) for count in shares)
    assert all(0 <= after_s < 3.0 for fate in fates for after_s in fate.after_s)


def vitals(minute: int, samples: int = 1) -> Vitals:
    observed_at = NOW + timedelta(minutes=minute)
    return Vitals([Sample("heart_rate_per_min", 60 + minute)] * samples, observed_at=observed_at)


@given(st.integers(0, 20), st.integers(0, 60))
def test_an_outbox_is_bounded_and_loses_the_oldest(limit: int, count: int) -> None:
    outbox = Outbox(limit)
    for minute in range(count):
        outbox.put(vitals(minute))
    kept = list(iter(outbox.take, None))
    assert kept == [vitals(minute) for minute in range(max(0, count - limit), count)]
    assert outbox.dropped == max(0, count - limit)


def test_stored_vitals_go_together_and_every_sample_keeps_its_time() -> None:
    outbox = Outbox(1000)
    for minute in range(100):
        outbox.put(vitals(minute, samples=3))
    outbox.put(Status(observed_at=NOW))
    outbox.put(vitals(200))
    sent = list(iter(outbox.take_together, None))
    together = [message for message in sent if isinstance(message, Vitals)]
    assert [len(message.samples) for message in together] == [256, 45]
    assert isinstance(sent[2], Status), "what is no vital sign keeps its turn"
    assert all(len(message.samples) <= MAX_SAMPLES for message in together)
    times = sorted(s.observed_at for message in together for s in message.samples if s.observed_at)
    minutes = [*(minute for minute in range(100) for _ in range(3)), 200]
    assert times == [NOW + timedelta(minutes=minute) for minute in minutes]


# Sensors


def test_a_frozen_sensor_and_a_gateway_that_answers_from_memory() -> None:
    faults = SensorFaults()
    stuck = SensorTraits(frozen=("heart_rate_per_min",))
    told = [faults.apply(vitals(minute), stuck, minute * 60.0) for minute in range(3)]
    assert [m.samples[0].value for m in told if isinstance(m, Vitals)] == [60, 60, 60]
    assert [m.observed_at for m in told] == [vitals(minute).observed_at for minute in range(3)]

    cached = SensorTraits(cached_for_s=150.0)
    told = [SensorFaults().apply(vitals(0), cached, 0.0)]
    memory = SensorFaults()
    told = [memory.apply(vitals(minute), cached, minute * 60.0) for minute in range(4)]
    assert [m.samples[0].value for m in told if isinstance(m, Vitals)] == [60, 60, 60, 63]
    assert [m.observed_at for m in told] == [vitals(minute).observed_at for minute in range(4)]


# Positions


@pytest.mark.parametrize("source", [PositionSource.GNSS, PositionSource.WIFI, PositionSource.CELL])
def test_fixes_err_as_their_source_does_and_say_so_honestly(source: PositionSource) -> None:
    place = Place(HOME.latitude, HOME.longitude, indoors=source is not PositionSource.GNSS)
    errors, within = [], 0
    for number in range(2000):
        fix = take_fix(place, Receiver((source,)), seed="device", number=number, at=NOW)
        assert fix is not None
        assert fix.accuracy_m is not None
        off_m = metres_between((place.latitude, place.longitude), (fix.latitude, fix.longitude))
        errors.append(off_m)
        within += off_m <= fix.accuracy_m
    assert median(errors) == pytest.approx(ERRORS[source].median_m, rel=0.1)
    assert within / 2000 == pytest.approx(0.68, abs=0.04)


def test_no_satellite_is_heard_indoors_and_optimists_promise_too_much() -> None:
    gnss_only = Receiver((PositionSource.GNSS,))
    assert take_fix(HOME, gnss_only, seed="d", number=1, at=NOW) is None
    honest = take_fix(HOME, Receiver(), seed="d", number=1, at=NOW)
    boast = take_fix(HOME, Receiver(honesty=Honesty.OPTIMISTIC), seed="d", number=1, at=NOW)
    assert honest is not None
    assert boast is not None
    assert honest.source is PositionSource.WIFI
    assert honest.accuracy_m is not None
    assert boast.accuracy_m is not None
    assert boast.accuracy_m < honest.accuracy_m / 3
    assert (boast.latitude, boast.longitude) == (honest.latitude, honest.longitude)


@given(st.floats(22, 45), st.floats(98, 122), st.integers(0, 1000))
def test_a_gcj02_device_is_where_the_hub_then_finds_it(
    latitude: float, longitude: float, number: int
) -> None:
    place = Place(latitude, longitude, indoors=False)
    plain = take_fix(place, Receiver(), seed="d", number=number, at=NOW)
    shifted = take_fix(place, Receiver(datum=Datum.GCJ02), seed="d", number=number, at=NOW)
    assert plain is not None
    assert shifted is not None
    found = to_wgs84(
        Position(shifted.latitude, shifted.longitude, datum=shifted.datum, source=shifted.source)
    )
    here = (plain.latitude, plain.longitude)
    assert metres_between(here, (found.latitude, found.longitude)) < 2.0
    assert shifted.datum is Datum.GCJ02


def test_an_undeclared_gcj02_place_would_be_another_building() -> None:
    shifted = take_fix(HOME, Receiver(datum=Datum.GCJ02), seed="d", number=1, at=NOW)
    plain = take_fix(HOME, Receiver(), seed="d", number=1, at=NOW)
    assert shifted is not None
    assert plain is not None
    here, there = (plain.latitude, plain.longitude), (shifted.latitude, shifted.longitude)
    assert 300 < metres_between(here, there) < 700


@given(SEEDS)
def test_who_wanders_is_further_away_every_ten_minutes(seed: str) -> None:
    home = (HOME.latitude, HOME.longitude)
    away = [wandering(HOME, seed, minutes * 60.0) for minutes in range(0, 60, 10)]
    metres = [metres_between(home, (place.latitude, place.longitude)) for place in away]
    assert metres == sorted(metres)
    assert metres[-1] == pytest.approx(0.8 * 3000, rel=0.02)
    assert not any(place.indoors for place in away[1:])


# The body


@given(SEEDS, st.sampled_from(Course), st.integers(0, 1439))
def test_every_course_ends_in_the_emergency_response_of_news2(
    seed: str, course: Course, minute: int
) -> None:
    state = resident_at(seed, NOW + timedelta(minutes=minute))
    decline = Decline(course, 0.0, 3600.0)
    if state.moving:
        return

    def total(at_s: float) -> int:
        now = decline.worsen(state, at_s)
        return news2.score(
            news2.Parameters(
                respiratory_rate_per_min=round(now.respiratory_rate_per_min),
                oxygen_saturation_percent=round(now.oxygen_saturation_percent),
                systolic_blood_pressure_mmhg=round(now.systolic_blood_pressure_mmhg),
                heart_rate_per_min=round(now.heart_rate_per_min),
                body_temperature_c=round(now.body_temperature_c, 1),
            )
        ).total

    assert total(0.0) == 0
    assert total(3600.0) >= 7
    assert total(9999.0) == total(3600.0)
    moved = {shift.measure for shift in COURSES[course]}
    worst = decline.worsen(state, 3600.0)
    assert all(getattr(worst, m) == getattr(state, m) for m in ("room", "in_bed") if m not in moved)


def matrix(felt: Window) -> np.ndarray:
    return np.array([felt.x_mg, felt.y_mg, felt.z_mg], dtype=float).T / 1000.0


@given(SEEDS, st.sampled_from(Movement))
def test_a_window_is_whole_bounded_and_the_same_again(seed: str, movement: Movement) -> None:
    felt = window(movement, seed)
    assert felt == window(movement, seed)
    assert len(felt.x_mg) == len(felt.y_mg) == len(felt.z_mg) == LENGTH_S * RATE_HZ
    magnitudes = np.linalg.norm(matrix(felt), axis=1)
    assert magnitudes.max() == pytest.approx(felt.impact_g, abs=0.02)
    assert np.median(magnitudes) == pytest.approx(1.0, abs=0.25), "gravity is always there"


@given(SEEDS, st.sampled_from(FALLS))
def test_a_fall_gives_way_hits_and_lies_still_another_way_up(seed: str, movement: Movement) -> None:
    felt = matrix(window(movement, seed))
    magnitudes = np.linalg.norm(felt, axis=1)
    impact = int(magnitudes.argmax())
    assert 3.9 <= impact / RATE_HZ <= 4.4
    assert magnitudes.max() > 2.0
    assert magnitudes[int(3.4 * RATE_HZ) : impact].min() < 0.75
    after = felt[int(7.0 * RATE_HZ) :]
    assert after.std(axis=0).max() < 0.12
    before = felt[: int(3.0 * RATE_HZ)].mean(axis=0)
    turned = np.dot(before, after.mean(axis=0)) / np.linalg.norm(before)
    assert turned / np.linalg.norm(after.mean(axis=0)) < 0.8


def test_a_model_of_real_falls_tells_these_from_everyday_movements() -> None:
    model = shipped("wrist")

    def surely(movement: Movement, seed: str) -> float:
        return model.judge(matrix(window(movement, seed)), RATE_HZ).probability

    falls = [surely(movement, str(seed)) for movement in FALLS for seed in range(15)]
    calm = [m for m in EVERYDAY if m is not Movement.DROPPED]  # what hits the floor looks like it
    rest = [surely(movement, str(seed)) for movement in calm for seed in range(15)]
    assert median(falls) > 0.5
    assert max(rest) < median(falls)
    assert median(rest) < 0.2


# Chance and traits


def test_gaps_have_their_mean() -> None:
    gaps = [gap_s(300.0, "seed", number) for number in range(4000)]
    assert sum(gaps) / len(gaps) == pytest.approx(300.0, rel=0.06)


def test_traits_go_to_their_share_and_later_rows_win() -> None:
    rows = [
        TraitRow(of=DeviceKind.BUTTON, share=0.3, numbering=Numbering.COUNTER),
        TraitRow(share=0.5, stores=7),
        TraitRow(clock=ClockTraits(skew_s=10), skew_spread_s=5.0),
    ]
    made = [traits_of(rows, f"b-{n}", DeviceKind.BUTTON, "1") for n in range(1000)]
    assert made == [traits_of(rows, f"b-{n}", DeviceKind.BUTTON, "1") for n in range(1000)]
    assert sum(t.numbering is Numbering.COUNTER for t in made) == pytest.approx(300, abs=50)
    assert sum(t.stores == 7 for t in made) == pytest.approx(500, abs=60)
    assert all(5 <= t.clock.skew_s <= 15 for t in made)
    assert len({t.clock.skew_s for t in made}) == 1000
    band = traits_of(rows, "w-1", DeviceKind.WRISTBAND, "1")
    assert band.numbering is Numbering.BOOT
    assert ordinary(DeviceKind.CARE_BED).battery is None
