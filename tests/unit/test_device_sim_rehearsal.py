"""Whole scenarios on a moved clock: what comes out of the broker, and what really happened."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import jsonschema
import msgspec
import pytest

from device_sim.invented import invented_fleet
from device_sim.laying import happenings, trait_rows
from device_sim.rehearsal import WILL_AFTER_S, rehearse
from device_sim.scenario import (
    Scenario,
    ScenarioUnreadable,
    _text_of,
    bundled_scenarios,
    json_schema,
    load_scenario,
    read_duration_s,
)
from device_sim.town import Play
from schemas import topics
from schemas.codec import decode_alarm, decode_telemetry
from schemas.topics import Lane

START = datetime.fromisoformat("2026-03-02T00:00:00+08:00")
HEAD = 'title = "x"\nstarts_at = 2026-03-02T00:00:00+08:00\n'


@dataclass
class Message:
    """One line of a rehearsal's file."""

    t_s: float
    device_id: str
    kind: str
    body: dict[str, Any]
    duplicate: bool

    @property
    def observed_s(self) -> float | None:
        told = self.body.get("observed_at")
        return None if told is None else (datetime.fromisoformat(told) - START).total_seconds()


@dataclass
class Played:
    """All that a rehearsal wrote."""

    lines: list[bytes] = field(default_factory=list)
    truth_lines: list[bytes] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def messages(self) -> list[Message]:
        return [_read(line) for line in self.lines]

    @cached_property
    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.truth_lines]

    def of(self, kind: str, device_id: str = "") -> list[Message]:
        return [m for m in self.messages if m.kind == kind and m.device_id.startswith(device_id)]


def _read(line: bytes) -> Message:
    said = json.loads(line)
    topic = topics.parse(said["topic"])
    assert topic is not None
    t_s = (datetime.fromisoformat(said["received_at"]) - START).total_seconds()
    return Message(t_s, topic.device_id, topic.kind, said["payload"], said["duplicate"])


def play(toml: str | Scenario, lasts: str, homes: int = 1, seed: str = "1") -> Played:
    scenario = msgspec.toml.decode(HEAD + toml, type=Scenario) if isinstance(toml, str) else toml
    fleet = invented_fleet(homes, scenario.devices)
    played = Played()
    played.summary = rehearse(
        fleet,
        Play(
            happenings(scenario, fleet, seed),
            trait_rows(scenario),
            seed,
            1.0,
            scenario.starts_at,
            scenario.answers,
        ),
        read_duration_s(lasts),
        write=played.lines.append,
        write_truth=played.truth_lines.append,
    )
    return played


@pytest.mark.parametrize("name", bundled_scenarios())
def test_every_bundled_scenario_runs_and_speaks_the_contract(name: str) -> None:
    scenario = load_scenario(name)
    lasts_s = min(1500.0, read_duration_s(scenario.lasts or "25m"))
    played = play(scenario, f"{lasts_s}s", homes=12)
    assert len(played.lines) > 500
    for line in played.lines:
        said = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        topic = topics.parse(msgspec.json.decode(said["topic"], type=str))
        assert topic is not None
        decode = decode_alarm if topic.lane is Lane.ALARM else decode_telemetry
        decoded = decode(topic.kind, bytes(said["payload"]))
        assert (decoded.unknown_fields, decoded.damage) == (0, ())
    again = play(scenario, f"{lasts_s}s", homes=12)
    assert (again.lines, again.truth_lines) == (played.lines, played.truth_lines)
    if scenario.step or scenario.trait:
        assert play(scenario, f"{lasts_s}s", homes=12, seed="2").lines != played.lines


@pytest.mark.parametrize("name", bundled_scenarios())
def test_the_published_schema_accepts_every_bundled_scenario(name: str) -> None:
    plain = msgspec.toml.decode(_text_of(name))
    if "starts_at" in plain:
        plain["starts_at"] = plain["starts_at"].isoformat()
    jsonschema.Draft202012Validator(json_schema()).validate(plain)


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ('[[trait]]\nof = "fridge"', "trait 1, of: 'fridge' is none of button"),
        ("[[trait]]\nshare = 1.5", "trait 1, share: 1.5: "),
        ('[[trait]]\ncoverage = { lost_every = "4m" }', "trait 1, coverage: .*lost_for"),
        ("[[trait]]\ndelivery = { lost = 0.6, repeated = 0.6 }", "more than 1 together"),
        ('[[trait]]\nsensor = { frozen = ["charm"] }', "trait 1: 'charm' is no measure"),
        (
            '[[trait]]\nclock = { skew = "3 minutes" }',
            "trait 1, clock, skew: '3 minutes' is no duration",
        ),
        ("[[trait]]\nclock = { skw = '3m' }", "trait 1, clock: unknown field 'skw'; .* skew,"),
        ("starts_at = 2026-01-01T00:00:00", "offset from UTC"),
    ],
)
def test_what_is_wrong_with_a_scenario_is_said_with_its_place(
    tmp_path_factory: pytest.TempPathFactory, toml: str, complaint: str
) -> None:
    path = tmp_path_factory.mktemp("scenario") / "wrong.toml"
    path.write_text(f'title = "x"\n{toml}\n')
    with pytest.raises(ScenarioUnreadable, match=complaint):
        load_scenario(str(path))


OUTAGE = """
devices = ["wristband"]
[[trait]]
stores = {stores}
batches = {batches}
[[step]]
at = "10m"
home = 0
action = "coverage_lost"
lasts = "20m"
[[step]]
at = "15m"
home = 0
device = "wristband"
action = "press"
"""


def test_stored_messages_come_late_with_their_own_time_and_the_press_comes_first() -> None:
    played = play(OUTAGE.format(stores=500, batches="false"), "45m")
    silent = [m for m in played.messages if 600.5 < m.t_s < 1799]
    assert [(m.kind, m.body) for m in silent] == [("status", {"state": "offline"})]
    assert silent[0].t_s == pytest.approx(600 + WILL_AFTER_S, abs=0.2)
    back = [m for m in played.messages if 1800 <= m.t_s < 1800.2]
    assert back[0].kind == "press"
    assert back[0].observed_s == pytest.approx(900, abs=0.01)
    assert back[1].kind == "status"
    assert back[1].observed_s == pytest.approx(1800, abs=0.01)
    stored = [m.observed_s for m in back[2:]]
    assert all(told is not None and 600 <= told <= 1800 for told in stored)
    assert len(stored) == played.summary["stored"]
    assert played.summary["dropped"] == 0
    lost, press, found = played.truth
    assert [lost["what"], press["what"], found["what"]] == [
        "coverage_lost", "press", "coverage_back",
    ]  # fmt: skip
    assert [lost["t_s"], press["t_s"], found["t_s"]] == [600, 900, 1800]
    assert [event.get("needs_help", False) for event in played.truth] == [False, True, False]


def test_memory_is_bounded_and_batches_are_few() -> None:
    small = play(OUTAGE.format(stores=5, batches="false"), "45m")
    assert small.summary["dropped"] == small.summary["stored"] - 5
    counted = [m.body["sequence"] for m in small.messages if "sequence" in m.body]
    assert max(counted) - len(counted) == small.summary["dropped"], "what was lost is a gap"
    whole = play(OUTAGE.format(stores=500, batches="false"), "45m")
    batched = play(OUTAGE.format(stores=500, batches="true"), "45m")
    assert len(batched.lines) < len(whole.lines)
    for played in (whole, batched):
        counted = [m.body["sequence"] for m in played.messages if "sequence" in m.body]
        assert counted == list(range(1, len(counted) + 1)), "nothing was lost, so no gap"

    def pulses(played: Played) -> set[tuple[str, float]]:
        return {
            (sample.get("observed_at") or m.body["observed_at"], sample["value"])
            for m in played.of("vitals")
            for sample in m.body["samples"]
            if sample["measure"] == "heart_rate_per_min"
        }

    assert pulses(batched) == pulses(whole)


def test_repeats_redeliveries_gaps_and_overtaking() -> None:
    toml = """
    devices = ["care_bed"]
    [[trait]]
    numbering = "counter"
    delivery = { repeated = 0.05, redelivered = 0.05, reordered = 0.1, lost = 0.05, within = "80s" }
    """
    played = play(toml, "8h")
    numbers = [int(m.body["message_id"]) for m in played.messages]
    assert numbers != sorted(numbers), "some were overtaken"
    assert set(range(1, max(numbers))) - set(numbers), "some are missing"
    marked = [m for m in played.messages if m.duplicate]
    by_id: dict[str, set[str]] = {}
    for message in played.messages:
        by_id.setdefault(message.body["message_id"], set()).add(json.dumps(message.body))
    assert all(len(bodies) == 1 for bodies in by_id.values()), "the same id, the same content"
    unmarked_twice = len(played.messages) - len(by_id) - len(marked)
    counted = {m.body["sequence"] for m in played.messages}
    gaps = set(range(1, max(counted) + 1)) - counted
    assert len(gaps) == played.summary["never_sent"] > 20
    assert len(marked) > 20
    assert unmarked_twice > 20


def test_a_reboot_restarts_the_counter_and_the_device_says_that_it_lives() -> None:
    toml = """
    devices = ["button"]
    [[trait]]
    numbering = "counter"
    clock = { forgets = true }
    [[step]]
    at = "30m"
    home = 0
    device = "button"
    action = "press"
    [[step]]
    at = "31m"
    home = 0
    device = "button"
    action = "reboot"
    [[step]]
    at = "32m"
    home = 0
    device = "button"
    action = "press"
    """
    played = play(toml, "50m")
    presses = played.of("press")
    ids = [m.body["message_id"] for m in played.messages if "message_id" in m.body]
    assert ids.count("1") == 2
    offline = next(m for m in played.of("status") if m.body.get("state") == "offline")
    boot = next(m for m in played.of("status") if m.t_s > offline.t_s)
    assert boot.t_s - offline.t_s == pytest.approx(25, abs=0.2)
    assert boot.body["observed_at"].startswith("2000-01-01T00:00:00")
    assert presses[1].body["observed_at"].startswith("2000-01-01"), "the press does not wait"
    assert played.messages[-1].body["observed_at"].startswith("2026-")


def test_devices_without_a_clock_or_numbers_say_neither() -> None:
    toml = """
    devices = ["button", "care_bed"]
    [[trait]]
    clock = { absent = true }
    numbering = "absent"
    [[step]]
    at = "5m"
    home = 0
    device = "button"
    action = "press"
    """
    played = play(toml, "30m")
    assert played.of("press")
    assert not any({"observed_at", "message_id"} & m.body.keys() for m in played.messages)
    assert played.summary["received"] == 1


def test_a_wristband_is_charged_in_time_and_measures_nobody_meanwhile() -> None:
    toml = """
    devices = ["wristband"]
    [[trait]]
    battery = { lasts = "20h", charges_in = "1h", starts_percent = 60 }
    """
    played = play(toml, "2d")
    levels = [m.body["battery_percent"] for m in played.of("status") if "worn" in m.body]
    assert min(levels) > 0
    assert max(levels) == 100
    charging = [m.t_s for m in played.of("status") if m.body.get("worn") == "charging"]
    assert charging
    began, ended = [e["t_s"] for e in played.truth if e["what"].startswith("charging_")][:2]
    assert not [m for m in played.of("vitals") if began < m.t_s < ended]
    assert [m for m in played.of("vitals") if ended < m.t_s < ended + 70]


def test_a_battery_that_nobody_renews_warns_saves_and_dies_with_its_last_will() -> None:
    toml = """
    devices = ["door_sensor"]
    [[trait]]
    battery = { lasts = "10h", starts_percent = 50 }
    """
    played = play(toml, "6h")
    death = next(e for e in played.truth if e["what"] == "battery_died")
    assert death["t_s"] == pytest.approx(5 * 3600, abs=5)
    last = played.messages[-1]
    assert last.body == {"state": "offline"}
    assert last.t_s == pytest.approx(death["t_s"], abs=0.2)
    levels = [m.body["battery_percent"] for m in played.of("status")[:-1]]
    assert levels == sorted(levels, reverse=True)
    assert any(19.9 <= level <= 20.0 for level in levels), "it warns when it becomes low"


def test_a_power_cut_darkens_what_has_no_battery_and_the_sensor_says_why() -> None:
    toml = """
    devices = ["wristband", "care_bed", "gateway", "hazard_sensor"]
    [[step]]
    at = "10m"
    home = "all"
    within = "3s"
    action = "power_cut"
    lasts = "10m"
    """
    played = play(toml, "30m", homes=20)
    cut = [m for m in played.messages if 600 <= m.t_s < 604]
    wills = {m.device_id for m in cut if m.body.get("state") == "offline"}
    assert len(wills) == 40
    assert {name.rpartition("-home")[0] for name in wills} == {"care-bed", "gateway"}
    lost = [m for m in played.of("hazard") if m.body.get("phase") is None]
    assert len(lost) == 20
    assert {m.body["hazard"] for m in lost} == {"mains_lost"}
    dark = [m for m in played.of("bed") if 604 < m.t_s < 1200]
    assert dark == []
    back = [m for m in played.of("status") if 1200 <= m.t_s < 1204]
    assert len({m.device_id for m in back} & wills) == 40


def test_a_fall_is_felt_claimed_and_followed_by_stillness() -> None:
    toml = """
    devices = ["wristband", "motion_sensor"]
    [[step]]
    at = "11h"
    home = 0
    device = "wristband"
    action = "fall"
    room = "bathroom"
    lasts = "2h"
    [[step]]
    at = "15h"
    home = 0
    device = "wristband"
    action = "take_off"
    [[step]]
    at = "16h"
    home = 0
    device = "wristband"
    action = "fall"
    """
    played = play(toml, "17h")
    (window,), (claim,) = played.of("motion"), played.of("fall")
    assert window.observed_s == claim.observed_s == pytest.approx(11 * 3600, abs=0.01)
    assert claim.body["impact_g"] > 2
    assert len(window.body["x_mg"]) == 500
    lying = [m for m in played.of("activity") if 11 * 3600 + 400 < m.t_s < 13 * 3600]
    assert lying
    assert all(m.body.get("steps") == 0 and m.body["motion"] is False for m in lying)
    felt = [e["what"] for e in played.truth if e.get("needs_help")]
    assert felt == ["fall", "fall"], "the second is real too, though nothing on the table felt it"


def test_somebody_wanders_and_three_kinds_of_sensor_know() -> None:
    toml = """
    devices = ["wristband", "care_bed", "door_sensor"]
    [[step]]
    at = "2h"
    home = 0
    action = "wander"
    lasts = "1h"
    """
    played = play(toml, "4h")
    gone = [m for m in played.messages if 7200 <= m.t_s < 10_800]
    doors = [m.body["door"] for m in gone if m.kind == "activity" and "door" in m.body]
    assert doors[0] == "opened"
    assert next(m for m in gone if m.kind == "bed").body["state"] == "empty"
    fixes = [m.body for m in gone if m.kind == "location"]
    assert {fix.get("source", "gnss") for fix in fixes} == {"gnss"}
    away = [abs(fix["latitude"] - fixes[0]["latitude"]) for fix in fixes]
    assert away[-1] > away[1]


def test_an_inactive_day_has_a_pulse_and_no_movement() -> None:
    toml = """
    devices = ["wristband", "motion_sensor", "care_bed"]
    [[step]]
    at = "0s"
    home = 0
    action = "lie"
    room = "bed"
    """
    played = play(toml, "20h")
    assert played.of("vitals")
    assert not [m for m in played.of("activity", "motion") if m.t_s > 60]
    assert sum(m.body.get("steps", 0) for m in played.of("activity", "wrist") if m.t_s > 400) == 0
    assert {m.body["state"] for m in played.of("bed") if m.t_s > 60} == {"occupied"}
    (event,) = played.truth
    assert (event["what"], event["needs_help"]) == ("lie", True)


def test_an_ordinary_day_hurts_nobody() -> None:
    played = play("answers = 0.8", "1d", homes=5)
    assert played.truth == [e for e in played.truth if e["what"].startswith("charging")]
    assert not played.of("press") + played.of("fall") + played.of("motion")
    times = [datetime.fromisoformat(json.loads(line)["received_at"]) for line in played.lines]
    assert times == sorted(times)
    assert times[-1] <= START + timedelta(days=1, seconds=1)


def test_a_time_scenario_strikes_the_share_it_names() -> None:
    toml = """
    devices = ["button"]
    [[step]]
    at = "1m"
    within = "1m"
    home = "all"
    share = 0.3
    device = "button"
    action = "press"
    """
    played = play(toml, "3m", homes=300)
    homes = {e["premises_id"] for e in played.truth}
    assert len(homes) == len(played.truth) == pytest.approx(90, abs=25)
    moments = [e["t_s"] for e in played.truth]
    assert moments == sorted(moments)
    assert 60 <= moments[0] < 70
    assert 110 < moments[-1] <= 120
    assert played.summary["presses"] == played.summary["received"] == len(homes)
